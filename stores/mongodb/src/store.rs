//! The operations of the contract.

use mongodb::bson::{Document, doc};
use mongodb::options::ReturnDocument;
use tenure_core::Timestamp;
use tenure_core::store::{
    Applied, Created, Epoch, Inspect, Patch, Record, Rejected, Revision, Steps, Store, StoreKey,
    StoreResult, Swap, UserIndex, Verdict,
};

use crate::client::MongoStore;
use crate::document::{date, document, first_revision, fits, record, revision};
use crate::error::{DUPLICATE_KEY, code, failed};
use crate::name::id;
use crate::update::{Merge, admitting, alive, deletable, touch};

/// Sessions that one command sweeps.
const BATCH: u32 = 500;

impl Store for MongoStore {
    async fn load(&self, key: &StoreKey, now: Timestamp) -> StoreResult<Option<Record>> {
        if is_administrative(key) {
            return Ok(None);
        }
        Ok(self.find(&id(key), now).await?.filter(|record| record.admits(key, now)))
    }

    async fn create(
        &self,
        key: &StoreKey,
        record: &Record,
        now: Timestamp,
    ) -> StoreResult<Created> {
        fits(&record.data)?;
        let sessions = self.sessions().await?;
        let id = id(key);
        let new = document(&id, first_revision(record), record);
        loop {
            match self.asked(sessions.insert_one(&new)).await? {
                Ok(_) => return Ok(Created::Created),
                Err(error) if code(&error) == Some(DUPLICATE_KEY) => {}
                Err(error) => return Err(failed(error)),
            }
            let expired = doc! { "_id": &id, "deadline": { "$lte": date(now) } };
            if self.ask(sessions.replace_one(expired, &new)).await?.matched_count > 0 {
                return Ok(Created::Created);
            }
            // A record that ended just now leaves the place free.
            if let Some(there) = self.find(&id, now).await? {
                let repeated = record
                    .commits
                    .first()
                    .is_some_and(|(commit, _)| there.commits.iter().any(|(id, _)| id == commit));
                return Ok(if repeated { Created::Created } else { Created::Collision });
            }
        }
    }

    async fn swap(
        &self,
        key: &StoreKey,
        expected: &Revision,
        new: &Record,
        now: Timestamp,
    ) -> StoreResult<Swap> {
        if is_administrative(key) {
            return Ok(Swap::Gone);
        }
        if let Some(revision) = self.replace(&id(key), key, expected, new, now).await? {
            return Ok(Swap::Done(revision));
        }
        Ok(if self.load(key, now).await?.is_some() { Swap::Conflict } else { Swap::Gone })
    }

    async fn delete(&self, key: &StoreKey, now: Timestamp) -> StoreResult<bool> {
        let deleting = self.sessions().await?.delete_one(deletable(&id(key), key, now));
        Ok(self.ask(deleting).await?.deleted_count > 0)
    }

    async fn sweep(&self, limit: u32, now: Timestamp) -> StoreResult<u32> {
        let mut swept = 0;
        while swept < limit {
            let batch = BATCH.min(limit - swept);
            let (found, deleted) = self.sweep_batch(batch, now).await?;
            swept += deleted;
            if found < batch {
                break;
            }
        }
        Ok(swept)
    }

    /// At first on the record that the request has seen. If that is out of date, on the newest one,
    /// and in turn with the others of this process; the application's closures run between turns.
    /// What the request saw is good for the first attempt, and decides nothing else.
    async fn apply(&self, key: &StoreKey, patch: &Patch, now: Timestamp) -> StoreResult<Applied> {
        if is_administrative(key) {
            return Ok(Applied::Gone);
        }
        let id = id(key);
        let mut steps = patch.base().and_then(|base| patch.steps(&base.data).ok());
        if let (Some(base), Some(steps)) = (patch.base(), &steps)
            && let Verdict::Done(next) = base.commit(key, patch, steps, now)
            && let Some(done) = self.commit(&id, key, base, next, (patch, steps), now).await?
        {
            return Ok(Applied::Done(Some(done)));
        }
        loop {
            let turn = match &steps {
                Some(_) => Some(self.turn(&id).await),
                None => None,
            };
            let Some(newest) = self.find(&id, now).await? else { return Ok(Applied::Gone) };
            let mut verdict = match &steps {
                Some(steps) => Some(newest.commit(key, patch, steps, now)),
                None => newest.answered(key, patch, now),
            };
            if let None | Some(Verdict::Rejected(Rejected::Changed(_))) = verdict {
                drop(turn);
                let ran = match steps.take() {
                    Some(mut ran) => ran.rebase(&newest.data).map(|()| ran),
                    None => patch.steps(&newest.data),
                };
                match ran {
                    Ok(ran) => verdict = Some(newest.commit(key, patch, steps.insert(ran), now)),
                    Err(refused) => return Ok(Applied::Refused(refused)),
                }
            }
            match (verdict, &steps) {
                (Some(Verdict::Done(next)), Some(steps)) => {
                    let with = (patch, steps);
                    if let Some(done) = self.commit(&id, key, &newest, next, with, now).await? {
                        return Ok(Applied::Done(Some(done)));
                    }
                }
                (Some(Verdict::AlreadyDone), _) => {
                    return Ok(Applied::Done(Some(Box::new(newest))));
                }
                (Some(Verdict::Rejected(Rejected::Refused(refused))), _) => {
                    return Ok(Applied::Refused(refused));
                }
                _ => return Ok(Applied::Gone),
            }
        }
    }

    async fn touch(&self, key: &StoreKey, until: Timestamp, now: Timestamp) -> StoreResult<bool> {
        if is_administrative(key) {
            return Ok(false);
        }
        let filter = admitting(&id(key), key, now);
        let touching = self.sessions().await?.update_one(filter, touch(until, now));
        Ok(self.ask(touching).await?.matched_count > 0)
    }

    /// Closes the connections; those of the application's own client, too.
    async fn close(&self) {
        self.client.clone().shutdown().immediate(true).await;
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

impl Inspect for MongoStore {
    async fn record(&self, key: &StoreKey, now: Timestamp) -> StoreResult<Option<Record>> {
        self.find(&id(key), now).await
    }
}

impl MongoStore {
    /// The live record under `id`, whatever the proof.
    async fn find(&self, id: &str, now: Timestamp) -> StoreResult<Option<Record>> {
        let finding = self.sessions().await?.find_one(alive(id, now));
        self.ask(finding).await?.map(|found| record(&found)).transpose()
    }

    /// Puts `new` in place of the record that has the revision `expected`, and tells its own.
    async fn replace(
        &self,
        id: &str,
        key: &StoreKey,
        expected: &Revision,
        new: &Record,
        now: Timestamp,
    ) -> StoreResult<Option<Revision>> {
        fits(&new.data)?;
        let expected = revision(expected);
        let next = expected.saturating_add(1);
        let mut filter = admitting(id, key, now);
        filter.insert("revision", expected);
        let replacing = self.sessions().await?.replace_one(filter, document(id, next, new));
        let done = self.ask(replacing).await?.matched_count > 0;
        Ok(done.then(|| Revision::number(next.try_into().unwrap_or_default())))
    }

    /// Makes `next` of `seen`, unless something is in the way, and gives the record after it.
    async fn commit(
        &self,
        id: &str,
        key: &StoreKey,
        seen: &Record,
        mut next: Box<Record>,
        with: (&Patch, &Steps),
        now: Timestamp,
    ) -> StoreResult<Option<Box<Record>>> {
        fits(&next.data)?;
        let filter = admitting(id, key, now);
        let Some(merge) = Merge::new(filter, seen, &next, with, now) else {
            let done = self.replace(id, key, &seen.revision, &next, now).await?;
            return Ok(done.map(|revision| {
                next.revision = revision;
                next
            }));
        };
        let merging = self
            .sessions()
            .await?
            .find_one_and_update(merge.filter, merge.update)
            .return_document(ReturnDocument::After);
        let after = self.ask(merging).await?;
        after.map(|after| record(&after).map(Box::new)).transpose()
    }

    /// Deletes at most `batch` expired sessions, and tells how many it found and deleted.
    async fn sweep_batch(&self, batch: u32, now: Timestamp) -> StoreResult<(u32, u32)> {
        let sessions = self.sessions().await?;
        let expired = doc! { "$lte": date(now) };
        let finding = sessions
            .find(doc! { "deadline": &expired })
            .sort(doc! { "deadline": 1 })
            .projection(doc! { "_id": 1 })
            .batch_size(batch)
            .limit(batch.into());
        let mut found = self.ask(finding).await?;
        let mut ids = Vec::new();
        while self.ask(found.advance()).await? {
            let mut found: Document = found.deserialize_current().map_err(failed)?;
            ids.extend(found.remove("_id"));
        }
        if ids.is_empty() {
            return Ok((0, 0));
        }
        let count = ids.len();
        // What was prolonged meanwhile stays.
        let still = doc! { "_id": { "$in": ids }, "deadline": expired };
        let deleted = self.ask(sessions.delete_many(still)).await?.deleted_count;
        let small = |number: u64| number.try_into().unwrap_or(batch);
        Ok((small(count as u64), small(deleted)))
    }
}

/// Whether the key was made for administration: it deletes and nothing else.
fn is_administrative(key: &StoreKey) -> bool {
    key.handle().is_some() && key.proof().is_none()
}
