use std::any::Any;
use std::fmt;
use std::sync::Arc;

use http::request::Parts;

use super::boxed::DynStore;
use super::{
    Applied, Change, Created, Epoch, Inspect, Listed, MemoryStore, Patch, Record, Revision, Stamp,
    Store, StoreError, StoreKey, StoreResult, Swap, UserIndex, Validate, Watch,
};
use crate::clock::Timestamp;
use crate::id::{Namespace, UserId};

/// Any store, chosen at run time; cheap to clone.
///
/// It implements [`Store`] itself, so that whatever takes a store takes this one, and forwards
/// every operation, the provided ones too.
///
/// ```
/// use tenure_core::store::{AnyStore, MemoryStore};
///
/// let store = AnyStore::new(MemoryStore::new());
/// let same = store.clone();
/// # drop((store, same));
/// ```
#[derive(Clone)]
pub struct AnyStore {
    store: Arc<dyn DynStore>,
    capabilities: Capabilities,
    /// The same store if it is the one in memory: its operations are short, and a box for their
    /// futures would be a good part of what they cost.
    memory: Option<Arc<MemoryStore>>,
    /// Makes the store of one request, where each has its own.
    per_request: Option<Arc<PerRequest>>,
}

type PerRequest = dyn Fn(&Parts) -> AnyStore + Send + Sync;

/// The capabilities of a store whose type is hidden; reached only where the store has them.
#[derive(Clone)]
struct Capabilities(Arc<dyn DynStore>);

impl AnyStore {
    /// Hides the type of `store`, unless it is hidden already.
    ///
    /// ```
    /// # use tenure_core::store::{AnyStore, MemoryStore};
    /// let hidden = AnyStore::new(AnyStore::new(MemoryStore::new()));
    /// assert!(hidden.is_volatile(), "hidden once, however often it is asked for");
    /// ```
    #[must_use]
    pub fn new(store: impl Store) -> Self {
        let store = Arc::new(store);
        let any: Arc<dyn Any + Send + Sync> = Arc::clone(&store) as _;
        if let Some(hidden) = any.downcast_ref::<Self>() {
            return hidden.clone();
        }
        let memory = any.downcast().ok();
        Self {
            capabilities: Capabilities(Arc::clone(&store) as _),
            store,
            memory,
            per_request: None,
        }
    }

    /// A store that is another one for each request: `make` is called with the head of each when it
    /// begins. What belongs to no request goes to `outside`: tokens that are opened by hand, probes,
    /// sweeping, and a user's sessions. All of them must keep the same sessions.
    ///
    /// ```
    /// use tenure_core::store::{AnyStore, MemoryStore};
    ///
    /// let (outside, same) = (AnyStore::new(MemoryStore::new()), AnyStore::new(MemoryStore::new()));
    /// let store = AnyStore::per_request(outside, move |request| {
    ///     println!("{} {}", request.method, request.uri);
    ///     same.clone()
    /// });
    /// let (request, ()) = http::Request::new(()).into_parts();
    /// assert!(store.for_request(&request).is_some());
    /// ```
    #[must_use]
    pub fn per_request(
        outside: impl Store,
        make: impl Fn(&Parts) -> Self + Send + Sync + 'static,
    ) -> Self {
        Self { memory: None, per_request: Some(Arc::new(make)), ..Self::new(outside) }
    }

    /// Whether each request has a store of its own.
    ///
    /// ```
    /// # use tenure_core::store::{AnyStore, MemoryStore};
    /// let same = AnyStore::new(MemoryStore::new());
    /// assert!(!same.is_per_request());
    /// assert!(AnyStore::per_request(same.clone(), move |_| same.clone()).is_per_request());
    /// ```
    #[must_use]
    pub fn is_per_request(&self) -> bool {
        self.per_request.is_some()
    }

    /// The store of one request, where each has its own. A wrapper around a store like this one
    /// calls it, and wraps what it gives, in a closure for [`per_request`](Self::per_request).
    #[must_use]
    pub fn for_request(&self, request: &Parts) -> Option<Self> {
        self.per_request.as_ref().map(|make| make(request))
    }

    /// Whether the sessions end with this process, so that a signing key made now is good for all
    /// of them: true of a [`MemoryStore`] alone.
    ///
    /// ```
    /// # use tenure_core::store::{AnyStore, MemoryStore};
    /// # use tenure_testkit::Recorder;
    /// assert!(AnyStore::new(MemoryStore::new()).is_volatile());
    /// assert!(!AnyStore::new(Recorder::new(MemoryStore::new())).is_volatile());
    /// ```
    #[must_use]
    pub fn is_volatile(&self) -> bool {
        self.memory.is_some()
    }
}

impl fmt::Debug for AnyStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AnyStore")
    }
}

impl Store for AnyStore {
    async fn load(&self, key: &StoreKey, now: Timestamp) -> StoreResult<Option<Record>> {
        match &self.memory {
            Some(memory) => Store::load(&**memory, key, now).await,
            None => self.store.load(key, now).await,
        }
    }

    async fn load_shared(
        &self,
        key: &StoreKey,
        now: Timestamp,
    ) -> StoreResult<Option<Arc<Record>>> {
        match &self.memory {
            Some(memory) => Store::load_shared(&**memory, key, now).await,
            None => self.store.load_shared(key, now).await,
        }
    }

    async fn create(
        &self,
        key: &StoreKey,
        record: &Record,
        now: Timestamp,
    ) -> StoreResult<Created> {
        self.store.create(key, record, now).await
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

    async fn apply(&self, key: &StoreKey, patch: &Patch, now: Timestamp) -> StoreResult<Applied> {
        match &self.memory {
            Some(memory) => Store::apply(&**memory, key, patch, now).await,
            None => self.store.apply(key, patch, now).await,
        }
    }

    async fn touch(&self, key: &StoreKey, until: Timestamp, now: Timestamp) -> StoreResult<bool> {
        self.store.touch(key, until, now).await
    }

    async fn close(&self) {
        self.store.close().await;
    }

    fn merges_in_place(&self) -> bool {
        self.store.merges_in_place()
    }

    fn users(&self) -> Option<&impl UserIndex> {
        self.store.has_users().then_some(&self.capabilities)
    }

    fn epoch(&self) -> Option<&impl Epoch> {
        self.store.has_epoch().then_some(&self.capabilities)
    }

    fn watch(&self) -> Option<&impl Watch> {
        self.store.has_watch().then_some(&self.capabilities)
    }

    fn validate(&self) -> Option<&impl Validate> {
        self.store.has_validate().then_some(&self.capabilities)
    }

    fn inspect(&self) -> Option<&impl Inspect> {
        self.store.has_inspect().then_some(&self.capabilities)
    }
}

impl UserIndex for Capabilities {
    async fn list(
        &self,
        namespace: &Namespace,
        user: &UserId,
        now: Timestamp,
    ) -> StoreResult<Vec<Listed>> {
        self.0.list(namespace, user, now).await
    }

    async fn revoke(
        &self,
        namespace: &Namespace,
        user: &UserId,
        keep: Option<&StoreKey>,
        now: Timestamp,
    ) -> StoreResult<u32> {
        self.0.revoke(namespace, user, keep, now).await
    }
}

impl Epoch for Capabilities {
    async fn revoke_everybody(&self, namespace: &Namespace, now: Timestamp) -> StoreResult<()> {
        self.0.revoke_everybody(namespace, now).await
    }
}

impl Watch for Capabilities {
    async fn watch(&self, listener: &(dyn Fn(Change) + Send + Sync)) -> StoreError {
        self.0.listen(listener).await
    }
}

impl Validate for Capabilities {
    async fn stamp(&self, key: &StoreKey) -> StoreResult<Option<Stamp>> {
        self.0.stamp(key).await
    }
}

impl Inspect for Capabilities {
    async fn record(&self, key: &StoreKey, now: Timestamp) -> StoreResult<Option<Record>> {
        self.0.record(key, now).await
    }
}
