use std::convert::Infallible;
use std::future::Future;

use super::{Inspect, Record, StoreError, StoreKey, StoreResult};
use crate::clock::Timestamp;
use crate::id::{Namespace, UserId};

/// The capability of a store to find and end the sessions of a user.
///
/// What it lists is checked against the records: nothing that is expired, revoked or meanwhile
/// somebody else's.
pub trait UserIndex: Send + Sync {
    /// The live sessions of `user`, in no particular order.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # use std::time::Duration;
    /// # use tenure_core::{Handle, Namespace, Timestamp, UserId, id::{CommitId, Proof}};
    /// # use tenure_core::{store::*, value::Number};
    /// # let now = Timestamp::from_millis(1_000);
    /// # let key = StoreKey::new(Namespace::new("shop")?, Handle::from_bytes([1; 12]));
    /// # let key = key.with_proof(Proof::from_bytes([2; 32]));
    /// # let mut record = Record::new(now, Duration::from_secs(60), Duration::from_secs(90));
    /// # record.proofs.present = key.proof().copied();
    /// # let store = MemoryStore::new();
    /// record.user = Some(UserId::new("ada")?);
    /// store.create(&key, &record, now).await?;
    /// let users = store.users().expect("the store in memory has an index");
    /// let devices = users.list(key.namespace(), &UserId::new("ada")?, now).await?;
    /// assert_eq!(devices[0].key.handle(), key.handle());
    /// assert!(users.list(key.namespace(), &UserId::new("grace")?, now).await?.is_empty());
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// When the server cannot answer.
    fn list(
        &self,
        namespace: &Namespace,
        user: &UserId,
        now: Timestamp,
    ) -> impl Future<Output = StoreResult<Vec<Listed>>> + Send;

    /// Ends all sessions of `user` but that of `keep`, and tells how many it found. Without `keep`
    /// it also moves the user's epoch, which ends what the index may have lost.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # use std::time::Duration;
    /// # use tenure_core::{Handle, Namespace, Timestamp, UserId, id::{CommitId, Proof}};
    /// # use tenure_core::{store::*, value::Number};
    /// # let now = Timestamp::from_millis(1_000);
    /// # let key = StoreKey::new(Namespace::new("shop")?, Handle::from_bytes([1; 12]));
    /// # let key = key.with_proof(Proof::from_bytes([2; 32]));
    /// # let mut record = Record::new(now, Duration::from_secs(60), Duration::from_secs(90));
    /// # record.proofs.present = key.proof().copied();
    /// # let store = MemoryStore::new();
    /// record.user = Some(UserId::new("ada")?);
    /// let other = StoreKey::new(key.namespace().clone(), Handle::from_bytes([3; 12]));
    /// store.create(&key, &record, now).await?;
    /// store.create(&other, &record, now).await?;
    /// let users = store.users().expect("the store in memory has an index");
    /// let ended = users.revoke(key.namespace(), &UserId::new("ada")?, Some(&key), now).await?;
    /// assert_eq!(ended, 1, "on all other devices");
    /// assert!(store.load(&key, now).await?.is_some());
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// When the server cannot answer.
    fn revoke(
        &self,
        namespace: &Namespace,
        user: &UserId,
        keep: Option<&StoreKey>,
        now: Timestamp,
    ) -> impl Future<Output = StoreResult<u32>> + Send;
}

/// The capability of a store to end every session of a namespace by one write.
pub trait Epoch: Send + Sync {
    /// Ends all sessions of `namespace` that exist by now.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # use std::time::Duration;
    /// # use tenure_core::{Handle, Namespace, Timestamp, UserId, id::{CommitId, Proof}};
    /// # use tenure_core::{store::*, value::Number};
    /// # let now = Timestamp::from_millis(1_000);
    /// # let key = StoreKey::new(Namespace::new("shop")?, Handle::from_bytes([1; 12]));
    /// # let key = key.with_proof(Proof::from_bytes([2; 32]));
    /// # let mut record = Record::new(now, Duration::from_secs(60), Duration::from_secs(90));
    /// # record.proofs.present = key.proof().copied();
    /// # let store = MemoryStore::new();
    /// store.create(&key, &record, now).await?;
    /// let epoch = store.epoch().expect("the store in memory counts revocations");
    /// epoch.revoke_everybody(key.namespace(), now).await?; // after a leak, say
    /// assert!(store.load(&key, now).await?.is_none());
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// When the server cannot answer.
    fn revoke_everybody(
        &self,
        namespace: &Namespace,
        now: Timestamp,
    ) -> impl Future<Output = StoreResult<()>> + Send;
}

/// The capability of a store to tell of every change, by whatever process, so that a
/// [`NearCache`](super::NearCache) can forget what it holds.
pub trait Watch: Send + Sync {
    /// Tells `listener` of changes until they can no longer be heard of, and why not.
    ///
    /// It tells [`Change::Begins`] when from now on no change is missed. It notices within a
    /// second or so that the server has fallen silent.
    ///
    /// ```
    /// use std::sync::Mutex;
    /// use tenure_core::store::{Change, StoreError, StoreErrorKind, Watch};
    ///
    /// struct Messages(Mutex<Vec<Change>>); // in earnest, a connection
    ///
    /// impl Watch for Messages {
    ///     async fn watch(&self, listener: &(dyn Fn(Change) + Send + Sync)) -> StoreError {
    ///         listener(Change::Begins);
    ///         self.0.lock().unwrap().drain(..).for_each(listener);
    ///         StoreError::new(StoreErrorKind::Unavailable, "the connection was closed")
    ///     }
    /// }
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let server = Messages(Mutex::new(vec![Change::Any]));
    /// let heard = Mutex::new(Vec::new());
    /// let error = server.watch(&|change| heard.lock().unwrap().push(change)).await;
    /// assert_eq!(*heard.lock().unwrap(), [Change::Begins, Change::Any]);
    /// assert!(error.is_retryable());
    /// # }
    /// ```
    fn watch(
        &self,
        listener: &(dyn Fn(Change) + Send + Sync),
    ) -> impl Future<Output = StoreError> + Send;
}

/// What a [`Watch`] tells.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Change {
    /// Every change after this is told.
    Begins,
    /// This session was written, deleted or has expired; the key has no proof.
    Session(StoreKey),
    /// Any session may have changed: an epoch has moved, or messages were lost.
    Any,
}

/// The capability of a store to tell, without reading a session, whether it is still what was read
/// before: so a [`NearCache`](super::NearCache) asks at each read, and needs nobody who tells it of
/// changes.
pub trait Validate: Send + Sync {
    /// A stamp of the session as it is now. Two stamps of a session are equal only if nothing has
    /// changed in between of what [`load`](super::Store::load) gives, the epochs included.
    ///
    /// None if there is no session, or if a change could go unnoticed, such as one within the same
    /// tick of the clock that the stamp is made from. Then the session is read.
    ///
    /// ```
    /// # use std::time::Duration;
    /// # use tenure_core::{Handle, Namespace, Timestamp, id::Proof, store::*};
    /// /// One that counts its changes, and would be slow to read.
    /// #[derive(Clone)]
    /// struct Counting(std::sync::Arc<MemoryStore>, tokio::sync::watch::Sender<u64>);
    ///
    /// impl Validate for Counting {
    ///     async fn stamp(&self, _: &StoreKey) -> StoreResult<Option<Stamp>> {
    ///         Ok(Some(Stamp::new(self.1.borrow().to_be_bytes())))
    ///     }
    /// }
    /// # impl Store for Counting {
    /// #     async fn load(&self, key: &StoreKey, now: Timestamp) -> StoreResult<Option<Record>> {
    /// #         self.0.load(key, now).await
    /// #     }
    /// #     async fn create(&self, key: &StoreKey, new: &Record, now: Timestamp) -> StoreResult<Created> {
    /// #         self.1.send_modify(|changes| *changes += 1);
    /// #         self.0.create(key, new, now).await
    /// #     }
    /// #     async fn swap(
    /// #         &self, key: &StoreKey, expected: &Revision, new: &Record, now: Timestamp,
    /// #     ) -> StoreResult<Swap> {
    /// #         self.0.swap(key, expected, new, now).await
    /// #     }
    /// #     async fn delete(&self, key: &StoreKey, now: Timestamp) -> StoreResult<bool> {
    /// #         let deleted = self.0.delete(key, now).await;
    /// #         self.1.send_modify(|changes| *changes += 1);
    /// #         deleted
    /// #     }
    /// #     async fn sweep(&self, limit: u32, now: Timestamp) -> StoreResult<u32> {
    /// #         self.0.sweep(limit, now).await
    /// #     }
    /// #     fn validate(&self) -> Option<&impl Validate> {
    /// #         Some(self)
    /// #     }
    /// # }
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let store = Counting(Default::default(), Default::default());
    /// # let now = Timestamp::from_millis(1_000);
    /// # let key = StoreKey::new(Namespace::new("shop")?, Handle::from_bytes([1; 12]));
    /// # let key = key.with_proof(Proof::from_bytes([2; 32]));
    /// # let mut record = Record::new(now, Duration::from_secs(60), Duration::from_secs(90));
    /// # record.proofs.present = key.proof().copied();
    /// # store.create(&key, &record, now).await?;
    /// let cache = NearCache::new(store.clone());
    /// assert!(cache.is_on(), "without a watcher");
    /// assert!(cache.load(&key, now).await?.is_some());
    /// assert_eq!(cache.len(), 1);
    /// store.delete(&key, now).await?; // a logout elsewhere
    /// assert!(cache.load(&key, now).await?.is_none(), "seen at once");
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// When the store cannot answer.
    fn stamp(&self, key: &StoreKey) -> impl Future<Output = StoreResult<Option<Stamp>>> + Send;
}

/// What a [`Validate`] tells of a session, to be compared with a later one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stamp(Box<[u8]>);

impl Stamp {
    /// A stamp of these octets, whatever they mean to the store.
    ///
    /// ```
    /// use tenure_core::store::Stamp;
    ///
    /// assert_eq!(Stamp::new([1, 2]), Stamp::new([1, 2]));
    /// assert_ne!(Stamp::new([1, 2]), Stamp::new([1, 3]));
    /// ```
    #[must_use]
    pub fn new(octets: impl Into<Box<[u8]>>) -> Self {
        Self(octets.into())
    }
}

/// A session that a [`UserIndex`] found.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Listed {
    /// Its key, without a proof: good for deleting alone.
    pub key: StoreKey,
    /// The record.
    pub record: Record,
}

impl Listed {
    /// A session that was found.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # use std::time::Duration;
    /// # use tenure_core::{Handle, Namespace, Timestamp, UserId, id::{CommitId, Proof}};
    /// # use tenure_core::{store::*, value::Number};
    /// # let now = Timestamp::from_millis(1_000);
    /// # let key = StoreKey::new(Namespace::new("shop")?, Handle::from_bytes([1; 12]));
    /// # let key = key.with_proof(Proof::from_bytes([2; 32]));
    /// # let mut record = Record::new(now, Duration::from_secs(60), Duration::from_secs(90));
    /// # record.proofs.present = key.proof().copied();
    /// # let store = MemoryStore::new();
    /// let listed = Listed::new(key.clone(), record);
    /// assert!(listed.key.same_session(&key));
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn new(key: StoreKey, record: Record) -> Self {
        Self { key, record }
    }
}

/// The type of a capability that a store does not have. There is no value of it.
#[derive(Debug)]
pub struct Absent(Infallible);

impl UserIndex for Absent {
    async fn list(&self, _: &Namespace, _: &UserId, _: Timestamp) -> StoreResult<Vec<Listed>> {
        match self.0 {}
    }

    async fn revoke(
        &self,
        _: &Namespace,
        _: &UserId,
        _: Option<&StoreKey>,
        _: Timestamp,
    ) -> StoreResult<u32> {
        match self.0 {}
    }
}

impl Epoch for Absent {
    async fn revoke_everybody(&self, _: &Namespace, _: Timestamp) -> StoreResult<()> {
        match self.0 {}
    }
}

impl Watch for Absent {
    async fn watch(&self, _: &(dyn Fn(Change) + Send + Sync)) -> StoreError {
        match self.0 {}
    }
}

impl Validate for Absent {
    async fn stamp(&self, _: &StoreKey) -> StoreResult<Option<Stamp>> {
        match self.0 {}
    }
}

impl Inspect for Absent {
    async fn record(&self, _: &StoreKey, _: Timestamp) -> StoreResult<Option<Record>> {
        match self.0 {}
    }
}
