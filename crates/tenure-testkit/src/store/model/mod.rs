//! Random histories of a session, on the store and on a plain model of it.

mod history;
mod replay;
mod session;

use proptest::strategy::{Strategy, ValueTree};
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};

use self::history::history;
use self::replay::replay;
use super::{Finding, Outcome, StoreHarness, Trial, Violation};
use crate::rng::{Rng, seed};

/// Attempts to make a history that fails smaller.
const ATTEMPTS: u32 = 2_000;

/// Replays this many random histories on the store and on the model.
///
/// The test [`model_matches`](super::laws::model_matches) of the suite does this 500 times; a store
/// that is fast can be asked for more.
///
/// ```
/// # use tenure_core::store::MemoryStore;
/// # use tenure_testkit::{StoreHarness, store::{Finding, Trial, model}};
/// # struct Memory;
/// # impl StoreHarness for Memory {
/// #     type Store = MemoryStore;
/// #     async fn open(&self) -> MemoryStore { MemoryStore::new() }
/// # }
/// # tokio::runtime::Runtime::new()?.block_on(async {
/// assert_eq!(model::compare(&Trial::new(Memory), 20).await?, Finding::Kept);
/// # Ok::<(), Box<dyn std::error::Error>>(()) })?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// [`Violation`] with the smallest history that was found, when the two do not agree.
pub async fn compare<H: StoreHarness>(trial: &Trial<H>, cases: u32) -> Outcome {
    let scene = trial.scene().await;
    let seed = seed();
    // ChaCha, the default, would take half of the time in a build without optimisation.
    let rng = TestRng::from_seed(RngAlgorithm::XorShift, &Rng::new(seed).bytes::<16>());
    let mut runner = TestRunner::new_with_rng(Config::default(), rng);
    let histories = history();
    for case in 0..cases {
        let mut tree = histories
            .new_tree(&mut runner)
            .map_err(|reason| Violation::new(format!("no history: {reason}")))?;
        let Err(mut violation) = replay(&scene, &tree.current()).await else { continue };
        let mut smallest = tree.current();
        let mut failed = true;
        for _ in 0..ATTEMPTS {
            if !(if failed { tree.simplify() } else { tree.complicate() }) {
                break;
            }
            failed = false;
            if let Err(again) = replay(&scene, &tree.current()).await {
                (failed, violation, smallest) = (true, again, tree.current());
            }
        }
        return Err(Violation::new(format!(
            "TENURE_SUITE_SEED={seed}, history {case}: {violation}\n{smallest:#?}"
        )));
    }
    Ok(Finding::Kept)
}
