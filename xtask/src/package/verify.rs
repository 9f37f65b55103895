//! Makes the packages and builds each one, alone, from what is inside.
//!
//! Not by cargo's own verification: that resolves the unpublished packages against each other as
//! if a registry had them, and what came from a registry is never unpacked or compiled again under
//! the same version. After the first run it would build against old copies.

use std::fs;
use std::path::Path;

use super::dirty;
use crate::Result;
use crate::cargo::{cargo, program, root};
use crate::workspace::{Package, Workspace};

pub(super) fn check(workspace: &Workspace, packages: &[&Package]) -> Result {
    let selection = packages.iter().flat_map(|package| ["--package", package.name.as_str()]);
    cargo(["package", "--no-verify"].iter().chain(dirty()).copied().chain(selection)).run()?;

    let folder = workspace.target.join("unpacked");
    unpack(workspace, packages, &folder)?;
    let manifest = folder.join("Cargo.toml");
    for package in packages {
        println!("building {} from its package", package.name);
        cargo([
            "check",
            "--quiet",
            "--manifest-path",
            text(&manifest)?,
            "--package",
            &package.name,
        ])
        .env("CARGO_TARGET_DIR", text(&workspace.target)?)
        .run()?;
    }
    Ok(())
}

/// Lays the packages out as a workspace of their own, with the versions that are tested here.
fn unpack(workspace: &Workspace, packages: &[&Package], folder: &Path) -> Result {
    if folder.exists() {
        fs::remove_dir_all(folder).map_err(|error| said(folder, &error))?;
    }
    fs::create_dir_all(folder).map_err(|error| said(folder, &error))?;
    for package in packages {
        let archive = format!("{}.crate", directory(package));
        let archive = workspace.target.join("package").join(archive);
        // `-m`: the times inside are fixed ones of long ago, by which nothing ever looks changed.
        program("tar", ["-xzmf", text(&archive)?, "-C", text(folder)?]).run()?;
    }
    let manifest = folder.join("Cargo.toml");
    fs::write(&manifest, workspace_manifest(packages)).map_err(|error| said(&manifest, &error))?;
    let lock = root().join("Cargo.lock");
    fs::copy(&lock, folder.join("Cargo.lock")).map_err(|error| said(&lock, &error))?;
    Ok(())
}

fn workspace_manifest(packages: &[&Package]) -> String {
    let mut manifest = String::from("[workspace]\nresolver = \"3\"\nmembers = [\"*-*.*.*\"]\n\n");
    manifest.push_str("[patch.crates-io]\n");
    for package in packages {
        manifest.push_str(&format!("{} = {{ path = \"{}\" }}\n", package.name, directory(package)));
    }
    manifest
}

fn directory(package: &Package) -> String {
    format!("{}-{}", package.name, package.version)
}

fn text(path: &Path) -> Result<&str> {
    path.to_str().ok_or_else(|| format!("{} is no UTF-8", path.display()))
}

fn said(path: &Path, error: &std::io::Error) -> String {
    format!("{}: {error}", path.display())
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;

    #[test]
    fn packages_are_resolved_against_each_other() {
        let package = |name: &str| Package {
            name: name.into(),
            version: "0.1.0".into(),
            metadata: Value::Null,
        };
        let manifest = workspace_manifest(&[&package("tenure-core"), &package("tenure")]);
        assert!(manifest.contains("\ntenure-core = { path = \"tenure-core-0.1.0\" }\n"));
        assert!(manifest.contains("\ntenure = { path = \"tenure-0.1.0\" }\n"));
    }
}
