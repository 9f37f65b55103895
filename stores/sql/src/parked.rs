//! Connections between two operations.
//!
//! sqlx asks a server whether a connection is sound each time it goes back to its pool, which is a
//! command more for every operation. So a store keeps its connections for a moment, and gives back
//! those that nobody wanted meanwhile. Not those of the application's own pool: others wait for them
//! there.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use sqlx::Database;
use sqlx::pool::PoolConnection;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// How long a connection is kept that nobody wants.
const KEPT: Duration = Duration::from_millis(250);
/// How long it is kept at most, so that those who ask the pool itself get their turn, and so that
/// connections grow no older than the pool allows.
const AWAY: Duration = Duration::from_secs(1);

pub(crate) struct Parked<DB: Database> {
    place: Mutex<Place<DB>>,
    /// As many as there may be connections, so that whoever has one finds a connection here or gets
    /// one of the pool.
    permits: Arc<Semaphore>,
}

/// A connection of the pool.
pub(crate) struct Away<DB: Database> {
    pub(crate) connection: PoolConnection<DB>,
    /// When it left the pool.
    left: Instant,
}

impl<DB: Database> Away<DB> {
    pub(crate) fn new(connection: PoolConnection<DB>) -> Self {
        Self { connection, left: Instant::now() }
    }
}

struct Place<DB: Database> {
    /// With the time since when nobody uses it; the last was used last.
    connections: Vec<(Away<DB>, Instant)>,
    /// Whether a task looks after them.
    tended: bool,
}

impl<DB: Database> Parked<DB> {
    pub(crate) fn new(max_connections: u32) -> Self {
        Self {
            place: Mutex::new(Place { connections: Vec::new(), tended: false }),
            permits: Arc::new(Semaphore::new(max_connections as usize)),
        }
    }

    /// Waits until there may be a connection, for a time.
    pub(crate) async fn permit(&self, limit: Duration) -> sqlx::Result<OwnedSemaphorePermit> {
        let permit = Arc::clone(&self.permits).acquire_owned();
        match tokio::time::timeout(limit, permit).await {
            Ok(permit) => permit.map_err(|_| sqlx::Error::PoolClosed),
            Err(_) => Err(sqlx::Error::PoolTimedOut),
        }
    }

    /// A connection that was used a moment ago.
    pub(crate) fn take(&self) -> Option<Away<DB>> {
        let (connection, since) = self.place().connections.pop()?;
        // One that is older is for the pool to look at.
        (since.elapsed() <= KEPT).then_some(connection)
    }

    /// Keeps a connection that is in step with its server.
    pub(crate) fn put(self: &Arc<Self>, connection: Away<DB>) {
        if connection.left.elapsed() > AWAY {
            return;
        }
        let mut place = self.place();
        place.connections.push((connection, Instant::now()));
        if !place.tended {
            place.tended = true;
            let parked = Arc::downgrade(self);
            tokio::spawn(async move {
                loop {
                    tokio::time::sleep(KEPT).await;
                    let Some(parked) = parked.upgrade() else { return };
                    if !parked.tend() {
                        return;
                    }
                }
            });
        }
    }

    /// Gives back what nobody wanted, and tells whether there is more.
    fn tend(&self) -> bool {
        let mut place = self.place();
        let unwanted = place.connections.partition_point(|(_, since)| since.elapsed() > KEPT);
        let given: Vec<_> = place.connections.drain(..unwanted).collect();
        place.tended = !place.connections.is_empty();
        let tended = place.tended;
        drop(place);
        drop(given);
        tended
    }

    /// Gives back everything.
    pub(crate) fn clear(&self) {
        let given = std::mem::take(&mut self.place().connections);
        drop(given);
    }

    fn place(&self) -> MutexGuard<'_, Place<DB>> {
        self.place.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<DB: Database> Drop for Parked<DB> {
    /// There may be no runtime any more, without which a connection cannot go back to its pool.
    fn drop(&mut self) {
        for (away, _) in std::mem::take(&mut self.place().connections) {
            drop(away.connection.detach());
        }
    }
}
