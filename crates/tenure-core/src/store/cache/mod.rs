//! A near cache: reads of a remote store are served from memory, writes always go through.

mod entries;
mod store;
mod validated;
mod watcher;

use std::fmt;
use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use entries::Entries;
pub use watcher::Watcher;

use super::{Change, Store, StoreKey, StoreResult};

/// A store with a near cache: sessions that were read a moment ago are read from memory, as long
/// as the server tells which have changed. Writes always go through.
///
/// It caches while its [`Watcher`] runs and hears the server; without one, or while the connection
/// is lost, every read goes to the store. A request sees its own writes, and a commit of another
/// process as soon as the server has told of it, which takes as long as a message does. A store
/// with [`Validate`](super::Validate) is asked at each read whether the session is still the same:
/// its cache needs no watcher, and sees everything at once. A store that can do neither is cached
/// only for an age that [`stale_for`](Self::stale_for) allows: a logout elsewhere takes so long to
/// be seen here.
///
/// Before a store that is another one for each request, see [`with_inner`](Self::with_inner).
///
/// ```
/// use std::time::Duration;
/// use tenure_core::store::{MemoryStore, NearCache};
/// use tenure_core::transform::{Keyring, SecretKey};
/// use tenure_core::Sessions;
///
/// // In earnest the inner store is on a server, and the watcher is spawned.
/// let store = NearCache::new(MemoryStore::new()).stale_for(Duration::from_secs(1));
/// let keys = Keyring::new([SecretKey::generate()?]);
/// let sessions = Sessions::builder().store(store.clone()).signing_keys(keys).build()?;
/// assert!(store.is_on() && store.is_empty());
/// # drop(sessions);
/// # Ok::<(), tenure_core::Error>(())
/// ```
pub struct NearCache<S> {
    store: Arc<S>,
    shared: Arc<Shared>,
}

struct Shared {
    entries: Entries,
    /// Whether changes elsewhere are heard of.
    hears: AtomicBool,
    /// Whether the cache was closed: it hears nothing more.
    closed: AtomicBool,
    /// Whether the cache may serve what it cannot hear of.
    bounded: bool,
}

impl<S: Store> NearCache<S> {
    /// The longest time for which a session is served from memory, whatever was heard of it.
    pub const MAX_AGE: Duration = Duration::from_secs(60);
    /// How many sessions are held at most, if nothing else is said.
    pub const MAX_SESSIONS: usize = 10_000;

    /// A cache before `store`, off until its [`watcher`](Self::watcher) runs, unless the store has
    /// [`Validate`](super::Validate).
    #[must_use]
    pub fn new(store: S) -> Self {
        Self::configured(Arc::new(store), Self::MAX_SESSIONS, Self::MAX_AGE, false)
    }

    fn configured(store: Arc<S>, sessions: usize, age: Duration, bounded: bool) -> Self {
        let entries = Entries::new(sessions, age);
        let (hears, closed) = (AtomicBool::new(false), AtomicBool::new(false));
        let shared = Arc::new(Shared { entries, hears, closed, bounded });
        Self { store, shared }
    }

    /// Holds at most so many sessions, rounded up to a multiple of 32; 10,000 by default.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # use std::time::Duration;
    /// # use tenure_core::{Handle, Namespace, Timestamp, id::Proof};
    /// # use tenure_core::store::*;
    /// # let now = Timestamp::from_millis(1_000);
    /// # let key = StoreKey::new(Namespace::new("shop")?, Handle::from_bytes([1; 12]));
    /// # let key = key.with_proof(Proof::from_bytes([2; 32]));
    /// # let mut record = Record::new(now, Duration::from_secs(60), Duration::from_secs(90));
    /// # record.proofs.present = key.proof().copied();
    /// # let store = MemoryStore::new();
    /// let cache = NearCache::new(store).stale_for(Duration::from_secs(1)).max_sessions(32);
    /// for n in 0..200 {
    ///     let key = StoreKey::new(key.namespace().clone(), Handle::from_bytes([n; 12]));
    ///     let key = key.with_proof(Proof::from_bytes([2; 32]));
    ///     cache.create(&key, &record, now).await?;
    ///     cache.load(&key, now).await?;
    /// }
    /// assert!(cache.len() <= 32);
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn max_sessions(self, sessions: usize) -> Self {
        let Shared { entries, bounded, .. } = &*self.shared;
        Self::configured(self.store, sessions.max(1), entries.max_age, *bounded)
    }

    /// Serves a session from memory for so long, at most [`MAX_AGE`](Self::MAX_AGE), even where
    /// nobody tells whether it has changed. Other processes' writes and logouts take so long to be
    /// seen here.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # use std::time::Duration;
    /// # use tenure_core::{Handle, Namespace, Timestamp, id::Proof};
    /// # use tenure_core::store::*;
    /// # let now = Timestamp::from_millis(1_000);
    /// # let key = StoreKey::new(Namespace::new("shop")?, Handle::from_bytes([1; 12]));
    /// # let key = key.with_proof(Proof::from_bytes([2; 32]));
    /// # let mut record = Record::new(now, Duration::from_secs(60), Duration::from_secs(90));
    /// # record.proofs.present = key.proof().copied();
    /// # let store = MemoryStore::new();
    /// let cache = NearCache::new(store).stale_for(Duration::from_secs(1));
    /// cache.create(&key, &record, now).await?;
    /// cache.load(&key, now).await?;
    /// cache.inner().delete(&key, now).await?; // a logout by another process
    /// assert!(cache.load(&key, now).await?.is_some(), "not seen yet");
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn stale_for(self, age: Duration) -> Self {
        let sessions = self.shared.entries.max_sessions;
        Self::configured(self.store, sessions, age.min(Self::MAX_AGE), true)
    }

    /// The task that hears of changes: to be spawned once, on whatever runtime there is. See the
    /// example of [`Watcher`].
    pub fn watcher(&self) -> Watcher<S> {
        Watcher::new(self.clone())
    }

    /// Whether reads are served from memory now.
    #[must_use]
    pub fn is_on(&self) -> bool {
        self.is_trusted() || self.store.validate().is_some()
    }

    /// Whether a session is served from memory unasked.
    fn is_trusted(&self) -> bool {
        self.shared.bounded || self.shared.hears.load(Ordering::Acquire)
    }

    /// How many sessions are in memory.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # use std::time::Duration;
    /// # use tenure_core::{Handle, Namespace, Timestamp, id::Proof};
    /// # use tenure_core::store::*;
    /// # let now = Timestamp::from_millis(1_000);
    /// # let key = StoreKey::new(Namespace::new("shop")?, Handle::from_bytes([1; 12]));
    /// # let key = key.with_proof(Proof::from_bytes([2; 32]));
    /// # let mut record = Record::new(now, Duration::from_secs(60), Duration::from_secs(90));
    /// # record.proofs.present = key.proof().copied();
    /// # let store = MemoryStore::new();
    /// let cache = NearCache::new(store).stale_for(Duration::from_secs(1));
    /// cache.create(&key, &record, now).await?;
    /// cache.load(&key, now).await?;
    /// assert_eq!(cache.len(), 1);
    /// cache.delete(&key, now).await?;
    /// assert_eq!(cache.len(), 0);
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn len(&self) -> usize {
        self.shared.entries.len()
    }

    /// Whether no session is in memory.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The store behind the cache.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # use std::time::Duration;
    /// # use tenure_core::{Handle, Namespace, Timestamp, id::Proof};
    /// # use tenure_core::store::*;
    /// # let now = Timestamp::from_millis(1_000);
    /// # let key = StoreKey::new(Namespace::new("shop")?, Handle::from_bytes([1; 12]));
    /// # let key = key.with_proof(Proof::from_bytes([2; 32]));
    /// # let mut record = Record::new(now, Duration::from_secs(60), Duration::from_secs(90));
    /// # record.proofs.present = key.proof().copied();
    /// # let store = MemoryStore::new();
    /// let cache = NearCache::new(store);
    /// cache.create(&key, &record, now).await?;
    /// assert_eq!(cache.inner().len(), 1, "writes always go through");
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn inner(&self) -> &S {
        &self.store
    }

    /// The same cache before another store of the same sessions: with it a store that is made for
    /// each request ([`AnyStore::per_request`](super::AnyStore::per_request)) has one cache for
    /// all. Changes are heard of through the store that the watcher came from.
    ///
    /// ```
    /// use tenure_core::store::{AnyStore, MemoryStore, NearCache};
    ///
    /// fn cached(inner: AnyStore) -> AnyStore {
    ///     let cache = NearCache::new(inner);
    ///     // In earnest the watcher is spawned here.
    ///     AnyStore::per_request(cache.clone(), move |request| {
    ///         AnyStore::new(match cache.inner().for_request(request) {
    ///             Some(store) => cache.with_inner(store),
    ///             None => cache.clone(),
    ///         })
    ///     })
    /// }
    /// let same = AnyStore::new(MemoryStore::new());
    /// let (request, ()) = http::Request::new(()).into_parts();
    /// assert!(cached(same).for_request(&request).is_some());
    /// ```
    #[must_use]
    pub fn with_inner<T: Store>(&self, store: T) -> NearCache<T> {
        NearCache { store: Arc::new(store), shared: Arc::clone(&self.shared) }
    }

    /// Runs a write; what is in memory of the session is forgotten before and after it, also when
    /// the write is dropped halfway.
    async fn write<T>(
        &self,
        key: &StoreKey,
        call: impl Future<Output = StoreResult<T>> + Send,
    ) -> StoreResult<T> {
        let _after = Forget { entries: &self.shared.entries, key: Some(key) };
        self.shared.entries.forget(key);
        call.await
    }

    /// Runs a write that may change any session.
    async fn write_all<T>(
        &self,
        call: impl Future<Output = StoreResult<T>> + Send,
    ) -> StoreResult<T> {
        let _after = Forget { entries: &self.shared.entries, key: None };
        call.await
    }
}

/// Forgets a session, or all of them, when it is dropped.
struct Forget<'a> {
    entries: &'a Entries,
    key: Option<&'a StoreKey>,
}

impl Drop for Forget<'_> {
    fn drop(&mut self) {
        match self.key {
            Some(key) => self.entries.forget(key),
            None => self.entries.clear(),
        }
    }
}

impl Shared {
    fn hear(&self, change: Change) {
        match change {
            Change::Begins => {
                self.entries.clear();
                self.hears.store(!self.is_closed(), Ordering::Release);
            }
            Change::Session(key) => self.entries.forget(&key),
            Change::Any => self.entries.clear(),
        }
    }

    fn is_closed(&self) -> bool {
        self.closed.load(Ordering::Acquire)
    }

    fn deaf(&self) {
        self.hears.store(false, Ordering::Release);
        self.entries.clear();
    }
}

impl<S> Clone for NearCache<S> {
    fn clone(&self) -> Self {
        Self { store: Arc::clone(&self.store), shared: Arc::clone(&self.shared) }
    }
}

impl<S> fmt::Debug for NearCache<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NearCache")
            .field("max_sessions", &self.shared.entries.max_sessions)
            .field("hears", &self.shared.hears)
            .finish_non_exhaustive()
    }
}
