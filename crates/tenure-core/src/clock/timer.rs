//! A timer for every async runtime: one thread, which sleeps until the earliest wait is over.
//!
//! Nearly every wait is the limit of a store call and is dropped long before it is over, and none
//! is earlier than those that began before it. So to begin and to drop one is a place in a queue;
//! the thread is disturbed only by a wait that is over before the one it sleeps for.

use std::future::Future;
use std::mem;
use std::pin::Pin;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

use super::waits::{Place, Waits};

/// A future that is ready after a time.
pub(super) struct Delay {
    timer: &'static Timer,
    /// None: further off than can be told.
    until: Option<Instant>,
    place: Option<Place>,
}

struct Timer {
    state: Mutex<State>,
    changed: Condvar,
}

struct State {
    waits: Waits,
    thread: Thread,
}

#[derive(Clone, Copy)]
enum Thread {
    None,
    /// It sleeps until then, or until it is woken.
    Until(Option<Instant>),
    /// It looks at the waits before it sleeps again.
    Awake,
}

static TIMER: Timer = Timer::new();

impl Delay {
    pub(super) fn new(duration: Duration) -> Self {
        Self { timer: &TIMER, until: Instant::now().checked_add(duration), place: None }
    }
}

impl Future for Delay {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        let Some(until) = self.until else { return Poll::Pending };
        // Whoever looks for the first time has just begun to wait.
        if self.place.is_some() && until <= Instant::now() {
            return Poll::Ready(());
        }
        let timer = self.timer;
        let mut guard = timer.state();
        let state = &mut *guard;
        let waker = context.waker().clone();
        let before = match self.place.and_then(|place| state.waits.waker(place)) {
            Some(before) => Some(mem::replace(before, waker)),
            None => {
                self.place = Some(state.waits.begin(until, waker));
                None
            }
        };
        match state.thread {
            Thread::Awake => {}
            Thread::Until(Some(wakes)) if wakes <= until => {}
            Thread::Until(_) => {
                state.thread = Thread::Awake;
                timer.changed.notify_one();
            }
            Thread::None => {
                let thread = std::thread::Builder::new().name("tenure-timer".to_owned());
                match thread.spawn(|| timer.run()) {
                    Ok(_) => state.thread = Thread::Awake,
                    // Without the thread the task looks at the time by itself.
                    Err(_) => context.waker().wake_by_ref(),
                }
            }
        }
        // A waker's drop may run anything, so not under the lock.
        drop(guard);
        drop(before);
        Poll::Pending
    }
}

impl Drop for Delay {
    fn drop(&mut self) {
        if let Some(place) = self.place {
            let before = self.timer.state().waits.end(place);
            drop(before);
        }
    }
}

impl Timer {
    const fn new() -> Self {
        let state = State { waits: Waits::new(), thread: Thread::None };
        Self { state: Mutex::new(state), changed: Condvar::new() }
    }

    fn run(&self) {
        let mut state = self.state();
        loop {
            let now = Instant::now();
            let over = state.waits.take_over(now);
            if !over.is_empty() {
                state.thread = Thread::Awake;
                drop(state);
                over.into_iter().for_each(wake);
                state = self.state();
                continue;
            }
            let next = state.waits.next();
            state.thread = Thread::Until(next);
            state = match next {
                Some(next) => {
                    let pause = next.saturating_duration_since(now);
                    let woken = self.changed.wait_timeout(state, pause);
                    woken.unwrap_or_else(PoisonError::into_inner).0
                }
                None => self.changed.wait(state).unwrap_or_else(PoisonError::into_inner),
            };
            state.thread = Thread::Awake;
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // The waits are whole whatever panics: nothing but an allocation can.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Wakes a task. One that panics must not end the thread on which all others wait.
fn wake(waker: Waker) {
    let _ = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| waker.wake()));
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::task::Wake;

    use super::*;

    const SHORT: Duration = Duration::from_millis(30);
    const LONG: Duration = Duration::from_secs(3600);

    fn block_on<T>(work: impl Future<Output = T>) -> T {
        tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(work)
    }

    #[test]
    fn a_wait_lasts_as_long_as_it_was_told_and_not_much_longer() {
        let before = Instant::now();
        block_on(Delay::new(SHORT));
        assert!((SHORT..Duration::from_secs(20)).contains(&before.elapsed()));
        block_on(Delay::new(Duration::ZERO));
    }

    /// The thread sleeps until the end of a longer one when the shorter one begins.
    #[test]
    fn a_shorter_wait_is_over_before_a_longer_one_that_began_earlier() {
        let mut long = Box::pin(Delay::new(LONG));
        let mut endless = Box::pin(Delay::new(Duration::MAX));
        let mut context = Context::from_waker(Waker::noop());
        assert!(long.as_mut().poll(&mut context).is_pending());
        assert!(endless.as_mut().poll(&mut context).is_pending());
        std::thread::sleep(SHORT);
        block_on(Delay::new(SHORT));
        assert!(long.as_mut().poll(&mut context).is_pending());
        assert!(endless.as_mut().poll(&mut context).is_pending());
    }

    #[test]
    fn what_is_dropped_leaves_nothing() {
        let mut delay = Box::pin(Delay::new(LONG));
        assert!(delay.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
        let place = delay.place.unwrap();
        assert!(TIMER.state().waits.waker(place).is_some());
        drop(delay);
        assert!(TIMER.state().waits.waker(place).is_none());
    }

    /// A task that moves to another executor is woken there.
    #[test]
    fn the_last_waker_is_woken() {
        let mut delay = Box::pin(Delay::new(SHORT));
        assert!(delay.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
        block_on(delay);
    }

    #[test]
    fn a_waker_that_panics_does_not_stop_the_others() {
        struct Panics;
        impl Wake for Panics {
            fn wake(self: Arc<Self>) {
                panic!("this panic is part of the test");
            }
        }
        let mut delay = Box::pin(Delay::new(SHORT));
        let waker = Waker::from(Arc::new(Panics));
        assert!(delay.as_mut().poll(&mut Context::from_waker(&waker)).is_pending());
        block_on(Delay::new(SHORT * 2));
    }

    #[test]
    fn many_wait_at_once() {
        let threads: Vec<_> = (0..8)
            .map(|_| {
                std::thread::spawn(|| {
                    for of in 0..50 {
                        let wait = Duration::from_millis(1 + of % 3);
                        let before = Instant::now();
                        block_on(Delay::new(wait));
                        assert!(before.elapsed() >= wait);
                    }
                })
            })
            .collect();
        threads.into_iter().for_each(|thread| thread.join().unwrap());
    }
}
