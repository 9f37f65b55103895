//! The least number of tests: fewer means that some were lost without anybody noticing.

use std::path::PathBuf;

use crate::Result;
use crate::cargo::root;

const FILE: &str = "xtask/expected-tests.txt";

/// Fails when fewer tests ran than the floor says; with `raise`, lifts the floor to that number.
pub(crate) fn check(ran: u64, raise: bool) -> Result {
    let floor = read()?;
    if let Some(failure) = below(ran, floor) {
        return Err(failure);
    }
    if raise && ran > floor {
        std::fs::write(path(), format!("{ran}\n"))
            .map_err(|error| format!("{FILE} cannot be written: {error}"))?;
        println!("{FILE}: {floor} raised to {ran}");
    }
    Ok(())
}

fn read() -> Result<u64> {
    let text = std::fs::read_to_string(path())
        .map_err(|error| format!("{FILE} cannot be read: {error}"))?;
    text.trim().parse().map_err(|_| format!("{FILE} must hold one number and nothing else"))
}

fn path() -> PathBuf {
    root().join(FILE)
}

fn below(ran: u64, floor: u64) -> Option<String> {
    (ran < floor).then(|| {
        format!(
            "{ran} tests ran, at least {floor} were expected ({FILE}); if tests were removed on \
             purpose, lower that number in the same commit"
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fewer_tests_than_the_floor_fail() {
        assert!(below(9, 10).is_some_and(|text| text.contains("9 tests ran, at least 10")));
        assert_eq!(below(10, 10), None);
        assert_eq!(below(11, 10), None);
    }

    #[test]
    fn the_file_holds_a_number() {
        read().expect("one number");
    }
}
