use std::collections::HashMap;
use std::hash::{BuildHasher, BuildHasherDefault, Hasher, RandomState};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::super::{KeyName, Record, Stamp, StoreKey};
use crate::clock::Timestamp;
use crate::id::Namespace;

const SHARDS: usize = 32;

/// What a cache holds, in shards of bounded size.
pub(super) struct Entries {
    shards: Box<[Mutex<Shard>]>,
    hasher: RandomState,
    leases: AtomicU64,
    pub(super) max_sessions: usize,
    pub(super) max_age: Duration,
}

type Name = (Namespace, KeyName);

/// By the hash of their names: it is made once for a look-up, which clones no name. Of two names
/// with one hash the later takes the place.
#[derive(Default)]
struct Shard {
    entries: HashMap<u64, Entry, BuildHasherDefault<Hashed>>,
}

struct Entry {
    name: Name,
    /// That of the load which may fill the entry, or has.
    lease: Lease,
    filled: Option<Filled>,
    /// Whether it was read since somebody looked for room.
    used: bool,
}

struct Filled {
    record: Arc<Record>,
    since: Timestamp,
    /// That of the session before it was read, if reads compare it.
    stamp: Option<Stamp>,
}

/// Allows one load to fill an entry, unless the record changes meanwhile.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct Lease(u64);

impl Entries {
    pub(super) fn new(max_sessions: usize, max_age: Duration) -> Self {
        Self {
            shards: (0..SHARDS).map(|_| Mutex::default()).collect(),
            hasher: RandomState::new(),
            leases: AtomicU64::new(0),
            max_sessions,
            max_age,
        }
    }

    /// The record, if it is here, young enough and admits the key; or the lease to load it.
    pub(super) fn find(&self, key: &StoreKey, now: Timestamp) -> Result<Arc<Record>, Lease> {
        self.find_stamped(key, now).map(|(record, _)| record)
    }

    /// As [`find`](Self::find), with the stamp.
    pub(super) fn find_stamped(
        &self,
        key: &StoreKey,
        now: Timestamp,
    ) -> Result<(Arc<Record>, Option<Stamp>), Lease> {
        let hash = self.hash(key);
        let mut shard = self.shard(hash);
        if let Some(entry) = shard.entries.get_mut(&hash)
            && let Some(filled) = &entry.filled
            && now.since(filled.since) < self.max_age
            && filled.since <= now
            && entry.is_of(key)
            && filled.record.admits(key, now)
        {
            entry.used = true;
            return Ok((Arc::clone(&filled.record), filled.stamp.clone()));
        }
        Err(self.lend(&mut shard, hash, key))
    }

    /// The lease to load a session in the place of what is here of it.
    pub(super) fn lease(&self, key: &StoreKey) -> Lease {
        let hash = self.hash(key);
        self.lend(&mut self.shard(hash), hash, key)
    }

    fn lend(&self, shard: &mut Shard, hash: u64, key: &StoreKey) -> Lease {
        let lease = Lease(self.leases.fetch_add(1, Ordering::Relaxed));
        if !shard.entries.contains_key(&hash) {
            shard.make_room(self.max_sessions.div_ceil(SHARDS));
        }
        let name = (key.namespace().clone(), key.name().clone());
        shard.entries.insert(hash, Entry { name, lease, filled: None, used: false });
        lease
    }

    /// Ends a load: keeps what it found, unless the record has changed since the lease was given.
    pub(super) fn fill(
        &self,
        key: &StoreKey,
        lease: Lease,
        record: Option<(Arc<Record>, Option<Stamp>)>,
        now: Timestamp,
    ) {
        let hash = self.hash(key);
        let mut shard = self.shard(hash);
        let Some(entry) = shard.entries.get_mut(&hash).filter(|entry| entry.lease == lease) else {
            return;
        };
        match record {
            Some((record, stamp)) => {
                entry.filled = Some(Filled { record, since: now, stamp });
            }
            None => {
                shard.entries.remove(&hash);
            }
        }
    }

    pub(super) fn forget(&self, key: &StoreKey) {
        let hash = self.hash(key);
        self.shard(hash).entries.remove(&hash);
    }

    pub(super) fn clear(&self) {
        for shard in &self.shards {
            lock(shard).entries.clear();
        }
    }

    pub(super) fn len(&self) -> usize {
        let filled = |shard: &Mutex<Shard>| {
            lock(shard).entries.values().filter(|entry| entry.filled.is_some()).count()
        };
        self.shards.iter().map(filled).sum()
    }

    fn hash(&self, key: &StoreKey) -> u64 {
        self.hasher.hash_one((key.namespace(), key.name()))
    }

    fn shard(&self, hash: u64) -> MutexGuard<'_, Shard> {
        // The map in the shard takes the lowest and the highest bits.
        lock(&self.shards[(hash >> 32) as usize % SHARDS])
    }
}

impl Entry {
    fn is_of(&self, key: &StoreKey) -> bool {
        let (namespace, name) = &self.name;
        namespace == key.namespace() && name == key.name()
    }
}

impl Shard {
    /// Removes what was not read since the last time, until one more fits.
    fn make_room(&mut self, max: usize) {
        if self.entries.len() < max {
            return;
        }
        // Every entry gets a second chance; a load that is under way just fills nothing.
        self.entries.retain(|_, entry| std::mem::take(&mut entry.used));
        if self.entries.len() >= max {
            self.entries.clear();
        }
    }
}

/// Takes a hash for what it is.
#[derive(Default)]
struct Hashed(u64);

impl Hasher for Hashed {
    fn write(&mut self, _: &[u8]) {
        unreachable!("names are hashed before")
    }

    fn write_u64(&mut self, hash: u64) {
        self.0 = hash;
    }

    fn finish(&self) -> u64 {
        self.0
    }
}

fn lock(shard: &Mutex<Shard>) -> MutexGuard<'_, Shard> {
    // Nothing panics under the lock but an allocation, and the map is whole then.
    shard.lock().unwrap_or_else(PoisonError::into_inner)
}
