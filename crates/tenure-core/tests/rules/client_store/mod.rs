//! Sessions that their clients keep (K5, A2).

mod parts;
mod revocations;
mod values;

use std::time::Duration;

use http::header::AUTHORIZATION;
use http::{HeaderMap, Request, StatusCode};
use tenure_core::engine::Connection;
use tenure_core::store::{ClientStore, MemoryStore};
use tenure_core::transform::{Keyring, SecretKey, Transforms};
use tenure_core::transport::{Bearer, Header};
use tenure_core::{ErrorKind, Sessions, SessionsBuilder};
use tenure_testkit::ManualClock;

use crate::visitor::{MILLI, Visitor, minutes};

fn keyring() -> Keyring {
    Keyring::new([SecretKey::generate().unwrap()])
}

fn kept_by(store: ClientStore, clock: &ManualClock) -> SessionsBuilder {
    Sessions::builder()
        .client_store(store)
        .clock(clock.clone())
        .idle_timeout(minutes(30))
        .absolute_timeout(minutes(120))
}

fn sealed() -> (Sessions, ManualClock) {
    let clock = ManualClock::new();
    (kept_by(ClientStore::sealed(keyring()), &clock).build().unwrap(), clock)
}

/// K5, A2: the same handlers, and no server keeps anything.
#[tokio::test]
async fn k5_the_client_keeps_the_session() {
    let (sessions, clock) = sealed();
    let mut ada = Visitor::new(&sessions);
    let (_, answer) = ada.visit(|session| session.get::<i64>("n")).await;
    assert!(!answer.sets_cookie(), "who only looks has nothing to keep");
    for n in 1..=3 {
        ada.get(|session| session.increment("n", 1)).await;
        assert_eq!(ada.number("n").await, Some(n));
    }
    ada.get(|session| session.login("ada")).await;
    assert_eq!((ada.user().await.as_deref(), ada.number("n").await), (Some("ada"), Some(3)));
    let handle = ada.get(|session| Ok(session.handle())).await.unwrap();
    ada.get(|session| session.regenerate()).await;
    assert_eq!(ada.get(|session| Ok(session.handle())).await, Some(handle), "it stays");
    let (_, answer) = ada.visit(|session| session.get::<i64>("n")).await;
    assert!(!answer.sets_cookie(), "nothing has changed");
    clock.advance(minutes(10));
    let (_, answer) = ada.visit(|session| session.get::<i64>("n")).await;
    assert!(answer.sets_cookie(), "its deadline has moved");
    ada.get(|session| session.logout()).await;
    assert_eq!((ada.token.clone(), ada.user().await), (None, None));
}

/// T-EXP-5: the times travel inside, and are enforced to the millisecond.
#[tokio::test]
async fn t_exp_5_timeouts_are_enforced_by_the_server() {
    let (sessions, clock) = sealed();
    let mut ada = Visitor::new(&sessions);
    ada.get(|session| session.login("ada")).await;
    let idle = ada.clone();
    clock.advance(minutes(30) - MILLI);
    assert_eq!(idle.clone().user().await.as_deref(), Some("ada"));
    clock.advance(MILLI);
    assert_eq!(idle.clone().user().await, None, "idle for half an hour");

    ada.get(|session| session.login("ada")).await;
    let began = clock.clone();
    for _ in 0..11 {
        began.advance(minutes(10));
        assert_eq!(ada.user().await.as_deref(), Some("ada"));
    }
    began.advance(minutes(10) - MILLI);
    let last = ada.clone();
    assert_eq!(ada.user().await.as_deref(), Some("ada"));
    began.advance(MILLI);
    assert_eq!(last.clone().user().await, None, "two hours in all, however often it was used");
}

/// K5: by header and as a bearer token too.
#[tokio::test]
async fn k5_by_header_and_as_a_bearer_token() {
    let clock = ManualClock::new();
    let sessions = kept_by(ClientStore::sealed(keyring()), &clock)
        .header(Header::named("x-session").longest(8_192))
        .bearer(Bearer::new())
        .build()
        .unwrap();
    let visit = async |name: &str, value: &str| {
        let (parts, ()) = Request::builder().header(name, value).body(()).unwrap().into_parts();
        let exchange = sessions.open(&parts, Connection::new().secure(true));
        let session = exchange.session().load().await.unwrap();
        session.increment("n", 1).unwrap();
        let n = session.get::<i64>("n").unwrap().unwrap();
        let mut headers = HeaderMap::new();
        exchange.close(StatusCode::OK, &mut headers).await.unwrap();
        let next = headers.get(name).map(|value| value.to_str().unwrap().to_owned());
        (n, next.unwrap())
    };
    let mut value = String::new();
    for expected in 1..=3 {
        let (n, next) = visit("x-session", &value).await;
        assert_eq!(n, expected);
        value = next;
    }
    let mut line = "Bearer".to_owned();
    for expected in 1..=3 {
        let (n, next) = visit(AUTHORIZATION.as_str(), &line).await;
        assert_eq!(n, expected);
        line = next;
    }
    let (n, _) = visit(AUTHORIZATION.as_str(), &format!("Bearer {value}")).await;
    assert_eq!(n, 1, "the value of another transport is none (T-ISO-1)");
}

/// What takes a store on the server is refused: at once by the session, and by `build` as far as the
/// settings tell.
#[tokio::test]
async fn x7_what_takes_a_store_is_refused() {
    let (sessions, clock) = sealed();
    assert!(!sessions.merges());
    let session = sessions.start().await.unwrap();
    let life = Duration::from_secs(60);
    for error in [
        session.issue_secret("otp", life).unwrap_err(),
        session.set_secret("otp", "1234", life).unwrap_err(),
        session.consume("otp", "1234").await.unwrap_err(),
        session.take_once::<i64>("n").await.unwrap_err(),
    ] {
        assert_eq!(error.kind(), ErrorKind::Misuse);
        assert!(error.to_string().contains("keep it in a store"), "{error}");
    }
    let client = || ClientStore::sealed(keyring());
    let refused = [
        kept_by(client(), &clock).store(MemoryStore::new()),
        kept_by(client(), &clock).signing_keys(keyring()),
        kept_by(client(), &clock).insecure_unsigned_tokens(),
        kept_by(ClientStore::transformed(Transforms::new()), &clock),
        kept_by(client(), &clock).max_sessions_per_user(3, tenure_core::engine::AtLimit::RejectNew),
    ];
    for builder in refused {
        assert_eq!(builder.build().unwrap_err().kind(), ErrorKind::Config);
    }
}

/// X7: whoever relies on a store says so, and learns at start.
#[tokio::test]
async fn x7_who_relies_on_merging_is_refused_at_start() {
    let clock = ManualClock::new();
    let keys = keyring();
    let remembered = ClientStore::sealed(keys.clone()).revocations(MemoryStore::new());
    for client in [ClientStore::sealed(keys.clone()), ClientStore::signed(keys), remembered] {
        let error = kept_by(client, &clock).require_merging().build().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Config);
        let text = error.to_string();
        for named in ["require_merging", "client_store", "in a `store`"] {
            assert!(text.contains(named), "{text}");
        }
    }
    let sessions = Sessions::builder().store(MemoryStore::new()).require_merging().build().unwrap();
    let session = sessions.start().await.unwrap();
    let secret = session.issue_secret("otp", Duration::from_secs(60)).unwrap();
    assert!(session.consume("otp", &secret).await.unwrap());
}

/// A stream that outlives its response may read; what it writes could reach nobody.
#[tokio::test]
async fn k5_a_stream_cannot_write() {
    let (sessions, _) = sealed();
    let (parts, ()) = Request::new(()).into_parts();
    let exchange = sessions.open(&parts, Connection::new().secure(true));
    let session = exchange.session().load().await.unwrap();
    session.set("room", "lobby").unwrap();
    session.save().await.unwrap();
    let stream = session.detach().unwrap();
    exchange.close(StatusCode::OK, &mut HeaderMap::new()).await.unwrap();
    assert_eq!(stream.get::<String>("room").unwrap().as_deref(), Some("lobby"));
    stream.commit().await.unwrap();
    stream.set("room", "kitchen").unwrap();
    let error = stream.commit().await.unwrap_err();
    assert!(error.to_string().contains("has been sent"), "{error}");
}

/// The last response wins: each request works on the copy that it brought along.
#[tokio::test]
async fn k5_parallel_responses_do_not_merge() {
    let (sessions, _) = sealed();
    let mut ada = Visitor::new(&sessions);
    ada.get(|session| session.set("n", 1)).await;
    let mut other = ada.clone();
    let (first, second) = (ada.open(), other.open());
    first.session().increment("n", 1).unwrap();
    second.session().set("m", 1).unwrap();
    assert!(ada.close(first).await.sets_cookie() && other.close(second).await.sets_cookie());
    assert_eq!((ada.number("n").await, ada.number("m").await), (Some(2), None));
    assert_eq!((other.number("n").await, other.number("m").await), (Some(1), Some(1)));
}
