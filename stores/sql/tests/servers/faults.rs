use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

use tenure_core::store::{Store, StoreErrorKind};
use tenure_core::value::Number;
use tenure_test_servers::Options;

use crate::support::{
    Kind, NOW, ONE, Place, Wish, applied, key, loaded, on_each, patch, private, record,
};

on_each! {
    a_frozen_server_is_a_timeout
    a_dropped_commit_is_whole_and_the_connection_can_be_used
}

async fn a_frozen_server_is_a_timeout<K: Kind>() {
    let Some(server) = private::<K>(&Options::new().volatile()) else { return };
    let wish = Wish::new().limit(Duration::from_millis(800));
    let store = K::open(&wish, server.url()).await.unwrap();
    K::migrate(&store).await.unwrap();
    store.create(&key(1), &record(), NOW).await.unwrap();
    server.pause().unwrap();
    let begun = Instant::now();
    let error = store.load(&key(1), NOW).await.unwrap_err();
    assert!(begun.elapsed() < Duration::from_secs(2), "{:?}", begun.elapsed());
    assert!(error.is_retryable(), "{error}");
    assert!(
        matches!(error.kind(), StoreErrorKind::Timeout | StoreErrorKind::Unavailable),
        "{error}"
    );
    server.resume().unwrap();
    let begun = Instant::now();
    while store.load(&key(1), NOW).await.is_err() {
        assert!(begun.elapsed() < Duration::from_secs(5), "it does not come back");
    }
    loaded(&store, &key(1)).await;
}

/// Polls `future` at most `polls` times and drops it, done or not.
async fn cut_short<F: Future>(future: F, polls: u32) -> Option<F::Output> {
    let mut future = pin!(future);
    for _ in 0..polls {
        if let Poll::Ready(done) = future.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
            return Some(done);
        }
        tokio::task::yield_now().await;
    }
    None
}

/// Law 11, on a pool of one connection: had the dropped operation left anything behind, the next
/// would meet it.
async fn a_dropped_commit_is_whole_and_the_connection_can_be_used<K: Kind>() {
    let Some(place) = Place::<K>::new(Wish::new().connections(1)).await else { return };
    let store = &place.store;
    store.create(&key(1), &record(), NOW).await.unwrap();
    let stale = Arc::new(loaded(store, &key(1)).await);
    applied(store, &key(1), patch().add("n", Number::Int(0))).await;
    let mut n = 0;
    for round in 0..200 {
        let id = patch();
        let change = id.add("n", ONE).add("m", ONE);
        let change = if round % 2 == 0 { change.on(stale.clone()) } else { change };
        let done = cut_short(store.apply(&key(1), &change, NOW), round / 2).await;
        let there = loaded(store, &key(1)).await;
        let number = |name| there.data.get(name).unwrap_or("0").parse::<u32>().unwrap();
        assert_eq!(number("n"), number("m"), "all or nothing");
        assert!(number("n") == n + 1 || (done.is_none() && number("n") == n), "round {round}");
        applied(store, &key(1), change).await;
        n += 1;
        let there = loaded(store, &key(1)).await;
        assert_eq!(there.data.get("n"), Some(n.to_string().as_str()), "once, round {round}");
    }
    place.end().await;
}
