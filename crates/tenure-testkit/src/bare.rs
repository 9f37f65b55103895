use tenure_core::Timestamp;
use tenure_core::store::{Created, Record, Revision, Store, StoreKey, StoreResult, Swap};

/// A store with the five functions that every store has, and nothing else: no capability, and
/// merging as [`Store`] provides it.
///
/// ```
/// use tenure_core::store::{MemoryStore, Store};
/// use tenure_testkit::Bare;
///
/// let store = Bare::new(MemoryStore::new());
/// assert!(store.users().is_none() && store.epoch().is_none());
/// ```
#[derive(Clone, Debug)]
pub struct Bare<S>(S);

impl<S> Bare<S> {
    /// Hides all that `store` has beyond the five.
    #[must_use]
    pub const fn new(store: S) -> Self {
        Self(store)
    }
}

impl<S: Store> Store for Bare<S> {
    async fn load(&self, key: &StoreKey, now: Timestamp) -> StoreResult<Option<Record>> {
        self.0.load(key, now).await
    }

    async fn create(
        &self,
        key: &StoreKey,
        record: &Record,
        now: Timestamp,
    ) -> StoreResult<Created> {
        self.0.create(key, record, now).await
    }

    async fn swap(
        &self,
        key: &StoreKey,
        expected: &Revision,
        new: &Record,
        now: Timestamp,
    ) -> StoreResult<Swap> {
        self.0.swap(key, expected, new, now).await
    }

    async fn delete(&self, key: &StoreKey, now: Timestamp) -> StoreResult<bool> {
        self.0.delete(key, now).await
    }

    async fn sweep(&self, limit: u32, now: Timestamp) -> StoreResult<u32> {
        self.0.sweep(limit, now).await
    }
}
