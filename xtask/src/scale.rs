//! A million sessions in each of some stores.

use crate::Result;
use crate::cargo::cargo;

/// Builds the program that measures, and runs it with these arguments.
pub(crate) fn run(arguments: &[&str]) -> Result {
    let program = ["run", "--release", "--package", "tenure-bench-scale", "--"];
    cargo(program.iter().chain(arguments).copied()).run()
}
