//! The comments above tests, and above what makes tests: which ids they name.

use std::fs;
use std::path::Path;

use super::ids;
use crate::Result;
use crate::workspace::Workspace;

/// Macros that make a module of tests, and with what the names of these begin.
const SUITES: [(&str, &str); 2] = [("store_suite! {", "law_"), ("fault_suite! {", "fault_")];

/// A function or module of which the comments, or those of its file, may name ids.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Item {
    pub(super) name: String,
    pub(super) kind: Kind,
    pub(super) ids: Vec<String>,
    /// The module that the file is, unless it is the root of a crate.
    pub(super) module: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Function,
    /// Of the tests in it, those count whose names begin so.
    Module(&'static str),
}

/// What is in the sources and tests of all packages.
pub(super) fn read(workspace: &Workspace) -> Result<Vec<Item>> {
    let mut items = Vec::new();
    for package in &workspace.packages {
        let folder = package.manifest()?.parent().unwrap_or(Path::new(""));
        for root in ["src", "tests"].map(|name| folder.join(name)) {
            if root.is_dir() {
                walk(&root, &root, &mut items)?;
            }
        }
    }
    Ok(items)
}

fn walk(root: &Path, folder: &Path, items: &mut Vec<Item>) -> Result {
    let unreadable = |error| format!("{}: {error}", folder.display());
    for entry in fs::read_dir(folder).map_err(unreadable)? {
        let path = entry.map_err(unreadable)?.path();
        if path.is_dir() {
            walk(root, &path, items)?;
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let text = fs::read_to_string(&path).map_err(|e| format!("{}: {e}", path.display()))?;
            let module = path.strip_prefix(root).ok().and_then(module);
            items.extend(scan(&text).map(|item| Item { module: module.clone(), ..item }));
        }
    }
    Ok(())
}

/// The module of a file, from its path below `src` or `tests`.
fn module(path: &Path) -> Option<String> {
    let stem = path.file_stem()?.to_str()?;
    let folder = path.parent().and_then(Path::file_name).and_then(|name| name.to_str());
    match (stem, folder) {
        // A crate, whatever it is called.
        ("main", _) | (_, None) => None,
        ("mod", Some(folder)) => Some(folder.to_owned()),
        _ => Some(stem.to_owned()),
    }
}

/// The functions and modules of a file, line by line: rustfmt has put each where it is looked for.
fn scan(text: &str) -> impl Iterator<Item = Item> {
    let (mut items, mut of_file, mut above) = (Vec::new(), Vec::new(), Vec::new());
    let mut in_attribute = false;
    for line in text.lines().map(str::trim) {
        if in_attribute {
            in_attribute = !line.ends_with(']');
        } else if let Some(comment) = line.strip_prefix("//!") {
            of_file.extend(ids::in_text(comment).map(str::to_owned));
        } else if let Some(comment) = line.strip_prefix("///") {
            above.extend(ids::in_text(comment).map(str::to_owned));
        } else if line.starts_with("#[") {
            in_attribute = !line.ends_with(']');
        } else if !line.is_empty() && !line.starts_with("//") {
            let ids = std::mem::take(&mut above);
            let item = item(line);
            items.extend(item.map(|(name, kind)| Item { name, kind, ids, module: None }));
        }
    }
    items.into_iter().map(move |mut item| {
        let is_suite = item.kind != Kind::Module("");
        item.ids.extend(of_file.iter().filter(|_| is_suite).cloned());
        item
    })
}

fn item(line: &str) -> Option<(String, Kind)> {
    for (suite, tests) in SUITES {
        if let Some(rest) = line.strip_prefix(suite) {
            return Some((word(rest.trim_start())?, Kind::Module(tests)));
        }
    }
    let mut rest = line;
    for qualifier in ["pub ", "pub(crate) ", "pub(super) ", "const ", "async ", "unsafe "] {
        rest = rest.strip_prefix(qualifier).unwrap_or(rest);
    }
    if let Some(rest) = rest.strip_prefix("mod ") {
        return Some((word(rest)?, Kind::Module(""))).filter(|_| rest.ends_with('{'));
    }
    rest.strip_prefix("fn ").and_then(word).map(|name| (name, Kind::Function))
}

/// The name at the beginning.
fn word(text: &str) -> Option<String> {
    let end = text.find(|letter: char| !letter.is_alphanumeric() && letter != '_');
    Some(text[..end.unwrap_or(text.len())].to_owned()).filter(|word| !word.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(text: &str) -> Vec<(String, Kind, String)> {
        scan(text).map(|item| (item.name, item.kind, item.ids.join(" "))).collect()
    }

    fn function(name: &str, ids: &str) -> (String, Kind, String) {
        (name.to_owned(), Kind::Function, ids.to_owned())
    }

    #[test]
    fn the_comment_right_above_counts() {
        let text = "/// X1: nothing.\n/// R2.\n#[tokio::test(\n    flavor = \"x\"\n)]\n// Why.\n\
            async fn one() {\n    /// V9\n    let a = 1;\n}\n\npub(crate) fn two<T>() {}\n\
            proptest! {\n    /// R16: no octets.\n    #[test]\n    fn three(a in 1..2) {}\n}\n";
        assert_eq!(
            found(text),
            [function("one", "X1 R2"), function("two", ""), function("three", "R16")]
        );
    }

    #[test]
    fn the_comment_of_a_file_is_for_all_of_its_tests() {
        let text = "//! X14, X1: broken.\n\nfn one() {}\nfault_suite! { redis_alone, redis() }\n\
            /// X10: near.\nmod near {\n    store_suite! { laws, Near }\n}\nmod other;\n";
        let module =
            |name: &str, tests, ids: &str| (name.to_owned(), Kind::Module(tests), ids.to_owned());
        assert_eq!(
            found(text),
            [
                function("one", "X14 X1"),
                module("redis_alone", "fault_", "X14 X1"),
                module("near", "", "X10"),
                module("laws", "law_", "X14 X1"),
            ]
        );
    }

    #[test]
    fn files_are_modules_but_for_roots() {
        let of = |path: &str| module(Path::new(path));
        assert_eq!(of("lib.rs"), None);
        assert_eq!(of("shop.rs"), None);
        assert_eq!(of("rules/main.rs"), None);
        assert_eq!(of("rules/flash.rs").as_deref(), Some("flash"));
        assert_eq!(of("stores/mod.rs").as_deref(), Some("stores"));
    }
}
