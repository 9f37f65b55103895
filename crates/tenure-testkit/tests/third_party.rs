//! The smallest store that keeps the laws, as somebody else would write it, against the core and the
//! testkit alone: five functions over a map. It lives in one process, so it gives no `address`.
//! Proves the abilities V4 and F5.

use std::collections::HashMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use tenure_core::Timestamp;
use tenure_core::store::{Created, Record, Revision, Store, StoreKey, StoreResult, Swap};
use tenure_testkit::{StoreHarness, store_suite};

/// Namespace, whether the name is a handle, and the name.
type Place = (String, bool, Vec<u8>);

#[derive(Default)]
struct Map {
    records: Mutex<HashMap<Place, Record>>,
    /// The latest revision: one for the whole store, so that none ever comes back.
    revision: AtomicU64,
}

impl Map {
    fn put(&self, map: &mut HashMap<Place, Record>, key: &StoreKey, record: &Record) -> Revision {
        let revision = Revision::number(self.revision.fetch_add(1, Ordering::Relaxed));
        let mut record = record.clone();
        record.revision = revision.clone();
        map.insert(place(key), record);
        revision
    }
}

fn place(key: &StoreKey) -> Place {
    let namespace = key.namespace().as_str().to_owned();
    (namespace, key.handle().is_some(), key.name().as_bytes().to_vec())
}

impl Store for Map {
    async fn load(&self, key: &StoreKey, now: Timestamp) -> StoreResult<Option<Record>> {
        let found = self.records.lock().unwrap().get(&place(key)).cloned();
        Ok(found.filter(|record| record.admits(key, now)))
    }

    async fn create(
        &self,
        key: &StoreKey,
        record: &Record,
        now: Timestamp,
    ) -> StoreResult<Created> {
        let mut map = self.records.lock().unwrap();
        if let Some(there) = map.get(&place(key)).filter(|there| there.is_alive(now)) {
            let commit = |record: &Record| record.commits.first().map(|(id, _)| *id);
            let same = there.commits.iter().any(|(id, _)| Some(*id) == commit(record));
            return Ok(if same { Created::Created } else { Created::Collision });
        }
        self.put(&mut map, key, record);
        Ok(Created::Created)
    }

    async fn swap(
        &self,
        key: &StoreKey,
        expected: &Revision,
        new: &Record,
        now: Timestamp,
    ) -> StoreResult<Swap> {
        let mut map = self.records.lock().unwrap();
        match map.get(&place(key)).filter(|there| there.admits(key, now)) {
            None => Ok(Swap::Gone),
            Some(there) if there.revision != *expected => Ok(Swap::Conflict),
            Some(_) => Ok(Swap::Done(self.put(&mut map, key, new))),
        }
    }

    async fn delete(&self, key: &StoreKey, now: Timestamp) -> StoreResult<bool> {
        let mut map = self.records.lock().unwrap();
        let there = map.get(&place(key)).is_some_and(|record| record.admits_delete(key, now));
        Ok(there && map.remove(&place(key)).is_some())
    }

    async fn sweep(&self, limit: u32, now: Timestamp) -> StoreResult<u32> {
        let mut map = self.records.lock().unwrap();
        let expired: Vec<_> = map.iter().filter(|(_, record)| !record.is_alive(now)).collect();
        let expired: Vec<_> =
            expired.into_iter().take(limit as usize).map(|(place, _)| place.clone()).collect();
        expired.iter().for_each(|place| drop(map.remove(place)));
        Ok(u32::try_from(expired.len()).unwrap_or(limit))
    }
}

struct Own;

impl StoreHarness for Own {
    type Store = Map;

    async fn open(&self) -> Map {
        Map::default()
    }
}

store_suite! { v4_own, Own }
