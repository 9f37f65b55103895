//! What a store that has no merging of its own gets.

use super::{
    Applied, Patch, ProofChange, Record, Rejected, Steps, Store, StoreKey, StoreResult, Swap,
    Verdict,
};
use crate::clock::Timestamp;

/// `apply` on top of `load` and `swap`. The record that the request loaded spares the first load,
/// but only what the store holds decides that a patch is refused or its session gone.
pub(super) async fn apply_by_swap<S: Store + ?Sized>(
    store: &S,
    key: &StoreKey,
    patch: &Patch,
    now: Timestamp,
) -> StoreResult<Applied> {
    let mut loaded = patch.base().is_none();
    let mut seen = match patch.base() {
        Some(base) => base.clone(),
        None => match store.load(key, now).await? {
            Some(record) => record,
            None => return applied_before(store, key, patch, now).await,
        },
    };
    let mut steps = None;
    loop {
        match verdict(&seen, key, patch, &mut steps, now) {
            Verdict::Done(mut next) => match store.swap(key, &seen.revision, &next, now).await? {
                Swap::Done(revision) => {
                    next.revision = revision;
                    return Ok(Applied::Done(Some(next)));
                }
                Swap::Gone => return applied_before(store, key, patch, now).await,
                Swap::Conflict => {}
            },
            Verdict::AlreadyDone if loaded => return Ok(Applied::Done(Some(Box::new(seen)))),
            Verdict::Gone if loaded => return applied_before(store, key, patch, now).await,
            Verdict::Rejected(Rejected::Refused(refused)) if loaded => {
                return Ok(Applied::Refused(refused));
            }
            _ => {}
        }
        match store.load(key, now).await? {
            Some(record) => (seen, loaded) = (record, true),
            None => return applied_before(store, key, patch, now).await,
        }
    }
}

/// What becomes of `seen`, with the closures run on its values.
fn verdict(
    seen: &Record,
    key: &StoreKey,
    patch: &Patch,
    steps: &mut Option<Steps>,
    now: Timestamp,
) -> Verdict {
    if let Some(verdict) = seen.answered(key, patch, now) {
        return verdict;
    }
    let ran = match steps.take() {
        Some(mut ran) => ran.rebase(&seen.data).map(|()| ran),
        None => patch.steps(&seen.data),
    };
    match ran {
        Ok(ran) => seen.commit(key, patch, steps.insert(ran), now),
        Err(refused) => Verdict::Rejected(Rejected::Refused(refused)),
    }
}

/// Whether a commit that finds its session gone is the repeat of one that replaced the secret: the
/// record then accepts the new secret and remembers the commit.
async fn applied_before<S: Store + ?Sized>(
    store: &S,
    key: &StoreKey,
    patch: &Patch,
    now: Timestamp,
) -> StoreResult<Applied> {
    if let Some(ProofChange::Replace(proof)) = patch.proof()
        && let Some(record) = store.load(&key.clone().with_proof(*proof), now).await?
        && record.commits.iter().any(|(id, _)| *id == patch.id())
    {
        return Ok(Applied::Done(Some(Box::new(record))));
    }
    Ok(Applied::Gone)
}
