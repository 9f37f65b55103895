//! How well and how recently users have proved who they are.

use std::time::{Duration, SystemTime};

use tenure_core::session::{AuthLevel, Login};
use tenure_core::store::MemoryStore;
use tenure_core::{Clock, ErrorKind, Result, Session, UserId};
use tenure_testkit::{Fault, FaultStore, ManualClock, Operation};

use crate::visitor::{MILLI, Visitor, configured, minutes, shop};

const LOW: AuthLevel = AuthLevel::ONE_FACTOR;
const HIGH: AuthLevel = AuthLevel::TWO_FACTORS;

fn kind<T>(outcome: Result<T>) -> Option<ErrorKind> {
    outcome.err().map(|error| error.kind())
}

async fn level(visitor: &mut Visitor) -> Option<AuthLevel> {
    visitor.get(|session| Ok(session.auth_level())).await
}

/// T-PUZ-1: what an application writes is never taken for a log-in, whatever its key and shape.
#[tokio::test]
async fn t_puz_1_no_key_forges_a_level() {
    let (sessions, _clock) = shop();
    let mut eve = Visitor::new(&sessions);
    eve.get(|session| {
        for key in ["auth", "user", "level", "\u{1}auth", " \0auth"] {
            session.set(key, r#"{"l":20}"#)?;
        }
        for key in ["\0auth", "\0half", "\0once:x", "\0csrf", "\0"] {
            assert_eq!(kind(session.set(key, 20)), Some(ErrorKind::Misuse));
            assert_eq!(kind(session.push(key, 20)), Some(ErrorKind::Misuse));
            assert_eq!(kind(session.increment(key, 20)), Some(ErrorKind::Misuse));
            assert_eq!(kind(session.update(key, |n: &mut u8| *n = 20)), Some(ErrorKind::Misuse));
            assert_eq!(kind(session.merge([(key, 20)])), Some(ErrorKind::Misuse));
        }
        Ok(())
    })
    .await;
    assert_eq!(level(&mut eve).await, None);
    let refused = eve.get(|session| Ok(kind(session.require_level(AuthLevel::new(0))))).await;
    assert_eq!(refused, Some(ErrorKind::Unauthenticated));
}

/// T-PUZ-1: half a log-in is nobody's right to anything, and does not outlive its time.
#[tokio::test]
async fn t_puz_1_half_a_login_is_none() {
    let (sessions, clock) = shop();
    let mut ada = Visitor::new(&sessions);
    ada.get(|session| session.set("cart", 1)).await;
    let planted = ada.token.clone();
    ada.get(|session| session.begin_login("ada", minutes(5))).await;
    assert_ne!(ada.token, planted, "the token is another one");
    ada.get(|session| {
        assert_eq!(session.half_authenticated().unwrap().as_str(), "ada");
        assert_eq!((session.user(), session.auth_level()), (None, None));
        assert_eq!(session.authenticated_at(), None);
        for refused in [
            kind(session.require_user()),
            kind(session.require_level(LOW)),
            kind(session.require_recent_auth(minutes(60))),
            kind(session.step_up(HIGH, minutes(1))),
        ] {
            assert_eq!(refused, Some(ErrorKind::Unauthenticated));
        }
        Ok(())
    })
    .await;
    clock.advance(minutes(5) - MILLI);
    let before = ada.token.clone();
    ada.get(|session| session.login(session.half_authenticated().unwrap())).await;
    assert_ne!(ada.token, before);
    ada.get(|session| {
        assert_eq!(session.half_authenticated(), None, "it is a whole one");
        assert_eq!(session.get("cart")?, Some(1));
        session.require_user().map(drop)
    })
    .await;

    let mut eve = Visitor::new(&sessions);
    eve.get(|session| session.begin_login("ada", minutes(5))).await;
    clock.advance(minutes(5));
    assert_eq!(eve.get(|session| Ok(session.half_authenticated())).await, None, "too late");
}

/// Half a log-in as somebody else ends the session of whoever was logged in before.
#[tokio::test]
async fn t_puz_1_half_a_login_of_another_user_logs_out() {
    let (sessions, _clock) = shop();
    let mut visitor = Visitor::new(&sessions);
    visitor.get(|session| session.login("ada")).await;
    visitor.get(|session| session.set("address", "of ada")).await;
    visitor.get(|session| session.begin_login("eve", minutes(5))).await;
    assert_eq!(visitor.user().await, None);
    assert!(visitor.get(|session| Ok(session.is_empty())).await);
}

/// T-REAUTH-1: to the millisecond, and a log-in counts in the request that makes it.
#[tokio::test]
async fn t_reauth_1_a_recent_login_is_required() {
    let (sessions, clock) = shop();
    let mut ada = Visitor::new(&sessions);
    let check = |session: &Session| Ok(kind(session.require_recent_auth(minutes(5))));
    assert_eq!(ada.get(check).await, Some(ErrorKind::Unauthenticated));
    ada.get(|session| session.login("ada")).await;
    clock.advance(minutes(5) - MILLI);
    assert_eq!(ada.get(check).await, None);
    clock.advance(MILLI);
    assert_eq!(ada.get(check).await, Some(ErrorKind::Unauthenticated));
    ada.get(|session| {
        session.login("ada")?;
        assert_eq!(check(session)?, None);
        Ok(())
    })
    .await;
    assert_eq!(ada.get(check).await, None);
    let user = ada.get(|session| session.require_recent_auth(minutes(5))).await;
    assert_eq!(user.as_str(), "ada");
}

/// T-REAUTH-2, 7.2.4: a level of its own that ends earlier than the session.
#[tokio::test]
async fn t_reauth_2_a_step_up_ends_by_itself() {
    let (sessions, clock) = shop();
    let mut ada = Visitor::new(&sessions);
    ada.get(|session| session.login("ada")).await;
    ada.get(|session| session.set("cart", 1)).await;
    assert_eq!(level(&mut ada).await, Some(LOW));
    let refused = ada.get(|session| Ok(kind(session.require_level(HIGH)))).await;
    assert_eq!(refused, Some(ErrorKind::Unauthenticated));

    let mut before = ada.clone();
    ada.get(|session| session.step_up(HIGH, minutes(5))).await;
    assert_eq!(before.user().await, None, "the old token is dead");
    assert_eq!(level(&mut ada).await, Some(HIGH));
    assert_eq!(ada.number("cart").await, Some(1));
    clock.advance(minutes(5) - MILLI);
    assert_eq!(ada.get(|session| session.require_level(HIGH)).await.as_str(), "ada");
    clock.advance(MILLI);
    assert_eq!(level(&mut ada).await, Some(LOW));
    assert_eq!(ada.user().await.as_deref(), Some("ada"), "still logged in");
}

/// A level goes with the user: a log-in begins at its own, and a logout leaves none.
#[tokio::test]
async fn t_reauth_2_a_level_does_not_pass_on() {
    let (sessions, _clock) = shop();
    let mut visitor = Visitor::new(&sessions);
    visitor.get(|session| session.login_as(Login::new("ada")?.level(HIGH))).await;
    assert_eq!(level(&mut visitor).await, Some(HIGH));
    visitor.get(|session| session.clear()).await;
    visitor.get(|session| session.regenerate_keeping(&[])).await;
    assert_eq!(level(&mut visitor).await, Some(HIGH), "keys are dropped, the level is none");
    visitor.get(|session| session.login("ada")).await;
    assert_eq!(level(&mut visitor).await, Some(LOW));
    visitor.get(|session| session.step_up(HIGH, minutes(5))).await;
    visitor.get(|session| session.login("eve")).await;
    assert_eq!(level(&mut visitor).await, Some(LOW));
    visitor.get(Session::logout).await;
    assert_eq!(level(&mut visitor).await, None);
}

/// T-NIST-1: use moves the idle deadline alone; who proves again who they are begins anew, and a
/// step up does not.
#[tokio::test]
async fn t_nist_1_a_login_begins_the_session_anew() {
    let (sessions, clock) = shop();
    let mut ada = Visitor::new(&sessions);
    ada.get(|session| session.login("ada")).await;
    let begun = clock.now();
    for _ in 0..4 {
        clock.advance(minutes(20));
        assert_eq!(ada.user().await.as_deref(), Some("ada"));
    }
    ada.get(|session| session.step_up(HIGH, minutes(5))).await;
    clock.advance(minutes(20));
    assert_eq!(ada.user().await.as_deref(), Some("ada"));
    ada.get(|session| session.login("ada")).await;
    for _ in 0..5 {
        clock.advance(minutes(20));
        assert_eq!(ada.user().await.as_deref(), Some("ada"));
    }
    assert_eq!(clock.now().since(begun), minutes(200));
    clock.advance(minutes(20) - MILLI);
    assert_eq!(ada.user().await.as_deref(), Some("ada"));
    clock.advance(MILLI);
    assert_eq!(ada.user().await, None, "two hours after the second log-in");

    let mut eve = Visitor::new(&sessions);
    eve.get(|session| session.login("eve")).await;
    for _ in 0..5 {
        clock.advance(minutes(20));
        eve.get(|session| session.step_up(HIGH, minutes(5))).await;
    }
    clock.advance(minutes(20));
    assert_eq!(eve.user().await, None, "a step up does not prolong");
}

/// T-FED-1: what an identity provider says of its log-in bounds ours.
#[tokio::test]
async fn t_fed_1_an_identity_provider_bounds_the_session() {
    let (sessions, clock) = shop();
    let mut ada = Visitor::new(&sessions);
    let now = SystemTime::from(clock.now());
    let login = |until: Duration| {
        Ok::<_, tenure_core::Error>(
            Login::new("ada")?.authenticated_at(now - minutes(10)).until(now + until),
        )
    };
    ada.get(|session| session.login_as(login(minutes(25))?)).await;
    ada.get(|session| {
        assert_eq!(session.authenticated_at(), Some(now - minutes(10)));
        assert_eq!(session.expires_at(), Some(now + minutes(25)));
        assert!(session.require_recent_auth(minutes(10)).is_err());
        session.require_recent_auth(minutes(11)).map(drop)
    })
    .await;
    clock.advance(minutes(20));
    ada.get(|session| session.step_up(HIGH, minutes(60))).await;
    ada.get(|session| session.set_idle_timeout(minutes(100))).await;
    clock.advance(minutes(5) - MILLI);
    assert_eq!(ada.user().await.as_deref(), Some("ada"));
    clock.advance(MILLI);
    assert_eq!(ada.user().await, None);

    let mut eve = Visitor::new(&sessions);
    eve.get(|session| session.login_as(login(minutes(100_000))?)).await;
    for _ in 0..5 {
        clock.advance(minutes(20));
        assert_eq!(eve.user().await.as_deref(), Some("ada"));
    }
    clock.advance(minutes(20));
    assert_eq!(eve.user().await, None, "never longer than the absolute timeout");
}

/// What is refused leaves everything as it was.
#[tokio::test]
async fn a_refused_login_changes_nothing() {
    let (sessions, _clock) = shop();
    let mut ada = Visitor::new(&sessions);
    ada.get(|session| session.login_as(Login::new("ada")?.level(HIGH))).await;
    let before = ada.token.clone();
    ada.get(|session| {
        assert!(Login::new("").is_err() && Login::new("u".repeat(256)).is_err());
        assert!(session.begin_login("", minutes(5)).is_err());
        let read_only = session.read_only();
        assert_eq!(kind(read_only.step_up(HIGH, minutes(5))), Some(ErrorKind::ReadOnly));
        assert_eq!(kind(read_only.begin_login("eve", minutes(5))), Some(ErrorKind::ReadOnly));
        Ok(())
    })
    .await;
    assert_eq!(ada.token, before);
    assert_eq!(level(&mut ada).await, Some(HIGH));
}

/// T-DOC-2: a back-channel logout ends the sessions that began with one of the provider's.
#[tokio::test]
async fn t_doc_2_an_identity_provider_ends_its_sessions() {
    let (sessions, _clock) = shop();
    let mut visitors = Vec::new();
    for (user, sid) in [("ada", "s1"), ("ada", "s1"), ("ada", "s2"), ("eve", "s1")] {
        let mut visitor = Visitor::new(&sessions);
        visitor.get(|session| session.login_as(Login::new(user)?.external_id(sid))).await;
        visitors.push(visitor);
    }
    let mut without = Visitor::new(&sessions);
    without.get(|session| session.login("ada")).await;
    visitors[1].get(|session| session.step_up(HIGH, minutes(5))).await;
    let ada = UserId::new("ada").unwrap();
    for other in ["", "s3", "S1"] {
        assert_eq!(sessions.revoke_external(&ada, other).await.unwrap(), 0);
    }
    assert_eq!(sessions.revoke_external(&ada, "s1").await.unwrap(), 2);
    let mut users = Vec::new();
    for visitor in visitors.iter_mut().chain([&mut without]) {
        users.push(visitor.user().await);
    }
    let users: Vec<_> = users.iter().map(Option::as_deref).collect();
    assert_eq!(users, [None, None, Some("ada"), Some("eve"), Some("ada")]);
}

/// T-CSD-1: the browser is asked once the session is gone, and not when it could not be ended.
#[tokio::test]
async fn t_csd_1_a_logout_clears_what_the_browser_keeps() {
    const HEADER: &str = "clear-site-data";
    let store = FaultStore::new(MemoryStore::new());
    let sessions = configured(store.clone(), &ManualClock::new()).build().unwrap();
    let mut ada = Visitor::new(&sessions);
    ada.get(|session| session.login("ada")).await;
    store.inject_times(Operation::Delete, Fault::unavailable(), 2);
    let (_, answer) = ada.visit(Session::logout_and_clear_site_data).await;
    assert!(answer.closed.is_err() && !answer.headers.contains_key(HEADER));
    assert_eq!(ada.user().await.as_deref(), Some("ada"));
    let (_, answer) = ada.visit(Session::logout_and_clear_site_data).await;
    answer.closed.as_ref().unwrap();
    assert_eq!(answer.headers[HEADER], r#""cache", "cookies", "storage""#);
    assert_eq!(ada.user().await, None);

    ada.get(|session| session.login("ada")).await;
    let (_, answer) = ada
        .visit(|session| {
            session.logout_and_clear_site_data()?;
            session.flash("info", "See you.")
        })
        .await;
    assert!(answer.sets_cookie(), "to show the message by");
    assert_eq!(answer.headers[HEADER], r#""cache", "storage""#);
    let (_, answer) = ada.visit(Session::logout).await;
    assert!(!answer.headers.contains_key(HEADER), "nobody asked");
}
