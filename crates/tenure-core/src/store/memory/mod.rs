//! The store in memory: bounded, sharded, gone with the process.

mod packed;
mod people;
mod schedule;
mod shard;
mod store;
#[cfg(test)]
mod tests;

use std::fmt;
use std::hash::BuildHasher;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use hashbrown::DefaultHashBuilder;

use self::people::{Epochs, People};
use self::schedule::Kind;
use self::shard::{Shard, Usage};
use super::{Applied, Patch, Record, Rejected, Revision, Steps, StoreKey, Verdict};
use crate::clock::Timestamp;
use crate::value::Data;

const SHARDS: usize = 64;

/// Sessions in the memory of this process, the default store.
///
/// It is bounded: over the limit of sessions or octets one of those that would expire first gives
/// way, anonymous ones before those of users. Expired sessions are cleared away as new ones come.
/// Everything is gone when the process ends, and no other process sees it.
///
/// ```
/// use tenure_core::store::MemoryStore;
///
/// let store = MemoryStore::new().max_sessions(10_000).max_bytes(64 << 20);
/// assert!(store.is_empty());
/// assert_eq!(store.evicted(), 0);
/// ```
pub struct MemoryStore {
    shards: Box<[Mutex<Shard>]>,
    hasher: DefaultHashBuilder,
    people: People,
    epochs: Epochs,
    usage: Usage,
    max_sessions: usize,
    max_bytes: usize,
    evicted: AtomicU64,
    revisions: AtomicU64,
}

impl MemoryStore {
    /// The limit of sessions, if none is given.
    pub const DEFAULT_MAX_SESSIONS: usize = 1_000_000;
    /// The limit of octets, if none is given: 1 GiB.
    pub const DEFAULT_MAX_BYTES: usize = 1 << 30;

    /// An empty store.
    #[must_use]
    pub fn new() -> Self {
        Self {
            shards: (0..SHARDS).map(|_| Mutex::default()).collect(),
            hasher: DefaultHashBuilder::default(),
            people: People::default(),
            epochs: Epochs::default(),
            usage: Usage::default(),
            max_sessions: Self::DEFAULT_MAX_SESSIONS,
            max_bytes: Self::DEFAULT_MAX_BYTES,
            evicted: AtomicU64::new(0),
            revisions: AtomicU64::new(1),
        }
    }

    /// Keeps at most this many sessions.
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
    /// let store = MemoryStore::new().max_sessions(1);
    /// let other = StoreKey::new(key.namespace().clone(), Handle::from_bytes([3; 12]));
    /// store.create(&key, &record, now).await?;
    /// store.create(&other, &record, now).await?;
    /// assert_eq!((store.len(), store.evicted()), (1, 1));
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn max_sessions(mut self, sessions: usize) -> Self {
        self.max_sessions = sessions.max(1);
        self
    }

    /// Keeps at most this many octets of sessions, an estimate of their management included.
    #[must_use]
    pub fn max_bytes(mut self, bytes: usize) -> Self {
        self.max_bytes = bytes.max(1);
        self
    }

    /// How many sessions there are, expired ones that have not been swept included.
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
    /// assert!(store.len() == 1 && store.bytes() > 0);
    /// store.sweep(100, record.deadline()).await?;
    /// assert_eq!((store.len(), store.bytes()), (0, 0));
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn len(&self) -> usize {
        self.usage.sessions.load(Ordering::Relaxed)
    }

    /// Whether there is no session.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The octets that the sessions take, an estimate of their management included. See the example
    /// of [`len`](Self::len).
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.usage.bytes.load(Ordering::Relaxed)
    }

    /// How many live sessions had to give way to new ones so far.
    #[must_use]
    pub fn evicted(&self) -> u64 {
        self.evicted.load(Ordering::Relaxed)
    }

    /// A revision that no other record of this store has, or ever had.
    fn next_revision(&self) -> Revision {
        Revision::number(self.revisions.fetch_add(1, Ordering::Relaxed))
    }

    fn hash(&self, packed_key: &[u8]) -> u64 {
        self.hasher.hash_one(packed_key)
    }

    fn shard(&self, at: usize) -> MutexGuard<'_, Shard> {
        // A panic under the lock would need a panic in our own code; the map itself stays whole.
        self.shards[at % SHARDS].lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Runs `work` on the shard of `key`, with the place of the key.
    fn with<T>(&self, key: &StoreKey, work: impl FnOnce(&mut Shard, &Place<'_>) -> T) -> T {
        let packed = packed::Key::of(key);
        let hash = self.hash(&packed);
        let at = shard_of(hash);
        work(&mut self.shard(at), &Place { store: self, key, packed: &packed, hash })
    }

    /// Makes room after the session of `key` was written: in its own shard first, then in its
    /// neighbours'. That session itself stays, or it would be acknowledged and gone.
    fn make_room(&self, key: &StoreKey, now: Timestamp) {
        let over = || {
            self.usage.sessions.load(Ordering::Relaxed) > self.max_sessions
                || self.usage.bytes.load(Ordering::Relaxed) > self.max_bytes
        };
        if !over() {
            return;
        }
        let spared = self.hash(&packed::Key::of(key));
        for kind in [Kind::Anonymous, Kind::User] {
            for neighbour in 0..SHARDS {
                while over() {
                    let mut shard = self.shard(shard_of(spared) + neighbour);
                    let Some(evicted) = shard.evict(kind, spared, self) else { break };
                    if evicted.is_alive(now) {
                        self.evicted.fetch_add(1, Ordering::Relaxed);
                    }
                }
            }
        }
    }

    fn is_alive(&self, key: &StoreKey, record: &Record, now: Timestamp) -> bool {
        record.is_alive(now) && self.epochs.admit(key.namespace(), record.epochs.everybody)
    }
}

/// Where a key belongs.
struct Place<'a> {
    store: &'a MemoryStore,
    key: &'a StoreKey,
    packed: &'a [u8],
    hash: u64,
}

impl Place<'_> {
    /// The record here, if it is alive.
    fn live(&self, shard: &Shard, now: Timestamp) -> Option<Record> {
        shard
            .get(self.hash, self.packed)
            .filter(|record| self.store.is_alive(self.key, record, now))
    }

    /// Commits a patch here; or gives the data on which its closures have to run first.
    fn commit(
        &self,
        shard: &mut Shard,
        patch: &Patch,
        steps: Option<&Steps>,
        now: Timestamp,
    ) -> Result<Applied, Data> {
        let Some(old) = self.live(shard, now) else { return Ok(Applied::Gone) };
        let verdict = match steps {
            Some(steps) => Some(old.commit(self.key, patch, steps, now)),
            None => old.answered(self.key, patch, now),
        };
        match verdict {
            Some(Verdict::Done(mut next)) => {
                next.revision = self.store.next_revision();
                self.put(shard, Some(&old), &next);
                Ok(Applied::Done(Some(next)))
            }
            Some(Verdict::AlreadyDone) => Ok(Applied::Done(Some(Box::new(old)))),
            Some(Verdict::Rejected(Rejected::Refused(refused))) => Ok(Applied::Refused(refused)),
            Some(Verdict::Rejected(Rejected::Changed(_))) | None => Err(old.data),
            Some(Verdict::Gone) => Ok(Applied::Gone),
        }
    }

    /// Puts `record` here, in place of `old`.
    fn put(&self, shard: &mut Shard, old: Option<&Record>, record: &Record) {
        let user_before = old.and_then(|old| old.user.as_ref());
        if user_before != record.user.as_ref() {
            self.store.people.moved(self.key, user_before, record.user.as_ref());
        }
        shard.put(self.hash, self.packed, record, self.store);
    }

    fn remove(&self, shard: &mut Shard, old: &Record) {
        self.store.people.moved(self.key, old.user.as_ref(), None);
        shard.remove(self.hash, self.packed, self.store);
    }
}

impl Default for MemoryStore {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for MemoryStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MemoryStore")
            .field("sessions", &self.len())
            .field("bytes", &self.bytes())
            .finish_non_exhaustive()
    }
}

/// The shard of a hash: bits that the tables of the shards do not use.
fn shard_of(hash: u64) -> usize {
    (hash >> 48) as usize % SHARDS
}
