//! What a release would upload.

mod verify;

use serde_json::Value;

use crate::Result;
use crate::cargo::{cargo, in_ci};
use crate::workspace::{Package, Workspace};

pub(crate) fn run(arguments: &[&str]) -> Result {
    crate::no_arguments(arguments)?;
    check(&Workspace::load()?)
}

pub(crate) fn check(workspace: &Workspace) -> Result {
    let mut problems = Vec::new();
    for package in workspace.published() {
        let list = list(&package.name)?;
        let found = metadata_problems(&package.metadata).into_iter().chain(missing_files(&list));
        problems.extend(found.map(|problem| format!("\n  {}: {problem}", package.name)));
    }
    if !problems.is_empty() {
        return Err(format!("not fit to be published:{}", problems.concat()));
    }
    let packages: Vec<&Package> = workspace.published().collect();
    if packages.is_empty() {
        println!("nothing is published");
        return Ok(());
    }
    verify::check(workspace, &packages)
}

fn list(name: &str) -> Result<String> {
    cargo(["package", "--list", "--package", name].iter().chain(dirty()).copied()).output()
}

/// While one works the files differ from the last commit; what CI packages must not.
fn dirty() -> &'static [&'static str] {
    if in_ci() { &[] } else { &["--allow-dirty"] }
}

fn metadata_problems(package: &Value) -> Vec<String> {
    let mut problems = Vec::new();
    for field in ["description", "license", "readme", "documentation", "rust_version"] {
        if package[field].as_str().is_none_or(|text| text.trim().is_empty()) {
            problems.push(format!("`{}` is missing", field.replace('_', "-")));
        }
    }
    let keywords = package["keywords"].as_array().map_or(&[][..], Vec::as_slice);
    if keywords.is_empty() || keywords.len() > 5 {
        problems.push(format!("{} keywords: 1 to 5 are expected", keywords.len()));
    }
    if package["metadata"]["docs"]["rs"]["all-features"] != true {
        problems.push("`[package.metadata.docs.rs]` lacks `all-features = true`".into());
    }
    problems
}

/// `list` has one path a line, as `cargo package --list` prints them.
fn missing_files(list: &str) -> Vec<String> {
    let expected = ["README.md", "LICENSE-MIT", "LICENSE-APACHE"];
    let mut missing: Vec<String> = expected
        .into_iter()
        .filter(|file| !list.lines().any(|line| line == *file))
        .map(|file| format!("the package lacks {file}"))
        .collect();
    if !list.lines().any(|line| matches!(line, "src/lib.rs" | "src/main.rs")) {
        missing.push("the package lacks its source".into());
    }
    missing
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn complete_metadata_is_accepted() {
        let package = json!({
            "description": "Sessions", "license": "MIT", "readme": "README.md",
            "documentation": "d", "rust_version": "1.94", "keywords": ["session"],
            "metadata": { "docs": { "rs": { "all-features": true } } },
        });
        assert_eq!(metadata_problems(&package), Vec::<String>::new());
    }

    #[test]
    fn each_gap_is_named() {
        let package = json!({
            "description": " ", "license": null, "documentation": "d",
            "keywords": ["a", "b", "c", "d", "e", "f"],
            "metadata": { "docs": { "rs": { "all-features": false } } },
        });
        let problems = metadata_problems(&package).join("\n");
        for word in ["description", "license", "readme", "rust-version", "6 keywords", "docs.rs"] {
            assert!(problems.contains(word), "{word} in {problems}");
        }
        assert!(!problems.contains("documentation"), "{problems}");
    }

    #[test]
    fn missing_files_are_named() {
        let list = "Cargo.toml\nLICENSE-APACHE\nLICENSE-MIT\nREADME.md\nsrc/lib.rs\n";
        assert_eq!(missing_files(list), Vec::<String>::new());
        assert_eq!(
            missing_files("docs/README.md\nLICENSE-APACHE\nLICENSE-MIT\n"),
            ["the package lacks README.md", "the package lacks its source"]
        );
    }
}
