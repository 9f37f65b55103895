use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Waker};
use std::time::Duration;

use tenure_core::engine::WhenUnavailable;
use tenure_core::store::{MemoryStore, StoreErrorKind};
use tenure_core::{ErrorKind, Sessions, SessionsBuilder};
use tenure_testkit::{Fault, FaultStore, ManualClock, Operation};

use crate::visitor::{Visitor, configured};

type Faulty = FaultStore<MemoryStore>;

fn faulty() -> (Faulty, ManualClock, SessionsBuilder) {
    let (store, clock) = (FaultStore::new(MemoryStore::new()), ManualClock::new());
    (store.clone(), clock.clone(), configured(store, &clock))
}

async fn counted(sessions: &Sessions) -> Visitor {
    let mut ada = Visitor::new(sessions);
    ada.get(|session| session.increment("n", 1)).await;
    ada
}

/// X14: down is an error and never an empty session; nothing is set, nothing cleared.
#[tokio::test]
async fn x14_a_store_that_is_down_is_an_error() {
    let (store, _clock, builder) = faulty();
    let told = Arc::new(AtomicUsize::new(0));
    let hook = Arc::clone(&told);
    let sessions = builder
        .on_error(move |error| {
            assert!(error.is_retryable());
            hook.fetch_add(1, Ordering::Relaxed);
            panic!("a hook that fails changes nothing");
        })
        .build()
        .unwrap();
    let mut ada = counted(&sessions).await;
    store.inject_everywhere(Fault::unavailable());
    let exchange = ada.open();
    let error = exchange.session().load().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unavailable);
    assert!(!ada.close(exchange).await.sets_cookie());
    assert_eq!(told.load(Ordering::Relaxed), 1);
    store.heal();
    assert_eq!(ada.number("n").await, Some(1), "and back by itself");
}

#[tokio::test]
async fn x14_a_ping_says_whether_the_store_answers() {
    let (store, _clock, builder) = faulty();
    let sessions = builder.build().unwrap();
    sessions.ping().await.unwrap();
    store.inject_everywhere(Fault::unavailable());
    assert_eq!(sessions.ping().await.unwrap_err().kind(), ErrorKind::Unavailable);
    store.heal();
    sessions.ping().await.unwrap();
}

#[tokio::test]
async fn a_commit_that_fails_is_an_error_and_sets_no_cookie() {
    let (store, _clock, builder) = faulty();
    let sessions = builder.build().unwrap();
    let mut ada = Visitor::new(&sessions);
    store.inject_times(Operation::Create, Fault::unavailable(), 2);
    let (_, answer) = ada.visit(|session| session.set("n", 1)).await;
    assert_eq!(answer.closed.as_ref().unwrap_err().kind(), ErrorKind::Unavailable);
    assert!(!answer.sets_cookie());
}

/// One safe retry: an answer that was lost is asked for again, and nothing happens twice.
#[tokio::test]
async fn a_lost_answer_is_asked_for_again() {
    let (store, _clock, builder) = faulty();
    let sessions = builder.build().unwrap();
    let mut ada = counted(&sessions).await;
    for (operation, kind) in [
        (Operation::Apply, StoreErrorKind::Unavailable),
        (Operation::Apply, StoreErrorKind::Timeout),
    ] {
        store.inject(operation, Fault::answer_lost(kind));
        ada.get(|session| session.increment("n", 1)).await;
    }
    assert_eq!(ada.number("n").await, Some(3));

    store.inject(Operation::Apply, Fault::answer_lost(StoreErrorKind::Unavailable));
    ada.get(|session| session.login("ada")).await;
    assert_eq!(ada.user().await.as_deref(), Some("ada"), "a rotation too");

    let mut bob = Visitor::new(&sessions);
    store.inject(Operation::Create, Fault::answer_lost(StoreErrorKind::Unavailable));
    bob.get(|session| session.increment("n", 1)).await;
    assert_eq!(bob.number("n").await, Some(1));

    store.inject(Operation::Delete, Fault::answer_lost(StoreErrorKind::Unavailable));
    bob.get(|session| session.logout()).await;
    assert_eq!(bob.token, None, "the logout was done, so the cookie goes");
}

/// The time limit holds for a store that never answers, whatever it is asked.
#[tokio::test]
async fn a_store_that_hangs_is_given_up() {
    for operation in [Operation::Load, Operation::Apply] {
        let (store, clock, builder) = faulty();
        let sessions = builder.store_timeout(Duration::from_secs(2)).build().unwrap();
        let ada = counted(&sessions).await;
        store.inject(operation, Fault::hang());
        let mut visitor = ada.clone();
        let task = tokio::spawn(async move {
            let exchange = visitor.open();
            match exchange.session().load().await {
                Ok(session) => session.increment("n", 1).unwrap(),
                Err(error) => return Err(error),
            }
            visitor.close(exchange).await.closed
        });
        while clock.sleepers() == 0 {
            tokio::task::yield_now().await;
        }
        clock.advance(Duration::from_millis(1_999));
        tokio::task::yield_now().await;
        assert!(!task.is_finished(), "not before its time");
        clock.advance(Duration::from_millis(1));
        let error = task.await.unwrap().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Timeout);
        assert!(std::error::Error::source(&error).unwrap().to_string().contains("store_timeout"));
        assert_eq!(ada.clone().number("n").await, Some(1));
    }
}

/// Degraded: an empty session to read, which never commits and touches no cookie.
#[tokio::test]
async fn degraded_sessions_read_empty_and_write_nothing() {
    let (store, _clock, builder) = faulty();
    let sessions = builder.when_unavailable(WhenUnavailable::Degrade).build().unwrap();
    let mut ada = counted(&sessions).await;
    store.inject_everywhere(Fault::unavailable());
    let (outcome, answer) = ada
        .visit(|session| {
            assert_eq!(session.get::<i64>("n").unwrap(), None);
            session.set("n", 2)
        })
        .await;
    assert_eq!(outcome.unwrap_err().kind(), ErrorKind::ReadOnly);
    assert!(answer.closed.is_ok() && !answer.sets_cookie());
    store.heal();
    assert_eq!(ada.number("n").await, Some(1));
}

/// A `save` that is dropped before its end loses nothing and does nothing twice, wherever it stood.
#[tokio::test]
async fn a_cancelled_save_loses_nothing() {
    for fault in [Fault::hang(), Fault::hang_after()] {
        for creates in [false, true] {
            let (store, _clock, builder) = faulty();
            let sessions = builder.build().unwrap();
            let mut ada = Visitor::new(&sessions);
            if !creates {
                ada.get(|session| session.set("n", 10)).await;
            }
            let operation = if creates { Operation::Create } else { Operation::Apply };
            store.inject(operation, fault.clone());
            let exchange = ada.open();
            let session = exchange.session().load().await.unwrap();
            session.increment("n", 1).unwrap();
            {
                let mut save = pin!(session.save());
                let mut cx = Context::from_waker(Waker::noop());
                assert!(save.as_mut().poll(&mut cx).is_pending());
                assert_eq!(
                    session.get::<i64>("n").unwrap(),
                    Some(if creates { 1 } else { 11 }),
                    "reads see what is on its way"
                );
            }
            session.increment("n", 1).unwrap();
            ada.close(exchange).await.closed.unwrap();
            assert_eq!(ada.number("n").await, Some(if creates { 2 } else { 12 }));
        }
    }
}

/// A request that is dropped commits nothing.
#[tokio::test]
async fn a_dropped_request_commits_nothing() {
    let (_store, _clock, builder) = faulty();
    let sessions = builder.build().unwrap();
    let mut ada = counted(&sessions).await;
    let exchange = ada.open();
    exchange.session().load().await.unwrap().increment("n", 1).unwrap();
    drop(exchange);
    assert_eq!(ada.number("n").await, Some(1));
}

/// A type that does not fit is seen at the commit of a blind write: nothing of it is applied, and
/// the error hook hears of it.
#[tokio::test]
async fn a_blind_write_that_does_not_fit_applies_nothing() {
    let (_store, _clock, builder) = faulty();
    let sessions = builder.build().unwrap();
    let mut ada = Visitor::new(&sessions);
    ada.get(|session| session.set("name", "ada")).await;
    let exchange = ada.open();
    let lazy = exchange.session();
    lazy.set("other", 1).unwrap();
    lazy.increment("name", 1).unwrap();
    let error = ada.close(exchange).await.closed.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Type);
    assert_eq!(sessions.counts().errors, 1);
    assert_eq!(ada.number("other").await, None);
}

/// T-DESER-1: a record of another version is no session, and counted.
#[tokio::test]
async fn t_deser_1_an_unknown_version_is_no_session() {
    let (store, _clock, builder) = faulty();
    let sessions = builder.build().unwrap();
    let mut ada = counted(&sessions).await;
    store.inject(Operation::Load, Fault::error(StoreErrorKind::UnknownVersion));
    assert_eq!(ada.number("n").await, None);
    assert_eq!(sessions.counts().unknown_version, 1);
    store.inject(Operation::Load, Fault::error(StoreErrorKind::Corrupt));
    let exchange = ada.open();
    assert_eq!(exchange.session().load().await.unwrap_err().kind(), ErrorKind::Corrupt);
}
