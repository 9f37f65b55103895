use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use super::{
    Applied, Change, Created, Epoch, Inspect, Listed, Patch, Record, Revision, Stamp, Store,
    StoreError, StoreKey, StoreResult, Swap, UserIndex, Validate, Watch,
};
use crate::clock::Timestamp;
use crate::id::{Namespace, UserId};

type Boxed<'a, T> = Pin<Box<dyn Future<Output = StoreResult<T>> + Send + 'a>>;

/// The twin of [`Store`] whose futures are boxed.
pub(super) trait DynStore: Send + Sync {
    fn load<'a>(&'a self, key: &'a StoreKey, now: Timestamp) -> Boxed<'a, Option<Record>>;
    fn load_shared<'a>(
        &'a self,
        key: &'a StoreKey,
        now: Timestamp,
    ) -> Boxed<'a, Option<Arc<Record>>>;
    fn create<'a>(
        &'a self,
        key: &'a StoreKey,
        record: &'a Record,
        now: Timestamp,
    ) -> Boxed<'a, Created>;
    fn swap<'a>(
        &'a self,
        key: &'a StoreKey,
        expected: &'a Revision,
        new: &'a Record,
        now: Timestamp,
    ) -> Boxed<'a, Swap>;
    fn delete<'a>(&'a self, key: &'a StoreKey, now: Timestamp) -> Boxed<'a, bool>;
    fn sweep(&self, limit: u32, now: Timestamp) -> Boxed<'_, u32>;
    fn apply<'a>(
        &'a self,
        key: &'a StoreKey,
        patch: &'a Patch,
        now: Timestamp,
    ) -> Boxed<'a, Applied>;
    fn touch<'a>(&'a self, key: &'a StoreKey, until: Timestamp, now: Timestamp) -> Boxed<'a, bool>;
    fn close(&self) -> Pin<Box<dyn Future<Output = ()> + Send + '_>>;
    fn merges_in_place(&self) -> bool;
    fn has_users(&self) -> bool;
    fn list<'a>(
        &'a self,
        namespace: &'a Namespace,
        user: &'a UserId,
        now: Timestamp,
    ) -> Boxed<'a, Vec<Listed>>;
    fn revoke<'a>(
        &'a self,
        namespace: &'a Namespace,
        user: &'a UserId,
        keep: Option<&'a StoreKey>,
        now: Timestamp,
    ) -> Boxed<'a, u32>;
    fn has_epoch(&self) -> bool;
    fn revoke_everybody<'a>(&'a self, namespace: &'a Namespace, now: Timestamp) -> Boxed<'a, ()>;
    fn has_watch(&self) -> bool;
    fn listen<'a>(
        &'a self,
        listener: &'a (dyn Fn(Change) + Send + Sync),
    ) -> Pin<Box<dyn Future<Output = StoreError> + Send + 'a>>;
    fn has_validate(&self) -> bool;
    fn stamp<'a>(&'a self, key: &'a StoreKey) -> Boxed<'a, Option<Stamp>>;
    fn has_inspect(&self) -> bool;
    fn record<'a>(&'a self, key: &'a StoreKey, now: Timestamp) -> Boxed<'a, Option<Record>>;
}

impl<S: Store> DynStore for S {
    fn load<'a>(&'a self, key: &'a StoreKey, now: Timestamp) -> Boxed<'a, Option<Record>> {
        Box::pin(Store::load(self, key, now))
    }

    fn load_shared<'a>(
        &'a self,
        key: &'a StoreKey,
        now: Timestamp,
    ) -> Boxed<'a, Option<Arc<Record>>> {
        Box::pin(Store::load_shared(self, key, now))
    }

    fn create<'a>(
        &'a self,
        key: &'a StoreKey,
        record: &'a Record,
        now: Timestamp,
    ) -> Boxed<'a, Created> {
        Box::pin(Store::create(self, key, record, now))
    }

    fn swap<'a>(
        &'a self,
        key: &'a StoreKey,
        expected: &'a Revision,
        new: &'a Record,
        now: Timestamp,
    ) -> Boxed<'a, Swap> {
        Box::pin(Store::swap(self, key, expected, new, now))
    }

    fn delete<'a>(&'a self, key: &'a StoreKey, now: Timestamp) -> Boxed<'a, bool> {
        Box::pin(Store::delete(self, key, now))
    }

    fn sweep(&self, limit: u32, now: Timestamp) -> Boxed<'_, u32> {
        Box::pin(Store::sweep(self, limit, now))
    }

    fn apply<'a>(
        &'a self,
        key: &'a StoreKey,
        patch: &'a Patch,
        now: Timestamp,
    ) -> Boxed<'a, Applied> {
        Box::pin(Store::apply(self, key, patch, now))
    }

    fn touch<'a>(&'a self, key: &'a StoreKey, until: Timestamp, now: Timestamp) -> Boxed<'a, bool> {
        Box::pin(Store::touch(self, key, until, now))
    }

    fn close(&self) -> Pin<Box<dyn Future<Output = ()> + Send + '_>> {
        Box::pin(Store::close(self))
    }

    fn merges_in_place(&self) -> bool {
        Store::merges_in_place(self)
    }

    fn has_users(&self) -> bool {
        Store::users(self).is_some()
    }

    fn list<'a>(
        &'a self,
        namespace: &'a Namespace,
        user: &'a UserId,
        now: Timestamp,
    ) -> Boxed<'a, Vec<Listed>> {
        match Store::users(self) {
            Some(users) => Box::pin(users.list(namespace, user, now)),
            None => Box::pin(async { Err(StoreError::without("user index")) }),
        }
    }

    fn revoke<'a>(
        &'a self,
        namespace: &'a Namespace,
        user: &'a UserId,
        keep: Option<&'a StoreKey>,
        now: Timestamp,
    ) -> Boxed<'a, u32> {
        match Store::users(self) {
            Some(users) => Box::pin(users.revoke(namespace, user, keep, now)),
            None => Box::pin(async { Err(StoreError::without("user index")) }),
        }
    }

    fn has_epoch(&self) -> bool {
        Store::epoch(self).is_some()
    }

    fn revoke_everybody<'a>(&'a self, namespace: &'a Namespace, now: Timestamp) -> Boxed<'a, ()> {
        match Store::epoch(self) {
            Some(epoch) => Box::pin(epoch.revoke_everybody(namespace, now)),
            None => Box::pin(async { Err(StoreError::without("epoch")) }),
        }
    }

    fn has_watch(&self) -> bool {
        Store::watch(self).is_some()
    }

    fn listen<'a>(
        &'a self,
        listener: &'a (dyn Fn(Change) + Send + Sync),
    ) -> Pin<Box<dyn Future<Output = StoreError> + Send + 'a>> {
        match Store::watch(self) {
            Some(watch) => Box::pin(watch.watch(listener)),
            None => Box::pin(async { StoreError::without("watch") }),
        }
    }

    fn has_validate(&self) -> bool {
        Store::validate(self).is_some()
    }

    fn stamp<'a>(&'a self, key: &'a StoreKey) -> Boxed<'a, Option<Stamp>> {
        match Store::validate(self) {
            Some(validate) => Box::pin(validate.stamp(key)),
            None => Box::pin(async { Err(StoreError::without("validate")) }),
        }
    }

    fn has_inspect(&self) -> bool {
        Store::inspect(self).is_some()
    }

    fn record<'a>(&'a self, key: &'a StoreKey, now: Timestamp) -> Boxed<'a, Option<Record>> {
        match Store::inspect(self) {
            Some(inspect) => Box::pin(inspect.record(key, now)),
            None => Box::pin(async { Err(StoreError::without("inspect")) }),
        }
    }
}
