use std::sync::Arc;
use std::sync::atomic::Ordering;

use super::NearCache;
use crate::clock::Timestamp;
use crate::id::{Namespace, UserId};
use crate::store::{
    Applied, Created, Epoch, Inspect, Listed, Patch, Record, Revision, Store, StoreError, StoreKey,
    StoreResult, Swap, UserIndex,
};

impl<S: Store> Store for NearCache<S> {
    async fn load(&self, key: &StoreKey, now: Timestamp) -> StoreResult<Option<Record>> {
        Ok(self.load_shared(key, now).await?.map(Arc::unwrap_or_clone))
    }

    async fn load_shared(
        &self,
        key: &StoreKey,
        now: Timestamp,
    ) -> StoreResult<Option<Arc<Record>>> {
        // In boxes: the future of a warm read is to be small.
        if !self.is_trusted() {
            return match self.store.validate() {
                Some(validate) => Box::pin(self.load_validated(validate, key, now)).await,
                None => Box::pin(self.store.load_shared(key, now)).await,
            };
        }
        let entries = &self.shared.entries;
        let lease = match entries.find(key, now) {
            Ok(record) => return Ok(Some(record)),
            Err(lease) => lease,
        };
        let loaded = Box::pin(self.store.load_shared(key, now)).await?;
        entries.fill(key, lease, loaded.clone().map(|record| (record, None)), now);
        Ok(loaded)
    }

    async fn create(
        &self,
        key: &StoreKey,
        record: &Record,
        now: Timestamp,
    ) -> StoreResult<Created> {
        self.write(key, self.store.create(key, record, now)).await
    }

    async fn swap(
        &self,
        key: &StoreKey,
        expected: &Revision,
        new: &Record,
        now: Timestamp,
    ) -> StoreResult<Swap> {
        self.write(key, self.store.swap(key, expected, new, now)).await
    }

    async fn delete(&self, key: &StoreKey, now: Timestamp) -> StoreResult<bool> {
        self.write(key, self.store.delete(key, now)).await
    }

    async fn sweep(&self, limit: u32, now: Timestamp) -> StoreResult<u32> {
        self.store.sweep(limit, now).await
    }

    async fn apply(&self, key: &StoreKey, patch: &Patch, now: Timestamp) -> StoreResult<Applied> {
        self.write(key, self.store.apply(key, patch, now)).await
    }

    async fn touch(&self, key: &StoreKey, until: Timestamp, now: Timestamp) -> StoreResult<bool> {
        self.write(key, self.store.touch(key, until, now)).await
    }

    /// Ends the watcher, too, as soon as the store it listens to ends the connection.
    async fn close(&self) {
        self.shared.closed.store(true, Ordering::Release);
        self.shared.deaf();
        self.store.close().await;
    }

    fn merges_in_place(&self) -> bool {
        self.store.merges_in_place()
    }

    fn users(&self) -> Option<&impl UserIndex> {
        self.store.users().map(|_| self)
    }

    fn epoch(&self) -> Option<&impl Epoch> {
        self.store.epoch().map(|_| self)
    }

    /// The store's own: what is kept here may be older than the secret that it is asked about.
    fn inspect(&self) -> Option<&impl Inspect> {
        self.store.inspect()
    }
}

impl<S: Store> UserIndex for NearCache<S> {
    async fn list(
        &self,
        namespace: &Namespace,
        user: &UserId,
        now: Timestamp,
    ) -> StoreResult<Vec<Listed>> {
        let users = self.store.users().ok_or_else(|| StoreError::without("user index"))?;
        users.list(namespace, user, now).await
    }

    async fn revoke(
        &self,
        namespace: &Namespace,
        user: &UserId,
        keep: Option<&StoreKey>,
        now: Timestamp,
    ) -> StoreResult<u32> {
        let users = self.store.users().ok_or_else(|| StoreError::without("user index"))?;
        self.write_all(users.revoke(namespace, user, keep, now)).await
    }
}

impl<S: Store> Epoch for NearCache<S> {
    async fn revoke_everybody(&self, namespace: &Namespace, now: Timestamp) -> StoreResult<()> {
        let epoch = self.store.epoch().ok_or_else(|| StoreError::without("epoch"))?;
        self.write_all(epoch.revoke_everybody(namespace, now)).await
    }
}
