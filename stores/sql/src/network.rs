//! Statements to a server: the pool, time limits, and what is tried again.

use std::future::Future;
use std::sync::Arc;
use std::time::{Duration, Instant};

use sqlx::pool::{PoolConnection, PoolConnectionMetadata, PoolOptions};
use sqlx::{Connection, Database, Pool};
use tenure_core::store::{StoreError, StoreErrorKind, StoreResult};
use tokio::sync::OwnedSemaphorePermit;

use crate::call::Call;
use crate::error::explained;
use crate::parked::{Away, Parked};
use crate::row::Row;
use crate::sessions::Driver;

/// Sessions that one statement sweeps, so that no other writer waits long.
const BATCH: u32 = 500;
/// A connection that was used within this time is taken to be there still.
const FRESH: Duration = Duration::from_secs(1);

/// One kind of database server.
pub(crate) trait Server: Database {
    /// What its statements and messages need to know of a store.
    type Terms: Clone + Send + Sync + 'static;
    /// Whether an operation that is dropped in the middle may leave a connection out of step with
    /// its server.
    const FRAGILE: bool;

    /// Runs a statement and tells how many rows it met.
    fn execute(
        connection: &mut Self::Connection,
        call: &Call<'_>,
        terms: &Self::Terms,
    ) -> impl Future<Output = sqlx::Result<u64>> + Send;

    /// Runs a statement and gives its rows.
    fn rows(
        connection: &mut Self::Connection,
        call: &Call<'_>,
        terms: &Self::Terms,
    ) -> impl Future<Output = sqlx::Result<Vec<Row>>> + Send;

    /// Sweeps at most `limit` sessions. One process does at a time.
    fn sweep(
        connection: &mut Self::Connection,
        limit: u32,
        now: i64,
        terms: &Self::Terms,
    ) -> impl Future<Output = sqlx::Result<Swept>> + Send;

    /// Whether the server undid the statement for the sake of another one, and asks for it again.
    fn is_passing(error: &sqlx::Error) -> bool;

    /// What a failure means for the caller.
    fn explain(error: sqlx::Error, terms: &Self::Terms) -> StoreError;
}

/// What one statement has swept.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Swept {
    pub(crate) deleted: u32,
    /// Whether there may be more.
    pub(crate) more: bool,
}

/// How long a store waits, and for how many.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    pub(crate) max_connections: u32,
    pub(crate) connect_timeout: Duration,
    pub(crate) operation_timeout: Duration,
}

impl Limits {
    pub(crate) const DEFAULT: Self = Self {
        max_connections: 10,
        connect_timeout: Duration::from_millis(1_500),
        operation_timeout: Duration::from_millis(1_500),
    };

    /// A pool of these limits, which asks a connection whether it is there only when it has been
    /// idle: asking each time would double the commands of a request.
    pub(crate) fn pool<DB: Database>(&self) -> PoolOptions<DB> {
        PoolOptions::new()
            .max_connections(self.max_connections)
            .acquire_timeout(self.connect_timeout)
            .test_before_acquire(false)
            .before_acquire(|connection: &mut DB::Connection, meta: PoolConnectionMetadata| {
                Box::pin(async move {
                    if meta.idle_for > FRESH {
                        return Ok(connection.ping().await.is_ok());
                    }
                    Ok(true)
                })
            })
    }
}

/// The connections to a server.
pub(crate) struct Link<S: Server> {
    pub(crate) pool: Pool<S>,
    /// What is kept of the pool's, if it is the store's alone.
    parked: Option<Arc<Parked<S>>>,
    pub(crate) terms: S::Terms,
    operation_timeout: Duration,
}

impl<S: Server> Clone for Link<S> {
    fn clone(&self) -> Self {
        Self {
            pool: self.pool.clone(),
            parked: self.parked.clone(),
            terms: self.terms.clone(),
            operation_timeout: self.operation_timeout,
        }
    }
}

/// Something that is asked of a server within one time limit.
trait Exchange<S: Server>: Sync {
    type Answer: Send;
    /// Whether there is a transaction, which a connection may keep open when this is dropped.
    const TRANSACTION: bool = false;

    fn on(
        &self,
        connection: &mut S::Connection,
        terms: &S::Terms,
    ) -> impl Future<Output = sqlx::Result<Self::Answer>> + Send;
}

struct Execute<'a>(&'a Call<'a>);
struct Rows<'a>(&'a Call<'a>);
struct Both<'a>(&'a Call<'a>, &'a Call<'a>);
struct Sweep {
    limit: u32,
    now: i64,
}

impl<S: Server> Exchange<S> for Execute<'_> {
    type Answer = u64;

    async fn on(&self, connection: &mut S::Connection, terms: &S::Terms) -> sqlx::Result<u64> {
        S::execute(connection, self.0, terms).await
    }
}

impl<S: Server> Exchange<S> for Rows<'_> {
    type Answer = Vec<Row>;

    async fn on(&self, connection: &mut S::Connection, terms: &S::Terms) -> sqlx::Result<Vec<Row>> {
        S::rows(connection, self.0, terms).await
    }
}

impl<S: Server> Exchange<S> for Both<'_> {
    type Answer = u64;
    const TRANSACTION: bool = true;

    async fn on(&self, connection: &mut S::Connection, terms: &S::Terms) -> sqlx::Result<u64> {
        let mut transaction = connection.begin().await?;
        let met = S::execute(&mut transaction, self.0, terms).await?;
        S::execute(&mut transaction, self.1, terms).await?;
        transaction.commit().await?;
        Ok(met)
    }
}

impl<S: Server> Exchange<S> for Sweep {
    type Answer = Swept;

    async fn on(&self, connection: &mut S::Connection, terms: &S::Terms) -> sqlx::Result<Swept> {
        S::sweep(connection, self.limit, self.now, terms).await
    }
}

/// A connection that is used again only in step with its server.
struct Lent<'a, S: Server> {
    connection: Option<Away<S>>,
    parked: Option<&'a Arc<Parked<S>>>,
    state: State,
    /// Given back after the connection.
    _permit: Option<OwnedSemaphorePermit>,
}

/// What is known of a connection.
#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    /// An operation has ended well.
    Sound,
    /// The pool is to look at it.
    Doubtful,
    Broken,
}

impl<S: Server> Drop for Lent<'_, S> {
    fn drop(&mut self) {
        let Some(mut away) = self.connection.take() else { return };
        match (self.state, self.parked) {
            (State::Broken, _) => away.connection.close_on_drop(),
            (State::Sound, Some(parked)) => parked.put(away),
            _ => {}
        }
    }
}

impl<S: Server> Link<S> {
    /// With a pool of the application's own, or one that is the store's alone.
    pub(crate) fn new(pool: Pool<S>, own: bool, terms: S::Terms, limits: &Limits) -> Self {
        let parked = own.then(|| Arc::new(Parked::new(limits.max_connections)));
        Self { pool, parked, terms, operation_timeout: limits.operation_timeout }
    }

    /// Asks within the time limit; again when the server undid it for the sake of another, and once
    /// more on another connection when this one turns out to be lost and nothing is done twice.
    async fn ask<E: Exchange<S>>(&self, exchange: &E, repeatable: bool) -> StoreResult<E::Answer> {
        let begun = Instant::now();
        let mut lost_before = false;
        loop {
            let mut lent = self.lend().await?;
            if S::FRAGILE || E::TRANSACTION {
                lent.state = State::Broken;
            }
            let Some(away) = &mut lent.connection else { continue };
            let asked = exchange.on(&mut away.connection, &self.terms);
            let Ok(answer) = tokio::time::timeout(self.operation_timeout, asked).await else {
                lent.state = State::Broken;
                return Err(self.too_late());
            };
            let error = match answer {
                Ok(answer) => {
                    lent.state = State::Sound;
                    return Ok(answer);
                }
                Err(error) => error,
            };
            let lost = is_lost(&error);
            lent.state = if lost { State::Broken } else { State::Doubtful };
            if lost && let Some(parked) = &self.parked {
                // The others may be lost, too: the pool looks at them.
                parked.clear();
            }
            let again = (lost && repeatable && !lost_before) || S::is_passing(&error);
            lost_before |= lost;
            if !again || begun.elapsed() > self.operation_timeout {
                return Err(S::explain(error, &self.terms));
            }
        }
    }

    /// A connection for one operation: one that was used a moment ago, or one of the pool.
    async fn lend(&self) -> StoreResult<Lent<'_, S>> {
        let mut lent =
            Lent { connection: None, parked: None, state: State::Doubtful, _permit: None };
        if let Some(parked) = self.parked.as_ref().filter(|_| !self.pool.is_closed()) {
            let limit = self.pool.options().get_acquire_timeout();
            let permit = parked.permit(limit).await;
            lent._permit = Some(permit.map_err(|error| S::explain(error, &self.terms))?);
            lent.parked = Some(parked);
            lent.connection = parked.take();
        }
        if lent.connection.is_none() {
            lent.connection = Some(Away::new(self.acquire().await?));
        }
        Ok(lent)
    }

    pub(crate) async fn acquire(&self) -> StoreResult<PoolConnection<S>> {
        let opened = self.pool.options().get_max_connections();
        self.pool.acquire().await.map_err(|error| match error {
            // With connections to spare it was the server that gave none.
            sqlx::Error::PoolTimedOut if self.pool.size() < opened => explained(
                StoreErrorKind::Unavailable,
                "no connection to the database server could be made in time; check that it runs \
                 and accepts connections",
                error,
            ),
            error => S::explain(error, &self.terms),
        })
    }

    fn too_late(&self) -> StoreError {
        StoreError::new(
            StoreErrorKind::Timeout,
            format!(
                "the database did not answer within the {:?} of operation_timeout; whether it \
                 acted is unknown",
                self.operation_timeout
            ),
        )
    }
}

impl<S: Server> Driver for Link<S> {
    async fn execute(&self, call: &Call<'_>) -> StoreResult<u64> {
        self.ask(&Execute(call), call.repeatable).await
    }

    async fn rows(&self, call: &Call<'_>) -> StoreResult<Vec<Row>> {
        self.ask(&Rows(call), true).await
    }

    async fn both(&self, first: &Call<'_>, second: &Call<'_>) -> StoreResult<u64> {
        self.ask(&Both(first, second), first.repeatable && second.repeatable).await
    }

    async fn sweep(&self, limit: u32, now: i64) -> StoreResult<u32> {
        let mut all = 0;
        while all < limit {
            let swept = self.ask(&Sweep { limit: BATCH.min(limit - all), now }, false).await?;
            all += swept.deleted;
            if !swept.more {
                break;
            }
        }
        Ok(all)
    }

    async fn close(&self) {
        let closed = self.pool.close();
        if let Some(parked) = &self.parked {
            parked.clear();
        }
        closed.await;
    }
}

/// Whether nothing more can be asked on this connection.
fn is_lost(error: &sqlx::Error) -> bool {
    matches!(error, sqlx::Error::Io(_) | sqlx::Error::Tls(_) | sqlx::Error::Protocol(_))
}
