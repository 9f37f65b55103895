use std::io::Write;

use tokio::runtime::Runtime;

use super::any::{AnyHarness, Law};
use super::{Finding, StoreHarness, Trial};

/// Threads of the runtime: more than a small machine has, so that tasks really overlap.
const WORKERS: usize = 4;

/// The body of a generated test.
///
/// # Panics
/// When the store breaks the law.
pub fn run<H: MaybeHarness>(test: &'static str, harness: impl FnOnce() -> H, law: Law) {
    let runtime = runtime();
    let entered = runtime.enter();
    // Who gave none has said why.
    let Some(harness) = harness().harness() else { return };
    drop(entered);
    judge(&runtime, Trial::new(AnyHarness::new(harness)).inside(test), test, law);
}

fn runtime() -> Runtime {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(WORKERS)
        .enable_all()
        .build()
        .expect("a runtime can be started")
}

/// Not generic, so that a binary with many tests has it once.
fn judge(runtime: &Runtime, trial: Trial<AnyHarness>, test: &str, law: Law) {
    // Within the runtime, too, the harness is dropped.
    let outcome = runtime.block_on(async move { law(&trial).await });
    match outcome {
        Ok(Finding::Kept) => {}
        Ok(Finding::NotOffered(what)) => {
            // Straight to the stream: the test harness would swallow what a passing test prints.
            let _ = writeln!(std::io::stderr(), "test {test} ... not offered: {what}");
        }
        Err(violation) => panic!("{violation}"),
    }
}

/// A harness, or none where what it needs is missing.
#[diagnostic::on_unimplemented(
    message = "`{Self}` does not tell the suite how to open a store",
    note = "implement `StoreHarness`: the type of the store, and `async fn open(&self)`"
)]
pub trait MaybeHarness {
    /// The harness.
    type Harness: StoreHarness;

    /// What there is.
    ///
    /// ```
    /// # use tenure_core::store::MemoryStore;
    /// # use tenure_testkit::StoreHarness;
    /// use tenure_testkit::store::MaybeHarness;
    ///
    /// # struct Memory;
    /// # impl StoreHarness for Memory {
    /// #     type Store = MemoryStore;
    /// #     async fn open(&self) -> MemoryStore { MemoryStore::new() }
    /// # }
    /// assert!(Memory.harness().is_some());
    /// assert!(None::<Memory>.harness().is_none());
    /// ```
    fn harness(self) -> Option<Self::Harness>;
}

impl<H: StoreHarness> MaybeHarness for H {
    type Harness = H;

    fn harness(self) -> Option<H> {
        Some(self)
    }
}

impl<H: StoreHarness> MaybeHarness for Option<H> {
    type Harness = H;

    fn harness(self) -> Self {
        self
    }
}

#[cfg(test)]
mod tests {
    use tenure_core::store::MemoryStore;

    use super::*;

    struct Memory;

    impl StoreHarness for Memory {
        type Store = MemoryStore;

        async fn open(&self) -> MemoryStore {
            MemoryStore::new()
        }
    }

    #[test]
    #[should_panic(expected = "it ran")]
    fn with_a_harness_the_law_runs() {
        run("some", || Some(Memory), |_| panic!("it ran"));
    }

    #[test]
    #[should_panic(expected = "it lost something")]
    fn a_broken_law_fails_the_test() {
        run(
            "broken",
            || Memory,
            |_| Box::pin(async { Err(crate::store::Violation::new("it lost something")) }),
        );
    }

    #[test]
    fn without_one_it_does_not() {
        run("none", || None::<Memory>, |_| panic!("it ran"));
    }
}
