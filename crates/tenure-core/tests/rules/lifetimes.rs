use std::time::Duration;

use tenure_core::store::MemoryStore;
use tenure_core::{ErrorKind, Result, Session, Sessions};
use tenure_testkit::{ManualClock, Operation, Recorder};

use crate::visitor::{MILLI, Visitor, configured, minutes, shop};

/// T-EXP-1, R2, P5: to the millisecond, whether or not the record has been swept.
#[tokio::test]
async fn t_exp_1_a_session_ends_when_it_is_not_used() {
    let (sessions, clock) = shop();
    let mut ada = Visitor::new(&sessions);
    ada.get(|session| session.set("n", 1)).await;
    clock.advance(minutes(30) - MILLI);
    assert_eq!(ada.number("n").await, Some(1), "one millisecond before");
    clock.advance(minutes(30) - MILLI);
    assert_eq!(ada.number("n").await, Some(1), "the use before counted");
    clock.advance(minutes(30));
    assert_eq!(ada.number("n").await, None, "at the deadline");
}

/// T-EXP-2: however often it is used.
#[tokio::test]
async fn t_exp_2_no_use_passes_the_absolute_timeout() {
    let (sessions, clock) = shop();
    let mut ada = Visitor::new(&sessions);
    ada.get(|session| session.set("n", 1)).await;
    for _ in 0..7 {
        clock.advance(minutes(16));
        ada.get(|session| session.increment("n", 1)).await;
    }
    clock.advance(minutes(8) - MILLI);
    assert_eq!(ada.number("n").await, Some(8));
    clock.advance(MILLI);
    assert_eq!(ada.number("n").await, None);
}

/// T-EXP-3: the server keeps the time; a client that keeps its cookie for ever gains nothing, and
/// one whose cookie has no date loses nothing.
#[tokio::test]
async fn t_exp_3_the_cookie_decides_nothing() {
    let (sessions, clock) = shop();
    let mut ada = Visitor::new(&sessions);
    let (_, answer) = ada.visit(|session| session.set("n", 1)).await;
    let cookie = answer.headers["set-cookie"].to_str().unwrap();
    assert!(!cookie.contains("Max-Age") && !cookie.contains("Expires"), "T-NIST-2: {cookie}");
    clock.advance(minutes(31));
    assert_eq!(ada.number("n").await, None);
}

/// T-EXP-4, R2: an expired record is absent for writing too, and the client's id is not used again.
#[tokio::test]
async fn t_exp_4_writing_to_an_expired_session_begins_a_new_one() {
    let (sessions, clock) = shop();
    let mut ada = Visitor::new(&sessions);
    ada.get(|session| session.set("old", 1)).await;
    let before = ada.clone();
    clock.advance(minutes(31));
    ada.get(|session| session.set("new", 2)).await;
    assert_ne!(ada.token, before.token);
    assert_eq!(ada.number("old").await, None);
    assert_eq!(ada.number("new").await, Some(2));
    assert_eq!(before.clone().number("new").await, None);
}

#[tokio::test]
async fn r2_a_request_that_began_in_time_cannot_write_after_the_end() {
    let (sessions, clock) = shop();
    let mut ada = Visitor::new(&sessions);
    ada.get(|session| session.set("n", 1)).await;
    let exchange = ada.open();
    let session = exchange.session().load().await.unwrap();
    clock.advance(minutes(30));
    session.set("n", 2).unwrap();
    let answer = ada.close(exchange).await;
    assert!(answer.closed.is_ok() && !answer.sets_cookie());
    assert_eq!(sessions.counts().gone, 1);
    assert_eq!(ada.number("n").await, None);
}

fn recorded(clock: &ManualClock) -> (Recorder<MemoryStore>, tenure_core::SessionsBuilder) {
    let store = Recorder::new(MemoryStore::new());
    (store.clone(), configured(store, clock))
}

async fn touches(store: &Recorder<MemoryStore>, sessions: Sessions, clock: &ManualClock) -> usize {
    let mut ada = Visitor::new(&sessions);
    ada.get(|session| session.set("n", 1)).await;
    store.clear();
    for _ in 0..60 {
        clock.advance(Duration::from_secs(10));
        ada.number("n").await;
    }
    store.operations().into_iter().filter(|operation| *operation == Operation::Touch).count()
}

/// X5, A10: uses are noted once a minute; an interval of zero notes each.
#[tokio::test]
async fn x5_touches_are_throttled() {
    let clock = ManualClock::new();
    let (store, builder) = recorded(&clock);
    assert_eq!(touches(&store, builder.build().unwrap(), &clock).await, 10);
    let (store, builder) = recorded(&clock);
    let every = builder.touch_interval(Duration::ZERO).build().unwrap();
    assert_eq!(touches(&store, every, &clock).await, 60);
    let (store, builder) = recorded(&clock);
    let short = builder.idle_timeout(Duration::from_secs(200)).build().unwrap();
    assert_eq!(touches(&store, short, &clock).await, 30, "a tenth of the idle timeout");
}

/// P5: on request a use is every request, also one that never asks for its session.
#[tokio::test]
async fn p5_touch_every_request() {
    let clock = ManualClock::new();
    let (store, builder) = recorded(&clock);
    let sessions = builder.touch_every_request().build().unwrap();
    let mut ada = Visitor::new(&sessions);
    ada.get(|session| session.set("n", 1)).await;
    for _ in 0..3 {
        clock.advance(minutes(20));
        store.clear();
        let exchange = ada.open();
        assert!(!ada.close(exchange).await.sets_cookie());
        assert_eq!(store.operations(), [Operation::Touch]);
    }
    assert_eq!(ada.number("n").await, Some(1));
}

/// "Remember me": a session's own idle timeout, which blind writes and touches respect too.
#[tokio::test]
async fn f11_a_session_may_have_an_idle_timeout_of_its_own() {
    let (sessions, clock) = shop();
    let mut ada = Visitor::new(&sessions);
    ada.get(|session| {
        session.set("n", 1)?;
        session.set_idle_timeout(minutes(5))
    })
    .await;
    clock.advance(minutes(4));
    let exchange = ada.open();
    exchange.session().increment("n", 1).unwrap();
    ada.close(exchange).await.closed.unwrap();
    clock.advance(minutes(5) - MILLI);
    assert_eq!(ada.number("n").await, Some(2));
    clock.advance(minutes(5));
    assert_eq!(ada.number("n").await, None);

    let (error, _) = ada.visit(|session| session.set_idle_timeout(minutes(121))).await;
    assert_eq!(error.unwrap_err().kind(), ErrorKind::Config);
}

#[tokio::test]
async fn a_longer_idle_timeout_is_kept_by_uses() {
    let (sessions, clock) = shop();
    let mut ada = Visitor::new(&sessions);
    ada.get(|session| {
        session.set("n", 1)?;
        session.set_idle_timeout(minutes(60))
    })
    .await;
    clock.advance(minutes(50));
    assert_eq!(ada.get(|session| Ok(session.idle_timeout())).await, minutes(60));
    clock.advance(minutes(59));
    assert_eq!(ada.number("n").await, Some(1));
}

/// "Remember me" is for one user: whoever takes a session over begins with the configured timeout,
/// or with one that the same request sets.
#[tokio::test]
async fn f11_an_idle_timeout_does_not_change_hands() {
    type Change = fn(&Session) -> Result<()>;
    let changes: [(Change, u64); 7] = [
        (|session| session.login("ada"), 60),
        (|session| session.login("bob"), 30),
        (|session| session.login_keeping("bob", &["n"]), 30),
        (|session| session.login("bob").and_then(|()| session.login("bob")), 30),
        (|session| session.login("bob").and_then(|()| session.set_idle_timeout(minutes(5))), 5),
        (|session| session.set_idle_timeout(minutes(90)).and_then(|()| session.login("bob")), 90),
        (|session| session.logout().and_then(|()| session.login("bob")), 30),
    ];
    for (at, (change, left)) in changes.into_iter().enumerate() {
        let (sessions, clock) = shop();
        let mut visitor = Visitor::new(&sessions);
        visitor
            .get(|session| {
                session.login("ada")?;
                session.set_idle_timeout(minutes(60))
            })
            .await;
        clock.advance(minutes(1));
        let seen = visitor.get(|session| change(session).map(|()| session.idle_timeout())).await;
        assert_eq!(seen, minutes(left), "change {at} in the request itself");
        let mut late = visitor.clone();
        let seen = visitor.get(|session| Ok(session.idle_timeout())).await;
        assert_eq!(seen, minutes(left), "change {at}");
        clock.advance(minutes(left) - MILLI);
        let exchange = late.open();
        assert!(exchange.session().load().await.unwrap().exists(), "change {at}");
        drop(exchange);
        clock.advance(MILLI);
        assert_eq!(late.user().await, None, "change {at}");
    }
}

#[tokio::test]
async fn f11_a_visitors_idle_timeout_survives_the_login() {
    let (sessions, clock) = shop();
    let mut ada = Visitor::new(&sessions);
    ada.get(|session| {
        session.set("n", 1)?;
        session.set_idle_timeout(minutes(60))
    })
    .await;
    ada.get(|session| session.login("ada")).await;
    assert_eq!(ada.get(|session| Ok(session.idle_timeout())).await, minutes(60));
    clock.advance(minutes(59));
    assert_eq!(ada.user().await.as_deref(), Some("ada"));
}

/// What is known of a session.
#[tokio::test]
async fn p4_a_session_knows_its_times() {
    let (sessions, clock) = shop();
    let began = tenure_core::Clock::now(&clock);
    let mut ada = Visitor::new(&sessions);
    ada.get(|session| session.set("n", 1)).await;
    clock.advance(minutes(10));
    ada.number("n").await;
    let (created, seen, expires) = ada
        .get(|session| Ok((session.created_at(), session.last_seen(), session.expires_at())))
        .await;
    assert_eq!(created, Some(began.into()));
    assert_eq!(seen, Some((began + minutes(10)).into()));
    assert_eq!(expires, Some((began + minutes(40)).into()));
}
