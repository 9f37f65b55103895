//! What cargo knows of the workspace.

use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::Result;
use crate::cargo::cargo;

pub(crate) struct Workspace {
    pub(crate) target: PathBuf,
    pub(crate) packages: Vec<Package>,
}

pub(crate) struct Package {
    pub(crate) name: String,
    pub(crate) version: String,
    /// The package's table in `cargo metadata`.
    pub(crate) metadata: Value,
}

impl Workspace {
    pub(crate) fn load() -> Result<Self> {
        Self::of("Cargo.toml")
    }

    /// That of another manifest, whose path is from the root on.
    pub(crate) fn of(manifest: &str) -> Result<Self> {
        let fixed = ["metadata", "--format-version", "1", "--no-deps"];
        let text = cargo(fixed.into_iter().chain(["--manifest-path", manifest])).output()?;
        let metadata: Value = serde_json::from_str(&text)
            .map_err(|error| format!("`cargo metadata` printed no JSON: {error}"))?;
        Self::parse(&metadata).ok_or_else(|| "`cargo metadata` lacks packages or target".into())
    }

    /// The packages that a release publishes.
    pub(crate) fn published(&self) -> impl Iterator<Item = &Package> {
        self.packages.iter().filter(|package| package.is_published())
    }

    fn parse(metadata: &Value) -> Option<Self> {
        let target = PathBuf::from(metadata["target_directory"].as_str()?);
        let package = |table: &Value| {
            Some(Package {
                name: table["name"].as_str()?.to_owned(),
                version: table["version"].as_str()?.to_owned(),
                metadata: table.clone(),
            })
        };
        let packages = metadata["packages"].as_array()?.iter().map(package).collect::<Option<_>>();
        Some(Self { target, packages: packages? })
    }
}

impl Package {
    pub(crate) fn manifest(&self) -> Result<&Path> {
        let manifest = self.metadata["manifest_path"].as_str();
        manifest.map(Path::new).ok_or_else(|| format!("{} has no manifest", self.name))
    }

    pub(crate) fn has_library(&self) -> bool {
        let targets = self.metadata["targets"].as_array();
        targets.into_iter().flatten().any(|target| {
            target["kind"].as_array().is_some_and(|kinds| kinds.contains(&"lib".into()))
        })
    }

    /// The programs that it has.
    pub(crate) fn programs(&self) -> Vec<String> {
        let targets = self.metadata["targets"].as_array().into_iter().flatten();
        let programs = targets.filter(|target| target["kind"][0] == "bin");
        programs.filter_map(|target| Some(target["name"].as_str()?.to_owned())).collect()
    }

    /// `publish` is absent where anything goes and an empty list under `publish = false`.
    fn is_published(&self) -> bool {
        self.metadata["publish"].as_array().is_none_or(|registries| !registries.is_empty())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn packages_kept_private_are_not_published() {
        let metadata = json!({
            "target_directory": "/t",
            "packages": [
                { "name": "a", "version": "1.0.0", "publish": null },
                { "name": "b", "version": "1.0.0", "publish": [] },
                { "name": "c", "version": "1.0.0", "publish": ["elsewhere"] },
            ],
        });
        let workspace = Workspace::parse(&metadata).expect("complete");
        let names: Vec<_> = workspace.published().map(|package| package.name.as_str()).collect();
        assert_eq!(names, ["a", "c"]);
    }

    #[test]
    fn metadata_of_another_shape_is_refused() {
        assert!(Workspace::parse(&json!({ "packages": [] })).is_none());
        assert!(Workspace::parse(&json!({ "target_directory": "/t", "packages": [{}] })).is_none());
    }
}
