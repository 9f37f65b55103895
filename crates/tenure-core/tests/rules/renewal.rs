use std::time::Duration;

use tenure_testkit::ManualClock;

use crate::visitor::{Visitor, minutes, shop};

/// A visitor whose secret is over an hour old, and whose next answer brings another.
async fn due() -> (Visitor, ManualClock) {
    let (sessions, clock) = shop();
    let mut ada = Visitor::new(&sessions);
    ada.get(|session| session.set("n", 1)).await;
    for _ in 0..2 {
        clock.advance(minutes(29));
        ada.number("n").await;
    }
    clock.advance(minutes(5));
    (ada, clock)
}

/// T-LIFE-1: the new secret goes to the request that asked for it alone; until its first use the old
/// one works; its first use retires the old one.
#[tokio::test]
async fn t_life_1_renewal_has_two_phases() {
    let (sessions, clock) = shop();
    let mut ada = Visitor::new(&sessions);
    ada.get(|session| session.set("n", 1)).await;
    let mut before = ada.clone();
    for _ in 0..2 {
        clock.advance(minutes(25));
        ada.number("n").await;
    }
    assert_eq!(ada.token, before.token, "not before the interval has passed");
    clock.advance(minutes(10));
    // The answer is lost on its way: the browser goes on with what it has.
    let (_, answer) = before.visit(|session| session.get::<i64>("n")).await;
    assert!(answer.sets_cookie());
    let (mut old, mut new) = (ada.clone(), before.clone());
    assert_ne!(old.token, new.token);
    assert_eq!(old.number("n").await, Some(1), "until the new secret is used");
    assert_eq!(old.token, ada.token, "one renewal at a time");
    assert_eq!(new.number("n").await, Some(1));
    assert_eq!(old.number("n").await, None, "the old secret is retired");
    assert_eq!(new.number("n").await, Some(1));
}

#[tokio::test]
async fn t_life_1_a_new_secret_that_is_never_used_is_replaced() {
    let (mut ada, clock) = due().await;
    let lost = {
        let mut lost = ada.clone();
        lost.number("n").await;
        lost
    };
    assert_ne!(lost.token, ada.token);
    clock.advance(Duration::from_secs(59));
    let before = ada.token.clone();
    ada.number("n").await;
    assert_eq!(ada.token, before, "the pending one is kept for a minute");
    clock.advance(Duration::from_secs(1));
    ada.number("n").await;
    assert_ne!(ada.token, before, "then another takes its place");
    assert_eq!(ada.number("n").await, Some(1));
    assert_eq!(lost.clone().number("n").await, None);
}

/// Parallel requests renew once, and each of their answers leaves a browser that works.
#[tokio::test]
async fn t_life_1_parallel_requests_renew_once() {
    let (ada, _clock) = due().await;
    let mut exchanges = Vec::new();
    for _ in 0..10 {
        let exchange = ada.open();
        exchange.session().load().await.unwrap().increment("n", 1).unwrap();
        exchanges.push(exchange);
    }
    let mut tokens = std::collections::HashSet::new();
    for exchange in exchanges {
        let mut browser = ada.clone();
        let answer = browser.close(exchange).await;
        answer.closed.as_ref().unwrap();
        tokens.extend(browser.token);
    }
    assert_eq!(tokens.len(), 2, "the old one and one new one");
    for token in tokens {
        let mut browser = ada.clone();
        browser.token = Some(token);
        let exchange = browser.open();
        assert_eq!(exchange.session().load().await.unwrap().get::<i64>("n").unwrap(), Some(11));
    }
}

/// X5: a session that is renewed keeps its handle and its absolute end.
#[tokio::test]
async fn x5_renewal_changes_the_secret_alone() {
    let (sessions, clock) = shop();
    let mut ada = Visitor::new(&sessions);
    ada.get(|session| session.set("n", 1)).await;
    let handle = ada.get(|session| Ok(session.handle())).await;
    for _ in 0..7 {
        clock.advance(minutes(16));
        ada.number("n").await;
        assert_eq!(ada.get(|session| Ok(session.handle())).await, handle);
    }
    assert!(sessions.counts().rotations >= 1);
    clock.advance(minutes(8));
    assert_eq!(ada.number("n").await, None, "the absolute timeout stands");
}
