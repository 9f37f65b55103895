//! What the tests that failed said, to be told again where a long run ends.

use std::fmt;

/// Lines of one test that are told again.
const LINES: usize = 40;

/// The sections that libtest prints for the tests that failed.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Failures {
    sections: Vec<Section>,
    inside: bool,
}

#[derive(Debug, PartialEq, Eq)]
struct Section {
    heading: String,
    lines: Vec<String>,
    /// How many more there were.
    left_out: usize,
}

impl Failures {
    /// Takes one line into account.
    pub(crate) fn read_line(&mut self, line: &str) {
        if line.starts_with("---- ") && line.ends_with(" stdout ----") {
            self.inside = true;
            let heading = line.to_owned();
            self.sections.push(Section { heading, lines: Vec::new(), left_out: 0 });
        } else if line == "failures:" || line.starts_with("test result: ") {
            self.inside = false;
        } else if self.inside
            && let Some(section) = self.sections.last_mut()
        {
            if section.lines.len() < LINES {
                section.lines.push(line.to_owned());
            } else {
                section.left_out += 1;
            }
        }
    }
}

impl fmt::Display for Failures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for section in &self.sections {
            writeln!(f, "{}", section.heading)?;
            for line in &section.lines {
                writeln!(f, "{line}")?;
            }
            if section.left_out > 0 {
                writeln!(f, "({} more lines above)", section.left_out)?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> String {
        let mut failures = Failures::default();
        text.lines().for_each(|line| failures.read_line(line));
        failures.to_string()
    }

    #[test]
    fn tells_what_failed_and_nothing_else() {
        let said = read(
            "running 2 tests\n\
             test a::one ... FAILED\n\
             test a::two ... ok\n\n\
             failures:\n\n\
             ---- a::one stdout ----\n\
             thread 'a::one' panicked at src/a.rs:7:5:\n\
             2 is not 3\n\n\
             failures:\n\
             \x20   a::one\n\n\
             test result: FAILED. 1 passed; 1 failed; 0 ignored; 0 measured; 0 filtered out\n",
        );
        let expected = "---- a::one stdout ----\n\
             thread 'a::one' panicked at src/a.rs:7:5:\n\
             2 is not 3\n\n";
        assert_eq!(said, expected);
    }

    #[test]
    fn a_long_section_is_cut() {
        let said = read(&format!("---- a stdout ----\n{}", "x\n".repeat(LINES + 5)));
        assert_eq!(said.lines().count(), LINES + 2);
        assert!(said.ends_with("(5 more lines above)\n"), "{said}");
    }

    #[test]
    fn a_run_that_passes_says_nothing() {
        assert_eq!(read("test a ... ok\ntest result: ok. 1 passed; 0 failed; 0 ignored\n"), "");
    }
}
