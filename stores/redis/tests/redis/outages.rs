//! Servers that are gone, frozen or new: errors in time, and recovery by itself.

use std::time::{Duration, Instant};

use tenure_core::store::{Store, StoreErrorKind};
use tenure_redis::RedisStore;
use tenure_test_servers::{Options, Server};

use crate::support::{ONE, apply, ask, begin, installed, load, now, open, patch, redis, value};

/// Waits until the store answers again, and tells how long that took.
pub(crate) async fn back(store: &RedisStore, key: &tenure_core::store::StoreKey) -> Duration {
    let begun = Instant::now();
    while store.load(key, now()).await.is_err() {
        assert!(begun.elapsed() < Duration::from_secs(20), "the store does not come back");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    begun.elapsed()
}

/// While the server is gone every call fails at once; when it is back, the store is within a
/// second, with all that was acknowledged.
#[tokio::test(flavor = "multi_thread")]
async fn a_restart_is_survived_within_a_second() {
    let Some(server) = installed(Server::redis(&Options::new())) else { return };
    let store = open(&server).await;
    let session = begin(&store, &[("n", "1")]).await;
    for round in 0..3 {
        apply(&store, &session, &patch().add("n", ONE)).await;
        server.kill().unwrap();
        let first = store.load(&session, now()).await.unwrap_err();
        assert_eq!(first.kind(), StoreErrorKind::Unavailable, "{first}");
        for _ in 0..50 {
            let begun = Instant::now();
            let error = store.load(&session, now()).await.unwrap_err();
            assert_eq!(error.kind(), StoreErrorKind::Unavailable, "{error}");
            assert!(begun.elapsed() < Duration::from_millis(100), "{:?}", begun.elapsed());
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        server.start().unwrap();
        let took = back(&store, &session).await;
        assert!(took < Duration::from_secs(1), "round {round}: back after {took:?}");
        let expected = (round + 2).to_string();
        assert_eq!(value(&store, &session, "n").await, Some(expected), "round {round}");
    }
}

/// A server that says nothing is a timeout, and afterwards an error at once.
#[tokio::test(flavor = "multi_thread")]
async fn a_frozen_server_is_a_timeout_and_then_known() {
    let Some(server) = redis() else { return };
    let store = open(&server).await;
    let session = begin(&store, &[]).await;
    server.nodes()[0].pause().unwrap();
    let begun = Instant::now();
    let error = store.load(&session, now()).await.unwrap_err();
    assert_eq!(error.kind(), StoreErrorKind::Timeout, "{error}");
    assert!(begun.elapsed() < Duration::from_millis(1_900), "{:?}", begun.elapsed());
    // The attempt to connect again, which nobody answers either.
    let _ = store.load(&session, now()).await;
    let begun = Instant::now();
    let error = store.load(&session, now()).await.unwrap_err();
    assert_eq!(error.kind(), StoreErrorKind::Unavailable, "{error}");
    assert!(begun.elapsed() < Duration::from_millis(100), "{:?}", begun.elapsed());
    server.nodes()[0].resume().unwrap();
    let took = back(&store, &session).await;
    assert!(took < Duration::from_secs(1), "back after {took:?}");
}

/// A connection that somebody cuts is made again before anybody misses it.
#[tokio::test(flavor = "multi_thread")]
async fn a_cut_connection_is_made_again_unasked() {
    let Some(server) = redis() else { return };
    let store = open(&server).await;
    let session = begin(&store, &[]).await;
    for _ in 0..5 {
        ask(&server, &["CLIENT", "KILL", "TYPE", "normal"]);
        tokio::time::sleep(Duration::from_millis(300)).await;
        load(&store, &session).await;
    }
}

/// A server that comes back empty has no sessions, and says so.
#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_has_forgotten_all_has_no_session() {
    let Some(server) = redis() else { return };
    let store = open(&server).await;
    let session = begin(&store, &[("n", "1")]).await;
    server.kill().unwrap();
    server.start().unwrap();
    back(&store, &session).await;
    assert!(store.load(&session, now()).await.unwrap().is_none());
    let applied = store.apply(&session, &patch().add("n", ONE), now()).await.unwrap();
    assert!(matches!(applied, tenure_core::store::Applied::Gone), "{applied:?}");
    load(&store, &begin(&store, &[]).await).await;
}

/// A server without memory refuses writes, which is no lost session.
#[tokio::test]
async fn a_full_server_is_unavailable_and_reads_go_on() {
    let Some(server) = redis() else { return };
    let store = open(&server).await;
    let session = begin(&store, &[("n", "1")]).await;
    ask(&server, &["CONFIG", "SET", "maxmemory", "1"]);
    let error = store.apply(&session, &patch().add("n", ONE), now()).await.unwrap_err();
    assert_eq!(error.kind(), StoreErrorKind::Unavailable, "{error}");
    assert!(error.to_string().contains("maxmemory"), "{error}");
    ask(&server, &["CONFIG", "SET", "maxmemory", "0"]);
    assert_eq!(value(&store, &session, "n").await.as_deref(), Some("1"));
}
