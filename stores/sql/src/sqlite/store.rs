//! The operations of the contract.

use sqlx::Sqlite;
use sqlx::query::{Query, QueryAs};
use sqlx::sqlite::SqliteArguments;
use tenure_core::Timestamp;
use tenure_core::id::CommitId;
use tenure_core::store::{
    Applied, Created, Epoch, Patch, Record, Rejected, Revision, Steps, Store, StoreKey,
    StoreResult, Swap, UserIndex, Verdict,
};
use tenure_core::value::Data;

use super::SqliteStore;
use crate::row::{self, Row, Written, first_revision, id, millis, proof};
use crate::statements::EVERYBODY;

/// Sessions that one statement sweeps, so that no other writer waits long.
const BATCH: u32 = 500;

impl Store for SqliteStore {
    async fn load(&self, key: &StoreKey, now: Timestamp) -> StoreResult<Option<Record>> {
        if is_administrative(key) {
            return Ok(None);
        }
        Ok(self.find(key, now).await?.filter(|record| record.admits(key, now)))
    }

    async fn create(
        &self,
        key: &StoreKey,
        record: &Record,
        now: Timestamp,
    ) -> StoreResult<Created> {
        let (namespace, written) = (key.namespace().as_str(), Written::new(record, &*self.format)?);
        let query = || {
            let query = self
                .query(&self.statements.create)
                .bind(namespace)
                .bind(id(key))
                .bind(first_revision(record))
                .bind(written.user());
            written
                .bind(query)
                .bind(namespace)
                .bind(EVERYBODY)
                .bind(namespace)
                .bind(written.user())
                .bind(millis(now))
        };
        loop {
            if self.write(query).await? > 0 {
                return Ok(Created::Created);
            }
            // A record that ended just now leaves the place free.
            if let Some(there) = self.find(key, now).await? {
                let repeated =
                    record.commits.first().is_some_and(|(commit, _)| remembers(&there, *commit));
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
        let written = Written::new(new, &*self.format)?;
        if self.write(|| self.swapping(key, expected, &written, now)).await? > 0 {
            return Ok(Swap::Done(after(expected)));
        }
        Ok(if self.load(key, now).await?.is_some() { Swap::Conflict } else { Swap::Gone })
    }

    async fn delete(&self, key: &StoreKey, now: Timestamp) -> StoreResult<bool> {
        let statement = match key.proof() {
            Some(_) => &self.statements.delete,
            None => &self.statements.delete_unproven,
        };
        let query = || {
            let query = self.query(statement).bind(key.namespace().as_str()).bind(id(key));
            let query = query.bind(millis(now));
            match proof(key) {
                Some(proof) => query.bind(proof).bind(proof).bind(proof).bind(millis(now)),
                None => query,
            }
        };
        Ok(self.write(query).await? > 0)
    }

    async fn sweep(&self, limit: u32, now: Timestamp) -> StoreResult<u32> {
        let mut swept = 0;
        loop {
            let batch = BATCH.min(limit - swept);
            let query = || self.query(&self.statements.sweep).bind(millis(now)).bind(batch);
            let deleted = self.write(query).await?.try_into().unwrap_or(batch);
            swept += deleted;
            if deleted < batch || swept >= limit {
                return Ok(swept);
            }
        }
    }

    /// At first without a transaction, on the record that the request has seen. If that is out of
    /// date, on the newest one under SQLite's write lock, where nothing can come in between; the
    /// application's closures run before and after, never under the lock. What the request saw is
    /// good for the first attempt, and decides nothing else.
    async fn apply(&self, key: &StoreKey, patch: &Patch, now: Timestamp) -> StoreResult<Applied> {
        if is_administrative(key) {
            return Ok(Applied::Gone);
        }
        let mut steps = patch.base().and_then(|base| patch.steps(&base.data).ok());
        if let (Some(base), Some(steps)) = (patch.base(), &steps)
            && let Verdict::Done(mut next) = base.commit(key, patch, steps, now)
        {
            let written = Written::new(&next, &*self.format)?;
            if self.write(|| self.swapping(key, &base.revision, &written, now)).await? > 0 {
                next.revision = after(&base.revision);
                return Ok(Applied::Done(Some(next)));
            }
        }
        let mut entrance = Some(self.entrance.lock().await);
        loop {
            let data = match self.apply_locked(key, patch, steps.as_ref(), now).await? {
                Ok(applied) => return Ok(applied),
                Err(data) => data,
            };
            entrance.take();
            let ran = match steps.take() {
                Some(mut ran) => ran.rebase(&data).map(|()| ran),
                None => patch.steps(&data),
            };
            match ran {
                Ok(ran) => steps = Some(ran),
                Err(refused) => return Ok(Applied::Refused(refused)),
            }
        }
    }

    async fn touch(&self, key: &StoreKey, until: Timestamp, now: Timestamp) -> StoreResult<bool> {
        if is_administrative(key) {
            return Ok(false);
        }
        let query = || {
            self.query(&self.statements.touch)
                .bind(millis(until))
                .bind(millis(now))
                .bind(millis(now))
                .bind(key.namespace().as_str())
                .bind(id(key))
                .bind(millis(now))
                .bind(proof(key))
                .bind(proof(key))
        };
        Ok(self.write(query).await? > 0)
    }

    /// Closes the pool, which writes the log into the file and removes it; the application's own
    /// pool, too.
    async fn close(&self) {
        self.pool.close().await;
    }

    fn users(&self) -> Option<&impl UserIndex> {
        Some(self)
    }

    fn epoch(&self) -> Option<&impl Epoch> {
        Some(self)
    }
}

impl SqliteStore {
    /// The live record under `key`, whatever the proof.
    async fn find(&self, key: &StoreKey, now: Timestamp) -> StoreResult<Option<Record>> {
        let row = self.patiently(|| self.finding(key, now).fetch_optional(&self.pool)).await?;
        row.map(|row| row::record(row, &*self.format)).transpose()
    }

    fn finding<'q>(
        &self,
        key: &'q StoreKey,
        now: Timestamp,
    ) -> QueryAs<'q, Sqlite, Row, SqliteArguments> {
        let namespace = key.namespace().as_str();
        self.rows(&self.statements.find).bind(namespace).bind(id(key)).bind(millis(now))
    }

    /// The statement that puts a record in place of the one that has the revision `expected`.
    fn swapping(
        &self,
        key: &StoreKey,
        expected: &Revision,
        new: &Written<'_>,
        now: Timestamp,
    ) -> Query<'static, Sqlite, SqliteArguments> {
        let namespace = key.namespace().as_str();
        new.bind(self.query(&self.statements.swap))
            .bind(new.user())
            .bind(namespace)
            .bind(new.user())
            .bind(new.user())
            .bind(namespace)
            .bind(id(key))
            .bind(millis(now))
            .bind(proof(key))
            .bind(proof(key))
            .bind(row::revision(expected))
    }

    /// Commits to the newest record under SQLite's write lock; or gives its data, on which closures
    /// have to run again.
    async fn apply_locked(
        &self,
        key: &StoreKey,
        patch: &Patch,
        steps: Option<&Steps>,
        now: Timestamp,
    ) -> StoreResult<Result<Applied, Data>> {
        let failed = |error| self.failed(error);
        let _turn = self.writer.lock().await;
        let mut transaction = self.begin().await?;
        let row = self.finding(key, now).fetch_optional(&mut *transaction).await.map_err(failed)?;
        let Some(row) = row else {
            transaction.rollback().await.map_err(failed)?;
            return Ok(Ok(Applied::Gone));
        };
        let newest = row::record(row, &*self.format)?;
        let verdict = match steps {
            Some(steps) => Some(newest.commit(key, patch, steps, now)),
            None => newest.answered(key, patch, now),
        };
        let answer = match verdict {
            Some(Verdict::Done(mut next)) => {
                let written = Written::new(&next, &*self.format)?;
                let query = self.swapping(key, &newest.revision, &written, now);
                let done = query.execute(&mut *transaction).await.map_err(failed)?;
                transaction.commit().await.map_err(failed)?;
                next.revision = after(&newest.revision);
                return Ok(Ok(match done.rows_affected() {
                    0 => Applied::Gone,
                    _ => Applied::Done(Some(next)),
                }));
            }
            Some(Verdict::AlreadyDone) => Ok(Applied::Done(Some(Box::new(newest)))),
            Some(Verdict::Rejected(Rejected::Refused(refused))) => Ok(Applied::Refused(refused)),
            Some(Verdict::Rejected(Rejected::Changed(_))) | None => Err(newest.data),
            _ => Ok(Applied::Gone),
        };
        transaction.rollback().await.map_err(failed)?;
        Ok(answer)
    }
}

/// Whether the key was made for administration: it deletes and nothing else.
fn is_administrative(key: &StoreKey) -> bool {
    key.handle().is_some() && key.proof().is_none()
}

fn remembers(record: &Record, commit: CommitId) -> bool {
    record.commits.iter().any(|(id, _)| *id == commit)
}

fn after(revision: &Revision) -> Revision {
    Revision::number(revision.as_number().unwrap_or_default() + 1)
}
