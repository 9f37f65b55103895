//! The targets as programs, by which libFuzzer sees what code an input goes through.

use std::path::PathBuf;

use tenure_test_servers::Debian;

use crate::Result;
use crate::cargo::{cargo, in_ci, program};
use crate::tool;
use crate::workspace::Workspace;

/// A crate outside of the workspace.
pub(super) const MANIFEST: &str = "fuzz/Cargo.toml";

/// Has LLVM count which code runs and tell libFuzzer what is compared with what: as `cargo fuzz`
/// does it, but with what a stable compiler takes.
const FLAGS: &[&str] = &[
    "--cfg=fuzzing",
    "-Cpasses=sancov-module",
    "-Cllvm-args=-sanitizer-coverage-level=4",
    "-Cllvm-args=-sanitizer-coverage-inline-8bit-counters",
    "-Cllvm-args=-sanitizer-coverage-pc-table",
    "-Cllvm-args=-sanitizer-coverage-trace-compares",
    // Conditions that LLVM joins are one to libFuzzer.
    "-Cllvm-args=-simplifycfg-branch-fold-threshold=0",
];

pub(super) struct Targets {
    pub(super) names: Vec<String>,
    /// Everything that is built or found.
    pub(super) folder: PathBuf,
    /// The platform. Named, since what runs while building is not to be counted.
    platform: String,
}

impl Targets {
    pub(super) fn load(workspace: &Workspace) -> Result<Self> {
        let fuzz = Workspace::of(MANIFEST)?;
        let package = fuzz.packages.first().ok_or_else(|| format!("{MANIFEST} has no package"))?;
        let names = package.programs();
        let version = program("rustc", ["-vV"]).output()?;
        let platform = version.lines().find_map(|line| line.strip_prefix("host: "));
        let platform = platform.ok_or("`rustc -vV` names no host")?.to_owned();
        Ok(Self { names, folder: workspace.target.join("fuzz"), platform })
    }

    /// The wanted ones, all if none is named.
    pub(super) fn named(self, wanted: &[String]) -> Result<Self> {
        if wanted.is_empty() {
            return Ok(self);
        }
        match wanted.iter().find(|name| !self.names.contains(name)) {
            None => Ok(Self { names: wanted.to_vec(), ..self }),
            Some(name) => {
                Err(format!("there is no target {name:?}, only {}", self.names.join(", ")))
            }
        }
    }

    pub(super) fn program(&self, target: &str) -> PathBuf {
        self.folder.join(&self.platform).join("release").join(target)
    }

    pub(super) fn build(&self) -> Result {
        let targets = self.names.iter().flat_map(|name| ["--bin", name.as_str()]);
        self.cargo("build", targets)
    }

    /// With the flags of the build, which then finds the libFuzzer that this has built.
    pub(super) fn clippy(&self) -> Result {
        tool::ensure_component("clippy", "clippy")?;
        self.cargo("clippy", ["--no-deps", "--all-targets", "--", "-D", "warnings"])
    }

    fn cargo<'a>(
        &'a self,
        command: &'a str,
        arguments: impl IntoIterator<Item = &'a str>,
    ) -> Result {
        compiler()?;
        let folder = self.folder.to_str().ok_or("the target directory's name is no UTF-8")?;
        let mut fixed = vec![command, "--release", "--manifest-path", MANIFEST];
        fixed.extend(["--target", &self.platform, "--target-dir", folder]);
        if in_ci() {
            fixed.push("--locked");
        }
        cargo(fixed.into_iter().chain(arguments))
            // It comes before the variable `RUSTFLAGS` and all configuration.
            .envs([("CARGO_ENCODED_RUSTFLAGS", FLAGS.join("\x1f"))])
            .run()
    }
}

/// Whether libFuzzer can be built.
fn compiler() -> Result {
    let chosen = std::env::var("CXX").unwrap_or_else(|_| "c++".into());
    if program(&chosen, ["--version"]).succeeds() {
        return Ok(());
    }
    Err(format!(
        "there is no C++ compiler `{chosen}`, and libFuzzer is C++: `apt-get install {}`, or name \
         yours in the variable CXX",
        Debian::Cxx.name()
    ))
}
