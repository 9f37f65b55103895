use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use tenure_core::id::{CommitId, Proof};
use tenure_core::store::{
    Applied, Created, Patch, Record, Revision, Store, StoreKey, Swap, UserIndex,
};
use tenure_core::value::Json;
use tenure_core::{Clock, Handle, Namespace, SystemClock, Timestamp, UserId};

use super::{Outcome, StoreHarness, Trial, Violation, check};
use crate::rng::fresh;

/// The idle timeout of the suite's sessions. Long, so that no sweep of another test on the same
/// server reaches them: sweeps happen within seconds of the real time.
pub(super) const IDLE: Duration = Duration::from_secs(2 * 60 * 60);
/// Their absolute timeout.
pub(super) const ABSOLUTE: Duration = Duration::from_secs(24 * 60 * 60);
pub(super) const MS: Duration = Duration::from_millis(1);

/// A store with a namespace for one test alone.
pub(super) struct Scene<S> {
    pub(super) store: Arc<S>,
    pub(super) namespace: Namespace,
    pub(super) start: Timestamp,
}

impl<H: StoreHarness> Trial<H> {
    pub(super) async fn scene(&self) -> Scene<H::Store> {
        Scene::of(self.harness.open().await)
    }
}

impl<S> Clone for Scene<S> {
    fn clone(&self) -> Self {
        let Self { store, namespace, start } = self;
        Self { store: Arc::clone(store), namespace: namespace.clone(), start: *start }
    }
}

impl<S: Store> Scene<S> {
    pub(super) fn of(store: S) -> Self {
        Self { store: Arc::new(store), namespace: namespace(), start: SystemClock.now() }
    }

    /// The same store, seen from another namespace.
    pub(super) fn elsewhere(&self, namespace: Namespace) -> Self {
        Self { namespace, ..self.clone() }
    }

    /// The same namespace, with `start` as its beginning.
    pub(super) fn begun_at(&self, start: Timestamp) -> Self {
        Self { start, ..self.clone() }
    }

    /// This long after the start.
    pub(super) fn after(&self, duration: Duration) -> Timestamp {
        self.start + duration
    }

    /// The key of no session yet.
    pub(super) fn key(&self) -> StoreKey {
        StoreKey::new(self.namespace.clone(), Handle::from_bytes(fresh())).with_proof(proof())
    }

    /// A session that begins at the start, ready to be filed under `key`.
    pub(super) fn record(&self, key: &StoreKey, data: &[(&str, &str)]) -> Record {
        let mut record = Record::new(self.start, IDLE, ABSOLUTE);
        record.proofs.present = key.proof().copied();
        record.commits.push((commit(), self.start));
        record.data = data.iter().copied().collect();
        record
    }

    /// Files a session with this data under a key of its own.
    pub(super) async fn begin(&self, data: &[(&str, &str)]) -> Outcome<StoreKey> {
        let key = self.key();
        self.file(&key, &self.record(&key, data)).await?;
        Ok(key)
    }

    /// Files `record`, which must be new.
    pub(super) async fn file(&self, key: &StoreKey, record: &Record) -> Outcome<()> {
        let created = self.store.create(key, record, record.created).await?;
        check!(created == Created::Created, "a new session could not be created: {created:?}");
        Ok(())
    }

    /// The record, which must be there.
    pub(super) async fn load(&self, key: &StoreKey, now: Timestamp) -> Outcome<Record> {
        self.store
            .load(key, now)
            .await?
            .ok_or_else(|| Violation::new("a session that should be there is not"))
    }

    /// Applies `patch`, which must take effect.
    pub(super) async fn apply(&self, key: &StoreKey, patch: &Patch, now: Timestamp) -> Outcome<()> {
        match self.store.apply(key, patch, now).await? {
            Applied::Done(_) => Ok(()),
            other => Err(Violation::new(format!("apply did not take effect: {other:?}"))),
        }
    }

    /// Swaps in `record`, which must take effect.
    pub(super) async fn swap(
        &self,
        key: &StoreKey,
        expected: &Revision,
        record: &Record,
        now: Timestamp,
    ) -> Outcome<Revision> {
        match self.store.swap(key, expected, record, now).await? {
            Swap::Done(revision) => Ok(revision),
            other => Err(Violation::new(format!("swap did not take effect: {other:?}"))),
        }
    }

    /// Whether no operation with `key` finds a session, and none makes one.
    pub(super) async fn is_gone(&self, key: &StoreKey, now: Timestamp) -> Outcome<()> {
        self.is_shut(key, now).await?;
        check!(!self.store.delete(key, now).await?, "delete found a session that is gone");
        check!(self.store.load(key, now).await?.is_none(), "an operation created a session");
        Ok(())
    }

    /// Whether no operation with `key` reads or writes; it may still delete.
    pub(super) async fn is_shut(&self, key: &StoreKey, now: Timestamp) -> Outcome<()> {
        let record = self.record(key, &[("written", "1")]);
        check!(self.store.load(key, now).await?.is_none(), "load found a session that is gone");
        let shared = self.store.load_shared(key, now).await?;
        check!(shared.is_none(), "load_shared found a session that is gone");
        let patch = patch().set("written", json("1")).extend(now + IDLE);
        for patch in [patch.clone(), patch.on(Arc::new(record.clone()))] {
            let applied = self.store.apply(key, &patch, now).await?;
            check!(matches!(applied, Applied::Gone), "apply to what is gone: {applied:?}");
        }
        for revision in [0, 1, 2].map(Revision::number) {
            let swap = self.store.swap(key, &revision, &record, now).await?;
            check!(swap == Swap::Gone, "swap of what is gone: {swap:?}");
        }
        check!(!self.store.touch(key, now + IDLE, now).await?, "touch of what is gone");
        check!(self.store.load(key, now).await?.is_none(), "an operation created a session");
        Ok(())
    }
}

impl<S: Store> Scene<S> {
    /// The sessions of `user` by their handles, ordered; none if the store has no index.
    pub(super) async fn listed(&self, user: &UserId, now: Timestamp) -> Outcome<Vec<Handle>> {
        let Some(users) = self.store.users() else { return Ok(Vec::new()) };
        let listed = users.list(&self.namespace, user, now).await?;
        let mut handles: Vec<_> = listed.iter().filter_map(|found| found.key.handle()).collect();
        check!(handles.len() == listed.len(), "the index lists a key that is no handle");
        handles.sort_unstable();
        Ok(handles)
    }
}

/// A namespace that no other test has.
pub(super) fn namespace() -> Namespace {
    let name = format!("suite-{:016x}", u64::from_be_bytes(fresh()));
    Namespace::new(name).expect("hexadecimal digits are visible")
}

pub(super) fn proof() -> Proof {
    Proof::from_bytes(fresh())
}

/// A fresh commit id, made as the engine makes them: those of one process begin with the same eight
/// octets and count in the others.
pub(super) fn commit() -> CommitId {
    static START: LazyLock<[u8; 8]> = LazyLock::new(fresh);
    static COUNT: AtomicU64 = AtomicU64::new(0);
    let count = COUNT.fetch_add(1, Ordering::Relaxed).to_be_bytes();
    let mut id = [0; CommitId::LEN];
    id[..8].copy_from_slice(&*START);
    id[8..].copy_from_slice(&count);
    CommitId::from_bytes(id)
}

pub(super) fn patch() -> Patch {
    Patch::new(commit())
}

pub(super) fn json(text: &str) -> Json {
    Json::parse(text).expect("the suite writes JSON")
}

pub(super) fn user(name: &str) -> UserId {
    UserId::new(name).expect("the suite's users have short names")
}

/// The record with these timeouts, counted from its beginning.
pub(super) fn lasting(mut record: Record, idle: Duration, absolute: Duration) -> Record {
    let times = Record::new(record.created, idle, absolute);
    record.idle_timeout = times.idle_timeout;
    record.idle_deadline = times.idle_deadline;
    record.absolute_deadline = times.absolute_deadline;
    record
}

/// Two keys of one session, the second with another proof.
pub(super) fn with_other_proof(key: &StoreKey) -> StoreKey {
    key.clone().with_proof(proof())
}

/// The key for administration: without a proof.
pub(super) fn without_proof(key: &StoreKey) -> StoreKey {
    StoreKey::named(key.namespace().clone(), key.name().clone())
}

/// What a record holds under a key, for messages and comparisons.
pub(super) fn value<'a>(record: &'a Record, key: &str) -> Option<&'a str> {
    record.data.get(key)
}
