use std::collections::HashMap;
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
    hasher: std::hash::RandomState,
    leases: AtomicU64,
    pub(super) max_sessions: usize,
    pub(super) max_age: Duration,
}

type Name = (Namespace, KeyName);

#[derive(Default)]
struct Shard {
    entries: HashMap<Name, Entry>,
}

struct Entry {
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
            hasher: std::hash::RandomState::new(),
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
        let mut shard = self.shard(key);
        let name = name(key);
        if let Some(entry) = shard.entries.get_mut(&name)
            && let Some(filled) = &entry.filled
            && now.since(filled.since) < self.max_age
            && filled.since <= now
            && filled.record.admits(key, now)
        {
            entry.used = true;
            return Ok((Arc::clone(&filled.record), filled.stamp.clone()));
        }
        Err(self.lend(&mut shard, name))
    }

    /// The lease to load a session in the place of what is here of it.
    pub(super) fn lease(&self, key: &StoreKey) -> Lease {
        self.lend(&mut self.shard(key), name(key))
    }

    fn lend(&self, shard: &mut Shard, name: Name) -> Lease {
        let lease = Lease(self.leases.fetch_add(1, Ordering::Relaxed));
        if !shard.entries.contains_key(&name) {
            shard.make_room(self.max_sessions.div_ceil(SHARDS));
        }
        shard.entries.insert(name, Entry { lease, filled: None, used: false });
        lease
    }

    /// Ends a load: keeps what it found, unless the record has changed since the lease was given.
    pub(super) fn fill(
        &self,
        key: &StoreKey,
        lease: Lease,
        record: Option<(&Record, Option<Stamp>)>,
        now: Timestamp,
    ) {
        let mut shard = self.shard(key);
        let name = name(key);
        let Some(entry) = shard.entries.get_mut(&name).filter(|entry| entry.lease == lease) else {
            return;
        };
        match record {
            Some((record, stamp)) => {
                entry.filled = Some(Filled { record: Arc::new(record.clone()), since: now, stamp });
            }
            None => {
                shard.entries.remove(&name);
            }
        }
    }

    pub(super) fn forget(&self, key: &StoreKey) {
        self.shard(key).entries.remove(&name(key));
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

    fn shard(&self, key: &StoreKey) -> MutexGuard<'_, Shard> {
        use std::hash::BuildHasher;
        let hash = self.hasher.hash_one((key.namespace(), key.name()));
        lock(&self.shards[hash as usize % SHARDS])
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

fn name(key: &StoreKey) -> Name {
    (key.namespace().clone(), key.name().clone())
}

fn lock(shard: &Mutex<Shard>) -> MutexGuard<'_, Shard> {
    // Nothing panics under the lock but an allocation, and the map is whole then.
    shard.lock().unwrap_or_else(PoisonError::into_inner)
}
