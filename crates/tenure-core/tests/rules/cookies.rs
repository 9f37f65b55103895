//! F9: the same sessions by a cookie with other options, or of another name.

use http::header::{COOKIE, SET_COOKIE};
use http::{HeaderMap, Request, StatusCode};
use tenure_core::engine::Connection;
use tenure_core::store::{MemoryStore, Store, UserIndex};
use tenure_core::transport::{Cookie, Secure};
use tenure_core::{Clock, ErrorKind, Result, Session, Sessions, UserId};
use tenure_testkit::{ManualClock, Recorder};

use crate::visitor::{NAME, Visitor, configured, minutes, shop};

const ADMIN: &str = "__Host-admin";

/// The token of a new session of this user.
async fn begun(sessions: &Sessions, user: &str) -> String {
    let session = sessions.start().await.unwrap();
    session.login(user).unwrap();
    session.commit().await.unwrap();
    session.danger_expose_token().unwrap()
}

/// One request with this cookie line, and the cookie of its answer.
async fn answered(
    sessions: &Sessions,
    cookie: &str,
    handler: impl FnOnce(&Session) -> Result<()>,
) -> Option<String> {
    let (parts, ()) = Request::builder().header(COOKIE, cookie).body(()).unwrap().into_parts();
    let exchange = sessions.open(&parts, Connection::new().secure(true));
    handler(&exchange.session().load().await.unwrap()).unwrap();
    let mut headers = HeaderMap::new();
    exchange.close(StatusCode::OK, &mut headers).await.unwrap();
    headers.get(SET_COOKIE).map(|line| line.to_str().unwrap().to_owned())
}

#[tokio::test]
async fn f9_other_options_open_the_same_sessions() {
    let (sessions, clock) = shop();
    let lasting = sessions.with_cookie(Cookie::default().lifetime(minutes(60))).unwrap();
    assert_eq!((lasting.name(), lasting.namespace()), (NAME, sessions.namespace()));
    let mut ada = Visitor::new(&sessions);
    ada.get(|session| session.set("n", 1)).await;
    let token = ada.token.clone().unwrap();
    let opened = lasting.open_token(&token).await.unwrap().unwrap();
    opened.increment("n", 1).unwrap();
    opened.commit().await.unwrap();
    assert_eq!(ada.number("n").await, Some(2));
    assert_eq!(opened.lazy().sessions().name(), NAME);

    // What follows from the options follows from the new ones, and the old ones stay as they were.
    clock.advance(minutes(5));
    let line = format!("{NAME}={token}");
    let dated = answered(&lasting, &line, |_| Ok(())).await.unwrap();
    assert!(dated.contains("; Max-Age=3600"), "{dated}");
    clock.advance(minutes(5));
    assert_eq!(answered(&sessions, &line, |_| Ok(())).await, None);
    assert_eq!(lasting.counts(), sessions.counts());
    assert_eq!(sessions.counts().created, 1);
    assert_eq!(sessions.counts().touches, 2);
}

#[tokio::test]
async fn f9_of_another_name_are_other_sessions_of_the_same_users() {
    let (clock, store) = (ManualClock::new(), Recorder::new(MemoryStore::new()));
    let sessions = configured(store.clone(), &clock).build().unwrap();
    let admin = sessions.with_cookie(Cookie::named(ADMIN)).unwrap();
    assert_eq!((admin.name(), admin.namespace()), (ADMIN, sessions.namespace()));
    let (shop, office) = (begun(&sessions, "ada").await, begun(&admin, "ada").await);
    store.clear();
    assert!(sessions.open_token(&office).await.unwrap().is_none());
    assert!(admin.open_token(&shop).await.unwrap().is_none());
    assert!(store.calls().is_empty(), "the signature is bound to the name");
    assert_eq!(sessions.counts().rejected, 2);

    let both = format!("{NAME}={shop}; {ADMIN}={office}");
    let headers = HeaderMap::from_iter([(COOKIE, both.parse().unwrap())]);
    for (sessions, token) in [(&sessions, &shop), (&admin, &office)] {
        let found = sessions.open_headers(&headers, true).await.unwrap().unwrap();
        assert_eq!(found.danger_expose_token().as_ref(), Some(token));
    }
    let ada = UserId::new("ada").unwrap();
    let users = store.users().unwrap();
    assert_eq!(users.list(admin.namespace(), &ada, clock.now()).await.unwrap().len(), 2);

    let removed = answered(&admin, &both, Session::logout).await.unwrap();
    assert!(removed.starts_with(&format!("{ADMIN}=; ")), "{removed}");
    assert!(admin.open_token(&office).await.unwrap().is_none());
    assert!(sessions.open_token(&shop).await.unwrap().is_some());
}

/// Nothing but a signature binds a token to a name.
#[tokio::test]
async fn f9_unsigned_tokens_open_under_every_name() {
    let sessions =
        Sessions::builder().store(MemoryStore::new()).insecure_unsigned_tokens().build().unwrap();
    let token = begun(&sessions, "ada").await;
    let admin = sessions.with_cookie(Cookie::named(ADMIN)).unwrap();
    assert!(admin.open_token(&token).await.unwrap().is_some());
}

#[tokio::test]
async fn f9_contradictory_options_are_refused_as_when_built() {
    let (sessions, clock) = shop();
    let wrong = [
        Cookie::named(NAME).domain("example.com"),
        Cookie::named(NAME).secure(Secure::InsecureNever),
        Cookie::named(""),
        Cookie::default().expires(clock.now().into()),
    ];
    for cookie in wrong {
        let built = configured(MemoryStore::new(), &clock).cookie(cookie.clone()).build();
        let error = sessions.with_cookie(cookie).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Config);
        assert_eq!(error.to_string(), built.unwrap_err().to_string());
    }
}
