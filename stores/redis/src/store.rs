//! The operations of the contract.

use std::sync::Arc;

use futures_util::future::try_join_all;
use redis::Value;
use tenure_core::Timestamp;
use tenure_core::store::{
    Applied, Created, Epoch, Inspect, Patch, Record, Rejected, Revision, Store, StoreKey,
    StoreResult, Swap, UserIndex, Verdict, Watch,
};

use crate::RedisStore;
use crate::apply::{Answer, add_steps, deadline, optional_text, unreadable};
use crate::calls::proof;
use crate::error::unexpected;
use crate::keys::{BUCKETS, Bucket};
use crate::script;

/// Sessions of one bucket that are swept at once, so that no other command waits long.
const BATCH: u32 = 100;

impl Store for RedisStore {
    async fn load(&self, key: &StoreKey, now: Timestamp) -> StoreResult<Option<Record>> {
        Ok(self.load_shared(key, now).await?.map(Arc::unwrap_or_clone))
    }

    async fn load_shared(
        &self,
        key: &StoreKey,
        now: Timestamp,
    ) -> StoreResult<Option<Arc<Record>>> {
        if is_administrative(key) {
            return Ok(None);
        }
        Ok(self.find_shared(key, now).await?.filter(|record| record.admits(key, now)))
    }

    async fn create(
        &self,
        key: &StoreKey,
        record: &Record,
        now: Timestamp,
    ) -> StoreResult<Created> {
        let commit = record.commits.first().map_or(&[][..], |(id, _)| id.as_bytes());
        let call = self.inner.call(&script::CREATE, key, now).arg(commit);
        let call = self.inner.written(call, record, self.inner.next_revision(), now)?;
        let Some(user) = record.user.clone() else {
            return created(self.inner.connection.run(&call).await?);
        };
        let (store, key, until) = (self.clone(), key.clone(), record.absolute_deadline);
        Self::settled(async move {
            let created = created(store.inner.connection.run(&call).await?)?;
            if created == Created::Created {
                store.inner.list(&key, user.as_str(), until, now).await?;
            }
            Ok(created)
        })
        .await
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
        let revision = self.inner.next_revision();
        // No record has an empty revision.
        let expected = expected.as_number().map(u64::to_be_bytes);
        let call = self
            .inner
            .call(&script::SWAP, key, now)
            .arg(proof(key))
            .arg(expected.as_ref().map_or(&[][..], |octets| octets))
            .arg(revision.to_be_bytes());
        let call = self.inner.written(call, new, revision, now)?;
        let (store, key) = (self.clone(), key.clone());
        let (user, until) = (new.user.clone(), new.absolute_deadline);
        Self::settled(async move {
            let mut list = match store.inner.connection.run(&call).await? {
                Value::Int(0) => return Ok(Swap::Gone),
                Value::Int(2) => return Ok(Swap::Conflict),
                Value::Int(why) => return Err(unreadable(why)),
                Value::Array(list) => list.into_iter().skip(1),
                _ => return Err(unexpected()),
            };
            let before = optional_text(list.next().unwrap_or_default())?;
            let user = user.as_ref().map(|user| user.as_str());
            if let Some(before) = before.as_deref().filter(|before| Some(*before) != user) {
                store.inner.unlist(&key, before).await;
            }
            if let Some(user) = user.filter(|user| Some(*user) != before.as_deref()) {
                store.inner.list(&key, user, until, now).await?;
            }
            Ok(Swap::Done(Revision::number(revision)))
        })
        .await
    }

    async fn delete(&self, key: &StoreKey, now: Timestamp) -> StoreResult<bool> {
        match self.inner.delete(key, "", now).await? {
            None => Ok(false),
            Some(user) => {
                if let Some(user) = user {
                    self.inner.unlist(key, &user).await;
                }
                Ok(true)
            }
        }
    }

    async fn sweep(&self, limit: u32, now: Timestamp) -> StoreResult<u32> {
        let mut swept = 0;
        while swept < limit {
            let mut rest = limit - swept;
            let share = (rest / BUCKETS + 1).min(BATCH);
            let due = Bucket::all().map(|bucket| self.inner.due(bucket, share, now));
            let due = try_join_all(due).await?;
            let mut calls = Vec::new();
            for (bucket, mut names) in Bucket::all().zip(due) {
                names.truncate(rest.try_into().unwrap_or(usize::MAX));
                rest -= u32::try_from(names.len()).unwrap_or(rest);
                if !names.is_empty() {
                    calls.push(self.inner.sweeping(bucket, &names, now));
                }
            }
            if calls.is_empty() {
                break;
            }
            for answer in
                try_join_all(calls.iter().map(|call| self.inner.connection.run(call))).await?
            {
                let Value::Int(number) = answer else { return Err(unexpected()) };
                swept += u32::try_from(number).unwrap_or(0);
            }
        }
        Ok(swept)
    }

    /// By one script that merges the steps into whatever the session is. Only a closure's value that
    /// has changed meanwhile, or a number that the server cannot add, takes another round; the
    /// application's closures run here, between the rounds.
    async fn apply(&self, key: &StoreKey, patch: &Patch, now: Timestamp) -> StoreResult<Applied> {
        if is_administrative(key) {
            return Ok(Applied::Gone);
        }
        let mut latest: Option<Box<Record>> = None;
        let mut steps = patch.base().and_then(|seen| patch.steps(&seen.data).ok());
        let binds = patch.user().is_some();
        let (mut turn, mut alone) = (None, false);
        loop {
            let call = match (latest.as_deref().or(patch.base()), &steps) {
                (Some(seen), Some(steps)) => {
                    let mut call = self.inner.committing(key, patch, now)?;
                    if alone {
                        call.stay_alone();
                    }
                    add_steps(&mut call, steps, seen)?.then_some(call)
                }
                _ => None,
            };
            let newest = match call {
                // Rare: in a box, so that the future of every commit is no larger for it.
                None => match Box::pin(self.newest(key, patch, now)).await? {
                    Ok(record) => record,
                    Err(applied) => return Ok(applied),
                },
                Some(call) => {
                    let answer = if binds {
                        let (store, key) = (self.clone(), key.clone());
                        let work = async move { store.commit(&key, &call, true, now).await };
                        Box::pin(Self::settled(work)).await?
                    } else {
                        self.commit(key, &call, false, now).await?
                    };
                    match answer {
                        Answer::Gone => return Ok(Applied::Gone),
                        Answer::Done { record, .. } => return Ok(Applied::Done(record)),
                        Answer::Already(record) => return Ok(Applied::Done(Some(record))),
                        Answer::NotYet if alone => return Err(unexpected()),
                        Answer::NotYet => {
                            alone = true;
                            continue;
                        }
                        Answer::Stale(newest) => {
                            if turn.is_none() {
                                turn = self.inner.queues[Bucket::of(key).index()].turn().await;
                            }
                            newest
                        }
                    }
                }
            };
            let ran = match steps.take() {
                Some(mut ran) => ran.rebase(&newest.data).map(|()| ran),
                None => patch.steps(&newest.data),
            };
            let ran = match ran {
                Ok(ran) => ran,
                Err(refused) => return Ok(Applied::Refused(refused)),
            };
            if let Verdict::Rejected(Rejected::Refused(refused)) =
                newest.commit(key, patch, &ran, now)
            {
                return Ok(Applied::Refused(refused));
            }
            (latest, steps) = (Some(newest), Some(ran));
        }
    }

    async fn touch(&self, key: &StoreKey, until: Timestamp, now: Timestamp) -> StoreResult<bool> {
        if is_administrative(key) {
            return Ok(false);
        }
        let call = self
            .inner
            .call(&script::TOUCH, key, now)
            .arg(proof(key))
            .number(until.as_millis())
            .arg(self.inner.next_revision().to_be_bytes());
        let mut list = match self.inner.connection.run(&call).await? {
            Value::Int(0) => return Ok(false),
            Value::Int(why) => return Err(unreadable(why)),
            Value::Array(list) => list.into_iter().skip(1),
            _ => return Err(unexpected()),
        };
        let mut next = || list.next().unwrap_or_default();
        if let Some(user) = optional_text(next())? {
            // Heals what the index has lost; if that fails, the next touch does it.
            let _ = self.inner.list(key, &user, deadline(next())?, now).await;
        }
        Ok(true)
    }

    /// Ends the store's connection. One of the application's own stays as it is, but this store and
    /// its clones use it no more.
    async fn close(&self) {
        self.inner.connection.close();
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

    fn watch(&self) -> Option<&impl Watch> {
        self.inner.tracker.as_ref().map(|_| self)
    }
}

impl Inspect for RedisStore {
    async fn record(&self, key: &StoreKey, now: Timestamp) -> StoreResult<Option<Record>> {
        self.find(key, now).await
    }
}

impl RedisStore {
    /// The newest record, for a patch that can go on; else what becomes of it.
    async fn newest(
        &self,
        key: &StoreKey,
        patch: &Patch,
        now: Timestamp,
    ) -> StoreResult<Result<Box<Record>, Applied>> {
        let Some(record) = self.find(key, now).await? else { return Ok(Err(Applied::Gone)) };
        Ok(match record.answered(key, patch, now) {
            None => Ok(Box::new(record)),
            Some(Verdict::AlreadyDone) => Err(Applied::Done(Some(Box::new(record)))),
            Some(_) => Err(Applied::Gone),
        })
    }
}

fn created(answer: Value) -> StoreResult<Created> {
    match answer {
        Value::Int(1) => Ok(Created::Created),
        Value::Int(0) => Ok(Created::Collision),
        Value::Int(why) => Err(unreadable(why)),
        _ => Err(unexpected()),
    }
}

/// Whether the key was made for administration: it deletes and nothing else.
fn is_administrative(key: &StoreKey) -> bool {
    key.handle().is_some() && key.proof().is_none()
}
