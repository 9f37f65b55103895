use tenure_core::Timestamp;
use tenure_core::store::{
    Created, Epoch, Inspect, Record, Revision, Store, StoreKey, StoreResult, Swap, UserIndex,
};

use crate::store::yields;

/// A store without its own `apply` and `touch`, so that the ones run which
/// [`Store`](tenure_core::store::Store) provides. Others get a turn before and after each call,
/// as they do when a server is asked.
///
/// ```
/// use tenure_core::store::MemoryStore;
/// use tenure_testkit::Provided;
///
/// let store = Provided::new(MemoryStore::new());
/// # drop(store);
/// ```
#[derive(Clone, Debug)]
pub struct Provided<S>(S);

impl<S> Provided<S> {
    /// Hides what `store` does better than the provided methods.
    #[must_use]
    pub const fn new(store: S) -> Self {
        Self(store)
    }
}

/// Lets others run before and after `call`.
async fn with_turns<T>(call: impl Future<Output = T>) -> T {
    yields(1).await;
    let answer = call.await;
    yields(1).await;
    answer
}

impl<S: Store> Store for Provided<S> {
    async fn load(&self, key: &StoreKey, now: Timestamp) -> StoreResult<Option<Record>> {
        with_turns(self.0.load(key, now)).await
    }

    async fn create(
        &self,
        key: &StoreKey,
        record: &Record,
        now: Timestamp,
    ) -> StoreResult<Created> {
        with_turns(self.0.create(key, record, now)).await
    }

    async fn swap(
        &self,
        key: &StoreKey,
        expected: &Revision,
        new: &Record,
        now: Timestamp,
    ) -> StoreResult<Swap> {
        with_turns(self.0.swap(key, expected, new, now)).await
    }

    async fn delete(&self, key: &StoreKey, now: Timestamp) -> StoreResult<bool> {
        with_turns(self.0.delete(key, now)).await
    }

    async fn sweep(&self, limit: u32, now: Timestamp) -> StoreResult<u32> {
        with_turns(self.0.sweep(limit, now)).await
    }

    async fn close(&self) {
        self.0.close().await;
    }

    fn users(&self) -> Option<&impl UserIndex> {
        self.0.users()
    }

    fn epoch(&self) -> Option<&impl Epoch> {
        self.0.epoch()
    }

    fn inspect(&self) -> Option<&impl Inspect> {
        self.0.inspect()
    }
}
