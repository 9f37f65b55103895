//! Masters that die while sessions are written.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use tenure_core::store::{Store, StoreKey};
use tenure_redis::RedisStore;
use tenure_test_servers::{Options, Server};

use crate::support::{ONE, begin, installed, now, open, patch, value};

/// Counts up in a session until it is told to stop; each increment is sent again under its id until
/// it is acknowledged.
fn count_up(
    store: &RedisStore,
    session: &StoreKey,
    stop: &Arc<AtomicBool>,
) -> (tokio::task::JoinHandle<()>, Arc<AtomicU64>) {
    let acknowledged = Arc::new(AtomicU64::new(0));
    let (store, session, stop) = (store.clone(), session.clone(), Arc::clone(stop));
    let counter = Arc::clone(&acknowledged);
    let task = tokio::spawn(async move {
        while !stop.load(Ordering::Acquire) {
            let increment = patch().add("n", ONE);
            while store.apply(&session, &increment, now()).await.is_err() {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
            counter.fetch_add(1, Ordering::AcqRel);
            // The replica keeps up: asynchronous replication promises no more than that.
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    });
    (task, acknowledged)
}

/// Kills the first node while sessions are counted up, waits until all go on, and compares. An
/// increment that was acknowledged right before the master died may not have reached the replica:
/// such are counted and printed, one a session at most; none counts twice.
async fn survives(server: &Server, sessions: usize) {
    let store = open(server).await;
    let stop = Arc::new(AtomicBool::new(false));
    let mut counters = Vec::new();
    for _ in 0..sessions {
        let session = begin(&store, &[("n", "0")]).await;
        let (task, acknowledged) = count_up(&store, &session, &stop);
        counters.push((session, task, acknowledged));
    }
    tokio::time::sleep(Duration::from_millis(500)).await;
    server.nodes()[0].kill().unwrap();
    let begun = Instant::now();
    let marks: Vec<_> = counters.iter().map(|(.., n)| n.load(Ordering::Acquire)).collect();
    for ((.., acknowledged), mark) in counters.iter().zip(&marks) {
        while acknowledged.load(Ordering::Acquire) < mark + 3 {
            assert!(begun.elapsed() < Duration::from_secs(30), "a session does not go on");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }
    let took = begun.elapsed();
    stop.store(true, Ordering::Release);
    let (mut all, mut lost) = (0, 0);
    for (session, task, acknowledged) in counters {
        task.await.unwrap();
        let acknowledged = acknowledged.load(Ordering::Acquire);
        let there: u64 = value(&store, &session, "n").await.unwrap().parse().unwrap();
        assert!(there <= acknowledged, "{there} of {acknowledged}: one counted twice");
        assert!(there + 1 >= acknowledged, "{there} of {acknowledged}");
        all += acknowledged;
        lost += acknowledged - there;
    }
    let mut out = std::io::stderr();
    let _ = std::io::Write::write_fmt(
        &mut out,
        format_args!("failover after {took:?}: {lost} of {all} acknowledged increments lost\n"),
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cluster_fails_over_and_goes_on() {
    let Some(server) = installed(Server::redis_cluster(&Options::new().volatile())) else { return };
    survives(&server, 12).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_master_behind_sentinel_fails_over_and_the_store_goes_on() {
    let Some(server) = installed(Server::redis_sentinel(&Options::new().volatile())) else {
        return;
    };
    survives(&server, 4).await;
}

/// A session that was ended before the failover stays ended.
#[tokio::test(flavor = "multi_thread")]
async fn t_out_3_a_logout_survives_the_failover() {
    let Some(server) = installed(Server::redis_sentinel(&Options::new().volatile())) else {
        return;
    };
    let store = open(&server).await;
    let (ended, lives) = (begin(&store, &[]).await, begin(&store, &[]).await);
    assert!(store.delete(&ended, now()).await.unwrap());
    tokio::time::sleep(Duration::from_millis(200)).await;
    server.nodes()[0].kill().unwrap();
    let took = crate::outages::back(&store, &lives).await;
    assert!(took < Duration::from_secs(15), "{took:?}");
    assert!(store.load(&lives, now()).await.unwrap().is_some());
    assert!(store.load(&ended, now()).await.unwrap().is_none());
}
