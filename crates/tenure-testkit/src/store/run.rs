use std::io::Write;

use super::{Finding, Outcome, StoreHarness, Trial};

/// Threads of the runtime: more than a small machine has, so that tasks really overlap.
const WORKERS: usize = 4;

/// The body of a generated test.
///
/// # Panics
/// When the store breaks the law.
pub fn run<H: StoreHarness>(
    test: &'static str,
    harness: impl FnOnce() -> H,
    law: impl AsyncFnOnce(&Trial<H>) -> Outcome,
) {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(WORKERS)
        .enable_all()
        .build()
        .expect("a runtime can be started");
    let outcome = runtime.block_on(async { law(&Trial::new(harness()).inside(test)).await });
    match outcome {
        Ok(Finding::Kept) => {}
        Ok(Finding::NotOffered(what)) => {
            // Straight to the stream: the test harness would swallow what a passing test prints.
            let _ = writeln!(std::io::stderr(), "test {test} ... not offered: {what}");
        }
        Err(violation) => panic!("{violation}"),
    }
}
