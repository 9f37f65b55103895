//! The application's closures run while nobody has to wait for them.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::{Duration, Instant};

use tenure_core::store::{Applied, Patch, Store, StoreKey};
use tenure_core::value::Json;
use tenure_redis::RedisStore;
use tokio::runtime::Handle;
use tokio::task::block_in_place;

use crate::support::{ONE, apply, begin, load, now, open, patch, redis, value};

/// Below the time for which a commit waits in a queue.
const SHORT: Duration = Duration::from_millis(300);

fn plus_one(seen: Option<&Json>) -> tenure_core::Result<Option<Json>> {
    let number = seen.map_or(0, |seen| seen.as_str().parse::<i64>().unwrap());
    Json::of(&(number + 1)).map(Some)
}

/// A patch that has to run its closure again, since the session has changed since it was seen.
async fn late(store: &RedisStore, key: &StoreKey) -> Patch {
    let seen = Arc::new(load(store, key).await);
    apply(store, key, &patch().add("n", ONE)).await;
    patch().on(seen)
}

/// A closure that waits for another commit to its own session, also when it runs for the second
/// time and that commit has to try again, too.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_closure_may_commit_to_its_own_session() {
    let Some(server) = redis() else { return };
    let store = open(&server).await;
    let mut shortest = Duration::MAX;
    for _ in 0..3 {
        let key = begin(&store, &[("n", "0")]).await;
        let outer = late(&store, &key).await;
        let inner = late(&store, &key).await.update("n", plus_one);
        let (runs, took) = (Arc::new(AtomicU32::new(0)), Arc::new(AtomicU32::new(0)));
        let again = {
            let (store, key, runs, took) =
                (store.clone(), key.clone(), Arc::clone(&runs), Arc::clone(&took));
            outer.update("n", move |seen| {
                if runs.fetch_add(1, Ordering::AcqRel) == 1 {
                    let begun = Instant::now();
                    let applied = block_in_place(|| {
                        Handle::current().block_on(store.apply(&key, &inner, now()))
                    });
                    assert!(matches!(applied, Ok(Applied::Done(_))), "{applied:?}");
                    let millis = begun.elapsed().as_millis().try_into().unwrap();
                    took.store(millis, Ordering::Release);
                }
                plus_one(seen)
            })
        };
        apply(&store, &key, &again).await;
        assert_eq!(value(&store, &key, "n").await.as_deref(), Some("4"));
        assert!(runs.load(Ordering::Acquire) >= 3, "the commit inside made it run again");
        shortest = shortest.min(Duration::from_millis(took.load(Ordering::Acquire).into()));
    }
    // Of three, since a busy machine may be late.
    assert!(shortest < SHORT, "the commit inside took {shortest:?}");
}

/// A closure that takes long holds up no other commit to the session, not even one that has to try
/// again.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_closure_that_takes_long_holds_up_nobody() {
    let Some(server) = redis() else { return };
    let store = open(&server).await;
    let key = begin(&store, &[("n", "0")]).await;
    let (sleeps, done) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicBool::new(false)));
    let outer = late(&store, &key).await.update("n", {
        let (runs, sleeps, done) = (AtomicU32::new(0), Arc::clone(&sleeps), Arc::clone(&done));
        move |seen| {
            if runs.fetch_add(1, Ordering::AcqRel) == 1 {
                sleeps.store(true, Ordering::Release);
                let begun = Instant::now();
                while !done.load(Ordering::Acquire) && begun.elapsed() < Duration::from_secs(20) {
                    block_in_place(|| std::thread::sleep(Duration::from_millis(5)));
                }
            }
            plus_one(seen)
        }
    });
    let sleeper = tokio::spawn({
        let (store, key) = (store.clone(), key.clone());
        async move { apply(&store, &key, &outer).await }
    });
    while !sleeps.load(Ordering::Acquire) {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let mut shortest = Duration::MAX;
    for _ in 0..5 {
        let other = late(&store, &key).await.update("n", plus_one);
        let begun = Instant::now();
        apply(&store, &key, &other).await;
        shortest = shortest.min(begun.elapsed());
    }
    done.store(true, Ordering::Release);
    sleeper.await.unwrap();
    assert_eq!(value(&store, &key, "n").await.as_deref(), Some("12"));
    assert!(shortest < SHORT, "each of the others took {shortest:?} or more");
}
