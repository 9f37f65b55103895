use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use super::NearCache;
use crate::clock::{Clock, Random, SystemClock, SystemRandom};
use crate::store::{Store, StoreError, Watch};

/// The task of a [`NearCache`] that hears which sessions have changed. While it does not run, or
/// its connection is lost, nothing is served from memory.
///
/// ```
/// use tenure_core::store::{MemoryStore, NearCache};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// let store = NearCache::new(MemoryStore::new());
/// let task = tokio::spawn(store.watcher().run());
/// // The store in memory has nobody to tell of: its watcher ends at once.
/// task.await.unwrap();
/// assert!(!store.is_on());
/// # }
/// ```
#[must_use = "a watcher does nothing until it is run"]
pub struct Watcher<S> {
    cache: NearCache<S>,
    clock: Arc<dyn Clock>,
    on_lost: Option<Listener>,
}

type Listener = Box<dyn Fn(&StoreError) + Send + Sync>;

impl<S: Store> Watcher<S> {
    /// The shortest and the longest time between two attempts to hear the server again.
    const PAUSES: (Duration, Duration) = (Duration::from_millis(50), Duration::from_millis(800));

    pub(super) fn new(cache: NearCache<S>) -> Self {
        Self { cache, clock: Arc::new(SystemClock), on_lost: None }
    }

    /// Measures pauses by this clock. See the example of [`on_lost`](Self::on_lost).
    pub fn clock(mut self, clock: impl Clock) -> Self {
        self.clock = Arc::new(clock);
        self
    }

    /// Told whenever the connection is lost, and whenever it cannot be made again.
    ///
    /// ```
    /// # use std::sync::{Arc, atomic::{AtomicU32, Ordering::Relaxed}};
    /// # use std::time::Duration;
    /// # use tenure_core::{Timestamp, store::*};
    /// # use tenure_testkit::ManualClock;
    /// # struct Remote(MemoryStore);
    /// # impl Store for Remote {
    /// #     async fn load(&self, key: &StoreKey, now: Timestamp) -> StoreResult<Option<Record>> {
    /// #         self.0.load(key, now).await
    /// #     }
    /// #     async fn create(&self, key: &StoreKey, new: &Record, now: Timestamp) -> StoreResult<Created> {
    /// #         self.0.create(key, new, now).await
    /// #     }
    /// #     async fn swap(
    /// #         &self, key: &StoreKey, expected: &Revision, new: &Record, now: Timestamp,
    /// #     ) -> StoreResult<Swap> {
    /// #         self.0.swap(key, expected, new, now).await
    /// #     }
    /// #     async fn delete(&self, key: &StoreKey, now: Timestamp) -> StoreResult<bool> {
    /// #         self.0.delete(key, now).await
    /// #     }
    /// #     async fn sweep(&self, limit: u32, now: Timestamp) -> StoreResult<u32> {
    /// #         self.0.sweep(limit, now).await
    /// #     }
    /// #     fn watch(&self) -> Option<&impl Watch> {
    /// #         Some(self)
    /// #     }
    /// # }
    /// # impl Watch for Remote {
    /// #     async fn watch(&self, _: &(dyn Fn(Change) + Send + Sync)) -> StoreError {
    /// #         StoreError::new(StoreErrorKind::Unavailable, "connection refused")
    /// #     }
    /// # }
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() {
    /// # let unreachable = Remote(MemoryStore::new());
    /// let clock = ManualClock::new();
    /// let lost = Arc::new(AtomicU32::new(0));
    /// let count = Arc::clone(&lost);
    /// let watcher = NearCache::new(unreachable).watcher().clock(clock.clone());
    /// let task = tokio::spawn(watcher.on_lost(move |_| drop(count.fetch_add(1, Relaxed))).run());
    /// for attempts in [1, 2] {
    ///     while clock.sleepers() == 0 {
    ///         tokio::task::yield_now().await;
    ///     }
    ///     assert_eq!(lost.load(Relaxed), attempts);
    ///     clock.advance(Duration::from_secs(1)); // longer than any pause
    /// }
    /// # task.abort();
    /// # }
    /// ```
    pub fn on_lost(mut self, listener: impl Fn(&StoreError) + Send + Sync + 'static) -> Self {
        self.on_lost = Some(Box::new(listener));
        self
    }

    /// Listens for as long as it is polled; ends when the cache has been closed, and at once if the
    /// store has no [`Watch`].
    pub async fn run(self) {
        let Some(watch) = self.cache.store.watch() else { return };
        let shared = Arc::clone(&self.cache.shared);
        // When this task is dropped nobody listens any more.
        let _deaf = Deaf(&self.cache);
        let (shortest, longest) = Self::PAUSES;
        let mut pause = shortest;
        loop {
            let heard = Arc::clone(&shared);
            let lost = watch.watch(&move |change| heard.hear(change)).await;
            if shared.hears.load(std::sync::atomic::Ordering::Acquire) {
                pause = shortest;
            }
            shared.deaf();
            if shared.is_closed() {
                return;
            }
            if let Some(listener) = &self.on_lost {
                listener(&lost);
            }
            self.clock.sleep(jittered(pause)).await;
            pause = (pause * 2).min(longest);
        }
    }
}

/// Turns the cache off when it is dropped.
struct Deaf<'a, S>(&'a NearCache<S>);

impl<S> Drop for Deaf<'_, S> {
    fn drop(&mut self) {
        self.0.shared.deaf();
    }
}

/// Between half of the pause and all of it, so that processes do not come back in step.
fn jittered(pause: Duration) -> Duration {
    let mut octet = [255];
    let _ = SystemRandom.fill(&mut octet);
    pause.mul_f64(0.5 + f64::from(octet[0]) / 510.0)
}

impl<S> fmt::Debug for Watcher<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Watcher").field("cache", &self.cache).finish_non_exhaustive()
    }
}
