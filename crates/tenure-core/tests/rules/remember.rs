//! F11: sessions that outlive the browser, at the user's wish.

use http::header::SET_COOKIE;
use tenure_core::store::MemoryStore;
use tenure_core::transport::Cookie;
use tenure_core::{ErrorKind, Result, Session};
use tenure_testkit::ManualClock;

use crate::visitor::{Answer, Visitor, configured, minutes, shop};

fn max_age(answer: &Answer) -> Option<u64> {
    let line = answer.headers.get(SET_COOKIE)?.to_str().unwrap();
    let (_, rest) = line.split_once("Max-Age=")?;
    Some(rest.split(';').next().unwrap().parse().unwrap())
}

async fn visit(visitor: &mut Visitor, handler: fn(&Session) -> Result<()>) -> Answer {
    let (done, answer) = visitor.visit(handler).await;
    done.unwrap();
    answer.closed.as_ref().unwrap();
    answer
}

fn looks(session: &Session) -> Result<()> {
    session.get::<u8>("n").map(drop)
}

#[tokio::test]
async fn f11_a_remembered_cookie_outlives_the_browser() {
    let (sessions, clock) = shop();
    let mut ada = Visitor::new(&sessions);
    let answer = visit(&mut ada, |session| session.login("ada")).await;
    assert!(answer.sets_cookie() && max_age(&answer).is_none(), "T-NIST-2: not by default");
    let answer = visit(&mut ada, |session| session.remember(minutes(90))).await;
    assert_eq!(max_age(&answer), Some(90 * 60));
    let answer = visit(&mut ada, looks).await;
    assert!(!answer.sets_cookie(), "nothing has moved");
    clock.advance(minutes(40));
    let answer = visit(&mut ada, looks).await;
    assert_eq!(max_age(&answer), Some(80 * 60), "the two hours end it first");
    clock.advance(minutes(20));
    let answer = visit(&mut ada, |session| session.set("n", 1)).await;
    assert_eq!(max_age(&answer), Some(60 * 60));
    let answer = visit(&mut ada, Session::regenerate).await;
    assert!(max_age(&answer).is_some(), "another token, and still remembered");
    visit(&mut ada, Session::clear).await;
    assert!(ada.get(|session| Ok(session.is_remembered())).await, "no key");
    let answer = visit(&mut ada, |session| session.login("ada")).await;
    assert_eq!(max_age(&answer), Some(90 * 60), "from anew");
}

#[tokio::test]
async fn f11_remembering_does_not_change_hands() {
    let (sessions, _clock) = shop();
    let mut visitor = Visitor::new(&sessions);
    visit(&mut visitor, |session| {
        session.login("ada")?;
        session.remember(minutes(90))
    })
    .await;
    let answer = visit(&mut visitor, |session| session.login("eve")).await;
    assert!(answer.sets_cookie() && max_age(&answer).is_none());
    assert!(!visitor.get(|session| Ok(session.is_remembered())).await);
    let answer = visit(&mut visitor, |session| {
        session.remember(minutes(60))?;
        session.login("bob")
    })
    .await;
    assert_eq!(max_age(&answer), Some(60 * 60), "the box was ticked with this log-in");
    assert!(visitor.get(|session| Ok(session.is_remembered())).await);
    let answer = visit(&mut visitor, Session::logout).await;
    assert_eq!(max_age(&answer), Some(0));
}

/// The factory sees the wish, and has the last word.
#[tokio::test]
async fn f11_a_factory_may_decide_otherwise() {
    let clock = ManualClock::new();
    let cookie = Cookie::default().factory(|context, cookie| match context.lifetime() {
        Some(lifetime) => cookie.lifetime(lifetime / 2),
        None => cookie,
    });
    let sessions = configured(MemoryStore::new(), &clock).cookie(cookie).build().unwrap();
    let mut ada = Visitor::new(&sessions);
    let answer = visit(&mut ada, |session| session.login("ada")).await;
    assert_eq!(max_age(&answer), None);
    let answer = visit(&mut ada, |session| session.remember(minutes(60))).await;
    assert_eq!(max_age(&answer), Some(30 * 60));
}

#[tokio::test]
async fn f11_what_is_too_long_is_refused() {
    let (sessions, _clock) = shop();
    let mut ada = Visitor::new(&sessions);
    visit(&mut ada, |session| session.login("ada")).await;
    let kind = ada.get(|session| Ok(session.remember(minutes(121)).unwrap_err().kind())).await;
    assert_eq!(kind, ErrorKind::Config);
    assert!(!ada.get(|session| Ok(session.is_remembered())).await);
}
