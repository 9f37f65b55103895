//! The contract, as each of the public stores keeps it.

/// Makes a type a store: its field `sessions` does all that the contract asks for. What stands
/// after the name are capabilities that it has beside those.
macro_rules! store {
    ($store:ident, $name:literal $(, $watch:ident)?) => {
        const _: () = {
            use tenure_core::store::{
                Applied, Created, Epoch, Inspect, Listed, Patch, Record, Revision, Store, StoreKey,
                StoreResult, Swap, UserIndex,
            };
            use tenure_core::{Namespace, Timestamp, UserId};
            use $crate::sessions::Driver;

            impl Store for $store {
                async fn load(
                    &self,
                    key: &StoreKey,
                    now: Timestamp,
                ) -> StoreResult<Option<Record>> {
                    self.sessions.load(key, now).await
                }

                async fn create(
                    &self,
                    key: &StoreKey,
                    record: &Record,
                    now: Timestamp,
                ) -> StoreResult<Created> {
                    self.sessions.create(key, record, now).await
                }

                async fn swap(
                    &self,
                    key: &StoreKey,
                    expected: &Revision,
                    new: &Record,
                    now: Timestamp,
                ) -> StoreResult<Swap> {
                    self.sessions.swap(key, expected, new, now).await
                }

                async fn delete(&self, key: &StoreKey, now: Timestamp) -> StoreResult<bool> {
                    self.sessions.delete(key, now).await
                }

                async fn sweep(&self, limit: u32, now: Timestamp) -> StoreResult<u32> {
                    self.sessions.driver.sweep(limit, crate::row::millis(now)).await
                }

                async fn apply(
                    &self,
                    key: &StoreKey,
                    patch: &Patch,
                    now: Timestamp,
                ) -> StoreResult<Applied> {
                    self.sessions.apply(key, patch, now).await
                }

                async fn touch(
                    &self,
                    key: &StoreKey,
                    until: Timestamp,
                    now: Timestamp,
                ) -> StoreResult<bool> {
                    self.sessions.touch(key, until, now).await
                }

                async fn close(&self) {
                    self.sessions.driver.close().await;
                }

                fn users(&self) -> Option<&impl UserIndex> {
                    Some(self)
                }

                fn epoch(&self) -> Option<&impl Epoch> {
                    Some(self)
                }

                fn inspect(&self) -> Option<&impl Inspect> {
                    Some(self)
                }

                $(fn $watch(&self) -> Option<&impl tenure_core::store::Watch> {
                    Some(self)
                })?
            }

            impl Inspect for $store {
                async fn record(
                    &self,
                    key: &StoreKey,
                    now: Timestamp,
                ) -> StoreResult<Option<Record>> {
                    self.sessions.find(key, now).await
                }
            }

            impl UserIndex for $store {
                async fn list(
                    &self,
                    namespace: &Namespace,
                    user: &UserId,
                    now: Timestamp,
                ) -> StoreResult<Vec<Listed>> {
                    self.sessions.list(namespace, user, now).await
                }

                async fn revoke(
                    &self,
                    namespace: &Namespace,
                    user: &UserId,
                    keep: Option<&StoreKey>,
                    now: Timestamp,
                ) -> StoreResult<u32> {
                    self.sessions.revoke(namespace, user, keep, now).await
                }
            }

            impl Epoch for $store {
                async fn revoke_everybody(
                    &self,
                    namespace: &Namespace,
                    _now: Timestamp,
                ) -> StoreResult<()> {
                    self.sessions.revoke_everybody(namespace).await
                }
            }

            impl std::fmt::Debug for $store {
                fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                    f.debug_struct($name)
                        .field("table", &self.sessions.shared.table.as_str())
                        .finish_non_exhaustive()
                }
            }
        };
    };
}

pub(crate) use store;
