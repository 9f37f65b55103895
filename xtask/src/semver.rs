//! Compares the public API with the newest release.

use crate::Result;
use crate::cargo::{cargo, program, root};
use crate::tool::Tool;
use crate::workspace::{Package, Workspace};

const TOOL: Tool = Tool { name: "semver-checks", version: (0, 51, 0) };

pub(crate) fn run(arguments: &[&str]) -> Result {
    crate::no_arguments(arguments)?;
    check(&Workspace::load()?)
}

pub(crate) fn check(workspace: &Workspace) -> Result {
    let tags = program("git", ["tag", "--list", "v*"]).output()?;
    let Some(release) = newest(&tags) else {
        println!("no release yet: nothing to compare with");
        return Ok(());
    };
    println!("comparing with {release}");
    TOOL.ensure(workspace)?;
    let mut command = vec!["semver-checks", "--all-features", "--baseline-rev", release];
    for package in workspace.published().filter(|package| package.has_library()) {
        if existed(package, release)? {
            command.extend(["--package", &package.name]);
        } else {
            println!("{}: new since {release}", package.name);
        }
    }
    if command.contains(&"--package") { cargo(command).run() } else { Ok(()) }
}

/// The tag of the highest release; pre-releases promise nothing.
fn newest(tags: &str) -> Option<&str> {
    let version = |tag: &str| {
        let numbers: Option<Vec<u64>> =
            tag.strip_prefix('v')?.split('.').map(|number| number.parse().ok()).collect();
        numbers.filter(|numbers| numbers.len() == 3)
    };
    let releases = tags.lines().map(str::trim).filter_map(|tag| Some((version(tag)?, tag)));
    releases.max().map(|(_version, tag)| tag)
}

/// Whether the release already had the package.
fn existed(package: &Package, release: &str) -> Result<bool> {
    let manifest = package.manifest()?;
    let inside = manifest.strip_prefix(root()).map_err(|error| error.to_string())?;
    let object = format!("{release}:{}", inside.display());
    Ok(program("git", ["cat-file", "-e", &object]).succeeds())
}

#[cfg(test)]
mod tests {
    use super::newest;

    #[test]
    fn the_highest_release_wins() {
        assert_eq!(newest("v0.9.0\nv0.10.0\nv0.2.11\n"), Some("v0.10.0"));
        assert_eq!(newest("v1.0.0-rc.1\nv0.3.0\nvacation\nv2\n"), Some("v0.3.0"));
    }

    #[test]
    fn without_a_release_there_is_none() {
        assert_eq!(newest(""), None);
        assert_eq!(newest("vacation\nv1.0.0-alpha\n"), None);
    }
}
