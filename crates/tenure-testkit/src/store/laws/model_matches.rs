//! All laws of one session at once: random histories on the store and on a plain model.

use crate::store::{Outcome, StoreHarness, Trial, model};

/// Histories, unless the suite is scaled.
const CASES: u32 = 500;

/// Random histories of a session (commits of several operations that saw the newest or an older
/// record, repeats, touches, time that passes) leave the store as they leave a plain model.
pub async fn model_matches<H: StoreHarness>(trial: &Trial<H>) -> Outcome {
    model::compare(trial, u32::try_from(trial.rounds(CASES)).unwrap_or(u32::MAX)).await
}
