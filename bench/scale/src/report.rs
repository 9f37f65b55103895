//! The figures as Markdown.

use std::fmt;

use crate::phases::{BATCH, Figures, READS, TASKS};
use crate::place::Kind;

/// The head of the table of figures.
pub(crate) const HEAD: &str = "\
| store | sessions | bytes a session | created a second | read a second | swept a second |
| --- | --- | --- | --- | --- | --- |";

/// What was measured, and how: what stands below the table.
#[derive(Default)]
pub(crate) struct Report {
    settings: Vec<(Kind, String)>,
}

impl Report {
    /// Takes one measurement into account, and gives its line of the table.
    pub(crate) fn add(&mut self, kind: Kind, version: String, figures: Figures) -> String {
        if self.settings.last().is_none_or(|(last, _)| *last != kind) {
            self.settings.push((kind, version));
        }
        let Figures { sessions, octets, created, read, swept } = figures;
        let sessions = thousands(sessions);
        let [octets, created, read, swept] =
            [octets, created, read, swept].map(|number| thousands(number.round() as u64));
        let name = kind.name();
        format!("| {name} | {sessions} | {octets} | {created} | {read} | {swept} |")
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        writeln!(
            f,
            "\n{TASKS} tasks at once and the server share {cores} cores; {} sessions are read, \
             whichever; sweeping goes in batches of {}.\n",
            thousands(READS),
            thousands(BATCH.into())
        )?;
        writeln!(f, "| store | version | settings | bytes are |\n| --- | --- | --- | --- |")?;
        for (kind, version) in &self.settings {
            let (name, settings, measured) = (kind.name(), kind.settings(), kind.measured());
            writeln!(f, "| {name} | {version} | {settings} | {measured} |")?;
        }
        Ok(())
    }
}

/// `1,234,567`
fn thousands(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_grouped() {
        let all = [0, 999, 1_000, 25_000, 1_234_567].map(thousands);
        assert_eq!(all, ["0", "999", "1,000", "25,000", "1,234,567"]);
    }

    #[test]
    fn a_store_has_one_line_of_settings_and_one_of_figures_each_time() {
        let mut report = Report::default();
        for sessions in [10_000, 100_000] {
            let figures =
                Figures { sessions, octets: 512.4, created: 1_234.5, read: 9e4, swept: 7.0 };
            let row = report.add(Kind::Redis, "7.0.15".to_owned(), figures);
            let number = thousands(sessions);
            assert_eq!(row, format!("| redis | {number} | 512 | 1,235 | 90,000 | 7 |"));
        }
        assert_eq!(report.to_string().matches("| redis | 7.0.15 |").count(), 1, "{report}");
    }
}
