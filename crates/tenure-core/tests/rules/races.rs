use tenure_core::Session;
use tenure_core::store::{MemoryStore, Store};

use crate::visitor::{Visitor, shop};

/// X1, R1 of data: parallel requests on one session, each of them loaded before any has written.
#[tokio::test]
async fn x1_parallel_requests_lose_nothing() {
    let (sessions, _clock) = shop();
    let mut ada = Visitor::new(&sessions);
    ada.get(|session| session.set("n", 0)).await;
    let mut open = Vec::new();
    for i in 0..50 {
        let exchange = ada.open();
        let session = exchange.session().load().await.unwrap();
        session.set(format!("k{i}"), i).unwrap();
        session.increment("n", 1).unwrap();
        session.push("list", i).unwrap();
        session.update("sum", move |sum: &mut i64| *sum += i).unwrap();
        open.push(exchange);
    }
    for exchange in open {
        ada.close(exchange).await.closed.unwrap();
    }
    let (keys, n, sum, list) = ada
        .get(|session| {
            let keys = session.keys().iter().filter(|key| key.starts_with('k')).count();
            let list: Vec<i64> = session.get("list")?.unwrap();
            Ok((keys, session.get::<i64>("n")?, session.get::<i64>("sum")?, list))
        })
        .await;
    assert_eq!((keys, n, sum), (50, Some(50), Some((0..50).sum())));
    assert_eq!(list, (0..50).collect::<Vec<_>>());
}

/// R1, T-OUT-2, X2: whatever a request in flight did, and whenever the logout came, nothing revives
/// the session and the request's answer sends no cookie.
#[tokio::test]
async fn r1_t_out_2_x2_nothing_revives_a_session_after_logout() {
    let work: [fn(&Session); 8] = [
        |session| session.set("n", 2).unwrap(),
        |session| session.increment("n", 1).unwrap(),
        |session| session.update("n", |n: &mut i64| *n += 1).unwrap(),
        |session| session.clear().unwrap(),
        |session| session.remove("n").unwrap(),
        |session| session.touch().unwrap(),
        |session| session.regenerate().unwrap(),
        |session| session.set_idle_timeout(std::time::Duration::from_secs(60)).unwrap(),
    ];
    for schedule in 0..10_000_usize {
        let (sessions, _clock) = shop();
        let mut ada = Visitor::new(&sessions);
        ada.get(|session| {
            session.set("n", 1)?;
            session.login("ada")
        })
        .await;
        let replay = ada.clone();
        let (mut flying, mut leaving) = (ada.clone(), ada.clone());
        let exchange = flying.open();
        let session = exchange.session().load().await.unwrap();
        let early = schedule % 2 == 0;
        if early {
            work[schedule / 2 % work.len()](&session);
        }
        leaving.get(Session::logout).await;
        if !early || schedule % 3 == 0 {
            work[schedule % work.len()](&session);
        }
        if schedule % 5 == 0 {
            let _ = session.save().await;
        }
        let answer = flying.close(exchange).await;
        assert!(answer.closed.is_ok(), "the response goes on");
        assert!(!answer.sets_cookie(), "{schedule}");
        assert_eq!(replay.clone().user().await, None, "{schedule}");
        assert!(replay.clone().get(|session| Ok(session.is_empty())).await, "{schedule}");
    }
}

/// A request that began before a login can neither read nor write what came after.
#[tokio::test]
async fn a_login_supersedes_requests_in_flight() {
    let (sessions, _clock) = shop();
    let mut ada = Visitor::new(&sessions);
    ada.get(|session| session.set("n", 1)).await;
    let mut stale = ada.clone();
    let exchange = stale.open();
    let session = exchange.session().load().await.unwrap();
    ada.get(|session| session.login("ada")).await;
    session.set("n", 666).unwrap();
    let answer = stale.close(exchange).await;
    assert!(answer.closed.is_ok() && !answer.sets_cookie());
    assert_eq!(ada.number("n").await, Some(1));
}

/// A double click on "log in" must not end logged out: both answers bring a session of the user.
#[tokio::test]
async fn two_logins_at_once_both_log_in() {
    let (sessions, _clock) = shop();
    let mut ada = Visitor::new(&sessions);
    ada.get(|session| session.set("cart", 1)).await;
    let (mut first, mut second) = (ada.clone(), ada.clone());
    let (one, two) = (first.open(), second.open());
    for exchange in [&one, &two] {
        exchange.session().load().await.unwrap().login("ada").unwrap();
    }
    first.close(one).await.closed.unwrap();
    second.close(two).await.closed.unwrap();
    assert_eq!(first.user().await.as_deref(), Some("ada"));
    assert_eq!(second.user().await.as_deref(), Some("ada"));
    assert_eq!(second.number("cart").await, None, "a fresh session, with nothing of the old one");
}

/// A logout in flight against a login ends both: the former secret may still delete.
#[tokio::test]
async fn a_logout_in_flight_ends_the_session_that_logged_in() {
    let (sessions, clock) = shop();
    let mut ada = Visitor::new(&sessions);
    ada.get(|session| session.set("n", 1)).await;
    let mut leaving = ada.clone();
    let exchange = leaving.open();
    exchange.session().load().await.unwrap().logout().unwrap();
    ada.get(|session| session.login("ada")).await;
    leaving.close(exchange).await.closed.unwrap();
    assert_eq!(ada.user().await, None);

    let mut bob = Visitor::new(&sessions);
    bob.get(|session| session.set("n", 1)).await;
    let mut late = bob.clone();
    let exchange = late.open();
    exchange.session().load().await.unwrap().logout().unwrap();
    bob.get(|session| session.login("bob")).await;
    clock.advance(std::time::Duration::from_secs(120));
    late.close(exchange).await.closed.unwrap();
    assert_eq!(bob.user().await.as_deref(), Some("bob"), "for two minutes only");
}

/// A blind write to a session that has ended makes a fresh one; a loaded one never does.
#[tokio::test]
async fn blind_writes_begin_a_session_where_there_is_none() {
    let (sessions, _clock) = shop();
    let mut ada = Visitor::new(&sessions);
    ada.get(|session| session.set("n", 1)).await;
    let mut blind = ada.clone();
    let exchange = blind.open();
    exchange.session().increment("n", 5).unwrap();
    ada.get(Session::logout).await;
    let answer = blind.close(exchange).await;
    assert!(answer.sets_cookie());
    assert_eq!(blind.number("n").await, Some(5), "with nothing of the old one");
    assert_eq!(blind.user().await, None);
}

/// Eviction, revocation and expiry look alike to a request in flight.
#[tokio::test]
async fn a_session_that_was_evicted_is_gone() {
    let store = MemoryStore::new().max_sessions(1);
    let sessions = tenure_core::Sessions::builder().store(store).build().unwrap();
    let (mut ada, mut bob) = (Visitor::new(&sessions), Visitor::new(&sessions));
    ada.get(|session| session.set("n", 1)).await;
    let exchange = ada.open();
    exchange.session().load().await.unwrap().set("n", 2).unwrap();
    bob.get(|session| session.set("n", 3)).await;
    let answer = ada.close(exchange).await;
    assert!(answer.closed.is_ok() && !answer.sets_cookie());
    assert_eq!(bob.number("n").await, Some(3));
    assert!(sessions.store().users().is_some());
}
