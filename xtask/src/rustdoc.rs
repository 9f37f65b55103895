//! Reads rustdoc's JSON: which crates the public items of a crate name.

use std::path::PathBuf;

use serde_json::Value;

use crate::Result;
use crate::cargo::cargo;
use crate::workspace::Workspace;

/// The crate being documented, among the crates of its description.
const SELF: u64 = 0;

/// Rustdoc that may write JSON.
const RUSTDOC: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/src/rustdoc/unstable.sh");

/// Where a public item names something of another crate.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Mention {
    /// Place, kind and name of the public item.
    pub(crate) item: String,
    /// What it names.
    pub(crate) named: String,
    /// The crate that this belongs to.
    pub(crate) krate: String,
}

/// The JSON that describes the public items of the libraries of this workspace.
pub(crate) struct Descriptions {
    folder: PathBuf,
}

impl Descriptions {
    /// Describes all at once, with the features that the documentation has been built with:
    /// everything that they depend on is there.
    pub(crate) fn write(workspace: &Workspace) -> Result<Self> {
        cargo(["doc", "--workspace", "--lib", "--all-features", "--no-deps"])
            .env("RUSTDOC", RUSTDOC)
            .env("RUSTDOCFLAGS", "-Zunstable-options --output-format=json --cap-lints=allow")
            .run()?;
        Ok(Self { folder: workspace.target.join("doc") })
    }

    /// That of one library.
    pub(crate) fn of(&self, package: &str) -> Result<Value> {
        let file = self.folder.join(package.replace('-', "_")).with_extension("json");
        let text = std::fs::read_to_string(&file)
            .map_err(|error| format!("{} cannot be read: {error}", file.display()))?;
        serde_json::from_str(&text)
            .map_err(|error| format!("{} is no JSON: {error}", file.display()))
    }
}

/// All that the public items name of other crates. What cannot be resolved counts as a mention of
/// the crate `?`, so that a change of rustdoc's format is noticed.
///
/// Implementations that the compiler adds by itself, auto traits and blanket ones, are left out:
/// they come with a dependency whether or not our API shows it.
pub(crate) fn mentions(description: &Value) -> Vec<Mention> {
    let mut found = Vec::new();
    for item in description["index"].as_object().into_iter().flat_map(|index| index.values()) {
        if item["crate_id"] != SELF || !is_public(item) {
            continue;
        }
        for (kind, inner) in item["inner"].as_object().into_iter().flatten() {
            if kind == "impl" && is_automatic(inner) {
                continue;
            }
            let mention = |(named, krate)| Mention { item: place(item, kind), named, krate };
            if kind == "extern_crate" {
                found.push(mention(extern_crate(inner)));
                continue;
            }
            let mut ids = Vec::new();
            collect_ids(inner, &mut ids);
            found.extend(ids.iter().filter_map(|id| resolve(description, id)).map(mention));
        }
    }
    found.sort_by(|a, b| (&a.item, &a.named).cmp(&(&b.item, &b.named)));
    found.dedup();
    found
}

/// Members of traits and implementations, and variants, have the visibility `default`.
fn is_public(item: &Value) -> bool {
    item["visibility"] == "public" || item["visibility"] == "default"
}

fn is_automatic(implementation: &Value) -> bool {
    implementation["is_synthetic"] == true || implementation["blanket_impl"].is_object()
}

/// Everything that an item refers to is an object with an `id`: paths in types and bounds,
/// implemented traits, the target of a `use`. Members are bare numbers, and items themselves.
fn collect_ids(value: &Value, ids: &mut Vec<u64>) {
    match value {
        Value::Object(fields) => {
            ids.extend(fields.get("id").and_then(Value::as_u64));
            fields.values().for_each(|field| collect_ids(field, ids));
        }
        Value::Array(values) => values.iter().for_each(|value| collect_ids(value, ids)),
        _ => {}
    }
}

/// The name and crate behind an id, if that is another crate.
fn resolve(description: &Value, id: &u64) -> Option<(String, String)> {
    let key = id.to_string();
    let path = &description["paths"][&key];
    let krate = path["crate_id"].as_u64().or(description["index"][&key]["crate_id"].as_u64());
    if krate == Some(SELF) {
        return None;
    }
    let segments: Vec<&str> =
        path["path"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    let named = if segments.is_empty() { format!("id {id}") } else { segments.join("::") };
    let krate = krate
        .and_then(|krate| description["external_crates"][krate.to_string()]["name"].as_str())
        .unwrap_or("?");
    Some((named, krate.to_owned()))
}

/// Under `pub extern crate a as b` the two names are `a` and `b`; what counts is `a`, which
/// rustdoc has as `rename` when there are two.
fn extern_crate(inner: &Value) -> (String, String) {
    let name = inner["rename"].as_str().or(inner["name"].as_str()).unwrap_or("?");
    (format!("extern crate {name}"), name.to_owned())
}

/// Where an item is, of what kind, and how it is called.
pub(crate) fn place(item: &Value, kind: &str) -> String {
    let mut place = String::new();
    if let Some(file) = item["span"]["filename"].as_str() {
        place.push_str(file);
        if let Some(line) = item["span"]["begin"][0].as_u64() {
            place.push_str(&format!(":{line}"));
        }
        place.push_str(": ");
    }
    place.push_str(&kind.replace('_', " "));
    if let Some(name) = item["name"].as_str() {
        place.push_str(&format!(" `{name}`"));
    }
    place
}

#[cfg(test)]
mod tests;
