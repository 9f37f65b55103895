use super::{MemoryStore, SHARDS};
use crate::clock::Timestamp;
use crate::store::{
    Applied, Created, Epoch, Inspect, Patch, Record, Revision, Store, StoreKey, StoreResult, Swap,
    UserIndex,
};

/// Expired sessions that each new one clears away.
const SWEPT_PER_CREATE: u32 = 2;

impl Store for MemoryStore {
    async fn load(&self, key: &StoreKey, now: Timestamp) -> StoreResult<Option<Record>> {
        Ok(self.with(key, |shard, place| place.live(shard, now)).filter(|r| r.admits(key, now)))
    }

    async fn create(
        &self,
        key: &StoreKey,
        record: &Record,
        now: Timestamp,
    ) -> StoreResult<Created> {
        let mut record = record.clone();
        record.revision = self.next_revision();
        record.epochs.everybody = self.epochs.of(key.namespace());
        let answer = self.with(key, |shard, place| {
            if let Some(there) = place.live(shard, now) {
                let repeated = record
                    .commits
                    .first()
                    .is_some_and(|(id, _)| there.commits.iter().any(|(known, _)| known == id));
                return if repeated { Created::Created } else { Created::Collision };
            }
            if let Some(expired) = shard.get(place.hash, place.packed) {
                place.remove(shard, &expired);
            }
            place.put(shard, None, &record);
            shard.sweep(SWEPT_PER_CREATE, now, self);
            Created::Created
        });
        self.make_room(key, now);
        Ok(answer)
    }

    async fn swap(
        &self,
        key: &StoreKey,
        expected: &Revision,
        new: &Record,
        now: Timestamp,
    ) -> StoreResult<Swap> {
        let swap = self.with(key, |shard, place| {
            match place.live(shard, now).filter(|record| record.admits(key, now)) {
                None => Swap::Gone,
                Some(old) if old.revision != *expected => Swap::Conflict,
                Some(old) => {
                    let mut new = new.clone();
                    new.revision = self.next_revision();
                    new.epochs = old.epochs;
                    place.put(shard, Some(&old), &new);
                    Swap::Done(new.revision)
                }
            }
        });
        self.make_room(key, now);
        Ok(swap)
    }

    async fn delete(&self, key: &StoreKey, now: Timestamp) -> StoreResult<bool> {
        Ok(self.with(key, |shard, place| {
            let record = place.live(shard, now).filter(|record| record.admits_delete(key, now));
            record.map(|record| place.remove(shard, &record)).is_some()
        }))
    }

    async fn sweep(&self, limit: u32, now: Timestamp) -> StoreResult<u32> {
        let mut swept = 0;
        for at in 0..SHARDS {
            if swept == limit {
                break;
            }
            swept += self.shard(at).sweep(limit - swept, now, self);
        }
        Ok(swept)
    }

    async fn apply(&self, key: &StoreKey, patch: &Patch, now: Timestamp) -> StoreResult<Applied> {
        // What the request saw is good for a first attempt, and decides nothing.
        let mut steps = patch.base().and_then(|base| patch.steps(&base.data).ok());
        loop {
            let there = match self
                .with(key, |shard, place| place.commit(shard, patch, steps.as_ref(), now))
            {
                Ok(applied) => {
                    if matches!(applied, Applied::Done(_)) {
                        self.make_room(key, now);
                    }
                    return Ok(applied);
                }
                Err(there) => there,
            };
            let ran = match steps.take() {
                Some(mut ran) => ran.rebase(&there).map(|()| ran),
                None => patch.steps(&there),
            };
            match ran {
                Ok(ran) => steps = Some(ran),
                Err(refused) => return Ok(Applied::Refused(refused)),
            }
        }
    }

    async fn touch(&self, key: &StoreKey, until: Timestamp, now: Timestamp) -> StoreResult<bool> {
        Ok(self.with(key, |shard, place| {
            let record = place.live(shard, now).filter(|record| record.admits(key, now));
            let Some(mut record) = record else { return false };
            record.idle_deadline = record.touched(until, now);
            record.last_seen = record.last_seen.max(now);
            record.revision = self.next_revision();
            shard.put(place.hash, place.packed, &record, self);
            true
        }))
    }

    fn merges_in_place(&self) -> bool {
        true
    }

    fn users(&self) -> Option<&impl UserIndex> {
        Some(self)
    }

    fn epoch(&self) -> Option<&impl Epoch> {
        Some(self)
    }

    fn inspect(&self) -> Option<&impl Inspect> {
        Some(self)
    }
}

impl Inspect for MemoryStore {
    async fn record(&self, key: &StoreKey, now: Timestamp) -> StoreResult<Option<Record>> {
        Ok(self.with(key, |shard, place| place.live(shard, now)))
    }
}
