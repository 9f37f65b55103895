use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError, RwLock};

use super::MemoryStore;
use crate::clock::Timestamp;
use crate::id::{Namespace, UserId};
use crate::store::{Epoch, KeyName, Listed, StoreKey, StoreResult, UserIndex};

/// Which sessions belong to which user. It changes under the lock of the session's shard; with its
/// own lock held no shard is locked.
#[derive(Default)]
pub(super) struct People(Mutex<HashMap<(Namespace, UserId), Vec<KeyName>>>);

impl People {
    /// Notes that the session of `key` changes hands.
    pub(super) fn moved(&self, key: &StoreKey, from: Option<&UserId>, to: Option<&UserId>) {
        if from == to {
            return;
        }
        let mut people = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let person = |user: &UserId| (key.namespace().clone(), user.clone());
        if let Some(user) = from
            && let Some(sessions) = people.get_mut(&person(user))
        {
            sessions.retain(|name| name != key.name());
            if sessions.is_empty() {
                people.remove(&person(user));
            }
        }
        if let Some(user) = to {
            people.entry(person(user)).or_default().push(key.name().clone());
        }
    }

    /// The keys of a user's sessions, without proofs.
    pub(super) fn sessions(&self, namespace: &Namespace, user: &UserId) -> Vec<StoreKey> {
        let people = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let names = people.get(&(namespace.clone(), user.clone()));
        names
            .into_iter()
            .flatten()
            .map(|name| StoreKey::named(namespace.clone(), name.clone()))
            .collect()
    }
}

/// How often everybody's sessions were ended, by namespace.
#[derive(Default)]
pub(super) struct Epochs {
    /// Whether there is anything to look up at all.
    advanced: AtomicBool,
    epochs: RwLock<HashMap<Namespace, u64>>,
}

impl Epochs {
    pub(super) fn of(&self, namespace: &Namespace) -> u64 {
        if !self.advanced.load(Ordering::Acquire) {
            return 0;
        }
        let epochs = self.epochs.read().unwrap_or_else(PoisonError::into_inner);
        epochs.get(namespace).copied().unwrap_or_default()
    }

    /// Whether a record that was stamped with `seen` is still good.
    pub(super) fn admit(&self, namespace: &Namespace, seen: u64) -> bool {
        seen >= self.of(namespace)
    }

    pub(super) fn advance(&self, namespace: &Namespace) {
        let mut epochs = self.epochs.write().unwrap_or_else(PoisonError::into_inner);
        *epochs.entry(namespace.clone()).or_default() += 1;
        self.advanced.store(true, Ordering::Release);
    }
}

impl UserIndex for MemoryStore {
    async fn list(
        &self,
        namespace: &Namespace,
        user: &UserId,
        now: Timestamp,
    ) -> StoreResult<Vec<Listed>> {
        let keys = self.people.sessions(namespace, user);
        Ok(keys
            .into_iter()
            .filter_map(|key| {
                let record = self.with(&key, |shard, place| place.live(shard, now))?;
                (record.user.as_ref() == Some(user)).then(|| Listed::new(key, record))
            })
            .collect())
    }

    async fn revoke(
        &self,
        namespace: &Namespace,
        user: &UserId,
        keep: Option<&StoreKey>,
        now: Timestamp,
    ) -> StoreResult<u32> {
        // The index and the record change under one lock, so nothing can be missed here and the
        // user needs no epoch.
        let mut revoked = 0;
        for key in self.people.sessions(namespace, user) {
            if keep.is_some_and(|keep| keep.same_session(&key)) {
                continue;
            }
            revoked += u32::from(self.with(&key, |shard, place| {
                let record = place.live(shard, now);
                let theirs = record.filter(|record| record.user.as_ref() == Some(user));
                theirs.map(|record| place.remove(shard, &record)).is_some()
            }));
        }
        Ok(revoked)
    }
}

impl Epoch for MemoryStore {
    async fn revoke_everybody(&self, namespace: &Namespace, _now: Timestamp) -> StoreResult<()> {
        self.epochs.advance(namespace);
        Ok(())
    }
}
