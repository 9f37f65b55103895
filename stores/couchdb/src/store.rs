//! The operations of the contract.

use http::{Method, StatusCode};
use serde::Deserialize;
use serde_json::{Map, Value, json};
use std::sync::atomic::Ordering;
use tenure_core::Timestamp;
use tenure_core::store::{
    Applied, Created, Epoch, Inspect, Patch, Record, Rejected, Revision, Store, StoreKey,
    StoreResult, Swap, UserIndex, Verdict,
};

use crate::client::CouchStore;
use crate::document::{Body, Document, is_as_stored, rev};
use crate::name::{id, is_session};

/// Sessions that one request sweeps.
const BATCH: u32 = 500;
/// Asks for versions that were deleted on another node, which CouchDB names at no cost.
const SEEN: &str = "?deleted_conflicts=true";
/// Asks for versions that would come to light when this one is deleted, too.
const ALL: &str = "?conflicts=true&deleted_conflicts=true";

/// What Mango finds, as far as it was asked for.
#[derive(Deserialize)]
pub(crate) struct Found {
    pub(crate) docs: Vec<Hit>,
}

#[derive(Deserialize)]
pub(crate) struct Hit {
    #[serde(rename = "_id")]
    pub(crate) id: String,
    #[serde(rename = "_rev")]
    pub(crate) rev: String,
    #[serde(default)]
    pub(crate) exp: Value,
}

impl Store for CouchStore {
    async fn load(&self, key: &StoreKey, now: Timestamp) -> StoreResult<Option<Record>> {
        if is_administrative(key) {
            return Ok(None);
        }
        Ok(self.find(&id(key)?, now).await?.filter(|record| record.admits(key, now)))
    }

    async fn create(
        &self,
        key: &StoreKey,
        record: &Record,
        now: Timestamp,
    ) -> StoreResult<Created> {
        let (id, body) = (id(key)?, Body::new(key, record, &*self.shared.options.format)?);
        let mut attempts = self.attempts();
        loop {
            if self.put(&id, None, &body.value).await?.is_some() {
                return Ok(Created::Created);
            }
            if let Some(there) = self.get(&id, SEEN).await? {
                let found = there.record(&*self.shared.options.format)?;
                if found.is_alive(now) && !there.is_destroyed() {
                    let repeated = record.commits.first().is_some_and(|(commit, _)| {
                        found.commits.iter().any(|(id, _)| id == commit)
                    });
                    return Ok(if repeated { Created::Created } else { Created::Collision });
                }
                if self.put(&id, Some(&there.rev), &body.value).await?.is_some() {
                    return Ok(Created::Created);
                }
            }
            // Somebody has deleted or replaced it meanwhile.
            attempts.again().await?;
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
        let (id, body) = (id(key)?, Body::new(key, new, &*self.shared.options.format)?);
        // The proof of the key is compared with what is there, whatever its revision.
        loop {
            let Some(there) = self.find(&id, now).await?.filter(|there| there.admits(key, now))
            else {
                return Ok(Swap::Gone);
            };
            let Some(rev) = rev(expected).filter(|_| there.revision == *expected) else {
                return Ok(Swap::Conflict);
            };
            if let Some(rev) = self.put(&id, Some(rev), &body.value).await? {
                return Ok(Swap::Done(body.revision(&rev)));
            }
        }
    }

    async fn delete(&self, key: &StoreKey, now: Timestamp) -> StoreResult<bool> {
        let id = id(key)?;
        let mut attempts = self.attempts();
        loop {
            let Some(there) = self.get(&id, ALL).await? else { return Ok(false) };
            let destroyed = there.is_destroyed();
            let Ok(found) = there.record(&*self.shared.options.format) else { return Ok(false) };
            if !found.admits_delete(key, now) {
                return Ok(false);
            }
            // The others first: this one would hide them no longer.
            for rev in &there.conflicts {
                self.remove(&id, rev).await?;
            }
            if self.remove(&id, &there.rev).await? {
                return Ok(!destroyed);
            }
            attempts.again().await?;
        }
    }

    async fn sweep(&self, limit: u32, now: Timestamp) -> StoreResult<u32> {
        let mut swept = 0;
        while swept < limit {
            let batch = BATCH.min(limit - swept);
            let deleted = self.sweep_batch(batch, now).await?;
            swept += deleted;
            if deleted == 0 {
                break;
            }
        }
        self.purge().await?;
        Ok(swept)
    }

    /// At first on the record that the request has seen, if its revision is still the newest. If
    /// not, on the newest one, and in turn with the others of this process; the application's
    /// closures run between turns. What the request saw decides nothing else.
    async fn apply(&self, key: &StoreKey, patch: &Patch, now: Timestamp) -> StoreResult<Applied> {
        if is_administrative(key) {
            return Ok(Applied::Gone);
        }
        let id = id(key)?;
        let mut steps = patch.base().and_then(|base| patch.steps(&base.data).ok());
        if let (Some(base), Some(steps)) = (patch.base(), &steps)
            && is_as_stored(base, &*self.shared.options.format)
            && let Verdict::Done(next) = base.commit(key, patch, steps, now)
            && let Some(done) = self.commit(&id, key, base, next).await?
        {
            return Ok(Applied::Done(Some(done)));
        }
        let mut attempts = self.attempts();
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
            match verdict {
                Some(Verdict::Done(next)) => {
                    if let Some(done) = self.commit(&id, key, &newest, next).await? {
                        return Ok(Applied::Done(Some(done)));
                    }
                }
                Some(Verdict::AlreadyDone) => {
                    return Ok(Applied::Done(Some(Box::new(newest))));
                }
                Some(Verdict::Rejected(Rejected::Refused(refused))) => {
                    return Ok(Applied::Refused(refused));
                }
                _ => return Ok(Applied::Gone),
            }
            attempts.again().await?;
        }
    }

    async fn touch(&self, key: &StoreKey, until: Timestamp, now: Timestamp) -> StoreResult<bool> {
        if is_administrative(key) {
            return Ok(false);
        }
        let id = id(key)?;
        let mut attempts = self.attempts();
        loop {
            let Some(there) = self.find(&id, now).await?.filter(|there| there.admits(key, now))
            else {
                return Ok(false);
            };
            let mut next = Box::new(there.clone());
            next.idle_deadline = there.touched(until, now);
            next.last_seen = there.last_seen.max(now);
            // What would stay the same is not written.
            if *next == there || self.commit(&id, key, &there, next).await?.is_some() {
                return Ok(true);
            }
            attempts.again().await?;
        }
    }

    /// Ends all requests, those under way included. What waits to be purged stays.
    async fn close(&self) {
        self.shared.http.close();
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

impl Inspect for CouchStore {
    async fn record(&self, key: &StoreKey, now: Timestamp) -> StoreResult<Option<Record>> {
        self.find(&id(key)?, now).await
    }
}

impl CouchStore {
    /// The live record under `id`, whatever the proof.
    async fn find(&self, id: &str, now: Timestamp) -> StoreResult<Option<Record>> {
        let Some(there) = self.get(id, SEEN).await? else { return Ok(None) };
        if there.is_destroyed() {
            return Ok(None);
        }
        self.alive(&there, now)
    }

    pub(crate) fn alive(&self, there: &Document, now: Timestamp) -> StoreResult<Option<Record>> {
        let record = there.record(&*self.shared.options.format)?;
        Ok(record.is_alive(now).then_some(record))
    }

    /// Puts `next` in place of `seen`, if that has the newest revision.
    async fn commit(
        &self,
        id: &str,
        key: &StoreKey,
        seen: &Record,
        mut next: Box<Record>,
    ) -> StoreResult<Option<Box<Record>>> {
        let Some(rev) = rev(&seen.revision) else { return Ok(None) };
        let body = Body::new(key, &next, &*self.shared.options.format)?;
        Ok(self.put(id, Some(rev), &body.value).await?.map(|rev| {
            next.revision = body.revision(&rev);
            next
        }))
    }

    /// What a selector of Mango finds.
    pub(crate) async fn query(
        &self,
        selector: Value,
        fields: &[&str],
        limit: u32,
    ) -> StoreResult<Found> {
        let query = json!({ "selector": selector, "fields": fields, "limit": limit });
        self.http().await?.ask(Method::POST, "/_find", Some(&query)).await?.read()
    }

    /// Deletes at most `batch` expired sessions, and tells how many it deleted.
    async fn sweep_batch(&self, batch: u32, now: Timestamp) -> StoreResult<u32> {
        // With a lower bound: some servers find documents without the field otherwise.
        let expired = json!({ "exp": { "$gte": 0, "$lte": now.as_millis() } });
        let found = self.query(expired, &["_id", "_rev", "exp"], batch).await?;
        let is_over = |hit: &Hit| {
            is_session(&hit.id) && hit.exp.as_u64().is_some_and(|exp| exp <= now.as_millis())
        };
        let found = found.docs.into_iter().filter(is_over).map(|hit| (hit.id, hit.rev));
        // A session that was prolonged meanwhile has another revision, and stays.
        let removed = self.remove_all(found).await?;
        Ok(removed.len().try_into().unwrap_or(batch))
    }

    /// Purges the tombstones of what this process has deleted, if the server can.
    async fn purge(&self) -> StoreResult<()> {
        let purges = &self.shared.purges;
        while purges.load(Ordering::Relaxed) {
            // CouchDB takes a hundred at a time, where nobody has changed it.
            let some = self.exhume(100);
            if some.is_empty() {
                break;
            }
            let mut body = Map::new();
            for (id, rev) in some {
                body.insert(id, json!([rev]));
            }
            let purging = self.http().await?;
            let answer = purging.ask(Method::POST, "/_purge", Some(&Value::Object(body))).await?;
            match answer.status {
                // A member may not, and other servers cannot.
                StatusCode::BAD_REQUEST
                | StatusCode::UNAUTHORIZED
                | StatusCode::FORBIDDEN
                | StatusCode::NOT_FOUND
                | StatusCode::METHOD_NOT_ALLOWED
                | StatusCode::NOT_IMPLEMENTED => purges.store(false, Ordering::Relaxed),
                _ => drop(answer.read::<Value>()?),
            }
        }
        Ok(())
    }
}

/// Whether the key was made for administration: it deletes and nothing else.
fn is_administrative(key: &StoreKey) -> bool {
    key.handle().is_some() && key.proof().is_none()
}
