//! How statements get to SQLite.

use std::future::Future;
use std::sync::Arc;
use std::time::{Duration, Instant};

use sqlx::sqlite::SqliteArguments;
use sqlx::{Arguments, AssertSqlSafe, FromRow, Sqlite, SqlitePool, Transaction};
use tenure_core::Timestamp;
use tenure_core::store::{
    Applied, Patch, Record, Steps, StoreError, StoreErrorKind, StoreKey, StoreResult,
};
use tokio::sync::Mutex;

use super::DIALECT;
use super::error::is_busy;
use crate::call::{Call, Param};
use crate::row::{self, Row};
use crate::sessions::{Decision, Driver, Sessions, after, decide};
use crate::table::Table;

/// Sessions that one statement sweeps, so that no other writer waits long.
const BATCH: u32 = 500;

#[derive(Clone)]
pub(super) struct Connections {
    pub(super) pool: SqlitePool,
    pub(super) table: Table,
    sweeping: Arc<str>,
    /// Held for one write: waiting here is fair and costs nothing, waiting in SQLite sleeps.
    pub(super) writer: Arc<Mutex<()>>,
    /// How long to try again beyond what SQLite itself waits.
    patience: Duration,
}

type Query<'q> = sqlx::query::Query<'q, Sqlite, SqliteArguments>;

impl Connections {
    pub(super) fn new(pool: SqlitePool, table: Table, patience: Duration) -> Self {
        let sessions = table.sessions(&DIALECT);
        let sweeping = format!(
            "DELETE FROM {sessions} WHERE (namespace, id) IN (SELECT namespace, id \
             FROM {sessions} WHERE deadline <= ? ORDER BY deadline LIMIT ?)"
        );
        Self { pool, table, sweeping: sweeping.into(), writer: Arc::default(), patience }
    }

    /// A transaction that has SQLite's write lock. The caller holds `writer`.
    pub(super) async fn begin(&self) -> StoreResult<Transaction<'static, Sqlite>> {
        self.patiently(|| self.pool.begin_with("BEGIN IMMEDIATE")).await
    }

    /// Makes an attempt again while other processes are in the way.
    async fn patiently<T, F: Future<Output = sqlx::Result<T>>>(
        &self,
        attempt: impl Fn() -> F,
    ) -> StoreResult<T> {
        let start = Instant::now();
        loop {
            match attempt().await {
                Err(error) if is_busy(&error) && start.elapsed() < self.patience => {}
                done => return done.map_err(|error| self.failed(error)),
            }
        }
    }

    async fn execute_in(
        &self,
        transaction: &mut Transaction<'static, Sqlite>,
        call: &Call<'_>,
    ) -> StoreResult<u64> {
        let done = query(call)?.execute(&mut **transaction).await;
        done.map(|done| done.rows_affected()).map_err(|error| self.failed(error))
    }
}

impl Driver for Connections {
    async fn execute(&self, call: &Call<'_>) -> StoreResult<u64> {
        let arguments = arguments(call)?;
        let _turn = self.writer.lock().await;
        let done =
            self.patiently(|| query_with(call, arguments.clone()).execute(&self.pool)).await?;
        Ok(done.rows_affected())
    }

    async fn rows(&self, call: &Call<'_>) -> StoreResult<Vec<Row>> {
        let arguments = arguments(call)?;
        let rows =
            self.patiently(|| query_with(call, arguments.clone()).fetch_all(&self.pool)).await?;
        let rows: sqlx::Result<_> = rows.iter().map(Row::from_row).collect();
        rows.map_err(|error| self.failed(error))
    }

    async fn both(&self, first: &Call<'_>, second: &Call<'_>) -> StoreResult<u64> {
        let _turn = self.writer.lock().await;
        let mut transaction = self.begin().await?;
        let met = self.execute_in(&mut transaction, first).await?;
        self.execute_in(&mut transaction, second).await?;
        transaction.commit().await.map_err(|error| self.failed(error))?;
        Ok(met)
    }

    async fn sweep(&self, limit: u32, now: i64) -> StoreResult<u32> {
        let mut swept = 0;
        loop {
            let batch = BATCH.min(limit - swept);
            let call = Call::new(&self.sweeping).int(now).int(batch.into());
            let deleted = self.execute(&call).await?.try_into().unwrap_or(batch);
            swept += deleted;
            if deleted < batch || swept >= limit {
                return Ok(swept);
            }
        }
    }

    /// Under SQLite's write lock, where nothing can come in between.
    async fn commit_newest(
        sessions: &Sessions<Self>,
        key: &StoreKey,
        patch: &Patch,
        steps: Option<&Steps>,
        now: Timestamp,
    ) -> StoreResult<Result<Applied, Box<Record>>> {
        let Sessions { driver, shared } = sessions;
        let failed = |error| driver.failed(error);
        let _turn = driver.writer.lock().await;
        let mut transaction = driver.begin().await?;
        let found = query(&shared.finding(key, now))?.fetch_optional(&mut *transaction).await;
        let decision = match found.map_err(failed)? {
            None => Decision::Answer(Applied::Gone),
            Some(row) => {
                let row = Row::from_row(&row).map_err(failed)?;
                let newest = row::record(row, &*shared.format)?;
                decide(Box::new(newest), key, patch, steps, now)
            }
        };
        let (from, mut next) = match decision {
            Decision::Answer(applied) => {
                transaction.rollback().await.map_err(failed)?;
                return Ok(Ok(applied));
            }
            Decision::RunAgain(newest) => {
                transaction.rollback().await.map_err(failed)?;
                return Ok(Err(newest));
            }
            Decision::Write { from, next } => (from, next),
        };
        let written = sessions.written(&next)?;
        let call = shared.swapping(key, &from, &written, now);
        let done = driver.execute_in(&mut transaction, &call).await?;
        drop(call);
        drop(written);
        transaction.commit().await.map_err(failed)?;
        next.revision = after(&from);
        Ok(Ok(if done == 0 { Applied::Gone } else { Applied::Done(Some(next)) }))
    }

    async fn close(&self) {
        self.pool.close().await;
    }
}

fn query<'q>(call: &Call<'_>) -> StoreResult<Query<'q>> {
    Ok(query_with(call, arguments(call)?))
}

fn query_with<'q>(call: &Call<'_>, arguments: SqliteArguments) -> Query<'q> {
    sqlx::query_with(AssertSqlSafe(Arc::clone(call.sql)), arguments)
}

fn arguments(call: &Call<'_>) -> StoreResult<SqliteArguments> {
    let mut arguments = SqliteArguments::default();
    for param in &call.params {
        let added = match param {
            Param::Int(value) => arguments.add(*value),
            Param::MaybeInt(value) => arguments.add(*value),
            Param::Octets(value) => arguments.add(value.as_deref()),
            // Text that people can read, where it is text.
            Param::Text(value) => match value.map(str::from_utf8).transpose() {
                Ok(text) => arguments.add(text),
                Err(_) => arguments.add(*value),
            },
        };
        added.map_err(|error| StoreError::new(StoreErrorKind::Other, error))?;
    }
    Ok(arguments)
}
