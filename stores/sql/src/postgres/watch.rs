//! Hearing of changes, on a connection of its own.

use std::convert::Infallible;
use std::fmt;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use sqlx::postgres::{PgConnectOptions, PgListener};
use sqlx::{AssertSqlSafe, Executor, PgPool, Postgres, Row};
use tenure_core::Namespace;
use tenure_core::store::{Change, StoreError, StoreErrorKind, StoreResult, Watch};
use tokio::time::{Instant, timeout, timeout_at};

use super::PostgresStore;
use super::error::explain;
use super::notify::{self, ANY};
use crate::error::explained;
use crate::row;

/// How long a server may say nothing before it is asked whether it is there.
const SILENCE: Duration = Duration::from_millis(500);
/// How long it may take to answer. With the silence before, a server that is gone is known as such
/// within two seconds.
const ANSWER: Duration = Duration::from_secs(1);

/// How a store tells and hears of changes.
#[derive(Clone)]
pub(super) struct Hearing {
    /// Whether migrating makes the triggers.
    pub(super) notifies: bool,
    /// Where to listen, if not where the pool connects to.
    pub(super) direct: Option<Direct>,
    pub(super) connect_timeout: Duration,
}

/// How to connect to the server itself.
#[derive(Clone)]
pub(super) struct Direct(pub(super) Arc<PgConnectOptions>);

impl fmt::Debug for Direct {
    /// Without the password.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.0.get_host(), self.0.get_port())
    }
}

impl Watch for PostgresStore {
    /// Listens on a connection beside those of the pool. It needs the triggers of
    /// [`PostgresOptions::notify_changes`](super::PostgresOptions::notify_changes), and a connection
    /// that is the server's own or that of a pooler in session mode.
    async fn watch(&self, listener: &(dyn Fn(Change) + Send + Sync)) -> StoreError {
        match self.listen(listener).await {
            Ok(never) => match never {},
            Err(error) => error,
        }
    }
}

impl PostgresStore {
    async fn listen(&self, listener: &(dyn Fn(Change) + Send + Sync)) -> StoreResult<Infallible> {
        let pool = self.line()?;
        let connected = PgListener::connect_with(&pool).await;
        let mut line = connected.map_err(|error| self.not_heard(error))?;
        // What is told meanwhile would be missed.
        line.eager_reconnect(false);
        self.answer(line.listen(&notify::channel(&self.sessions.shared.table))).await?;
        let process = self.look(&mut line).await?;
        self.shares_nothing(&pool, &mut line, process).await?;
        listener(Change::Begins);
        let mut silence = Instant::now() + SILENCE;
        loop {
            match timeout_at(silence, line.try_recv()).await {
                Ok(Ok(Some(told))) => listener(change(told.payload())),
                Ok(Ok(None)) => return Err(self.not_heard(sqlx::Error::WorkerCrashed)),
                Ok(Err(error)) => return Err(self.not_heard(error)),
                Err(_) => {
                    if self.look(&mut line).await? != process {
                        return Err(pooled());
                    }
                    silence = Instant::now() + SILENCE;
                }
            }
        }
    }

    /// A pool for the one connection, which does what the application's own does with a new one.
    fn line(&self) -> StoreResult<PgPool> {
        let pool = self.pool();
        let connect = match &self.hearing.direct {
            Some(Direct(connect)) => PgConnectOptions::clone(connect),
            None if self.sessions.driver.terms.pooler => return Err(pooled()),
            None => PgConnectOptions::clone(&pool.connect_options()),
        };
        let options = pool.options().clone();
        Ok(options
            .min_connections(0)
            .max_connections(2)
            .acquire_timeout(self.hearing.connect_timeout)
            .idle_timeout(None)
            .max_lifetime(None)
            .connect_lazy_with(connect))
    }

    /// Asks which process of the server answers, and whether the tables tell of changes still.
    async fn look<'c>(&self, at: impl Executor<'c, Database = Postgres>) -> StoreResult<i32> {
        let table = &self.sessions.shared.table;
        let asked = at.fetch_one(sqlx::raw_sql(AssertSqlSafe(notify::look(table))));
        let row = self.answer(asked).await?;
        let read = row.try_get(0).and_then(|process| Ok((process, row.try_get(1)?)));
        let (process, tell) = read.map_err(|error| self.not_heard(error))?;
        if tell {
            return Ok(process);
        }
        Err(StoreError::new(
            StoreErrorKind::Other,
            format!(
                "the session tables of {:?} do not tell of changes; set \
                 PostgresOptions::notify_changes and call migrate(), or run the statements that \
                 migration_sql() prints then",
                table.as_str()
            ),
        ))
    }

    /// Whether the connection stays ours: a pooler in transaction mode gives that of the server to
    /// the next who begins a transaction, and what is told on it to nobody.
    async fn shares_nothing(
        &self,
        pool: &PgPool,
        line: &mut PgListener,
        process: i32,
    ) -> StoreResult<()> {
        let mut other = within(self.hearing.connect_timeout + ANSWER, pool.begin())
            .await?
            .map_err(|error| self.not_heard(error))?;
        let theirs = self.look(&mut *other).await?;
        let ours = self.look(line).await?;
        self.answer(other.rollback()).await?;
        if theirs == process || ours != process { Err(pooled()) } else { Ok(()) }
    }

    async fn answer<T>(&self, asked: impl Future<Output = sqlx::Result<T>>) -> StoreResult<T> {
        within(ANSWER, asked).await?.map_err(|error| self.not_heard(error))
    }

    fn not_heard(&self, error: sqlx::Error) -> StoreError {
        match error {
            sqlx::Error::PoolTimedOut | sqlx::Error::WorkerCrashed | sqlx::Error::Io(_) => {
                explained(
                    StoreErrorKind::Unavailable,
                    "the connection that hears of changes is lost or cannot be made; check that \
                     PostgreSQL runs and accepts connections",
                    error,
                )
            }
            error => explain(error, &self.sessions.driver.terms),
        }
    }
}

async fn within<T>(limit: Duration, asked: impl Future<Output = T>) -> StoreResult<T> {
    let late = "PostgreSQL does not answer on the connection that hears of changes";
    let answer = timeout(limit, asked).await;
    answer.map_err(|_| StoreError::new(StoreErrorKind::Timeout, late))
}

fn pooled() -> StoreError {
    StoreError::new(
        StoreErrorKind::Other,
        "nobody is told of changes through a pooler in transaction mode, since LISTEN is bound to \
         one connection of the server; give the URL of the server itself by \
         PostgresOptions::watch_url",
    )
}

/// What a message means. What it says is not secret, nor believed to be ours: at worst it makes
/// somebody read again.
fn change(message: &str) -> Change {
    session(message).unwrap_or(Change::Any)
}

fn session(message: &str) -> Option<Change> {
    if message == ANY {
        return None;
    }
    let (namespace, id) = message.split_once(' ')?;
    let namespace = Namespace::new(String::from_utf8(unhex(namespace)?).ok()?).ok()?;
    row::key_of(&namespace, &unhex(id)?).map(Change::Session)
}

fn unhex(digits: &str) -> Option<Vec<u8>> {
    let octet = |pair: &[u8]| u8::from_str_radix(str::from_utf8(pair).ok()?, 16).ok();
    digits.len().is_multiple_of(2).then(|| digits.as_bytes().chunks(2).map(octet).collect())?
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_names_a_session_or_means_any() {
        let message = format!("73686f70 00{}", "ab".repeat(12));
        let Change::Session(key) = change(&message) else { panic!("{message}") };
        assert_eq!((key.namespace().as_str(), key.name().as_bytes()), ("shop", &[0xAB; 12][..]));
        assert!(key.proof().is_none());
        for other in
            ["*", "", " ", "73686f70", "73686f70 00", "7 00", "73 0g", "é é", &"00".repeat(9)]
        {
            assert_eq!(change(other), Change::Any, "{other:?}");
        }
    }
}
