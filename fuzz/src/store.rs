use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tenure_core::Timestamp;
use tenure_core::store::{
    Created, MemoryStore, Record, Revision, Store, StoreKey, StoreResult, Swap,
};

/// The memory store, its calls counted, with the merging that stores get without doing anything
/// for it. Clones are the same store.
#[derive(Clone, Debug, Default)]
pub struct Counted(Arc<(MemoryStore, AtomicUsize)>);

impl Counted {
    /// The calls since the last time.
    pub fn calls(&self) -> usize {
        self.0.1.swap(0, Ordering::Relaxed)
    }

    fn store(&self) -> &MemoryStore {
        self.0.1.fetch_add(1, Ordering::Relaxed);
        &self.0.0
    }
}

impl Store for Counted {
    async fn load(&self, key: &StoreKey, now: Timestamp) -> StoreResult<Option<Record>> {
        self.store().load(key, now).await
    }

    async fn create(
        &self,
        key: &StoreKey,
        record: &Record,
        now: Timestamp,
    ) -> StoreResult<Created> {
        self.store().create(key, record, now).await
    }

    async fn swap(
        &self,
        key: &StoreKey,
        expected: &Revision,
        new: &Record,
        now: Timestamp,
    ) -> StoreResult<Swap> {
        self.store().swap(key, expected, new, now).await
    }

    async fn delete(&self, key: &StoreKey, now: Timestamp) -> StoreResult<bool> {
        self.store().delete(key, now).await
    }

    async fn sweep(&self, limit: u32, now: Timestamp) -> StoreResult<u32> {
        self.store().sweep(limit, now).await
    }
}
