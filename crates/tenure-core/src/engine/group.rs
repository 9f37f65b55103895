//! Commits that wait for each other are saved together.
//!
//! Whoever has its turn while others wait merges its patch into the record that was left to it, leaves
//! the result to the next one and waits for the outcome. The last one saves them all by one swap. A
//! request's closures run in its own task, as ever. Whatever becomes of the swap, the store alone
//! decides: if it is refused, each commits for itself.

use std::sync::Arc;

use async_lock::OnceCell;

use super::manager::Manager;
use super::queue::{Left, Turn};
use crate::clock::Timestamp;
use crate::store::{
    AnyStore, Applied, Patch, Record, Store, StoreError, StoreErrorKind, StoreKey, StoreResult,
    Swap,
};

/// So many wait for one swap at most: their commits are listed in the record.
const MOST: usize = 64;

/// Commits that are in a record which nobody has saved yet. Dropped without an end, it tells its
/// members that they were not saved.
pub(super) struct Group {
    outcome: Arc<OnceCell<Outcome>>,
    size: usize,
}

#[derive(Clone)]
enum Outcome {
    Saved(Arc<Record>),
    /// Nobody knows: the store failed.
    Failed(StoreErrorKind, Arc<str>),
    /// For the reason that the store did not like the whole.
    Refused,
}

impl Group {
    fn new() -> Self {
        Self { outcome: Arc::default(), size: 0 }
    }

    fn join(&mut self) -> Arc<OnceCell<Outcome>> {
        self.size += 1;
        Arc::clone(&self.outcome)
    }

    fn is_full(&self) -> bool {
        self.size >= MOST
    }

    fn tell(&self, outcome: Outcome) {
        // Nobody else sets it, so nothing blocks; what is told already stays.
        let _ = self.outcome.set_blocking(outcome);
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        self.tell(Outcome::Refused);
    }
}

impl Manager {
    /// Commits `patch`, in its turn if the store needs that.
    pub(super) async fn commit(
        &self,
        store: &AnyStore,
        key: &StoreKey,
        patch: &Patch,
        now: Timestamp,
    ) -> StoreResult<Applied> {
        if self.settles_by_itself(Some(patch)) {
            return store.apply(key, patch, now).await;
        }
        // Boxed, so that a commit elsewhere does not carry its size.
        Box::pin(self.commit_in_turn(store, key, patch, now)).await
    }

    async fn commit_in_turn(
        &self,
        store: &AnyStore,
        key: &StoreKey,
        patch: &Patch,
        began: Timestamp,
    ) -> StoreResult<Applied> {
        // One that changes who may come in decides for itself, and drivers of their own save for
        // themselves.
        let mut joins = patch.proof().is_none()
            && patch.user().is_none()
            && !self.store.merges_in_place()
            && !self.store.is_per_request();
        loop {
            let (mut turn, waited) = self.queue.turn(key).await;
            let now = if waited { self.settings.clock.now() } else { began };
            let Some(Left { mut record, group, .. }) = turn.left(key) else {
                return apply(turn, store, key, patch, now).await;
            };
            let merged = if joins { record.after(key, patch, now) } else { None };
            if let Some(merged) = merged.map(Arc::from) {
                let mut group = group.unwrap_or_else(Group::new);
                if turn.has_next() && !group.is_full() {
                    let outcome = group.join();
                    turn.leave(key, merged, Some(group));
                    drop(turn);
                    match outcome.wait().await.clone() {
                        Outcome::Saved(record) => {
                            return Ok(Applied::Done(Some(Box::new((*record).clone()))));
                        }
                        Outcome::Failed(kind, why) => {
                            return Err(StoreError::new(kind, why.to_string()));
                        }
                        Outcome::Refused => {
                            joins = false;
                            continue;
                        }
                    }
                }
                match save(store, key, merged, group, now).await? {
                    Some(saved) => {
                        let answer = Box::new((*saved).clone());
                        turn.leave(key, saved, None);
                        return Ok(Applied::Done(Some(answer)));
                    }
                    None => return apply(turn, store, key, patch, now).await,
                }
            }
            if let Some(group) = group {
                match save(store, key, record, group, now).await? {
                    Some(saved) => record = saved,
                    None => return apply(turn, store, key, patch, now).await,
                }
            }
            // What was committed while this commit waited is newer than what its request saw.
            return apply(turn, store, key, &patch.clone().on(record), now).await;
        }
    }
}

/// Saves what the group has merged, and tells it. None if the store has refused the whole.
async fn save(
    store: &AnyStore,
    key: &StoreKey,
    mut record: Arc<Record>,
    group: Group,
    now: Timestamp,
) -> StoreResult<Option<Arc<Record>>> {
    match store.swap(key, &record.revision, &record, now).await {
        Ok(Swap::Done(revision)) => {
            Arc::make_mut(&mut record).revision = revision;
            group.tell(Outcome::Saved(Arc::clone(&record)));
            Ok(Some(record))
        }
        Ok(Swap::Conflict | Swap::Gone) => Ok(None),
        Err(error) if error.is_retryable() => {
            group.tell(Outcome::Failed(error.kind(), error.to_string().into()));
            Err(error)
        }
        // Each for itself may do: the record may be too large with all of them.
        Err(_) => Ok(None),
    }
}

/// Commits one patch by itself, and leaves what comes of it.
async fn apply(
    mut turn: Turn<'_>,
    store: &AnyStore,
    key: &StoreKey,
    patch: &Patch,
    now: Timestamp,
) -> StoreResult<Applied> {
    let applied = store.apply(key, patch, now).await?;
    if let Applied::Done(Some(record)) = &applied
        && turn.has_next()
    {
        turn.leave(key, Arc::new((**record).clone()), None);
    }
    Ok(applied)
}
