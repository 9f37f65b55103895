use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tenure_core::ErrorKind;

use crate::visitor::{Visitor, shop};

/// Closures run under no lock: one may call the session that it updates.
#[tokio::test]
async fn a_closure_may_call_the_session() {
    let (sessions, _clock) = shop();
    let mut ada = Visitor::new(&sessions);
    ada.get(|session| {
        let inner = session.clone();
        session.update("n", move |n: &mut i64| {
            *n = 1 + inner.get::<i64>("m").unwrap().unwrap_or(0);
            let _ = inner.set("seen", true);
        })
    })
    .await;
    assert_eq!(ada.number("n").await, Some(1));

    let (outcome, _) = ada
        .visit(|session| {
            let inner = session.clone();
            session.update("n", move |n: &mut i64| {
                *n += 1;
                let _ = inner.increment("n", 1);
            })
        })
        .await;
    assert_eq!(outcome.unwrap_err().kind(), ErrorKind::Conflict, "it never comes to rest");
}

/// A panic in a handler's closure records nothing and leaves the session usable.
#[tokio::test]
async fn a_closure_that_panics_records_nothing() {
    let (sessions, _clock) = shop();
    let mut ada = Visitor::new(&sessions);
    ada.get(|session| session.set("n", 1)).await;
    ada.get(|session| {
        let panicked = std::panic::catch_unwind(AssertUnwindSafe(|| {
            let _ = session.update("n", |_: &mut i64| panic!("on purpose"));
        }));
        assert!(panicked.is_err());
        session.increment("n", 1)
    })
    .await;
    assert_eq!(ada.number("n").await, Some(2));
}

/// It runs again only when the value has changed, and one that panics then fails its commit alone.
#[tokio::test]
async fn closures_run_again_on_the_newest_value() {
    let (sessions, _clock) = shop();
    let mut ada = Visitor::new(&sessions);
    ada.get(|session| session.set("n", 1)).await;
    let runs = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&runs);
    let exchange = ada.open();
    exchange
        .session()
        .load()
        .await
        .unwrap()
        .update("n", move |n: &mut i64| {
            count.fetch_add(1, Ordering::Relaxed);
            *n *= 10;
        })
        .unwrap();
    assert_eq!(runs.load(Ordering::Relaxed), 1);
    ada.clone().get(|session| session.set("other", 1)).await;
    ada.clone().get(|session| session.set("n", 2)).await;
    ada.close(exchange).await.closed.unwrap();
    assert_eq!(runs.load(Ordering::Relaxed), 2, "another key does not count");
    assert_eq!(ada.number("n").await, Some(20));

    let exchange = ada.open();
    let session = exchange.session().load().await.unwrap();
    session.set("beside", 1).unwrap();
    session
        .update("n", |n: &mut i64| if *n == 20 { *n += 1 } else { panic!("on purpose") })
        .unwrap();
    ada.clone().get(|session| session.set("n", 3)).await;
    let error = ada.close(exchange).await.closed.unwrap_err();
    assert!(error.to_string().contains("\"n\""), "{error}");
    assert_eq!((ada.number("n").await, ada.number("beside").await), (Some(3), None));
}

/// Reads see the request's own writes, in every order of operations.
#[tokio::test]
async fn reads_see_own_writes() {
    let (sessions, _clock) = shop();
    let mut ada = Visitor::new(&sessions);
    ada.get(|session| session.merge([("a", 1), ("b", 2), ("c", 3)])).await;
    ada.get(|session| {
        session.remove("a")?;
        session.increment("a", 5)?;
        session.increment("b", 5)?;
        session.update("b", |b: &mut i64| *b *= 2)?;
        assert_eq!(session.get::<i64>("a")?, Some(5));
        assert_eq!(session.get::<i64>("b")?, Some(14));
        assert_eq!(session.keys(), ["a", "b", "c"]);
        session.clear()?;
        assert!(session.is_empty() && !session.contains("b"));
        session.increment("b", 1)?;
        session.push("l", "x")?;
        assert_eq!(session.keys(), ["b", "l"]);
        session.update_with("l", |list: Option<Vec<String>>| {
            assert_eq!(list.unwrap(), ["x"]);
            None
        })
    })
    .await;
    assert_eq!(ada.get(|session| Ok(session.keys())).await, ["b"]);
    assert_eq!(ada.number("b").await, Some(1));
}

/// A7: what does not fit is an error at once, and the session is as before.
#[tokio::test]
async fn a7_an_increment_of_text_changes_nothing() {
    let (sessions, _clock) = shop();
    let mut ada = Visitor::new(&sessions);
    ada.get(|session| session.set("name", "ada")).await;
    let (outcome, answer) = ada.visit(|session| session.increment("name", 1)).await;
    assert_eq!(outcome.unwrap_err().kind(), ErrorKind::Type);
    answer.closed.unwrap();
    let (outcome, _) = ada
        .visit(|session| {
            session.set("max", i64::MAX)?;
            session.increment("max", 1)
        })
        .await;
    assert_eq!(outcome.unwrap_err().kind(), ErrorKind::Overflow);
    assert_eq!(ada.number("max").await, Some(i64::MAX));
    ada.get(|session| {
        session.decrement("down", 3)?;
        session.increment("down", 0.5)
    })
    .await;
    assert_eq!(ada.get(|session| session.get::<f64>("down")).await, Some(-2.5));
}

/// Nor do closures run under a lock when a login begins a fresh session where the old one is gone.
#[tokio::test]
async fn a_closure_may_call_the_session_when_it_begins_anew() {
    let (sessions, _clock) = shop();
    let mut ada = Visitor::new(&sessions);
    ada.get(|session| session.set("n", 1)).await;
    let exchange = ada.open();
    let session = exchange.session().load().await.unwrap();
    let inner = session.clone();
    session.set("kept", 1).unwrap();
    ada.clone().get(tenure_core::Session::logout).await;
    assert_eq!(session.save().await.unwrap_err().kind(), ErrorKind::Gone);
    session
        .update("n", move |n: &mut i64| {
            let _ = inner.contains("kept");
            *n += 1;
        })
        .unwrap();
    session.login("ada").unwrap();
    ada.close(exchange).await.closed.unwrap();
    assert_eq!(ada.user().await.as_deref(), Some("ada"));
    assert_eq!(ada.number("n").await, Some(1), "counted from nothing");
}
