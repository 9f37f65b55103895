//! A connection that comes back: to one server, to the master that Sentinel names, or to a cluster.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use redis::cluster::ClusterClient;
use redis::cluster_async::ClusterConnection;
use redis::{Client, RedisError, RedisResult};
use tenure_core::store::{StoreError, StoreErrorKind, StoreResult};
use tenure_core::{Random, SystemRandom};
use tokio::sync::watch;
use tokio::time::Instant;

use crate::error::{failed, has_no_nodes, is_connections_fault};
use crate::pipe::{Pipe, Purpose, Reply, Request, by_driver};
use crate::sentinel::Sentinels;

/// The longest pause between two attempts to connect: a server that is back is found again well
/// within a second.
const LONGEST_PAUSE: Duration = Duration::from_millis(400);
const FIRST_PAUSE: Duration = Duration::from_millis(20);

/// Where connections come from.
pub(crate) enum Source {
    Server(Client),
    Sentinels(Sentinels),
    Cluster(Box<ClusterClient>),
}

/// What was connected.
#[derive(Clone)]
pub(crate) enum Wire {
    Server(Pipe),
    /// It finds its nodes again by itself, but not one that is silent.
    Cluster(ClusterConnection),
}

impl Wire {
    pub(crate) async fn send(
        &mut self,
        request: Request<'_>,
        until: Instant,
    ) -> RedisResult<Reply> {
        match self {
            Self::Server(pipe) => pipe.send(request, until).await,
            // In a box, so that the future of every call to one server is no larger for it.
            Self::Cluster(connection) => Box::pin(by_driver(connection, request, until)).await,
        }
    }
}

/// One connection, shared by all, made anew in the background whenever it breaks.
///
/// While it is broken, whoever wants it waits for the attempt that begins at once, and after that
/// gets an error immediately. A cluster of which one node is silent is used until its successor is
/// there, or turns out not to be had.
pub(crate) struct Link {
    source: Source,
    connect_timeout: Duration,
    state: Mutex<State>,
    /// Moves whenever the state does.
    moved: watch::Sender<()>,
}

enum State {
    /// With a successor under way, if the connection is of a cluster and a node was silent.
    Up {
        connection: Wire,
        number: u64,
        succeeded: bool,
    },
    /// The first attempt after a break is under way.
    Connecting,
    Down(Arc<StoreError>),
    Closed,
}

/// The connection as it is now.
pub(crate) struct Lent {
    pub(crate) connection: Wire,
    number: u64,
}

impl Link {
    pub(crate) async fn connect(
        source: Source,
        connect_timeout: Duration,
    ) -> StoreResult<Arc<Self>> {
        let link = Arc::new(Self {
            source,
            connect_timeout,
            state: Mutex::new(State::Connecting),
            moved: watch::Sender::new(()),
        });
        let connection = link.attempt(0).await?;
        link.set(State::Up { connection, number: 0, succeeded: false });
        Ok(link)
    }

    /// The connection.
    pub(crate) async fn lend(&self) -> StoreResult<Lent> {
        if let Some(lent) = self.look() {
            return lent;
        }
        let mut moved = self.moved.subscribe();
        loop {
            if let Some(lent) = self.look() {
                return lent;
            }
            if moved.changed().await.is_err() {
                return Err(closed());
            }
        }
    }

    /// The connection or why there is none, unless that is being found out.
    pub(crate) fn look(&self) -> Option<StoreResult<Lent>> {
        Some(match &*self.state() {
            State::Up { connection, number, .. } => {
                Ok(Lent { connection: connection.clone(), number: *number })
            }
            State::Down(error) => Err(StoreError::new(
                StoreErrorKind::Unavailable,
                format!("Redis is down, and the store goes on trying to connect: {error}"),
            )),
            State::Closed => Err(closed()),
            State::Connecting => return None,
        })
    }

    /// Waits until the connection is another than this one, or none.
    pub(crate) async fn replaced(&self, lent: &Lent) {
        let mut moved = self.moved.subscribe();
        while matches!(&*self.state(), State::Up { number, .. } if *number == lent.number) {
            if moved.changed().await.is_err() {
                return;
            }
        }
    }

    /// Says that a connection gave this error.
    pub(crate) fn failed(self: &Arc<Self>, lent: &Lent, error: &RedisError) {
        let lost = match lent.connection {
            Wire::Server(_) => is_connections_fault(error),
            Wire::Cluster(_) => error.is_timeout() || has_no_nodes(error),
        };
        if lost {
            self.lost(lent.number);
        }
    }

    pub(crate) fn is_cluster(&self) -> bool {
        matches!(self.source, Source::Cluster(_))
    }

    pub(crate) fn close(&self) {
        self.set(State::Closed);
    }

    fn lost(self: &Arc<Self>, lost: u64) {
        let mut state = self.state();
        let pause = match &mut *state {
            State::Up { number, succeeded, .. } if *number != lost || *succeeded => return,
            State::Up { connection: Wire::Cluster(_), succeeded, .. } => {
                // Its other nodes go on. While one stays away, each successor may be lost at once.
                *succeeded = true;
                LONGEST_PAUSE / 2
            }
            State::Up { .. } => {
                *state = State::Connecting;
                Duration::ZERO
            }
            _ => return,
        };
        drop(state);
        let link = Arc::downgrade(self);
        tokio::spawn(async move {
            if !pause.is_zero() {
                tokio::time::sleep(jittered(pause)).await;
            }
            reconnect(&link, lost + 1).await;
        });
    }

    async fn attempt(self: &Arc<Self>, number: u64) -> StoreResult<Wire> {
        let link = Arc::downgrade(self);
        let ended = move || {
            if let Some(link) = link.upgrade() {
                link.lost(number);
            }
        };
        let purpose = Purpose::Commands(Arc::new(ended));
        let connecting = async {
            match &self.source {
                Source::Server(client) => {
                    Pipe::connect(client, purpose).await.map(Wire::Server).map_err(failed)
                }
                Source::Sentinels(sentinels) => sentinels.master(&purpose).await.map(Wire::Server),
                Source::Cluster(client) => {
                    client.get_async_connection().await.map(Wire::Cluster).map_err(failed)
                }
            }
        };
        match tokio::time::timeout(self.connect_timeout, connecting).await {
            Ok(connected) => connected,
            Err(_) => Err(too_late(self.connect_timeout)),
        }
    }

    fn set(&self, state: State) {
        *self.state() = state;
        self.moved.send_replace(());
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // Nothing panics while it is held.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Tries until there is a connection, or nobody who wants one.
async fn reconnect(link: &Weak<Link>, number: u64) {
    let mut pause = FIRST_PAUSE;
    loop {
        let Some(strong) = link.upgrade() else { return };
        let attempt = strong.attempt(number).await;
        {
            let mut state = strong.state();
            if matches!(*state, State::Closed) {
                return;
            }
            let done = attempt.is_ok();
            match attempt {
                Ok(connection) => *state = State::Up { connection, number, succeeded: false },
                Err(error) => *state = State::Down(Arc::new(error)),
            }
            drop(state);
            strong.moved.send_replace(());
            if done {
                return;
            }
        }
        drop(strong);
        tokio::time::sleep(jittered(pause)).await;
        pause = (pause * 2).min(LONGEST_PAUSE);
    }
}

/// Between half of a pause and all of it, so that processes do not come back in step.
fn jittered(pause: Duration) -> Duration {
    let mut random = [0];
    // Without randomness they come in step.
    let _ = SystemRandom.fill(&mut random);
    pause / 2 + pause * u32::from(random[0]) / 510
}

pub(crate) fn closed() -> StoreError {
    StoreError::new(StoreErrorKind::Unavailable, "the store was closed")
}

/// Nothing was connected in time.
pub(crate) fn too_late(limit: Duration) -> StoreError {
    StoreError::new(
        StoreErrorKind::Timeout,
        format!(
            "no connection to Redis within {limit:?}; check host, port and firewall, or raise \
             RedisOptions::connect_timeout"
        ),
    )
}

/// What the driver reports when an answer takes too long.
pub(crate) fn timed_out(limit: Duration) -> StoreError {
    StoreError::new(
        StoreErrorKind::Timeout,
        format!("Redis did not answer within {limit:?} (RedisOptions::timeout)"),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_are_jittered_within_their_half() {
        for _ in 0..100 {
            let pause = jittered(LONGEST_PAUSE);
            assert!(LONGEST_PAUSE / 2 <= pause && pause <= LONGEST_PAUSE, "{pause:?}");
        }
    }
}
