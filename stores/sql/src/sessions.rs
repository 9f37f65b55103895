//! What all databases do alike: the operations of the contract, on top of a driver.

use std::future::Future;
use std::hash::{BuildHasher, RandomState};
use std::sync::Arc;

use tenure_core::Timestamp;
use tenure_core::format::{DecodeError, RecordFormat};
use tenure_core::id::CommitId;
use tenure_core::store::{
    Applied, Created, Patch, Record, Rejected, Revision, Steps, StoreError, StoreErrorKind,
    StoreKey, StoreResult, Swap, Verdict,
};
use tokio::sync::{Mutex, MutexGuard};

use crate::call::Call;
use crate::dialect::Dialect;
use crate::row::{self, MAX_NAME_LEN, Row, Written};
use crate::statements::Statements;
use crate::table::Table;

/// Sessions that share a queue do not hurt each other, they only wait.
const QUEUES: usize = 64;

/// How statements get to a database.
pub(crate) trait Driver: Clone + Send + Sync + 'static {
    /// Runs one writing statement by itself and tells how many rows it met. An insertion that
    /// finds its key taken has met none.
    fn execute(&self, call: &Call<'_>) -> impl Future<Output = StoreResult<u64>> + Send;

    /// The rows that one statement finds.
    fn rows(&self, call: &Call<'_>) -> impl Future<Output = StoreResult<Vec<Row>>> + Send;

    /// Runs both or none, and tells how many rows the first has met.
    fn both(
        &self,
        first: &Call<'_>,
        second: &Call<'_>,
    ) -> impl Future<Output = StoreResult<u64>> + Send;

    /// Deletes at most `limit` sessions that have ended at `now`, and tells how many.
    fn sweep(&self, limit: u32, now: i64) -> impl Future<Output = StoreResult<u32>> + Send;

    /// Commits to the newest record; or gives that one, on which closures have to run again. None
    /// runs meanwhile.
    fn commit_newest(
        sessions: &Sessions<Self>,
        key: &StoreKey,
        patch: &Patch,
        steps: Option<&Steps>,
        now: Timestamp,
    ) -> impl Future<Output = StoreResult<Result<Applied, Box<Record>>>> + Send {
        async move {
            loop {
                let Some(newest) = sessions.find(key, now).await? else {
                    return Ok(Ok(Applied::Gone));
                };
                match decide(Box::new(newest), key, patch, steps, now) {
                    Decision::Answer(applied) => return Ok(Ok(applied)),
                    Decision::RunAgain(newest) => return Ok(Err(newest)),
                    Decision::Write { from, next } => {
                        if let Some(applied) = sessions.put(key, &from, next, now).await? {
                            return Ok(Ok(applied));
                        }
                    }
                }
            }
        }
    }

    /// Closes the connections.
    fn close(&self) -> impl Future<Output = ()> + Send;
}

/// Sessions in one set of tables.
pub(crate) struct Sessions<D> {
    pub(crate) driver: D,
    pub(crate) shared: Arc<Shared>,
}

/// What the clones of a store share.
pub(crate) struct Shared {
    pub(crate) table: Table,
    pub(crate) statements: Statements,
    pub(crate) format: Arc<dyn RecordFormat>,
    /// Held while a commit that came too late goes on to the newest record, but not any more once
    /// its closures ran again: so those find few others in their way, and 1,000 closures over one
    /// value take 1,000 turns and not a million. Waiting here is fair, and takes no connection.
    queues: [Mutex<()>; QUEUES],
    hasher: RandomState,
}

/// What becomes of a commit.
pub(crate) enum Decision {
    Answer(Applied),
    /// Closures saw other values than these.
    RunAgain(Box<Record>),
    Write {
        from: Revision,
        next: Box<Record>,
    },
}

/// What the law says of a commit to the newest record.
pub(crate) fn decide(
    newest: Box<Record>,
    key: &StoreKey,
    patch: &Patch,
    steps: Option<&Steps>,
    now: Timestamp,
) -> Decision {
    let verdict = match steps {
        Some(steps) => newest.commit(key, patch, steps, now),
        None => match newest.answered(key, patch, now) {
            Some(verdict) => verdict,
            None => return Decision::RunAgain(newest),
        },
    };
    Decision::Answer(match verdict {
        Verdict::Done(next) => return Decision::Write { from: newest.revision, next },
        Verdict::Rejected(Rejected::Changed(_)) => return Decision::RunAgain(newest),
        Verdict::Rejected(Rejected::Refused(refused)) => Applied::Refused(refused),
        Verdict::AlreadyDone => Applied::Done(Some(newest)),
        _ => Applied::Gone,
    })
}

impl Shared {
    pub(crate) fn new(table: Table, format: Arc<dyn RecordFormat>, dialect: &Dialect) -> Self {
        Self {
            statements: Statements::new(&table, dialect),
            table,
            format,
            queues: std::array::from_fn(|_| Mutex::default()),
            hasher: RandomState::new(),
        }
    }

    async fn turn(&self, key: &StoreKey) -> MutexGuard<'_, ()> {
        let hash = self.hasher.hash_one((key.namespace().as_str(), key.name().as_bytes()));
        self.queues[hash as usize % QUEUES].lock().await
    }
}

impl<D: Driver> Sessions<D> {
    pub(crate) async fn load(&self, key: &StoreKey, now: Timestamp) -> StoreResult<Option<Record>> {
        if is_administrative(key) {
            return Ok(None);
        }
        Ok(self.find(key, now).await?.filter(|record| record.admits(key, now)))
    }

    pub(crate) async fn create(
        &self,
        key: &StoreKey,
        record: &Record,
        now: Timestamp,
    ) -> StoreResult<Created> {
        if key.name().as_bytes().len() > MAX_NAME_LEN {
            return Err(StoreError::new(StoreErrorKind::TooLarge, DecodeError::TooLarge));
        }
        let written = self.written(record)?;
        let first = row::revision(&Revision::first(record));
        let call = self.shared.creating(key, &written, first, now);
        loop {
            if self.driver.execute(&call).await? > 0 {
                return Ok(Created::Created);
            }
            if let Some(there) = self.find(key, now).await? {
                let repeated =
                    record.commits.first().is_some_and(|(commit, _)| remembers(&there, *commit));
                return Ok(if repeated { Created::Created } else { Created::Collision });
            }
            // What has ended leaves the place free.
            if let Some(call) = self.shared.making_room(key, now) {
                self.driver.execute(&call).await?;
            }
        }
    }

    pub(crate) async fn swap(
        &self,
        key: &StoreKey,
        expected: &Revision,
        new: &Record,
        now: Timestamp,
    ) -> StoreResult<Swap> {
        if is_administrative(key) {
            return Ok(Swap::Gone);
        }
        let written = self.written(new)?;
        let call = self.shared.swapping(key, expected, &written, now).once();
        if self.driver.execute(&call).await? > 0 {
            return Ok(Swap::Done(after(expected)));
        }
        Ok(if self.load(key, now).await?.is_some() { Swap::Conflict } else { Swap::Gone })
    }

    pub(crate) async fn delete(&self, key: &StoreKey, now: Timestamp) -> StoreResult<bool> {
        let call = self.shared.deleting(key, now).once();
        Ok(self.driver.execute(&call).await? > 0)
    }

    /// At first on the record that the request has seen, by one conditional write; what that record
    /// was decides nothing else. If it is out of date, on the newest one.
    pub(crate) async fn apply(
        &self,
        key: &StoreKey,
        patch: &Patch,
        now: Timestamp,
    ) -> StoreResult<Applied> {
        if is_administrative(key) {
            return Ok(Applied::Gone);
        }
        let mut steps = patch.base().and_then(|base| patch.steps(&base.data).ok());
        if let (Some(base), Some(steps)) = (patch.base(), &steps)
            && let Verdict::Done(next) = base.commit(key, patch, steps, now)
            && let Some(applied) = self.put(key, &base.revision, next, now).await?
        {
            return Ok(applied);
        }
        let mut turn = Some(self.shared.turn(key).await);
        loop {
            let newest = match D::commit_newest(self, key, patch, steps.as_ref(), now).await? {
                Ok(applied) => return Ok(applied),
                Err(newest) => newest,
            };
            turn.take();
            let ran = match steps.take() {
                Some(mut ran) => ran.rebase(&newest.data).map(|()| ran),
                None => patch.steps(&newest.data),
            };
            let ran = match ran {
                Ok(ran) => steps.insert(ran),
                Err(refused) => return Ok(Applied::Refused(refused)),
            };
            if let Verdict::Done(next) = newest.commit(key, patch, ran, now)
                && let Some(applied) = self.put(key, &newest.revision, next, now).await?
            {
                return Ok(applied);
            }
        }
    }

    pub(crate) async fn touch(
        &self,
        key: &StoreKey,
        until: Timestamp,
        now: Timestamp,
    ) -> StoreResult<bool> {
        if is_administrative(key) {
            return Ok(false);
        }
        Ok(self.driver.execute(&self.shared.touching(key, until, now)).await? > 0)
    }

    /// The live record under `key`, whatever the proof.
    pub(crate) async fn find(&self, key: &StoreKey, now: Timestamp) -> StoreResult<Option<Record>> {
        let rows = self.driver.rows(&self.shared.finding(key, now)).await?;
        rows.into_iter().next().map(|row| row::record(row, &*self.shared.format)).transpose()
    }

    /// Writes `next` in place of the record with this revision, if that is still there.
    async fn put(
        &self,
        key: &StoreKey,
        from: &Revision,
        mut next: Box<Record>,
        now: Timestamp,
    ) -> StoreResult<Option<Applied>> {
        let written = self.written(&next)?;
        if self.driver.execute(&self.shared.swapping(key, from, &written, now)).await? == 0 {
            return Ok(None);
        }
        drop(written);
        next.revision = after(from);
        Ok(Some(Applied::Done(Some(next))))
    }

    pub(crate) fn written<'a>(&self, record: &'a Record) -> StoreResult<Written<'a>> {
        Written::new(record, &*self.shared.format)
    }
}

impl<D: Clone> Clone for Sessions<D> {
    fn clone(&self) -> Self {
        Self { driver: self.driver.clone(), shared: Arc::clone(&self.shared) }
    }
}

/// Whether the key was made for administration: it deletes and nothing else.
fn is_administrative(key: &StoreKey) -> bool {
    key.handle().is_some() && key.proof().is_none()
}

fn remembers(record: &Record, commit: CommitId) -> bool {
    record.commits.iter().any(|(id, _)| *id == commit)
}

pub(crate) fn after(revision: &Revision) -> Revision {
    Revision::number(revision.as_number().unwrap_or_default() + 1)
}
