//! Data that is sealed before it reaches the store.

use std::fmt;
use std::sync::Arc;

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD as BASE64;

use super::{
    Created, Epoch, Inspect, KeyName, Listed, Record, Revision, Store, StoreError, StoreErrorKind,
    StoreKey, StoreResult, Swap, UserIndex, Validate, Watch,
};
use crate::clock::{Random, SystemRandom, Timestamp};
use crate::error::ErrorKind;
use crate::id::{Namespace, UserId};
use crate::transform::cipher::{self, Ciphers, Unopened, push_part};
use crate::transform::derived::Derived;
use crate::transform::{Keyring, SealAlgorithm};
use crate::value::Data;

/// The one key of a record whose data is sealed; no application has a key like it.
const SEALED: &str = "\0sealed";

/// A store whose sessions' data is encrypted before it gets there: who reads the database, or a copy
/// of it, sees neither keys nor values; who can write there can neither change the data of a session
/// nor put that of one session into another.
///
/// All keys of the keyring open, and the first seals: what another one had sealed is sealed with it at
/// the next write. Sessions from before, whose data is plain, are read as well, and sealed at the next
/// write, unless [`sealed_only`](Self::sealed_only) is said. Data that cannot be opened is an error,
/// never an empty session.
///
/// The data alone is sealed: handles, times, users and addresses stay readable, since the store
/// compares them and finds sessions by them; who can write to the store can change those, delete
/// sessions, or put a session's own older data back. The store cannot merge what it cannot read, so a
/// commit is a load and a swap.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # use std::time::Duration;
/// # use tenure_core::{Handle, Namespace, Timestamp, id::Proof};
/// # use tenure_core::transform::{Keyring, SecretKey};
/// # use tenure_core::store::*;
/// # let now = Timestamp::from_millis(1_000);
/// # let key = StoreKey::new(Namespace::new("shop")?, Handle::from_bytes([1; 12]));
/// # let key = key.with_proof(Proof::from_bytes([2; 32]));
/// # let mut record = Record::new(now, Duration::from_secs(60), Duration::from_secs(90));
/// # record.proofs.present = key.proof().copied();
/// let database = AnyStore::new(MemoryStore::new());
/// let store = Sealed::new(database.clone(), Keyring::new([SecretKey::generate()?]));
/// record.data = [("diagnosis", "\"flu\"")].into_iter().collect();
/// store.create(&key, &record, now).await?;
/// assert_eq!(store.load(&key, now).await?.unwrap().data, record.data);
///
/// let row = database.load(&key, now).await?.unwrap();
/// assert!(!format!("{:?}", row.data).contains("flu"));
/// # Ok(())
/// # }
/// ```
pub struct Sealed<S> {
    store: Arc<S>,
    ciphers: Arc<Derived<Ciphers>>,
    random: Arc<dyn Random>,
    sealed_only: bool,
}

impl<S: Store> Sealed<S> {
    /// Seals what goes to `store` by XChaCha20-Poly1305, with the first key of `keyring`. Without any
    /// key nothing can be written.
    #[must_use]
    pub fn new(store: S, keyring: Keyring) -> Self {
        Self {
            store: Arc::new(store),
            ciphers: ciphers(keyring, SealAlgorithm::default()),
            random: Arc::new(SystemRandom),
            sealed_only: false,
        }
    }

    /// Seals by another algorithm from the next write on; what others have sealed is opened as before.
    ///
    /// ```
    /// # use tenure_core::store::{MemoryStore, Sealed};
    /// # use tenure_core::transform::{Keyring, SealAlgorithm, SecretKey};
    /// # let keyring = Keyring::new([SecretKey::generate()?]);
    /// let store = Sealed::new(MemoryStore::new(), keyring);
    /// let store = store.algorithm(SealAlgorithm::XChaCha20Poly1305);
    /// # drop(store);
    /// # Ok::<(), tenure_core::Error>(())
    /// ```
    #[must_use]
    pub fn algorithm(self, algorithm: SealAlgorithm) -> Self {
        Self { ciphers: ciphers(self.ciphers.keyring().clone(), algorithm), ..self }
    }

    /// Takes a session whose data is plain for a broken one: for when all have been sealed, so that
    /// who can write to the store cannot put data of their own there.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # use std::time::Duration;
    /// # use tenure_core::{Handle, Namespace, Timestamp, id::Proof};
    /// # use tenure_core::transform::{Keyring, SecretKey};
    /// # use tenure_core::store::*;
    /// # let now = Timestamp::from_millis(1_000);
    /// # let key = StoreKey::new(Namespace::new("shop")?, Handle::from_bytes([1; 12]));
    /// # let key = key.with_proof(Proof::from_bytes([2; 32]));
    /// # let mut record = Record::new(now, Duration::from_secs(60), Duration::from_secs(90));
    /// # record.proofs.present = key.proof().copied();
    /// # let keyring = Keyring::new([SecretKey::generate()?]);
    /// # let database = AnyStore::new(MemoryStore::new());
    /// database.create(&key, &record, now).await?; // from before, or planted
    /// let store = Sealed::new(database, keyring);
    /// assert!(store.load(&key, now).await?.is_some());
    /// assert!(store.sealed_only().load(&key, now).await.is_err());
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn sealed_only(self) -> Self {
        Self { sealed_only: true, ..self }
    }

    /// The store that the sealed data goes to.
    ///
    /// ```
    /// # use tenure_core::store::{MemoryStore, Sealed};
    /// # use tenure_core::transform::{Keyring, SecretKey};
    /// let store = Sealed::new(MemoryStore::new(), Keyring::new([SecretKey::generate()?]));
    /// assert_eq!(store.inner().len(), 0);
    /// # Ok::<(), tenure_core::Error>(())
    /// ```
    #[must_use]
    pub fn inner(&self) -> &S {
        &self.store
    }

    /// The same before another store of the same sessions, as for one that is made for each request
    /// ([`AnyStore::per_request`](super::AnyStore::per_request)).
    ///
    /// ```
    /// # use tenure_core::store::{AnyStore, MemoryStore, Sealed};
    /// # use tenure_core::transform::{Keyring, SecretKey};
    /// # let keyring = Keyring::new([SecretKey::generate()?]);
    /// let store = Sealed::new(MemoryStore::new(), keyring);
    /// let of_request = store.with_inner(AnyStore::new(MemoryStore::new()));
    /// # drop(of_request);
    /// # Ok::<(), tenure_core::Error>(())
    /// ```
    #[must_use]
    pub fn with_inner<T: Store>(&self, store: T) -> Sealed<T> {
        let (ciphers, random) = (Arc::clone(&self.ciphers), Arc::clone(&self.random));
        Sealed { store: Arc::new(store), ciphers, random, sealed_only: self.sealed_only }
    }

    /// Takes nonces from `random`.
    pub(crate) fn random(self, random: Arc<dyn Random>) -> Self {
        Self { random, ..self }
    }

    /// The record as the store gets it.
    fn seal(&self, key: &StoreKey, record: &Record) -> StoreResult<Record> {
        let (table, plain) = (self.ciphers.table(), record.data.as_packed());
        let sealed = cipher::seal(&table, plain, |data| bind(data, key), &*self.random);
        let sealed = sealed.map_err(|error| {
            let kind = match error.kind() {
                ErrorKind::Unavailable => StoreErrorKind::Unavailable,
                ErrorKind::TooLarge => StoreErrorKind::TooLarge,
                _ => StoreErrorKind::Other,
            };
            StoreError::new(kind, error)
        })?;
        let mut text = String::with_capacity(sealed.len().div_ceil(3) * 4 + 2);
        text.push('"');
        BASE64.encode_string(&sealed, &mut text);
        text.push('"');
        let data = Data::ordered(std::iter::once((SEALED, text.as_str())));
        Ok(Record { data, ..record.clone() })
    }

    /// The record as it was before it was sealed.
    fn open(&self, key: &StoreKey, record: Record) -> StoreResult<Record> {
        let Some(text) = record.data.get(SEALED) else {
            if self.sealed_only {
                return Err(corrupt(
                    "the data is plain, and with `sealed_only` all has to be sealed; leave that out \
                     until all sessions from before have ended",
                ));
            }
            return Ok(record);
        };
        let sealed = text
            .strip_prefix('"')
            .and_then(|text| text.strip_suffix('"'))
            .filter(|_| record.data.len() == 1)
            .and_then(|text| BASE64.decode(text).ok())
            .ok_or_else(|| corrupt("the sealed data is damaged"))?;
        let opened = cipher::open(&self.ciphers.table(), sealed, |data| bind(data, key));
        let packed = opened.map_err(|unopened| match unopened {
            Unopened::Malformed => corrupt("the sealed data is damaged"),
            Unopened::Algorithm(octet) => corrupt(format!(
                "the data is sealed by algorithm {octet}, which this build does not know; switch on \
                 the feature that brings it"
            )),
            Unopened::Key(id) => corrupt(format!(
                "the data is sealed with the key {id}, which the keyring of `seal_at_rest` does not \
                 have; put its secret back, behind the one that seals now"
            )),
            Unopened::Forged(id) => corrupt(format!(
                "the data is not what was sealed with the key {id} for this session; it was changed \
                 in the store, or comes from another session"
            )),
        })?;
        let data =
            Data::from_packed(packed).ok_or_else(|| corrupt("what was sealed is no data"))?;
        Ok(Record { data, ..record })
    }

    /// As [`open`](Self::open), without the data if that fails.
    fn open_or_bare(&self, key: &StoreKey, record: &mut Record) {
        let opened = self.open(key, record.clone());
        record.data = opened.map(|record| record.data).unwrap_or_default();
    }
}

/// What seals by `seals`, and opens what any algorithm has sealed.
fn ciphers(keyring: Keyring, seals: SealAlgorithm) -> Arc<Derived<Ciphers>> {
    let others = move || SealAlgorithm::ALL.iter().copied().filter(move |other| *other != seals);
    Arc::new(Derived::new(keyring, move |key| {
        Ciphers::new(key, "seal at rest", std::iter::once(seals).chain(others()))
    }))
}

/// Refuses a record that is still sealed, which would look like an empty session.
#[inline]
pub(crate) fn opened(record: Option<Arc<Record>>) -> StoreResult<Option<Arc<Record>>> {
    match &record {
        Some(record) if record.data.get(SEALED).is_some() => Err(corrupt(
            "the data is sealed, and nothing opens it; configure `seal_at_rest` with the keys of \
             those who have sealed it",
        )),
        _ => Ok(record),
    }
}

/// What data is bound to besides key and algorithm: version, namespace, and the session's name, with
/// which of both kinds it is.
fn bind(data: &mut Vec<u8>, key: &StoreKey) {
    data.push(1);
    push_part(data, key.namespace().as_str().as_bytes());
    data.push(match key.name() {
        KeyName::Handle(_) => 0,
        KeyName::Foreign(_) => 1,
    });
    push_part(data, key.name().as_bytes());
}

fn corrupt(message: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> StoreError {
    StoreError::new(StoreErrorKind::Corrupt, message)
}

/// `apply` is the provided one: the store cannot merge what it cannot read.
impl<S: Store> Store for Sealed<S> {
    async fn load(&self, key: &StoreKey, now: Timestamp) -> StoreResult<Option<Record>> {
        let loaded = self.store.load(key, now).await?;
        loaded.map(|record| self.open(key, record)).transpose()
    }

    async fn create(
        &self,
        key: &StoreKey,
        record: &Record,
        now: Timestamp,
    ) -> StoreResult<Created> {
        self.store.create(key, &self.seal(key, record)?, now).await
    }

    async fn swap(
        &self,
        key: &StoreKey,
        expected: &Revision,
        new: &Record,
        now: Timestamp,
    ) -> StoreResult<Swap> {
        self.store.swap(key, expected, &self.seal(key, new)?, now).await
    }

    async fn delete(&self, key: &StoreKey, now: Timestamp) -> StoreResult<bool> {
        self.store.delete(key, now).await
    }

    async fn sweep(&self, limit: u32, now: Timestamp) -> StoreResult<u32> {
        self.store.sweep(limit, now).await
    }

    async fn touch(&self, key: &StoreKey, until: Timestamp, now: Timestamp) -> StoreResult<bool> {
        self.store.touch(key, until, now).await
    }

    async fn close(&self) {
        self.store.close().await;
    }

    fn merges_in_place(&self) -> bool {
        false
    }

    fn users(&self) -> Option<&impl UserIndex> {
        self.store.users().map(|_| self)
    }

    fn epoch(&self) -> Option<&impl Epoch> {
        self.store.epoch()
    }

    fn watch(&self) -> Option<&impl Watch> {
        self.store.watch()
    }

    fn validate(&self) -> Option<&impl Validate> {
        self.store.validate()
    }

    fn inspect(&self) -> Option<&impl Inspect> {
        self.store.inspect().map(|_| self)
    }
}

impl<S: Store> Inspect for Sealed<S> {
    /// A session whose data cannot be opened is shown without, as in [`list`](UserIndex::list).
    async fn record(&self, key: &StoreKey, now: Timestamp) -> StoreResult<Option<Record>> {
        let inspect = self.store.inspect().ok_or_else(|| StoreError::without("inspect"))?;
        let mut found = inspect.record(key, now).await?;
        if let Some(record) = &mut found {
            self.open_or_bare(key, record);
        }
        Ok(found)
    }
}

impl<S: Store> UserIndex for Sealed<S> {
    /// A session whose data cannot be opened is listed without: it can still be seen, and ended.
    async fn list(
        &self,
        namespace: &Namespace,
        user: &UserId,
        now: Timestamp,
    ) -> StoreResult<Vec<Listed>> {
        let users = self.store.users().ok_or_else(|| StoreError::without("user index"))?;
        let mut listed = users.list(namespace, user, now).await?;
        for Listed { key, record } in &mut listed {
            self.open_or_bare(key, record);
        }
        Ok(listed)
    }

    async fn revoke(
        &self,
        namespace: &Namespace,
        user: &UserId,
        keep: Option<&StoreKey>,
        now: Timestamp,
    ) -> StoreResult<u32> {
        let users = self.store.users().ok_or_else(|| StoreError::without("user index"))?;
        users.revoke(namespace, user, keep, now).await
    }
}

impl<S> Clone for Sealed<S> {
    fn clone(&self) -> Self {
        let (store, ciphers) = (Arc::clone(&self.store), Arc::clone(&self.ciphers));
        let (random, sealed_only) = (Arc::clone(&self.random), self.sealed_only);
        Self { store, ciphers, random, sealed_only }
    }
}

impl<S> fmt::Debug for Sealed<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sealed")
            .field("keyring", &self.ciphers)
            .field("sealed_only", &self.sealed_only)
            .finish_non_exhaustive()
    }
}
