//! Futures that are polled in chosen orders, and dropped at chosen points.

use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, Wake, Waker};

use crate::rng::Rng;

/// Polls after which the runtime gets its turn. tokio gives a task a budget of 128 for what is ready,
/// and asks it to come again until it has yielded.
const POLLS_IN_A_ROW: usize = 32;

pub(super) type Task<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// Lets others run, `times` times.
pub(crate) async fn yields(times: usize) {
    for _ in 0..times {
        let mut yielded = false;
        poll_fn(|context| {
            if std::mem::replace(&mut yielded, true) {
                return Poll::Ready(());
            }
            context.waker().wake_by_ref();
            Poll::Pending
        })
        .await;
    }
}

/// Polls `future` at most `polls` times, each after it asked for it, and then drops it.
pub(super) async fn polled<T>(polls: usize, future: impl Future<Output = T>) -> Option<T> {
    let mut future = Box::pin(future);
    let mut left = polls;
    poll_fn(|context| {
        let Some(less) = left.checked_sub(1) else { return Poll::Ready(None) };
        left = less;
        match future.as_mut().poll(context) {
            Poll::Ready(value) => Poll::Ready(Some(value)),
            Poll::Pending if left == 0 => Poll::Ready(None),
            Poll::Pending => Poll::Pending,
        }
    })
    .await
}

/// Runs all tasks on this thread, one poll at a time, and lets `rng` choose whose turn it is.
pub(super) async fn interleave<T>(rng: &mut Rng, tasks: Vec<Task<'_, T>>) -> Vec<T> {
    let outer = Arc::new(Mutex::new(Waker::noop().clone()));
    let mut running: Vec<_> = tasks
        .into_iter()
        .enumerate()
        .map(|(place, task)| {
            let turn = Turn { wanted: AtomicBool::new(true), outer: Arc::clone(&outer) };
            (place, Arc::new(turn), task)
        })
        .collect();
    let mut results: Vec<Option<T>> = running.iter().map(|_| None).collect();
    poll_fn(|context| {
        *outer.lock().unwrap_or_else(PoisonError::into_inner) = context.waker().clone();
        for _ in 0..POLLS_IN_A_ROW {
            let wanting: Vec<usize> = (0..running.len())
                .filter(|&at| running[at].1.wanted.load(Ordering::Acquire))
                .collect();
            if wanting.is_empty() {
                return if running.is_empty() { Poll::Ready(()) } else { Poll::Pending };
            }
            let at = wanting[rng.below(wanting.len())];
            let (place, turn, task) = &mut running[at];
            turn.wanted.store(false, Ordering::Release);
            let waker = Waker::from(Arc::clone(turn));
            if let Poll::Ready(value) = task.as_mut().poll(&mut Context::from_waker(&waker)) {
                results[*place] = Some(value);
                drop(running.swap_remove(at));
            }
        }
        context.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
    results.into_iter().flatten().collect()
}

struct Turn {
    wanted: AtomicBool,
    outer: Arc<Mutex<Waker>>,
}

impl Wake for Turn {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.wanted.store(true, Ordering::Release);
        self.outer.lock().unwrap_or_else(PoisonError::into_inner).wake_by_ref();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_seed_fixes_the_order() {
        let order = async |seed| {
            let seen = Mutex::new(Vec::new());
            let task = |name: usize| -> Task<'_, ()> {
                let seen = &seen;
                Box::pin(async move {
                    for _ in 0..4 {
                        seen.lock().unwrap().push(name);
                        yields(1).await;
                    }
                })
            };
            interleave(&mut Rng::new(seed), vec![task(0), task(1), task(2)]).await;
            seen.into_inner().unwrap()
        };
        assert_eq!(order(1).await, order(1).await);
        assert_ne!(order(1).await, order(2).await);
        assert_eq!(order(3).await.len(), 12);
    }

    /// Otherwise a store on sockets that are always ready would be asked again for ever.
    #[test]
    fn a_runtime_that_wants_its_turn_gets_it() {
        let (done, ended) = std::sync::mpsc::channel();
        std::thread::spawn(move || {
            let runtime = tokio::runtime::Runtime::new().unwrap();
            runtime.block_on(async {
                let task = || -> Task<'_, ()> {
                    Box::pin(async {
                        for _ in 0..1_000 {
                            tokio::task::consume_budget().await;
                        }
                    })
                };
                interleave(&mut Rng::new(1), vec![task(), task()]).await;
            });
            done.send(()).unwrap();
        });
        ended.recv_timeout(std::time::Duration::from_secs(60)).expect("it does not end");
    }

    #[tokio::test]
    async fn a_future_is_dropped_after_its_polls() {
        assert_eq!(polled(0, async { 1 }).await, None);
        assert_eq!(polled(1, async { 1 }).await, Some(1));
        assert_eq!(polled(2, yields(2)).await, None);
        assert_eq!(polled(3, yields(2)).await, Some(()));
    }
}
