//! Every public function and method of a published library is used in a doc example: its own, that
//! of its type or trait, or that of an item which its docs link to. Doc tests run them all.

use std::collections::HashMap;

use serde_json::Value;

use crate::Result;
use crate::rustdoc::{Descriptions, place};
use crate::workspace::{Package, Workspace};

/// Modules whose functions are all of one kind, which the example of the module stands for.
const ALIKE: &[&str] = &["tenure_testkit::store::laws"];

pub(crate) fn run(arguments: &[&str]) -> Result {
    crate::no_arguments(arguments)?;
    let workspace = Workspace::load()?;
    check(&workspace, &Descriptions::write(&workspace)?)
}

pub(crate) fn check(workspace: &Workspace, descriptions: &Descriptions) -> Result {
    let (mut all, mut without) = (0, Vec::new());
    for package in workspace.published().filter(|package| Package::has_library(package)) {
        let description = descriptions.of(&package.name)?;
        let functions = functions(&description);
        all += functions.len();
        let missing = functions.iter().filter(|function| !function.is_shown());
        without.extend(missing.map(|function| format!("\n  {}", place(function.item, "function"))));
    }
    if !without.is_empty() {
        without.sort();
        return Err(format!("used in no doc example:{}", without.concat()));
    }
    // The format may change, and then nothing would be found wrong.
    if all == 0 {
        return Err("no function was found in rustdoc's JSON: has its format changed?".into());
    }
    println!("all of {all} public functions are used in a doc example");
    Ok(())
}

/// A public function, with all items in whose docs it may be shown.
struct Function<'a> {
    item: &'a Value,
    beside: Vec<&'a Value>,
}

impl Function<'_> {
    fn is_shown(&self) -> bool {
        let name = self.item["name"].as_str().unwrap_or_default();
        has_code(self.item) || self.beside.iter().any(|item| calls(item, name))
    }
}

/// The functions of modules, of traits, and of types in their own right. What implements a trait
/// is documented there.
fn functions(description: &Value) -> Vec<Function<'_>> {
    let index = &description["index"];
    let mut found = HashMap::new();
    for (id, item) in index.as_object().into_iter().flatten() {
        let inner = &item["inner"];
        let (members, owner) = if inner["impl"].is_object() && inner["impl"]["trait"].is_null() {
            let owner = &inner["impl"]["for"]["resolved_path"]["id"];
            (&inner["impl"]["items"], owner.to_string())
        } else if inner["trait"].is_object() {
            (&inner["trait"]["items"], id.clone())
        } else {
            (&inner["module"]["items"], id.clone())
        };
        for member in members.as_array().into_iter().flatten().map(Value::to_string) {
            let item = &index[&member];
            if item["inner"]["function"].is_object() && !is_alike(description, &member) {
                let links = item["links"].as_object().into_iter().flatten();
                let linked = links.map(|(_, id)| &index[id.to_string()]);
                let beside = linked.chain([&index[&owner]]).collect();
                found.insert(member, Function { item, beside });
            }
        }
    }
    found.into_values().collect()
}

fn is_alike(description: &Value, id: &str) -> bool {
    let path = description["paths"][id]["path"].as_array().into_iter().flatten();
    let path = path.filter_map(Value::as_str).collect::<Vec<_>>().join("::");
    ALIKE.iter().any(|module| path.starts_with(module))
}

/// The lines of the examples in an item's docs.
fn code(item: &Value) -> impl Iterator<Item = &str> {
    let mut inside = false;
    item["docs"].as_str().unwrap_or_default().lines().filter(move |line| {
        let fence = line.trim_start().starts_with("```");
        inside ^= fence;
        inside && !fence
    })
}

fn has_code(item: &Value) -> bool {
    code(item).next().is_some()
}

/// Whether an example in the docs of `item` has a call of `name`: the word, and a parenthesis or
/// type arguments behind it.
fn calls(item: &Value, name: &str) -> bool {
    let is_word = |letter: char| letter.is_alphanumeric() || letter == '_';
    code(item).any(|line| {
        line.match_indices(name).any(|(at, _)| {
            let after = &line[at + name.len()..];
            !line[..at].ends_with(is_word) && (after.starts_with('(') || after.starts_with("::<"))
        })
    })
}

#[cfg(test)]
mod tests;
