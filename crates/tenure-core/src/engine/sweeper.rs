use std::fmt;
use std::future::Future;
use std::pin::pin;
use std::task::Poll;
use std::time::Duration;

use super::events::Event;
use super::meter::Stopwatch;
use super::sessions::Sessions;
use crate::clock::or;
use crate::error::Result;
use crate::store::Store;

/// The task that clears expired sessions away: in batches, at jittered intervals, for as long as it
/// is polled. Errors of the store are counted and reported, and it goes on.
///
/// A store that holds an expired session never serves it, so sweeping is hygiene.
///
/// ```
/// use std::time::Duration;
/// use tenure_core::Sessions;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> tenure_core::Result<()> {
/// let sessions = Sessions::in_memory()?;
/// let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
/// let sweeper = sessions.sweeper().interval(Duration::from_secs(60));
/// let task = tokio::spawn(async move { sweeper.run_until(stopped).await });
///
/// drop(stop); // on shutdown
/// let swept = task.await.unwrap();
/// assert_eq!(swept.errors, 0);
/// # Ok(())
/// # }
/// ```
#[must_use = "a sweeper does nothing until it is run"]
pub struct Sweeper {
    sessions: Sessions,
    interval: Duration,
    batch: u32,
}

/// What a sweeper did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Swept {
    /// Expired sessions that were deleted.
    pub sessions: u64,
    /// Rounds that an error ended.
    pub errors: u64,
}

impl Sweeper {
    pub(super) fn new(sessions: Sessions) -> Self {
        Self { sessions, interval: Duration::from_secs(5 * 60), batch: 1_000 }
    }

    /// The time between two rounds, give or take a tenth; 5 minutes by default.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> tenure_core::Result<()> {
    /// # use std::time::Duration;
    /// # use tenure_core::{Clock, Sessions, store::MemoryStore};
    /// # let clock = tenure_testkit::ManualClock::new();
    /// # let sessions = Sessions::builder().store(MemoryStore::new()).clock(clock.clone()).build()?;
    /// # let session = sessions.start().await?;
    /// # session.login("ada")?;
    /// # session.commit().await?;
    /// # clock.advance(Duration::from_secs(30 * 60));
    /// let sweeper = sessions.sweeper().interval(Duration::from_secs(60));
    /// let task = tokio::spawn(sweeper.run_until(clock.sleep(Duration::from_secs(90))));
    /// for _ in 0..90 {
    ///     tokio::task::yield_now().await;
    ///     clock.advance(Duration::from_secs(1));
    /// }
    /// assert_eq!(task.await.unwrap().sessions, 1, "the one that has ended");
    /// # Ok(())
    /// # }
    /// ```
    pub fn interval(mut self, interval: Duration) -> Self {
        self.interval = interval;
        self
    }

    /// How many sessions one call to the store deletes at most; 1,000 by default.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> tenure_core::Result<()> {
    /// # use std::time::Duration;
    /// # use tenure_core::{Sessions, store::MemoryStore};
    /// # use tenure_testkit::{ManualClock, Operation, Recorder};
    /// # let clock = ManualClock::new();
    /// # let store = Recorder::new(MemoryStore::new());
    /// # let builder = Sessions::builder().insecure_unsigned_tokens().clock(clock.clone());
    /// # let sessions = builder.store(store.clone()).build()?;
    /// # for _ in 0..2 {
    /// #     let session = sessions.start().await?;
    /// #     session.login("ada")?;
    /// #     session.commit().await?;
    /// # }
    /// # clock.advance(Duration::from_secs(30 * 60));
    /// # store.clear();
    /// let sweeper = sessions.sweeper().batch(1); // two sessions have ended
    /// assert_eq!(sweeper.once().await?, 2);
    /// assert_eq!(store.operations(), [Operation::Sweep; 3], "the last one finds nothing");
    /// # Ok(())
    /// # }
    /// ```
    pub fn batch(mut self, sessions: u32) -> Self {
        self.batch = sessions.max(1);
        self
    }

    /// Deletes what is expired now, batch by batch, and tells how many sessions that were.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> tenure_core::Result<()> {
    /// # use std::time::Duration;
    /// # use tenure_core::{Sessions, store::MemoryStore};
    /// # let clock = tenure_testkit::ManualClock::new();
    /// # let sessions = Sessions::builder().store(MemoryStore::new()).clock(clock.clone()).build()?;
    /// # let session = sessions.start().await?;
    /// # session.login("ada")?;
    /// # session.commit().await?;
    /// let sweeper = sessions.sweeper(); // in a job that a timer starts
    /// assert_eq!(sweeper.once().await?, 0);
    /// clock.advance(Duration::from_secs(30 * 60)); // the one session ends
    /// assert_eq!(sweeper.once().await?, 1);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// When the store cannot answer; what was deleted stays deleted.
    pub async fn once(&self) -> Result<u64> {
        let (store, clock) = (self.sessions.store(), self.sessions.clock());
        let mut sessions = 0;
        loop {
            let watch = Stopwatch::start();
            let swept = store.sweep(self.batch, clock.now()).await;
            watch.stop("sweep", self.sessions.namespace());
            let swept = swept.map_err(|error| error.during("sweep"))?;
            sessions += u64::from(swept);
            if swept > 0 {
                self.sessions.emit(Event::Swept { sessions: swept });
            }
            if swept < self.batch {
                return Ok(sessions);
            }
            yield_now().await;
        }
    }

    /// Sweeps until `stop` ends, and finishes the batch that it is at. Dropping the future stops it
    /// as well.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> tenure_core::Result<()> {
    /// # let sessions = tenure_core::Sessions::in_memory()?;
    /// let shutdown = async { /* wait for a signal */ };
    /// let swept = sessions.sweeper().run_until(shutdown).await;
    /// assert_eq!((swept.sessions, swept.errors), (0, 0), "it ended before the first round");
    /// # Ok(())
    /// # }
    /// ```
    pub async fn run_until(self, stop: impl Future) -> Swept {
        let mut stop = pin!(stop);
        let mut swept = Swept::default();
        loop {
            let pause = self.sessions.clock().sleep(self.jittered());
            if or(stop.as_mut(), pause).await {
                return swept;
            }
            match self.once().await {
                Ok(sessions) => swept.sessions += sessions,
                Err(error) => {
                    swept.errors += 1;
                    self.sessions.report(&error);
                }
            }
        }
    }

    /// The interval, give or take a tenth, so that processes do not sweep in step.
    fn jittered(&self) -> Duration {
        let mut octet = [128];
        // Without randomness there is no jitter, which is no reason to stop.
        let _ = self.sessions.random().fill(&mut octet);
        let share = 0.9 + 0.2 * f64::from(octet[0]) / 255.0;
        self.interval.mul_f64(share)
    }
}

impl fmt::Debug for Sweeper {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sweeper")
            .field("interval", &self.interval)
            .field("batch", &self.batch)
            .finish_non_exhaustive()
    }
}

/// Lets other tasks run between two batches.
async fn yield_now() {
    let mut yielded = false;
    std::future::poll_fn(|cx| {
        if std::mem::replace(&mut yielded, true) {
            return Poll::Ready(());
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}
