//! P12: the task that clears away what has expired.

use std::time::Duration;

use tenure_core::engine::Swept;
use tenure_core::store::MemoryStore;
use tenure_core::{Clock, Sessions};
use tenure_testkit::{Fault, FaultStore, ManualClock, Operation};
use tokio::sync::oneshot;
use tokio::task::{JoinSet, yield_now};

const HOUR: Duration = Duration::from_secs(3_600);
const MINUTE: Duration = Duration::from_secs(60);

type Faulty = FaultStore<MemoryStore>;

/// Sessions of which one has ended.
async fn one_ended() -> (Sessions, Faulty, ManualClock) {
    let (clock, store) = (ManualClock::new(), FaultStore::new(MemoryStore::new()));
    let builder = Sessions::builder().store(store.clone()).clock(clock.clone());
    let sessions = builder.insecure_unsigned_tokens().build().unwrap();
    let session = sessions.start().await.unwrap();
    session.login("ada").unwrap();
    session.commit().await.unwrap();
    clock.advance(HOUR);
    (sessions, store, clock)
}

/// Lets all other tasks go as far as they can.
async fn settle() {
    for _ in 0..100 {
        yield_now().await;
    }
}

fn counted(swept: Swept) -> (u64, u64) {
    (swept.sessions, swept.errors)
}

/// P12: an error of the store ends a round, and the next one comes as if nothing had happened.
#[tokio::test]
async fn p12_the_sweeper_survives_errors_of_the_store() {
    let (sessions, store, clock) = one_ended().await;
    store.inject_times(Operation::Sweep, Fault::unavailable(), 3);
    let (stop, stopped) = oneshot::channel::<()>();
    let task = tokio::spawn(sessions.sweeper().interval(MINUTE).run_until(stopped));
    for rounds in 1..=5 {
        settle().await;
        clock.advance(MINUTE + MINUTE / 10);
        settle().await;
        assert_eq!(store.count(Operation::Sweep), rounds);
    }
    drop(stop);
    assert_eq!(counted(task.await.unwrap()), (1, 3));
}

/// P12: sweepers that began together do not sweep together, but each within a tenth of its interval.
#[tokio::test]
async fn p12_turns_are_spread() {
    let (sessions, store, clock) = one_ended().await;
    let mut tasks = JoinSet::new();
    for _ in 0..50 {
        tasks.spawn(
            sessions.sweeper().interval(10 * MINUTE).run_until(std::future::pending::<()>()),
        );
    }
    settle().await;
    let mut rounds = Vec::new();
    for pause in [9 * MINUTE - Duration::from_millis(1), MINUTE, MINUTE + Duration::from_millis(2)]
    {
        clock.advance(pause);
        settle().await;
        rounds.push(store.count(Operation::Sweep));
    }
    assert!(rounds[0] == 0 && (1..50).contains(&rounds[1]) && rounds[2] == 50, "{rounds:?}");
}

/// P12: stopped between two rounds it ends at once, and within a batch when that is done.
#[tokio::test]
async fn p12_it_stops_cleanly() {
    let (sessions, store, clock) = one_ended().await;
    let (stop, stopped) = oneshot::channel::<()>();
    let task = tokio::spawn(sessions.sweeper().interval(MINUTE).run_until(stopped));
    settle().await;
    drop(stop);
    assert_eq!(counted(task.await.unwrap()), (0, 0));

    let slow = clock.clone();
    store.inject(Operation::Sweep, Fault::delay(move || slow.sleep(MINUTE)));
    let (stop, stopped) = oneshot::channel::<()>();
    let task = tokio::spawn(sessions.sweeper().interval(MINUTE).run_until(stopped));
    settle().await;
    clock.advance(2 * MINUTE);
    settle().await;
    drop(stop);
    settle().await;
    assert!(!task.is_finished(), "it is in the middle of a batch");
    clock.advance(MINUTE);
    assert_eq!(counted(task.await.unwrap()), (1, 0));
}
