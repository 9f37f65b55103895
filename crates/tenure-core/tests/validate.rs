//! K20: the near cache before a store that tells whether a session is still the same.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use tenure_core::id::Proof;
use tenure_core::store::{
    AnyStore, Created, MemoryStore, NearCache, Record, Revision, Stamp, Store, StoreKey,
    StoreResult, Swap, Validate,
};
use tenure_core::{Handle, Namespace, Timestamp};
use tenure_testkit::{Fault, FaultStore, Operation, Recorder};

const NOW: Timestamp = Timestamp::from_millis(1_700_000_000_000);

/// A store in memory that validates, and whose loads can be held up.
#[derive(Clone)]
struct Stamped {
    store: FaultStore<Recorder<MemoryStore>>,
    calls: Recorder<MemoryStore>,
    stamp: Arc<Mutex<Option<u8>>>,
}

impl Stamped {
    async fn new() -> Self {
        let calls = Recorder::new(MemoryStore::new());
        calls.create(&key(), &record(), NOW).await.unwrap();
        let stamp = Arc::new(Mutex::new(Some(1)));
        Self { store: FaultStore::new(calls.clone()), calls, stamp }
    }

    fn changes(&self, stamp: Option<u8>) {
        *self.stamp.lock().unwrap() = stamp;
    }

    fn loads(&self) -> usize {
        self.calls.operations().iter().filter(|call| **call == Operation::Load).count()
    }
}

impl Store for Stamped {
    async fn load(&self, key: &StoreKey, now: Timestamp) -> StoreResult<Option<Record>> {
        self.store.load(key, now).await
    }

    async fn create(&self, key: &StoreKey, new: &Record, now: Timestamp) -> StoreResult<Created> {
        self.store.create(key, new, now).await
    }

    async fn swap(
        &self,
        key: &StoreKey,
        expected: &Revision,
        new: &Record,
        now: Timestamp,
    ) -> StoreResult<Swap> {
        self.store.swap(key, expected, new, now).await
    }

    async fn delete(&self, key: &StoreKey, now: Timestamp) -> StoreResult<bool> {
        self.store.delete(key, now).await
    }

    async fn sweep(&self, limit: u32, now: Timestamp) -> StoreResult<u32> {
        self.store.sweep(limit, now).await
    }

    fn validate(&self) -> Option<&impl Validate> {
        Some(self)
    }
}

impl Validate for Stamped {
    async fn stamp(&self, _: &StoreKey) -> StoreResult<Option<Stamp>> {
        Ok(self.stamp.lock().unwrap().map(|stamp| Stamp::new([stamp])))
    }
}

fn key() -> StoreKey {
    let key = StoreKey::new(Namespace::new("shop").unwrap(), Handle::from_bytes([1; 12]));
    key.with_proof(Proof::from_bytes([2; 32]))
}

fn record() -> Record {
    let mut record = Record::new(NOW, Duration::from_secs(600), Duration::from_secs(900));
    record.proofs.present = key().proof().copied();
    record
}

async fn read(cache: &impl Store) {
    assert!(cache.load(&key(), NOW).await.unwrap().is_some());
}

#[tokio::test]
async fn k20_a_session_is_read_again_when_its_stamp_changes() {
    let store = Stamped::new().await;
    let cache = NearCache::new(AnyStore::new(store.clone()));
    assert!(cache.is_on());
    for (stamp, loads) in [(Some(1), 1), (Some(2), 1), (None, 3), (Some(3), 1)] {
        store.changes(stamp);
        let before = store.loads();
        for _ in 0..3 {
            read(&cache).await;
        }
        assert_eq!(store.loads() - before, loads, "with {stamp:?}");
    }
}

#[tokio::test]
async fn k20_a_change_between_stamp_and_load_is_not_hidden() {
    let store = Stamped::new().await;
    let cache = NearCache::new(store.clone());
    let writer = store.clone();
    store.store.inject(
        Operation::Load,
        Fault::delay(move || {
            let writer = writer.clone();
            Box::pin(async move { writer.changes(Some(2)) })
        }),
    );
    read(&cache).await;
    let before = store.loads();
    read(&cache).await;
    assert_eq!(store.loads() - before, 1, "the first stamp is older than what was read");
    read(&cache).await;
    assert_eq!(store.loads() - before, 1);
}
