//! Reads what `cargo test` prints.

use std::fmt;

/// The sums over all test binaries and doc tests of one run.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Report {
    pub(crate) passed: u64,
    pub(crate) failed: u64,
    pub(crate) skipped: u64,
    pub(crate) skipped_names: Vec<String>,
}

impl Report {
    /// Takes one line into account. Lines that are no verdict change nothing.
    pub(crate) fn read(&mut self, line: &str) {
        if let Some((passed, failed, skipped)) = summary(line) {
            self.passed += passed;
            self.failed += failed;
            self.skipped += skipped;
        } else if let Some(test) = skipped_test(line) {
            self.skipped_names.push(test.to_owned());
        }
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
        assert_eq!(report, Report { passed: 12, failed: 3, ..Report::default() });
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
