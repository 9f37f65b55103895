//! Fuzzing with the compiler that everything else is built with: the targets of `fuzz/`, on
//! libFuzzer.

mod arguments;
mod build;
mod campaign;
mod seen;

use std::collections::VecDeque;
use std::path::Path;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use self::arguments::Arguments;
use self::build::Targets;
use self::campaign::Campaign;
use crate::Result;
use crate::workspace::Workspace;

/// How long the run of all tests fuzzes each target, and from where its chance begins.
const SHORT: Duration = Duration::from_secs(5);
const SEED: u32 = 1;

pub(crate) fn run(arguments: &[&str]) -> Result {
    let arguments = Arguments::parse(arguments)?;
    let workspace = Workspace::load()?;
    let targets = Targets::load(&workspace)?.named(&arguments.targets)?;
    targets.build()?;
    if let Some(input) = &arguments.input {
        let [target] = targets.names.as_slice() else {
            return Err("--input needs the one target that is to be given the file".into());
        };
        return campaign::repeat(&targets.program(target), input);
    }
    let corpus = targets.folder.join("corpus");
    fuzz(&targets, &corpus, arguments.time, arguments.seed)
}

/// A part of all tests: what is found by chance is found again, since nothing is left of the last
/// run.
pub(crate) fn check(workspace: &Workspace) -> Result {
    let targets = Targets::load(workspace)?;
    targets.clippy()?;
    targets.build()?;
    let corpus = targets.folder.join("short");
    if corpus.exists() {
        std::fs::remove_dir_all(&corpus)
            .map_err(|error| format!("{}: {error}", corpus.display()))?;
    }
    fuzz(&targets, &corpus, SHORT, SEED)
}

/// Whether the lock file of the crate outside of the workspace has the dependencies that the others
/// have by now. Elsewhere than in CI, building it mends that.
pub(crate) fn locked() -> Result {
    let metadata = ["metadata", "--format-version", "1", "--locked"];
    let metadata =
        crate::cargo::cargo(metadata.into_iter().chain(["--manifest-path", build::MANIFEST]));
    metadata.output().map(drop).map_err(|failure| {
        format!("{failure}; run `cargo update --workspace` in fuzz, and commit its Cargo.lock")
    })
}

/// Whether the crate outside of the workspace is formatted.
pub(crate) fn formatted() -> Result {
    crate::cargo::cargo(["fmt", "--manifest-path", build::MANIFEST, "--check"]).run()
}

/// Fuzzes the targets, as many side by side as there are processors.
fn fuzz(targets: &Targets, corpus: &Path, time: Duration, seed: u32) -> Result {
    let alone = targets.names.len() == 1;
    let campaign = |target: &String| {
        let program = targets.program(target);
        Campaign { target, program, corpus: corpus.join(target), time, seed, shown: alone }.run()
    };
    let waiting: Mutex<VecDeque<&String>> = Mutex::new(targets.names.iter().collect());
    let next = || waiting.lock().unwrap_or_else(PoisonError::into_inner).pop_front();
    let failures = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for _ in 0..std::thread::available_parallelism().map_or(1, usize::from) {
            scope.spawn(|| {
                while let Some(target) = next() {
                    if let Err(failure) = campaign(target) {
                        failures.lock().unwrap_or_else(PoisonError::into_inner).push(failure);
                    }
                }
            });
        }
    });
    let failures = failures.into_inner().unwrap_or_else(PoisonError::into_inner);
    if failures.is_empty() { Ok(()) } else { Err(failures.join("\n\n")) }
}
