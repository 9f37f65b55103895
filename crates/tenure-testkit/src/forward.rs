/// Implements [`Store`](tenure_core::store::Store) and its capabilities for a wrapper that has
/// `store: Arc<S>` and a method `around(operation, handle, call)`, through which every call goes.
///
/// Provided methods are forwarded, too: the inner store may do better than the provided ones.
macro_rules! forward_through_around {
    ($wrapper:ident) => {
        impl<S: Store> Store for $wrapper<S> {
            async fn load(&self, key: &StoreKey, now: Timestamp) -> StoreResult<Option<Record>> {
                self.around(Operation::Load, key.handle(), self.store.load(key, now)).await
            }

            async fn load_shared(
                &self,
                key: &StoreKey,
                now: Timestamp,
            ) -> StoreResult<Option<Arc<Record>>> {
                self.around(Operation::Load, key.handle(), self.store.load_shared(key, now)).await
            }

            async fn create(
                &self,
                key: &StoreKey,
                record: &Record,
                now: Timestamp,
            ) -> StoreResult<Created> {
                let call = self.store.create(key, record, now);
                self.around(Operation::Create, key.handle(), call).await
            }

            async fn swap(
                &self,
                key: &StoreKey,
                expected: &Revision,
                new: &Record,
                now: Timestamp,
            ) -> StoreResult<Swap> {
                let call = self.store.swap(key, expected, new, now);
                self.around(Operation::Swap, key.handle(), call).await
            }

            async fn delete(&self, key: &StoreKey, now: Timestamp) -> StoreResult<bool> {
                self.around(Operation::Delete, key.handle(), self.store.delete(key, now)).await
            }

            async fn sweep(&self, limit: u32, now: Timestamp) -> StoreResult<u32> {
                self.around(Operation::Sweep, None, self.store.sweep(limit, now)).await
            }

            async fn apply(
                &self,
                key: &StoreKey,
                patch: &Patch,
                now: Timestamp,
            ) -> StoreResult<Applied> {
                let call = self.store.apply(key, patch, now);
                self.around(Operation::Apply, key.handle(), call).await
            }

            async fn touch(
                &self,
                key: &StoreKey,
                until: Timestamp,
                now: Timestamp,
            ) -> StoreResult<bool> {
                let call = self.store.touch(key, until, now);
                self.around(Operation::Touch, key.handle(), call).await
            }

            async fn close(&self) {
                let call = async { Ok(self.store.close().await) };
                // A store that is closed has no answer to give.
                let _ = self.around(Operation::Close, None, call).await;
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

            fn watch(&self) -> Option<&impl Watch> {
                self.store.watch().map(|_| self)
            }

            fn validate(&self) -> Option<&impl Validate> {
                self.store.validate().map(|_| self)
            }

            fn inspect(&self) -> Option<&impl Inspect> {
                self.store.inspect().map(|_| self)
            }
        }

        impl<S: Store> Validate for $wrapper<S> {
            async fn stamp(&self, key: &StoreKey) -> StoreResult<Option<Stamp>> {
                match self.store.validate() {
                    Some(validate) => validate.stamp(key).await,
                    None => Err(StoreError::without("validate")),
                }
            }
        }

        impl<S: Store> Inspect for $wrapper<S> {
            async fn record(&self, key: &StoreKey, now: Timestamp) -> StoreResult<Option<Record>> {
                let inspect = self.store.inspect().ok_or_else(|| StoreError::without("inspect"))?;
                self.around(Operation::Inspect, key.handle(), inspect.record(key, now)).await
            }
        }

        impl<S: Store> Watch for $wrapper<S> {
            async fn watch(&self, listener: &(dyn Fn(Change) + Send + Sync)) -> StoreError {
                match self.store.watch() {
                    Some(watch) => watch.watch(listener).await,
                    None => StoreError::without("watch"),
                }
            }
        }

        impl<S: Store> UserIndex for $wrapper<S> {
            async fn list(
                &self,
                namespace: &Namespace,
                user: &UserId,
                now: Timestamp,
            ) -> StoreResult<Vec<Listed>> {
                let users = self.store.users().ok_or_else(|| StoreError::without("user index"))?;
                self.around(Operation::List, None, users.list(namespace, user, now)).await
            }

            async fn revoke(
                &self,
                namespace: &Namespace,
                user: &UserId,
                keep: Option<&StoreKey>,
                now: Timestamp,
            ) -> StoreResult<u32> {
                let users = self.store.users().ok_or_else(|| StoreError::without("user index"))?;
                let call = users.revoke(namespace, user, keep, now);
                self.around(Operation::Revoke, keep.and_then(StoreKey::handle), call).await
            }
        }

        impl<S: Store> Epoch for $wrapper<S> {
            async fn revoke_everybody(
                &self,
                namespace: &Namespace,
                now: Timestamp,
            ) -> StoreResult<()> {
                let epoch = self.store.epoch().ok_or_else(|| StoreError::without("epoch"))?;
                let call = epoch.revoke_everybody(namespace, now);
                self.around(Operation::RevokeEverybody, None, call).await
            }
        }

        impl<S> Clone for $wrapper<S> {
            fn clone(&self) -> Self {
                Self { store: Arc::clone(&self.store), shared: Arc::clone(&self.shared) }
            }
        }
    };
}
pub(crate) use forward_through_around;
