//! How many crates one gets with tenure. Those of this workspace are not counted.

use std::collections::BTreeSet;
use std::fs;

use crate::Result;
use crate::cargo::{cargo, root};
use crate::workspace::Workspace;

/// What cargo is asked about each; the memory store is part of the core.
const CORE: &[&str] = &["--package", "tenure-core"];
const AXUM: &[&str] = &["--package", "tenure", "--no-default-features", "--features", "axum"];

pub(crate) fn run(arguments: &[&str]) -> Result {
    let file = match arguments {
        [] => None,
        ["--check", file] => Some(*file),
        _ => return Err("only `--check <file>` is understood".into()),
    };
    check(&Workspace::load()?, file)
}

/// Prints the numbers and, given a file, compares those that it states.
pub(crate) fn check(workspace: &Workspace, file: Option<&str>) -> Result {
    let core = tree(workspace, CORE)?;
    let axum = tree(workspace, AXUM)?;
    // The layer stands on a part of axum, so what the whole brings is counted for itself.
    let framework = tree(workspace, &["--package", "axum"])?;
    let counts =
        [("core", core.all()), ("axum", axum.all()), ("beside-axum", axum.beside(&framework))];
    println!("the core brings {} crates", counts[0].1);
    println!(
        "with axum and the memory store there are {}, of which {} do not come with axum itself",
        counts[1].1, counts[2].1
    );
    let Some(file) = file else { return Ok(()) };
    let text = fs::read_to_string(root().join(file))
        .map_err(|error| format!("{file} cannot be read: {error}"))?;
    compare(&text, &counts).map_err(|failure| format!("{file}: {failure}"))
}

fn tree(workspace: &Workspace, selection: &[&str]) -> Result<Tree> {
    let fixed =
        ["tree", "--edges", "normal", "--prefix", "depth", "--no-dedupe", "--color", "never"];
    let printed = cargo(fixed.into_iter().chain(selection.iter().copied())).output()?;
    let own: Vec<&str> = workspace.packages.iter().map(|package| package.name.as_str()).collect();
    Tree::parse(&printed, &own).ok_or_else(|| "`cargo tree` printed what is no tree".into())
}

/// The lines of `cargo tree`: which crate, and whether it is ours.
struct Tree {
    lines: Vec<Line>,
}

struct Line {
    name: String,
    version: String,
    own: bool,
}

impl Tree {
    /// `2http v1.4.0` and the like, one a line; blank lines separate several roots.
    fn parse(printed: &str, own: &[&str]) -> Option<Self> {
        let line = |text: &str| {
            let digits = text.find(|letter: char| !letter.is_ascii_digit())?;
            let (depth, crate_) = text.split_at(digits);
            let mut words = crate_.split_whitespace();
            let name = words.next()?.to_owned();
            let version = words.next()?.strip_prefix('v')?.to_owned();
            let own = own.contains(&name.as_str());
            depth.parse::<usize>().ok()?;
            Some(Line { name, version, own })
        };
        let lines = printed.lines().filter(|text| !text.is_empty()).map(line);
        Some(Self { lines: lines.collect::<Option<_>>()? })
    }

    fn all(&self) -> usize {
        self.crates().collect::<BTreeSet<_>>().len()
    }

    /// Those that are not in the other tree.
    fn beside(&self, other: &Self) -> usize {
        let there: BTreeSet<_> = other.crates().collect();
        self.crates().filter(|found| !there.contains(found)).collect::<BTreeSet<_>>().len()
    }

    fn crates(&self) -> impl Iterator<Item = (&String, &String)> {
        self.lines.iter().filter(|line| !line.own).map(|line| (&line.name, &line.version))
    }
}

/// Every `<!-- crates:name -->N<!-- /crates -->` must have the right N, and each of `required`
/// must be stated somewhere.
fn compare(text: &str, counts: &[(&str, usize)]) -> Result {
    let mut stated = BTreeSet::new();
    for marked in text.split("<!-- crates:").skip(1) {
        let (name, rest) = marked.split_once(" -->").ok_or("a `crates:` marker is not closed")?;
        let (number, _) = rest
            .split_once("<!-- /crates -->")
            .ok_or_else(|| format!("`crates:{name}` lacks its `<!-- /crates -->`"))?;
        let (_, count) = counts
            .iter()
            .find(|(known, _)| *known == name)
            .ok_or_else(|| format!("`crates:{name}` counts nothing known"))?;
        if number.trim() != count.to_string() {
            return Err(format!("`crates:{name}` says {}, it is {count}", number.trim()));
        }
        stated.insert(name);
    }
    match ["core", "axum"].into_iter().find(|name| !stated.contains(name)) {
        None => Ok(()),
        Some(name) => Err(format!("it lacks `<!-- crates:{name} -->N<!-- /crates -->`")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PRINTED: &str = "0tenure v0.1.0 (/here/crates/tenure)\n\
        1tenure-core v0.1.0 (/here/crates/tenure-core)\n\
        2http v1.4.0\n\
        3bytes v1.11.0\n\
        2sha2 v0.11.0\n\
        1axum v0.8.9\n\
        2http v1.4.0\n\
        3bytes v1.11.0\n\
        2serde_derive v1.0.0 (proc-macro)\n\
        1sha2 v0.10.0\n";

    fn tree() -> Tree {
        Tree::parse(PRINTED, &["tenure", "tenure-core"]).expect("a tree")
    }

    #[test]
    fn crates_are_counted_once_a_version() {
        assert_eq!(tree().all(), 6);
    }

    #[test]
    fn what_comes_with_the_framework_is_told_apart() {
        let parse = |printed| Tree::parse(printed, &[]).expect("a tree");
        let framework = parse("0axum v0.8.9\n1http v1.4.0\n2bytes v1.11.0\n1sha2 v0.10.0\n");
        assert_eq!(tree().beside(&framework), 2);
        assert_eq!(tree().beside(&parse("0other v1.0.0\n")), 6);
    }

    #[test]
    fn what_is_no_tree_is_refused() {
        assert!(Tree::parse("http v1.0.0\n", &[]).is_none());
        assert!(Tree::parse("1http\n", &[]).is_none());
    }

    #[test]
    fn right_numbers_pass() {
        let text =
            "core <!-- crates:core -->3<!-- /crates -->, all <!-- crates:axum -->7<!-- /crates -->";
        compare(text, &[("core", 3), ("axum", 7)]).expect("right");
    }

    #[test]
    fn wrong_missing_and_unknown_numbers_fail() {
        let counts = [("core", 3), ("axum", 7)];
        for (text, word) in [
            ("<!-- crates:core -->4<!-- /crates -->", "says 4, it is 3"),
            ("<!-- crates:core -->3<!-- /crates -->", "lacks `<!-- crates:axum"),
            ("<!-- crates:other -->3<!-- /crates -->", "counts nothing known"),
            ("<!-- crates:core -->3", "lacks its"),
            ("<!-- crates:core", "not closed"),
            ("", "lacks"),
        ] {
            let failure = compare(text, &counts).expect_err(text);
            assert!(failure.contains(word), "{failure}");
        }
    }
}
