//! V4, F5: a store as somebody else would write it, against the core and the testkit alone: five
//! functions over a map. It keeps every law that it can be asked for.

use std::collections::HashMap;
use std::sync::Mutex;

use tenure_core::Timestamp;
use tenure_core::store::{Created, Record, Revision, Store, StoreKey, StoreResult, Swap};
use tenure_testkit::{StoreHarness, store_suite};

/// Namespace, whether the name is a handle, and the name.
type Place = (String, bool, Vec<u8>);

#[derive(Default)]
struct Map(Mutex<HashMap<Place, Record>>);

fn place(key: &StoreKey) -> Place {
    let namespace = key.namespace().as_str().to_owned();
    (namespace, key.handle().is_some(), key.name().as_bytes().to_vec())
}

impl Store for Map {
    async fn load(&self, key: &StoreKey, now: Timestamp) -> StoreResult<Option<Record>> {
        let found = self.0.lock().unwrap().get(&place(key)).cloned();
        Ok(found.filter(|record| record.admits(key, now)))
    }

    async fn create(
        &self,
        key: &StoreKey,
        record: &Record,
        now: Timestamp,
    ) -> StoreResult<Created> {
        let mut map = self.0.lock().unwrap();
        if let Some(there) = map.get(&place(key)).filter(|there| there.is_alive(now)) {
            let same = record.commits.iter().any(|commit| there.commits.contains(commit));
            return Ok(if same { Created::Created } else { Created::Collision });
        }
        map.insert(place(key), record.clone());
        Ok(Created::Created)
    }

    async fn swap(
        &self,
        key: &StoreKey,
        expected: &Revision,
        new: &Record,
        now: Timestamp,
    ) -> StoreResult<Swap> {
        let mut map = self.0.lock().unwrap();
        let Some(there) = map.get_mut(&place(key)).filter(|there| there.admits(key, now)) else {
            return Ok(Swap::Gone);
        };
        if there.revision != *expected {
            return Ok(Swap::Conflict);
        }
        *there = new.clone();
        there.revision = Revision::number(expected.as_number().unwrap_or(0) + 1);
        Ok(Swap::Done(there.revision.clone()))
    }

    async fn delete(&self, key: &StoreKey, now: Timestamp) -> StoreResult<bool> {
        let mut map = self.0.lock().unwrap();
        let there = map.get(&place(key)).is_some_and(|record| record.admits_delete(key, now));
        Ok(there && map.remove(&place(key)).is_some())
    }

    async fn sweep(&self, limit: u32, now: Timestamp) -> StoreResult<u32> {
        let mut map = self.0.lock().unwrap();
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
