//! Programs that the checks need beside cargo, installed when they are missing.

use crate::Result;
use crate::cargo::{cargo, program};
use crate::workspace::Workspace;

/// A cargo subcommand that is a crate of its own.
pub(crate) struct Tool {
    /// The subcommand's name: `deny` for `cargo-deny`.
    pub(crate) name: &'static str,
    /// What is installed when the one at hand is older or absent.
    pub(crate) version: (u64, u64, u64),
}

impl Tool {
    pub(crate) fn ensure(&self, workspace: &Workspace) -> Result {
        let (major, minor, patch) = self.version;
        if self.installed().is_some_and(|installed| installed >= self.version) {
            return Ok(());
        }
        let package = format!("cargo-{}", self.name);
        let version = format!("{major}.{minor}.{patch}");
        println!("installing {package} {version}: this takes minutes, once");
        let build = workspace.target.join("tools");
        let build = build.to_str().ok_or("the target directory's name is no UTF-8")?;
        // Little optimisation: the tool runs for seconds and is built for minutes.
        cargo(["install", "--locked", &package, "--version", &version, "--target-dir", build])
            .env("CARGO_INCREMENTAL", "0")
            .env("CARGO_PROFILE_RELEASE_DEBUG", "0")
            .env("CARGO_PROFILE_RELEASE_LTO", "off")
            .env("CARGO_PROFILE_RELEASE_OPT_LEVEL", "1")
            .run()
    }

    fn installed(&self) -> Option<(u64, u64, u64)> {
        // Asked first, because cargo complains aloud about a subcommand that it does not know.
        if !cargo([self.name, "--version"]).succeeds() {
            return None;
        }
        version(&cargo([self.name, "--version"]).output().ok()?)
    }
}

/// A component of the Rust toolchain, which rustup may have left out.
pub(crate) fn ensure_component(name: &str, subcommand: &str) -> Result {
    if cargo([subcommand, "--version"]).succeeds() {
        return Ok(());
    }
    program("rustup", ["component", "add", name]).run()
}

/// `cargo-deny 0.20.2` and the like: the last word of the first line.
fn version(printed: &str) -> Option<(u64, u64, u64)> {
    let word = printed.lines().next()?.split_whitespace().last()?;
    let release = word.split(['-', '+']).next()?;
    let mut numbers = release.split('.').map(|number| number.parse().ok());
    let version = (numbers.next()??, numbers.next()??, numbers.next()??);
    numbers.next().is_none().then_some(version)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_read_and_ordered() {
        assert_eq!(version("cargo-deny 0.20.2\n"), Some((0, 20, 2)));
        assert_eq!(version("cargo-semver-checks 1.0.0-rc.1\nmore"), Some((1, 0, 0)));
        assert_eq!(version("cargo-deny\n"), None);
        assert_eq!(version("cargo-deny 1.2.3.4"), None);
        assert_eq!(version(""), None);
        assert!(version("x 0.9.9") < version("x 0.10.0"));
    }
}
