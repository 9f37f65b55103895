//! X7, R26: secrets for one use, and values taken once.

use std::sync::Arc;
use std::time::Duration;

use tenure_core::store::{MemoryStore, Store, StoreErrorKind, UserIndex};
use tenure_core::{Clock, ErrorKind, Session, SystemClock, UserId};
use tenure_testkit::{Fault, FaultStore, ManualClock, Operation, Recorder};
use tokio::task::JoinSet;

use crate::visitor::{MILLI, Visitor, configured, shop};

const MINUTE: Duration = Duration::from_secs(60);

/// A visitor's session with a secret, and the secret.
async fn issued(visitor: &mut Visitor) -> String {
    visitor.get(|session| session.issue_secret("state", MINUTE)).await
}

/// Consumes in a request of its own.
async fn consume(visitor: &mut Visitor, presented: &str) -> bool {
    let exchange = visitor.open();
    let session = exchange.session().load().await.unwrap();
    let won = session.consume("state", presented).await.unwrap();
    visitor.close(exchange).await.closed.unwrap();
    won
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn x7_r26_of_a_hundred_one_wins() {
    let (sessions, _clock) = shop();
    for _ in 0..20 {
        let mut visitor = Visitor::new(&sessions);
        let secret = Arc::new(issued(&mut visitor).await);
        let mut calls = JoinSet::new();
        for _ in 0..100 {
            let (mut visitor, secret) = (visitor.clone(), Arc::clone(&secret));
            calls.spawn(async move { consume(&mut visitor, &secret).await });
        }
        let won = calls.join_all().await.into_iter().filter(|won| *won).count();
        assert_eq!(won, 1);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn x7_r26_of_a_hundred_one_takes_the_value() {
    let (sessions, _clock) = shop();
    let mut visitor = Visitor::new(&sessions);
    visitor.get(|session| session.set("verifier", "v")).await;
    let mut calls = JoinSet::new();
    for _ in 0..100 {
        let visitor = visitor.clone();
        calls.spawn(async move {
            let session = visitor.open().session().load().await.unwrap();
            session.take_once::<String>("verifier").await.unwrap()
        });
    }
    let taken: Vec<_> = calls.join_all().await.into_iter().flatten().collect();
    assert_eq!(taken, ["v"]);
}

#[tokio::test]
async fn x7_a_secret_is_good_once_and_in_time() {
    let (sessions, clock) = shop();
    let mut visitor = Visitor::new(&sessions);
    let secret = issued(&mut visitor).await;
    assert!(!consume(&mut visitor, "wrong").await);
    assert!(!consume(&mut visitor, "").await);
    assert!(consume(&mut visitor, &secret).await);
    assert!(!consume(&mut visitor, &secret).await);

    let secret = issued(&mut visitor).await;
    clock.advance(MINUTE - MILLI);
    let last = visitor.clone();
    clock.advance(MILLI);
    assert!(!consume(&mut visitor, &secret).await, "too late");
    let secret = issued(&mut visitor).await;
    clock.advance(MINUTE - MILLI);
    assert!(consume(&mut visitor, &secret).await, "in time");
    assert_eq!(last.token, visitor.token);
}

#[tokio::test]
async fn x7_a_secret_has_a_name_and_a_session() {
    let (sessions, _clock) = shop();
    let [mut ada, mut eve] = [Visitor::new(&sessions), Visitor::new(&sessions)];
    let secret = issued(&mut ada).await;
    let other = issued(&mut eve).await;
    assert!(!consume(&mut eve, &secret).await, "it is another session's");
    let found = ada.get(|session| Ok((session.keys(), session.raw("state")?))).await;
    assert_eq!(found, (Vec::new(), None), "no key of the application's");
    let exchange = ada.open();
    let session = exchange.session().load().await.unwrap();
    assert!(!session.consume("stat", &secret).await.unwrap());
    assert!(!session.consume("state", &other).await.unwrap());
    assert!(session.consume("state", &secret).await.unwrap());
}

/// What the store holds does not say what the secret is.
#[tokio::test]
async fn x7_the_store_has_a_hash() {
    let (sessions, _clock) = shop();
    let mut visitor = Visitor::new(&sessions);
    visitor.get(|session| session.login("ada")).await;
    let secret = issued(&mut visitor).await;
    let users = sessions.store().users().unwrap();
    let ada = UserId::new("ada").unwrap();
    let listed = users.list(sessions.namespace(), &ada, SystemClock.now()).await.unwrap();
    let data = &listed[0].record.data;
    assert_eq!(data.len(), 1);
    assert!(data.iter().all(|(_, value)| !value.contains(&secret)), "{data:?}");
}

#[tokio::test]
async fn x7_what_is_wrong_costs_no_store_call() {
    let recorder = Recorder::new(MemoryStore::new());
    let sessions = configured(recorder.clone(), &ManualClock::new()).build().unwrap();
    let mut visitor = Visitor::new(&sessions);
    issued(&mut visitor).await;
    let session = visitor.open().session().load().await.unwrap();
    let before = recorder.operations().len();
    for presented in ["", "wrong", "\0", &"x".repeat(1 << 20)] {
        assert!(!session.consume("state", presented).await.unwrap());
    }
    assert!(!session.consume("nothing", "x").await.unwrap());
    assert_eq!(recorder.operations().len(), before);
}

/// A log-in drops what was planted before it, and so does a logout.
#[tokio::test]
async fn x7_a_log_in_drops_secrets() {
    let (sessions, _clock) = shop();
    let mut visitor = Visitor::new(&sessions);
    let secret = issued(&mut visitor).await;
    visitor.get(|session| session.login("ada")).await;
    assert!(!consume(&mut visitor, &secret).await);
    let secret = issued(&mut visitor).await;
    visitor.get(Session::regenerate).await;
    assert!(consume(&mut visitor, &secret).await, "no change of privilege");
}

#[tokio::test]
async fn x7_nobody_wins_in_a_session_that_has_ended() {
    let (sessions, _clock) = shop();
    let mut visitor = Visitor::new(&sessions);
    let secret = issued(&mut visitor).await;
    let session = visitor.open().session().load().await.unwrap();
    visitor.get(Session::logout).await;
    assert!(!session.consume("state", &secret).await.unwrap());
    assert_eq!(session.take_once::<String>("state").await.unwrap(), None);
}

/// A store that is down is an error, not a loser; and an answer that is lost is asked for again.
#[tokio::test]
async fn x7_a_lost_answer_is_asked_for_again() {
    let store = FaultStore::new(MemoryStore::new());
    let sessions = configured(store.clone(), &ManualClock::new()).build().unwrap();
    let mut visitor = Visitor::new(&sessions);
    let secret = issued(&mut visitor).await;
    let session = visitor.open().session().load().await.unwrap();
    store.inject(Operation::Apply, Fault::answer_lost(StoreErrorKind::Unavailable));
    assert!(session.consume("state", &secret).await.unwrap(), "the second attempt tells");
    let secret = issued(&mut visitor).await;
    let session = visitor.open().session().load().await.unwrap();
    store.inject_times(Operation::Apply, Fault::unavailable(), 2);
    let error = session.consume("state", &secret).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unavailable);
}

#[tokio::test]
async fn x7_for_reading_only_uses_nothing_up() {
    let (sessions, _clock) = shop();
    let mut visitor = Visitor::new(&sessions);
    let secret = issued(&mut visitor).await;
    let session = visitor.open().session().load().await.unwrap();
    let error = session.read_only().consume("state", &secret).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ReadOnly);
    assert!(session.consume("state", &secret).await.unwrap());
}
