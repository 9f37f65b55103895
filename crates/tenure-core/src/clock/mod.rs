//! Time and randomness, both replaceable.

mod timer;
mod waits;

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::Poll;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// A point in time in whole milliseconds since the Unix epoch: the only form in which time
/// reaches a store.
///
/// ```
/// use std::time::Duration;
/// use tenure_core::Timestamp;
///
/// let start = Timestamp::from_millis(1_000);
/// let end = start + Duration::from_secs(60);
/// assert_eq!(end.as_millis(), 61_000);
/// assert_eq!(end.since(start), Duration::from_secs(60));
/// assert_eq!(start.since(end), Duration::ZERO);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(u64);

impl Timestamp {
    /// The latest time that is used: integers up to it are exact in every store.
    pub const MAX: Self = Self((1 << 53) - 1);

    /// The time that lies `millis` milliseconds after the Unix epoch, at most [`Self::MAX`].
    #[must_use]
    pub const fn from_millis(millis: u64) -> Self {
        if millis > Self::MAX.0 { Self::MAX } else { Self(millis) }
    }

    /// Milliseconds since the Unix epoch.
    #[must_use]
    pub const fn as_millis(self) -> u64 {
        self.0
    }

    /// The time from `earlier` to this one, zero if it lies ahead.
    #[must_use]
    pub const fn since(self, earlier: Self) -> Duration {
        Duration::from_millis(self.0.saturating_sub(earlier.0))
    }
}

impl std::ops::Add<Duration> for Timestamp {
    type Output = Self;

    fn add(self, after: Duration) -> Self {
        Self::from_millis(self.0.saturating_add(after.as_millis().try_into().unwrap_or(u64::MAX)))
    }
}

impl From<SystemTime> for Timestamp {
    fn from(time: SystemTime) -> Self {
        Self::default() + time.duration_since(UNIX_EPOCH).unwrap_or_default()
    }
}

impl From<Timestamp> for SystemTime {
    fn from(time: Timestamp) -> Self {
        UNIX_EPOCH + Duration::from_millis(time.0)
    }
}

/// A future that ends when some time has passed.
pub type Sleep = Pin<Box<dyn Future<Output = ()> + Send>>;

/// Where the time comes from; tests replace it by one that they move by hand.
pub trait Clock: fmt::Debug + Send + Sync + 'static {
    /// The present time.
    ///
    /// ```
    /// use tenure_core::{Clock, SystemClock, Timestamp};
    ///
    /// let year_2020 = Timestamp::from_millis(1_577_836_800_000);
    /// assert!(SystemClock.now() > year_2020);
    /// ```
    fn now(&self) -> Timestamp;

    /// Ends after `duration`; started only when a store call does not answer at once.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() {
    /// use std::time::Duration;
    /// use tenure_core::{Clock, SystemClock};
    ///
    /// let before = SystemClock.now();
    /// SystemClock.sleep(Duration::from_millis(5)).await;
    /// assert!(SystemClock.now().since(before) >= Duration::from_millis(4), "the time may be cut");
    /// # }
    /// ```
    fn sleep(&self, duration: Duration) -> Sleep;
}

/// The operating system's time, and a timer that works on every async runtime: one thread for all.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        SystemTime::now().into()
    }

    fn sleep(&self, duration: Duration) -> Sleep {
        Box::pin(timer::Delay::new(duration))
    }
}

/// Where random bytes come from.
///
/// Tests replace it to provoke collisions; in an application there is no reason to.
pub trait Random: fmt::Debug + Send + Sync + 'static {
    /// Fills `bytes` with random ones.
    ///
    /// ```
    /// use tenure_core::{Random, SystemRandom};
    ///
    /// let mut octets = [0; 24];
    /// SystemRandom.fill(&mut octets)?;
    /// assert_ne!(octets, [0; 24]);
    /// # Ok::<(), tenure_core::clock::RandomUnavailable>(())
    /// ```
    ///
    /// # Errors
    /// When the source cannot deliver; then no token is made.
    fn fill(&self, bytes: &mut [u8]) -> Result<(), RandomUnavailable>;
}

/// The source of randomness failed.
#[derive(Clone, Copy, Debug)]
pub struct RandomUnavailable;

impl fmt::Display for RandomUnavailable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the source of random numbers is unavailable")
    }
}

impl std::error::Error for RandomUnavailable {}

/// The operating system's random numbers, asked anew for every token.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemRandom;

impl Random for SystemRandom {
    fn fill(&self, bytes: &mut [u8]) -> Result<(), RandomUnavailable> {
        getrandom::fill(bytes).map_err(|_| RandomUnavailable)
    }
}

/// Whether `first` ended before `second`.
pub(crate) async fn or(mut first: impl Future + Unpin, second: impl Future<Output = ()>) -> bool {
    let mut second = std::pin::pin!(second);
    std::future::poll_fn(|cx| {
        if Pin::new(&mut first).poll(cx).is_ready() {
            return Poll::Ready(true);
        }
        second.as_mut().poll(cx).map(|()| false)
    })
    .await
}
