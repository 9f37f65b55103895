use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use hashbrown::HashTable;

use super::MemoryStore;
use super::packed;
use super::schedule::{Kind, Schedule, second_of};
use crate::clock::Timestamp;
use crate::store::Record;

/// What the management of a session takes beside its packed form, in octets: its part of the
/// table and of the schedule, and the allocator's.
const OVERHEAD: usize = 72;

/// What all shards hold together.
#[derive(Default)]
pub(super) struct Usage {
    pub(super) sessions: AtomicUsize,
    pub(super) bytes: AtomicUsize,
}

/// A part of the sessions, under one lock.
#[derive(Default)]
pub(super) struct Shard {
    table: HashTable<Entry>,
    schedule: Schedule,
    scratch: Vec<u8>,
}

/// One session: key and record in one piece of memory, and where in the schedule it stands.
struct Entry {
    packed: Arc<[u8]>,
    second: u32,
}

impl Shard {
    pub(super) fn get(&self, hash: u64, key: &[u8]) -> Option<Record> {
        let entry = self.table.find(hash, |entry| packed::is_of(&entry.packed, key))?;
        packed::unpack(&entry.packed, key.len())
    }

    pub(super) fn put(&mut self, hash: u64, key: &[u8], record: &Record, store: &MemoryStore) {
        let packed = packed::pack(key, record, &mut self.scratch);
        store.usage.bytes.fetch_add(packed.len() + OVERHEAD, Ordering::Relaxed);
        let second = second_of(record.deadline());
        let kind = kind_of(record);
        match self.table.find_mut(hash, |entry| packed::is_of(&entry.packed, key)) {
            Some(entry) => {
                let before = entry.packed.len() + OVERHEAD;
                store.usage.bytes.fetch_sub(before, Ordering::Relaxed);
                entry.packed = packed;
                if second < entry.second {
                    entry.second = second;
                    self.schedule.add(kind, second, hash);
                }
            }
            None => {
                store.usage.sessions.fetch_add(1, Ordering::Relaxed);
                self.schedule.add(kind, second, hash);
                self.table.insert_unique(hash, Entry { packed, second }, |entry| entry.hash(store));
            }
        }
    }

    pub(super) fn remove(&mut self, hash: u64, key: &[u8], store: &MemoryStore) {
        let found = self.table.find_entry(hash, |entry| packed::is_of(&entry.packed, key));
        if let Ok(found) = found {
            let (entry, _) = found.remove();
            store.usage.sessions.fetch_sub(1, Ordering::Relaxed);
            store.usage.bytes.fetch_sub(entry.packed.len() + OVERHEAD, Ordering::Relaxed);
        }
    }

    /// Removes at most `limit` sessions that are expired at `now`.
    pub(super) fn sweep(&mut self, limit: u32, now: Timestamp, store: &MemoryStore) -> u32 {
        let mut swept = 0;
        let mut early = Vec::new();
        for kind in [Kind::Anonymous, Kind::User] {
            while swept < limit
                && let Some((second, hash)) = self.schedule.pop(kind, second_of(now))
            {
                match self.due(second, hash, store) {
                    Some((key, record)) if !record.is_alive(now) => {
                        self.expel(hash, &key, &record, store);
                        swept += 1;
                    }
                    Some((_, record)) => early.push((kind_of(&record), hash, record.deadline())),
                    None => {}
                }
            }
        }
        for (kind, hash, deadline) in early {
            self.reschedule(kind, hash, second_of(deadline), store);
        }
        swept
    }

    /// Removes the session of this kind that would expire first, but for the one whose hash is
    /// `spared`, and gives it back.
    pub(super) fn evict(&mut self, kind: Kind, spared: u64, store: &MemoryStore) -> Option<Record> {
        let mut later = None;
        let mut evicted = None;
        while let Some((second, hash)) = self.schedule.pop(kind, u32::MAX) {
            let Some((key, record)) = self.due(second, hash, store) else { continue };
            let (now_kind, now_second) = (kind_of(&record), second_of(record.deadline()));
            if hash == spared {
                later = Some((now_kind, now_second));
            } else if now_kind == kind && now_second == second {
                self.expel(hash, &key, &record, store);
                evicted = Some(record);
                break;
            } else {
                self.reschedule(now_kind, hash, now_second, store);
            }
        }
        if let Some((kind, second)) = later {
            self.reschedule(kind, spared, second, store);
        }
        evicted
    }

    /// The session that stands in the schedule at this place, unless it is gone or stands elsewhere
    /// by now.
    fn due(&self, second: u32, hash: u64, store: &MemoryStore) -> Option<(Vec<u8>, Record)> {
        let here = |entry: &Entry| entry.second == second && entry.hash(store) == hash;
        let entry = self.table.find(hash, here)?;
        let key = packed::key_of(&entry.packed);
        Some((key.to_vec(), packed::unpack(&entry.packed, key.len())?))
    }

    fn expel(&mut self, hash: u64, key: &[u8], record: &Record, store: &MemoryStore) {
        if let Some(key) = packed::read_key(key) {
            store.people.moved(&key, record.user.as_ref(), None);
        }
        self.remove(hash, key, store);
    }

    fn reschedule(&mut self, kind: Kind, hash: u64, second: u32, store: &MemoryStore) {
        if let Some(entry) = self.table.find_mut(hash, |entry| entry.hash(store) == hash) {
            entry.second = second;
        }
        self.schedule.add(kind, second, hash);
    }
}

impl Entry {
    fn hash(&self, store: &MemoryStore) -> u64 {
        store.hash(packed::key_of(&self.packed))
    }
}

fn kind_of(record: &Record) -> Kind {
    if record.user.is_some() { Kind::User } else { Kind::Anonymous }
}
