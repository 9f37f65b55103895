//! What libFuzzer prints, as far as it matters.

use std::collections::VecDeque;

use crate::Result;

/// A panic and its surroundings are among the last lines.
const LAST: usize = 40;

#[derive(Default)]
pub(super) struct Seen {
    /// Places in the code that are counted, and those that an input has reached.
    counters: u64,
    reached: u64,
    inputs: u64,
    /// The input that failed.
    found: Option<String>,
    last: VecDeque<String>,
}

impl Seen {
    pub(super) fn read(&mut self, line: &str) {
        if let Some((before, _)) = line.split_once(" inline 8-bit counters)") {
            self.counters += last_number(before);
        } else if let Some((_, after)) = line.split_once(" cov: ") {
            self.reached = first_number(after);
        } else if let Some(inputs) = line.strip_prefix("stat::number_of_executed_units: ") {
            self.inputs = first_number(inputs);
        } else if let Some((_, file)) = line.split_once("Test unit written to ") {
            self.found = Some(file.trim().to_owned());
        }
        if self.last.len() == LAST {
            self.last.pop_front();
        }
        self.last.push_back(line.to_owned());
    }

    /// A line about a run that found nothing.
    pub(super) fn verdict(&self, target: &str, passed: bool) -> Result<String> {
        let Self { counters, reached, inputs, .. } = self;
        if let (false, Some(file)) = (passed, &self.found) {
            return Err(format!(
                "{target}: an input fails:\n{}\nagain by: cargo xtask fuzz {target} --input {file}",
                self.shown()
            ));
        }
        if !passed {
            return Err(format!("{target}: libFuzzer ended early:\n{}", self.shown()));
        }
        if *counters == 0 || *reached == 0 {
            return Err(format!(
                "{target}: libFuzzer sees {reached} of {counters} places in the code, so this was \
                 no fuzzing: see whether this compiler takes the flags in xtask/src/fuzz/build.rs"
            ));
        }
        Ok(format!("{target}: {inputs} inputs, {reached} of {counters} places reached"))
    }

    fn shown(&self) -> String {
        let lines: Vec<String> = self.last.iter().map(|line| format!("    {line}")).collect();
        lines.join("\n")
    }
}

fn first_number(text: &str) -> u64 {
    let digits = text.find(|sign: char| !sign.is_ascii_digit()).unwrap_or(text.len());
    text[..digits].parse().unwrap_or_default()
}

fn last_number(text: &str) -> u64 {
    let begin = text.rfind(|sign: char| !sign.is_ascii_digit()).map_or(0, |at| at + 1);
    text[begin..].parse().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    const LOADED: &str = "INFO: Loaded 1 modules   (4685 inline 8-bit counters): 4685 [0x5, 0x6), ";
    const DONE: &str = "#124\tDONE   cov: 102 ft: 213 corp: 36/174b lim: 219 exec/s: 16 rss: 30Mb";

    fn seen(lines: &[&str]) -> Seen {
        let mut seen = Seen::default();
        lines.iter().for_each(|line| seen.read(line));
        seen
    }

    #[test]
    fn a_run_that_finds_nothing_says_how_far_it_came() {
        let seen = seen(&[
            LOADED,
            "#2\tINITED cov: 8 ft: 8 corp: 1/1b",
            DONE,
            "stat::number_of_executed_units: 124",
        ]);
        let summary = seen.verdict("record", true).expect("passed");
        assert_eq!(summary, "record: 124 inputs, 102 of 4685 places reached");
    }

    #[test]
    fn an_input_that_fails_is_named_with_the_way_to_repeat_it() {
        let lines = [
            LOADED,
            DONE,
            "thread '<unnamed>' panicked at targets/record.rs:1:",
            "artifact_prefix='/tmp/t/record-'; Test unit written to /tmp/t/record-crash-1",
        ];
        let error = seen(&lines).verdict("record", false).expect_err("failed");
        assert!(error.contains("panicked at targets/record.rs"), "{error}");
        assert!(
            error.ends_with("cargo xtask fuzz record --input /tmp/t/record-crash-1"),
            "{error}"
        );
        let error = seen(&["killed"]).verdict("record", false).expect_err("failed");
        assert!(error.contains("killed"), "{error}");
    }

    #[test]
    fn a_run_without_counters_is_no_fuzzing() {
        for lines in [&[][..], &[LOADED], &[DONE]] {
            let error = seen(lines).verdict("record", true).expect_err("blind");
            assert!(error.contains("no fuzzing"), "{error}");
        }
    }

    #[test]
    fn no_more_is_kept_than_is_shown() {
        let mut seen = Seen::default();
        (0..100).for_each(|line| seen.read(&line.to_string()));
        assert_eq!((seen.last.len(), seen.last[0].as_str()), (LAST, "60"));
    }
}
