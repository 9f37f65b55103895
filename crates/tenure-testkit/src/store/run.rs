use std::io::Write;

use super::{Finding, Outcome, StoreHarness, Trial};

/// Threads of the runtime: more than a small machine has, so that tasks really overlap.
const WORKERS: usize = 4;

/// The body of a generated test.
///
/// # Panics
/// When the store breaks the law.
pub fn run<H: MaybeHarness>(
    test: &'static str,
    harness: impl FnOnce() -> H,
    law: impl AsyncFnOnce(&Trial<H::Harness>) -> Outcome,
) {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(WORKERS)
        .enable_all()
        .build()
        .expect("a runtime can be started");
    let outcome = runtime.block_on(async {
        // Who gave none has said why.
        let Some(harness) = harness().harness() else { return Ok(Finding::Kept) };
        law(&Trial::new(harness).inside(test)).await
    });
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
        run("some", || Some(Memory), async |_| panic!("it ran"));
    }

    #[test]
    fn without_one_it_does_not() {
        run("none", || None::<Memory>, async |_| panic!("it ran"));
    }
}
