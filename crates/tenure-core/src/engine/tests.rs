use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Waker};
use std::time::Duration;

use super::queue::Queue;
use super::settled::Settled;
use crate::clock::{SystemRandom, Timestamp};
use crate::id::{CommitIds, Handle, Namespace};
use crate::store::{Record, StoreKey};

fn key(handle: u8) -> StoreKey {
    StoreKey::new(Namespace::new("shop").unwrap(), Handle::from_bytes([handle; 12]))
}

#[tokio::test(flavor = "multi_thread")]
async fn commits_to_one_session_take_turns() {
    let (queue, inside) = (Queue::new(), Arc::new(AtomicUsize::new(0)));
    let tasks: Vec<_> = (0..50)
        .map(|_| {
            let (queue, inside) = (queue.clone(), Arc::clone(&inside));
            tokio::spawn(async move {
                let _turn = queue.turn(&key(1)).await;
                assert_eq!(inside.fetch_add(1, Ordering::SeqCst), 0);
                tokio::task::yield_now().await;
                inside.fetch_sub(1, Ordering::SeqCst);
            })
        })
        .collect();
    let _other = queue.turn(&key(2)).await;
    for task in tasks {
        task.await.unwrap();
    }
}

/// Which is not always the same: queues tell sessions apart by a hash.
#[tokio::test]
async fn a_record_is_left_to_who_waits_for_the_same_session() {
    let queue = Queue::new();
    let record = Record::new(Timestamp::default(), Duration::ZERO, Duration::ZERO);
    let (mut first, _) = queue.turn(&key(1)).await;
    let record = Arc::new(record);
    assert!(!first.has_next());
    for (of, is_left) in [(1, true), (2, false)] {
        let key = key(1);
        let mut next = Box::pin(queue.turn(&key));
        assert!(next.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
        assert!(first.has_next());
        first.leave(&self::key(of), Arc::clone(&record), None);
        drop(first);
        let (mut turn, waited) = next.await;
        assert!(waited);
        assert_eq!(turn.left(&self::key(1)).is_some(), is_left);
        assert!(turn.left(&self::key(1)).is_none(), "it is given once");
        first = turn;
    }
}

#[test]
fn a_cancelled_waiter_leaves_no_trace() {
    let queue = Queue::new();
    let mut cx = Context::from_waker(Waker::noop());
    {
        let (first, second) = (key(1), key(1));
        let mut holds = Box::pin(queue.turn(&first));
        let std::task::Poll::Ready((turn, false)) = holds.as_mut().poll(&mut cx) else { panic!() };
        {
            let mut waits = pin!(queue.turn(&second));
            assert!(waits.as_mut().poll(&mut cx).is_pending());
        }
        assert!(!queue.is_empty());
        drop(turn);
    }
    assert!(queue.is_empty());
}

#[test]
fn settled_commits_are_taken_once() {
    let (settled, ids) = (Settled::new(), CommitIds::new(&SystemRandom).unwrap());
    let recent: Vec<_> = (0..1_000).map(|_| ids.next()).collect();
    assert!(!settled.take(recent[0]));
    recent.iter().for_each(|id| settled.add(*id));
    assert!(recent.iter().all(|id| settled.clone().take(*id)), "a clone knows them too");
    assert!(!recent.iter().any(|id| settled.take(*id)));
    assert!(!settled.take(ids.next()));
}
