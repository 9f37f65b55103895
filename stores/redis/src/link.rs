//! A connection that comes back: to one server, or to the master that Sentinel names.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use redis::aio::MultiplexedConnection;
use redis::{AsyncConnectionConfig, Client, PushInfo, PushKind};
use tenure_core::store::{StoreError, StoreErrorKind, StoreResult};
use tenure_core::{Random, SystemRandom};
use tokio::sync::watch;

use crate::error::failed;
use crate::sentinel::Sentinels;

/// The longest pause between two attempts to connect: a server that is back is found again well
/// within a second.
const LONGEST_PAUSE: Duration = Duration::from_millis(400);
const FIRST_PAUSE: Duration = Duration::from_millis(20);

/// Where connections come from.
pub(crate) enum Source {
    Server(Client),
    Sentinels(Sentinels),
}

/// One connection, shared by all, made anew in the background whenever it breaks.
///
/// While it is broken, whoever wants it waits for the attempt that begins at once, and after that
/// gets an error immediately.
pub(crate) struct Link {
    source: Source,
    connect_timeout: Duration,
    state: Mutex<State>,
    /// Moves whenever the state does.
    moved: watch::Sender<()>,
}

enum State {
    Up {
        connection: MultiplexedConnection,
        number: u64,
    },
    /// The first attempt after a break is under way.
    Connecting,
    Down(Arc<StoreError>),
    Closed,
}

/// The connection as it is now.
pub(crate) struct Lent {
    pub(crate) connection: MultiplexedConnection,
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
        link.set(State::Up { connection, number: 0 });
        Ok(link)
    }

    /// The connection.
    pub(crate) async fn lend(&self) -> StoreResult<Lent> {
        let mut moved = self.moved.subscribe();
        loop {
            moved.mark_unchanged();
            match &*self.state() {
                State::Up { connection, number } => {
                    return Ok(Lent { connection: connection.clone(), number: *number });
                }
                State::Down(error) => {
                    return Err(StoreError::new(
                        StoreErrorKind::Unavailable,
                        format!("Redis is down, and the store goes on trying to connect: {error}"),
                    ));
                }
                State::Closed => return Err(closed()),
                State::Connecting => {}
            }
            if moved.changed().await.is_err() {
                return Err(closed());
            }
        }
    }

    /// Says that a connection is of no use any more.
    pub(crate) fn broken(self: &Arc<Self>, lent: &Lent) {
        self.lost(lent.number);
    }

    pub(crate) fn close(&self) {
        self.set(State::Closed);
    }

    fn lost(self: &Arc<Self>, lost: u64) {
        let mut state = self.state();
        if !matches!(&*state, State::Up { number, .. } if *number == lost) {
            return;
        }
        *state = State::Connecting;
        drop(state);
        let link = Arc::downgrade(self);
        tokio::spawn(async move { reconnect(&link, lost + 1).await });
    }

    async fn attempt(self: &Arc<Self>, number: u64) -> StoreResult<MultiplexedConnection> {
        let link = Arc::downgrade(self);
        let config = AsyncConnectionConfig::new()
            .set_connection_timeout(None)
            .set_response_timeout(None)
            .set_push_sender(move |push: PushInfo| {
                if push.kind == PushKind::Disconnection
                    && let Some(link) = link.upgrade()
                {
                    link.lost(number);
                }
                Ok::<_, ()>(())
            });
        let connecting = async {
            match &self.source {
                Source::Server(client) => client
                    .get_multiplexed_async_connection_with_config(&config)
                    .await
                    .map_err(failed),
                Source::Sentinels(sentinels) => sentinels.master(&config).await,
            }
        };
        match tokio::time::timeout(self.connect_timeout, connecting).await {
            Ok(connected) => connected,
            Err(_) => Err(StoreError::new(
                StoreErrorKind::Timeout,
                format!(
                    "no connection to Redis within {:?}; check host, port and firewall, or raise \
                     RedisOptions::connect_timeout",
                    self.connect_timeout
                ),
            )),
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
            *state = match attempt {
                Ok(connection) => State::Up { connection, number },
                Err(error) => State::Down(Arc::new(error)),
            };
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
