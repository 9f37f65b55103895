//! The workspace's own commands: `cargo xtask <command>`.
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a terminal is its only reader")]

mod abilities;
mod bench_against;
mod cargo;
mod deny;
mod dependencies;
mod examples;
mod faults;
mod floor;
mod fuzz;
mod pace;
mod package;
mod public_deps;
mod report;
mod rustdoc;
mod scale;
mod seed;
mod semver;
mod services;
mod steps;
mod tables;
mod test;
mod tool;
mod workspace;

use std::process::ExitCode;
use std::str::FromStr;

/// What went wrong and what to do about it, for a human.
type Result<T = ()> = std::result::Result<T, String>;

struct Task {
    name: &'static str,
    about: &'static str,
    run: fn(&[&str]) -> Result,
}

const TASKS: &[Task] = &[
    Task {
        name: "test",
        about: "everything that must hold before a merge; --update-floor raises the least number of tests",
        run: test::run,
    },
    Task {
        name: "services",
        about: "up [names…], down, status: the servers that tests need; env prints where they are, for a shell",
        run: services::run,
    },
    Task {
        name: "lost",
        about: "[stores…]: 50 parallel requests with one cookie through two processes, and what survives",
        run: tables::lost,
    },
    Task {
        name: "demo",
        about: "[stores…]: the demo's shop works on every store",
        run: tables::demo,
    },
    Task {
        name: "scale",
        about: "[--sessions N] [stores…]: how large and how fast up to a million sessions are",
        run: scale::run,
    },
    Task {
        name: "bench-against",
        about: "<commit> [--runs N] [--seconds N] [--within PERCENT]: requests cost no more than they did there",
        run: bench_against::run,
    },
    Task {
        name: "faults",
        about: "breaks the servers of all stores, and writes what requests see into docs/faults.md",
        run: faults::run,
    },
    Task {
        name: "fuzz",
        about: "[targets…] [--seconds N]: what a client can send, fuzzed; <target> --input FILE tries one again",
        run: fuzz::run,
    },
    Task {
        name: "abilities",
        about: "which tests of the last run prove what docs/abilities.md has; --update marks what is newly proven",
        run: abilities::run,
    },
    Task {
        name: "public-deps",
        about: "the core's public API names no crate outside its allow-list",
        run: public_deps::run,
    },
    Task {
        name: "examples",
        about: "every public function of the published crates is used in a doc example",
        run: examples::run,
    },
    Task {
        name: "dependencies",
        about: "counts the crates that tenure brings; --check README.md compares the numbers written there",
        run: dependencies::run,
    },
    Task {
        name: "package",
        about: "each published crate has its metadata and files, packages, and builds from its package",
        run: package::run,
    },
    Task {
        name: "semver",
        about: "the public API keeps the promise of the newest release",
        run: semver::run,
    },
];

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let Some((&name, rest)) = arguments.split_first() else {
        help();
        return ExitCode::SUCCESS;
    };
    if matches!(name, "help" | "--help" | "-h") {
        help();
        return ExitCode::SUCCESS;
    }
    let Some(task) = TASKS.iter().find(|task| task.name == name) else {
        eprintln!("error: there is no command `{name}`\n");
        help();
        return ExitCode::FAILURE;
    };
    match (task.run)(rest) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("error: {failure}");
            ExitCode::FAILURE
        }
    }
}

fn help() {
    println!("cargo xtask <command>\n");
    for task in TASKS {
        println!("  {:<14}{}", task.name, task.about);
    }
    println!("  {:<14}this list", "help");
}

/// The number behind an option.
fn number<T: FromStr>(option: &str, value: Option<&&str>) -> Result<T> {
    let number = value.and_then(|value| value.parse().ok());
    number.ok_or_else(|| format!("{option} needs a number"))
}

/// Refuses arguments where a command takes none.
fn no_arguments(arguments: &[&str]) -> Result {
    match arguments {
        [] => Ok(()),
        [first, ..] => Err(format!("`{first}` is not understood: this command takes no arguments")),
    }
}
