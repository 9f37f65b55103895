//! Reads what `cargo test` prints.

use std::collections::BTreeSet;
use std::fmt;

use crate::abilities::Ran;
use failures::Failures;

mod failures;

/// The sums over all test binaries and doc tests of one run.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Report {
    pub(crate) passed: u64,
    pub(crate) failed: u64,
    pub(crate) skipped: u64,
    pub(crate) skipped_names: Vec<String>,
    /// How many of the skipped had no server.
    pub(crate) unserved: u64,
    /// The tests by their names.
    pub(crate) ran: Ran,
    /// What the failed ones said.
    pub(crate) failures: Failures,
}

impl Report {
    /// Takes one line into account. Lines that are no verdict change nothing.
    pub(crate) fn read(&mut self, line: &str) {
        self.ran.read_line(line);
        self.failures.read_line(line);
        if let Some((passed, failed, skipped)) = summary(line) {
            self.passed += passed;
            self.failed += failed;
            self.skipped += skipped;
        } else if let Some(test) = skipped_test(line) {
            self.skipped_names.push(test.to_owned());
        }
    }

    /// Takes into account the tests whose server is missing: they wrote a line each time that they
    /// asked for it, and for cargo they passed, or in CI failed.
    pub(crate) fn read_skips(&mut self, text: &str, in_ci: bool) {
        let mut tests = BTreeSet::new();
        for line in text.lines().filter_map(|line| line.strip_prefix("tenure: skipped: ")) {
            let test = line.rsplit_once(": ").map_or(line, |(_why, test)| test);
            if tests.insert(test) {
                self.skipped_names.push(line.to_owned());
                // Before it stands the binary.
                self.ran.skip(test.rsplit_once(' ').map_or(test, |(_binary, name)| name));
            }
        }
        self.unserved = u64::try_from(tests.len()).unwrap_or(u64::MAX);
        self.skipped += self.unserved;
        let counted = if in_ci { &mut self.failed } else { &mut self.passed };
        *counted = counted.saturating_sub(self.unserved);
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} passed, {} failed, {} skipped", self.passed, self.failed, self.skipped)
    }
}

/// `test result: ok. 5 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out; …`
fn summary(line: &str) -> Option<(u64, u64, u64)> {
    let (_verdict, counts) = line.strip_prefix("test result: ")?.split_once(". ")?;
    let count = |word: &str| {
        counts.split("; ").find_map(|part| part.strip_suffix(word)?.trim_end().parse().ok())
    };
    Some((count("passed")?, count("failed")?, count("ignored")?))
}

/// `test store::law_1 ... ignored` or `test store::law_1 ... ignored, the reason`
fn skipped_test(line: &str) -> Option<&str> {
    let (_name, verdict) = line.strip_prefix("test ")?.rsplit_once(" ... ")?;
    let skipped = verdict == "ignored" || verdict.starts_with("ignored, ");
    skipped.then(|| &line["test ".len()..])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Report {
        let mut report = Report::default();
        text.lines().for_each(|line| report.read(line));
        report
    }

    #[test]
    fn sums_over_binaries() {
        let report = read(
            "running 2 tests\n\
             test a::one ... ok\n\
             test a::two ... ok\n\n\
             test result: ok. 2 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.00s\n\
             test result: FAILED. 10 passed; 3 failed; 0 ignored; 0 measured; 1 filtered out\n",
        );
        assert_eq!(report.to_string(), "12 passed, 3 failed, 0 skipped");
    }

    #[test]
    fn names_what_was_skipped() {
        let report = read(
            "test store::law_1 ... ignored\n\
             test store::law_2 ... ignored, no server\n\
             test src/lib.rs - Session (line 7) ... ok\n\
             test a_case_ignored ... ok\n\
             test result: ok. 2 passed; 0 failed; 2 ignored; 0 measured; 0 filtered out; finished in 1.50s\n",
        );
        assert_eq!(report.skipped, 2);
        assert_eq!(
            report.skipped_names,
            ["store::law_1 ... ignored", "store::law_2 ... ignored, no server"]
        );
    }

    #[test]
    fn tests_without_a_server_are_skipped_and_counted_once() {
        let text = "tenure: skipped: no redis: laws redis::law_1\n\
            tenure: skipped: no redis: laws redis::law_1\n\
            tenure: skipped: no postgres: X is not set: laws redis::law_1\n\
            tenure: skipped: no redis: laws redis::law_2\n\
            something else\n";
        let before = || Report { passed: 9, failed: 4, skipped: 1, ..Report::default() };
        let mut report = before();
        report.read_skips(text, false);
        assert_eq!(report.to_string(), "7 passed, 4 failed, 3 skipped");
        assert_eq!(report.unserved, 2);
        assert_eq!(report.skipped_names.len(), 2);
        let mut ran = Ran::default();
        ["redis::law_1", "redis::law_2"].iter().for_each(|test| ran.skip(test));
        assert_eq!(report.ran, ran, "known by their names, without the binary");
        let mut in_ci = before();
        in_ci.read_skips(text, true);
        assert_eq!(in_ci.to_string(), "9 passed, 2 failed, 3 skipped");
    }

    #[test]
    fn other_lines_change_nothing() {
        let report = read(
            "a test result: ok. 1 passed; 0 failed; 0 ignored\n\
             test result: ok\n\
             test result: ok. many passed; 0 failed; 0 ignored\n\
             the law ... ignored\n",
        );
        assert_eq!(report, Report::default());
    }
}
