use std::future::poll_fn;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Poll, Waker};
use std::time::Duration;

use tenure_core::clock::Sleep;
use tenure_core::{Clock, SystemClock, Timestamp};

/// A clock that is moved by hand. It begins at the real time; clones are the same clock.
///
/// ```
/// use std::time::Duration;
/// use tenure_core::Clock;
/// use tenure_testkit::ManualClock;
///
/// let clock = ManualClock::new();
/// let before = clock.now();
/// assert_eq!(clock.now(), before, "it stands still");
/// clock.advance(Duration::from_secs(60));
/// assert_eq!(clock.now().since(before), Duration::from_secs(60));
/// ```
///
/// A sleep ends as soon as the clock has been moved past its end, and never by itself:
///
/// ```
/// # use std::time::Duration;
/// # use tenure_core::Clock;
/// # use tenure_testkit::ManualClock;
/// # tokio::runtime::Runtime::new()?.block_on(async {
/// let clock = ManualClock::new();
/// let sleeper = tokio::spawn(clock.sleep(Duration::from_secs(5)));
/// clock.advance(Duration::from_secs(5));
/// sleeper.await
/// # })?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct ManualClock(Arc<Mutex<State>>);

#[derive(Debug)]
struct State {
    now: Timestamp,
    /// How far the clock was moved forward in all, which a jump back does not lessen.
    passed: Duration,
    sleepers: Vec<Waker>,
}

impl ManualClock {
    /// A clock that stands at the present time.
    #[must_use]
    pub fn new() -> Self {
        Self::at(SystemClock.now())
    }

    /// A clock that stands at `now`.
    ///
    /// ```
    /// # use tenure_core::{Clock, Timestamp};
    /// # use tenure_testkit::ManualClock;
    /// let leap_day = Timestamp::from_millis(1_709_164_800_000);
    /// assert_eq!(ManualClock::at(leap_day).now(), leap_day);
    /// ```
    #[must_use]
    pub fn at(now: Timestamp) -> Self {
        let state = State { now, passed: Duration::ZERO, sleepers: Vec::new() };
        Self(Arc::new(Mutex::new(state)))
    }

    /// Moves the clock forward and wakes who has slept long enough.
    pub fn advance(&self, by: Duration) {
        let mut state = self.state();
        state.now = state.now + by;
        state.passed += by;
        wake(state);
    }

    /// Sets the clock to `now`, which may lie in its past, as when an administrator sets the time:
    /// nobody wakes from that.
    ///
    /// ```
    /// # use tenure_core::{Clock, Timestamp};
    /// # use tenure_testkit::ManualClock;
    /// let clock = ManualClock::at(Timestamp::from_millis(10_000));
    /// clock.set(Timestamp::from_millis(4_000));
    /// assert_eq!(clock.now().as_millis(), 4_000);
    /// ```
    pub fn set(&self, now: Timestamp) {
        let mut state = self.state();
        let forward = now.since(state.now);
        state.passed += forward;
        state.now = now;
        wake(state);
    }

    /// How many sleeps have been waited for and have not ended.
    ///
    /// ```
    /// # use std::time::Duration;
    /// # use tenure_core::Clock;
    /// # use tenure_testkit::ManualClock;
    /// # tokio::runtime::Runtime::new()?.block_on(async {
    /// let clock = ManualClock::new();
    /// let sleeper = tokio::spawn(clock.sleep(Duration::from_secs(5)));
    /// while clock.sleepers() == 0 {
    ///     tokio::task::yield_now().await; // until it waits, so that moving the clock wakes it
    /// }
    /// clock.advance(Duration::from_secs(5));
    /// sleeper.await?;
    /// assert_eq!(clock.sleepers(), 0);
    /// # Ok::<(), Box<dyn std::error::Error>>(()) })?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn sleepers(&self) -> usize {
        self.state().sleepers.len()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Wakes all sleepers, outside of the lock; those who are too early sleep on.
fn wake(mut state: MutexGuard<'_, State>) {
    let sleepers = std::mem::take(&mut state.sleepers);
    drop(state);
    for sleeper in sleepers {
        sleeper.wake();
    }
}

impl Default for ManualClock {
    fn default() -> Self {
        Self::new()
    }
}

impl Clock for ManualClock {
    fn now(&self) -> Timestamp {
        self.state().now
    }

    fn sleep(&self, duration: Duration) -> Sleep {
        let clock = self.clone();
        let end = self.state().passed + duration;
        Box::pin(poll_fn(move |context| {
            let mut state = clock.state();
            if state.passed >= end {
                return Poll::Ready(());
            }
            if !state.sleepers.iter().any(|sleeper| sleeper.will_wake(context.waker())) {
                state.sleepers.push(context.waker().clone());
            }
            Poll::Pending
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[tokio::test]
    async fn a_sleep_ends_with_its_duration_and_not_before() {
        let clock = ManualClock::new();
        let (short, long) = (clock.sleep(SECOND), clock.sleep(2 * SECOND));
        let (short, long) = (tokio::spawn(short), tokio::spawn(long));
        while clock.sleepers() < 2 {
            tokio::task::yield_now().await;
        }
        clock.advance(SECOND - Duration::from_millis(1));
        tokio::task::yield_now().await;
        assert!(!short.is_finished());
        clock.advance(Duration::from_millis(1));
        short.await.unwrap();
        assert!(!long.is_finished());
        clock.advance(SECOND);
        long.await.unwrap();
    }

    #[tokio::test]
    async fn a_jump_back_wakes_nobody_and_is_not_slept_again() {
        let clock = ManualClock::at(Timestamp::from_millis(10_000));
        let sleep = clock.sleep(2 * SECOND);
        clock.advance(SECOND);
        clock.set(Timestamp::from_millis(1_000));
        assert_eq!(clock.now(), Timestamp::from_millis(1_000));
        clock.set(Timestamp::from_millis(2_000));
        sleep.await;
    }

    #[tokio::test]
    async fn clones_are_the_same_clock() {
        let clock = ManualClock::new();
        clock.clone().advance(SECOND);
        assert!(clock.now() >= ManualClock::new().now());
        clock.sleep(Duration::ZERO).await;
    }
}
