//! The table of what requests see when a store's server fails: made from the fault tests, and
//! compared with what they see.

use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};

use crate::Result;
use crate::cargo::{Run, cargo, root};
use crate::report::Report;
use crate::services::{self, Running};
use crate::workspace::Workspace;

const FILE: &str = "docs/faults.md";
/// The columns.
const STORES: [&str; 8] = [
    "Redis",
    "Valkey",
    "Redis Sentinel",
    "Redis Cluster",
    "PostgreSQL",
    "MariaDB",
    "MongoDB",
    "CouchDB",
];
/// The rows: tests, and what each is about.
const FAULTS: [(&str, &str); 10] = [
    ("fault_refused", "connections refused"),
    ("fault_black_hole", "black hole: nothing passes, not even the beginning of a connection"),
    ("fault_slow", "slow answers"),
    ("fault_reset_mid_reply", "reset in the middle of an answer"),
    ("fault_ack_lost", "acknowledgement lost after the write"),
    ("fault_stall", "stall of 5 s"),
    ("fault_restart", "server restarted, with its data"),
    ("fault_restart_without_data", "server restarted without data"),
    ("fault_killed_during_commits", "`kill -9` during commits, three times"),
    ("fault_failover", "failover: the master killed"),
];
/// They mostly wait, so more run at once than there are processors.
const THREADS: &str = "6";
const INTRODUCTION: &str = include_str!("faults/introduction.md");

/// What each store was seen to do at each fault.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Results(HashMap<(String, String), String>);

pub(crate) fn run(arguments: &[&str]) -> Result {
    crate::no_arguments(arguments)?;
    let workspace = Workspace::load()?;
    let file = file(&workspace)?;
    let variables = services::tools(&workspace)?;
    let passed = command(&file).envs(variables).lines(|_| {})?;
    let results = Results::read(&file)?;
    if !passed {
        return Err(format!("a fault test failed; {FILE} stays as it was"));
    }
    fs::write(path(), results.page()?).map_err(|error| format!("{FILE}: {error}"))?;
    println!("{FILE} is written");
    Ok(())
}

/// Runs the tests as a part of all tests, and tells whether they passed.
pub(crate) fn run_tests(
    workspace: &Workspace,
    running: &Running,
    skips: &Path,
    report: &mut Report,
) -> Result<(bool, Results)> {
    let file = file(workspace)?;
    let variables = running.variables.iter().map(|(name, value)| (name, value));
    let run = command(&file).envs(variables).envs([("TENURE_TEST_SKIPS", skips)]);
    let passed = run.lines(|line| report.read(line))?;
    Ok((passed, Results::read(&file)?))
}

fn command(results: &Path) -> Run {
    let arguments = ["test", "--workspace", "--all-features", "--no-fail-fast", "--test", "faults"];
    cargo(arguments)
        .envs([("TENURE_TEST_FAULTS", results.as_os_str())])
        .envs([("RUST_TEST_THREADS", THREADS)])
}

/// An empty place for the results of this run.
fn file(workspace: &Workspace) -> Result<PathBuf> {
    let file = workspace.target.join("faults.tsv");
    fs::write(&file, "").map_err(|error| format!("{}: {error}", file.display()))?;
    Ok(file)
}

fn path() -> PathBuf {
    root().join(FILE)
}

impl Results {
    fn read(file: &Path) -> Result<Self> {
        let text = fs::read_to_string(file).map_err(|e| format!("{}: {e}", file.display()))?;
        Self::parse(&text)
    }

    /// Lines of store, test and result, separated by tabs.
    fn parse(text: &str) -> Result<Self> {
        let mut results = HashMap::new();
        for line in text.lines() {
            let mut parts = line.splitn(3, '\t').map(str::to_owned);
            let (Some(store), Some(test), Some(seen)) = (parts.next(), parts.next(), parts.next())
            else {
                return Err(format!("{line:?} is no result of a fault test"));
            };
            let known = STORES.contains(&&*store) && FAULTS.iter().any(|(name, _)| *name == test);
            if !known {
                return Err(format!("xtask/src/faults.rs knows no {test} of {store}"));
            }
            results.insert((store, test), seen);
        }
        Ok(Self(results))
    }

    /// The page, if no cell of its table is empty.
    fn page(&self) -> Result<String> {
        let mut page = format!("{INTRODUCTION}\n| fault | {} |\n", STORES.join(" | "));
        page.push_str(&format!("|{}\n", " --- |".repeat(STORES.len() + 1)));
        for (test, what) in FAULTS {
            page.push_str(&format!("| {what} |"));
            for store in STORES {
                let seen = self.0.get(&(store.to_owned(), test.to_owned()));
                let seen =
                    seen.ok_or_else(|| format!("there is no result of {test} of {store}"))?;
                page.push_str(&format!(" {seen} |"));
            }
            page.push('\n');
        }
        Ok(page)
    }

    /// Compares what was seen with the page. What could not run is not missed here.
    pub(crate) fn check(&self) -> Result {
        let page = fs::read_to_string(path()).map_err(|error| format!("{FILE}: {error}"))?;
        let table = Self::of_page(&page)?;
        for ((store, test), seen) in &self.0 {
            let written = table.0.get(&(store.clone(), test.clone())).map(String::as_str);
            if written != Some(seen) {
                let written = written.unwrap_or("nothing");
                return Err(format!(
                    "{FILE} has {written:?} for {test} of {store}, and {seen:?} was seen; \
                     `cargo xtask faults` writes the page"
                ));
            }
        }
        Ok(())
    }

    /// The table of a page, of which no cell is empty.
    fn of_page(page: &str) -> Result<Self> {
        let mut results = HashMap::new();
        for (test, what) in FAULTS {
            let row = page.lines().find_map(|line| line.strip_prefix(&format!("| {what} |")));
            let row = row.ok_or_else(|| format!("{FILE} has no row {what:?}"))?;
            let cells: Vec<&str> = row.trim_end_matches('|').split('|').map(str::trim).collect();
            if cells.len() != STORES.len() || cells.contains(&"") {
                return Err(format!("{FILE}: the row {what:?} is not full"));
            }
            for (store, cell) in STORES.into_iter().zip(cells) {
                results.insert((store.to_owned(), test.to_owned()), cell.to_owned());
            }
        }
        Ok(Self(results))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn complete() -> String {
        let line = |test: &str, store: &str| format!("{store}\t{test}\t{store} at {test}\n");
        FAULTS.iter().flat_map(|(test, _)| STORES.map(|store| line(test, store))).collect()
    }

    #[test]
    fn a_page_has_what_was_seen() {
        let results = Results::parse(&complete()).expect("results");
        let page = results.page().expect("complete");
        assert_eq!(Results::of_page(&page), Ok(results));
    }

    #[test]
    fn no_cell_is_empty() {
        let (_first, rest) =
            complete().split_once('\n').map(|(a, b)| (a.to_owned(), b.to_owned())).expect("lines");
        let error = Results::parse(&rest).expect("results").page().expect_err("a cell is empty");
        assert!(error.contains("fault_refused of Redis"), "{error}");
        let page = Results::parse(&complete()).expect("results").page().expect("complete");
        let empty = page.replace(" Redis at fault_slow |", "  |");
        assert!(Results::of_page(&empty).is_err());
    }

    #[test]
    fn what_nobody_knows_is_refused() {
        for line in ["Redis\tfault_slow", "Rodis\tfault_slow\tx", "Redis\tfault_fast\tx"] {
            assert!(Results::parse(line).is_err(), "{line}");
        }
    }

    #[test]
    fn the_page_has_a_full_table() {
        let page = fs::read_to_string(path()).expect("the page");
        Results::of_page(&page).expect("a full table");
        assert!(page.starts_with(INTRODUCTION), "written by hand: `cargo xtask faults` writes it");
    }
}
