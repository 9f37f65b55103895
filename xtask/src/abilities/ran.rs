//! Which tests of the last run passed, and which were skipped, kept in the target folder.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use crate::Result;

const FILE: &str = "tests-ran.tsv";

/// How often tests of one name passed and were skipped: several binaries may have the same.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Times {
    pub(crate) passed: u64,
    pub(crate) skipped: u64,
}

/// By the names of the tests.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Ran(BTreeMap<String, Times>);

impl Ran {
    /// Takes one line of `cargo test` into account. Doc tests have paths for names, and count for
    /// nothing here.
    pub(crate) fn read_line(&mut self, line: &str) {
        let verdict = line.strip_prefix("test ").and_then(|rest| rest.rsplit_once(" ... "));
        let Some((name, verdict)) = verdict else { return };
        let name = name.strip_suffix(" - should panic").unwrap_or(name);
        if name.contains([' ', '/']) {
            return;
        }
        let times = self.0.entry(name.to_owned()).or_default();
        match verdict {
            "ok" => times.passed += 1,
            _ if verdict.starts_with("ignored") => times.skipped += 1,
            _ => {}
        }
    }

    /// A test that passed for want of its server was skipped; in CI it failed.
    pub(crate) fn skip(&mut self, name: &str) {
        let times = self.0.entry(name.to_owned()).or_default();
        times.passed = times.passed.saturating_sub(1);
        times.skipped += 1;
    }

    pub(super) fn names(&self) -> impl Iterator<Item = (&str, Times)> {
        self.0.iter().map(|(name, times)| (name.as_str(), *times))
    }

    pub(crate) fn write(&self, target: &Path) -> Result {
        let line =
            |(name, times): (&str, Times)| format!("{name}\t{}\t{}\n", times.passed, times.skipped);
        let text: String = self.names().map(line).collect();
        let path = target.join(FILE);
        fs::write(&path, text).map_err(|error| format!("{}: {error}", path.display()))
    }

    pub(super) fn read(target: &Path) -> Result<Self> {
        let path = target.join(FILE);
        let text = fs::read_to_string(&path).map_err(|error| {
            format!("{}: {error}; `cargo xtask test` writes it", path.display())
        })?;
        Self::parse(&text).ok_or_else(|| format!("{} is damaged: delete it", path.display()))
    }

    fn parse(text: &str) -> Option<Self> {
        let line = |line: &str| {
            let mut fields = line.split('\t');
            let name = fields.next()?.to_owned();
            let [passed, skipped] = [fields.next()?.parse().ok()?, fields.next()?.parse().ok()?];
            Some((name, Times { passed, skipped }))
        };
        text.lines().map(line).collect::<Option<_>>().map(Self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_ran_is_kept() {
        let mut ran = Ran::default();
        for line in [
            "test redis::law_1 ... ok",
            "test redis::law_1 ... ok",
            "test tests::late - should panic ... ok",
            "test tests::broken ... FAILED",
            "test tests::slow ... ignored, it is slow",
            "test src/lib.rs - Session (line 7) ... ok",
            "test result: ok. 5 passed; 0 failed",
        ] {
            ran.read_line(line);
        }
        ran.skip("redis::law_1");
        let text =
            |(name, times): (&str, Times)| format!("{name} {} {}", times.passed, times.skipped);
        assert_eq!(
            ran.names().map(text).collect::<Vec<_>>(),
            ["redis::law_1 1 1", "tests::broken 0 0", "tests::late 1 0", "tests::slow 0 1"]
        );
        let folder = std::env::temp_dir().join(format!("tenure-ran-{}", std::process::id()));
        fs::create_dir_all(&folder).expect("a folder");
        ran.write(&folder).expect("written");
        assert_eq!(Ran::read(&folder), Ok(ran));
        fs::remove_dir_all(&folder).expect("removed");
        assert!(Ran::read(&folder).is_err_and(|error| error.contains("cargo xtask test")));
        assert_eq!(Ran::parse("redis::law_1\tmany\t0"), None);
    }
}
