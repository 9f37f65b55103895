//! @fastify/session.
//!
//! Not yet: a prefix of the cookie's value, as express-session has it.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::Request;
use axum::middleware::{self, Next};
use axum::response::Response;
use axum::routing::get;
use serde_json::Value;
use tenure::axum::{Error, Session, Sessions as Manager};
use tenure::store::simple::SimpleStore;
use tenure::store::{MemoryStore, Store, StoreKey};
use tenure::transform::{Keyring, SecretKey};
use tenure::transport::{Cookie, SameSite, Secure};
use tenure::{Clock, ErrorKind, Key, Sessions, SessionsBuilder, SystemClock};

use crate::browser::{Browser, keys};

type User = BTreeMap<String, String>;

fn secret() -> String {
    SecretKey::generate_secret().unwrap()
}

fn memory() -> SessionsBuilder {
    Sessions::builder().store(MemoryStore::new())
}

fn with_secrets<const N: usize>(secrets: [&str; N]) -> tenure::Result<Sessions> {
    memory().signing_keys(Keyring::from_secrets(secrets)?).build()
}

async fn name(session: Session) -> Result<String, Error> {
    Ok(session.get_path("user.name")?.unwrap_or_else(|| "nobody".into()))
}

async fn set(session: Session) -> Result<(), Error> {
    Ok(session.set("user", User::from([("name".into(), "max".into())]))?)
}

fn routes() -> Router {
    Router::new().route("/", get(name)).route("/set", get(set))
}

/// X15, F1: registered with a secret; a hook before each handler stores a user.
#[tokio::test]
async fn a_hook_stores_a_user() {
    async fn hook(session: Session, request: Request, next: Next) -> Result<Response, Error> {
        session.set("user", User::from([("name".into(), "max".into())]))?;
        Ok(next.run(request).await)
    }
    let sessions = with_secrets([&secret()]).unwrap();
    let mut browser = Browser::of(routes().layer(middleware::from_fn(hook)), &sessions).await;
    assert_eq!(browser.get("/").await.body, "max");
    browser.visitor.session().await.assert_has("user");
}

/// X15, F8: a hook destroys the session.
#[tokio::test]
async fn a_hook_destroys_the_session() {
    async fn hook(session: Session, request: Request, next: Next) -> Result<Response, Error> {
        if request.uri().path() == "/end" {
            session.destroy()?;
        }
        Ok(next.run(request).await)
    }
    let routes = routes().route("/end", get(|| async {})).layer(middleware::from_fn(hook));
    let mut browser = Browser::of(routes, &Sessions::in_memory().unwrap()).await;
    browser.get("/set").await;
    assert_eq!(browser.get("/").await.body, "max");
    browser.get("/end").await;
    assert_eq!((browser.get("/").await.body, browser.cookie()), ("nobody".into(), String::new()));
}

/// X15, F1: secrets in turn: the first signs, all verify, and a short one is refused.
#[tokio::test]
async fn secrets_in_turn() {
    let (old, new) = (secret(), secret());
    assert_eq!(with_secrets(["too short"]).unwrap_err().kind(), ErrorKind::Config);
    let keys = Keyring::from_secrets([&old]).unwrap();
    let sessions = memory().signing_keys(keys.clone()).build().unwrap();
    let mut browser = Browser::of(routes(), &sessions).await;
    browser.get("/set").await;
    let before = browser.token();
    keys.add(SecretKey::new(&new).unwrap());
    assert_eq!(browser.get("/").await.body, "max", "who has an old cookie stays");
    let mut other = Browser::of(routes(), &sessions).await;
    other.get("/set").await;
    let only_new = with_secrets([&new]).unwrap();
    for (token, verified) in [(before, 0), (other.token(), 1)] {
        let loads = only_new.counts().loads;
        assert!(only_new.open_token(&token).await.unwrap().is_none(), "another store");
        assert_eq!(only_new.counts().loads - loads, verified);
    }
}

/// X15, F3, F4: the cookie's options; `Secure` by the request, and contradictions refused.
#[tokio::test]
async fn options_of_the_cookie() {
    let cookie = Cookie::named("sessionId")
        .path("/")
        .domain("shop.test")
        .lifetime(Duration::from_secs(1_800))
        .same_site(SameSite::None)
        .partitioned(true);
    let sessions = memory().cookie(cookie.clone()).build().unwrap();
    let answer = Browser::of(routes(), &sessions).await.get("/set").await;
    let line = answer.cookie();
    assert!(line.starts_with("sessionId="), "{line}");
    for attribute in [
        "Path=/",
        "Max-Age=1800",
        "HttpOnly",
        "Secure",
        "SameSite=None",
        "Domain=shop.test",
        "Partitioned",
    ] {
        assert!(line.split("; ").any(|part| part == attribute), "{attribute} in {line}");
    }
    let plain = cookie.secure(Secure::InsecureNever);
    assert_eq!(memory().cookie(plain).build().unwrap_err().kind(), ErrorKind::Config);

    let auto = Cookie::named("sessionId").secure(Secure::Auto).same_site(SameSite::None);
    let sessions = memory().cookie(auto).build().unwrap();
    for (secure, same_site) in [(true, "SameSite=None"), (false, "SameSite=Lax")] {
        let connection = tenure::engine::Connection::new().secure(secure);
        let request = http::Request::get("/set").extension(connection);
        let answer = Browser::of(routes(), &sessions).await.send(request).await;
        let line = answer.cookie();
        assert_eq!(line.contains("; Secure"), secure, "{line}");
        assert!(line.contains(same_site), "{line}");
    }
}

/// X15, F5: a store of set, get and destroy.
#[tokio::test]
async fn a_store_of_three_methods() {
    let shelf = crate::adonis::Shelf::default();
    let builder = Sessions::builder().store(SimpleStore::new(shelf.clone()));
    let mut browser = Browser::of(routes(), &builder.signing_keys(keys()).build().unwrap()).await;
    browser.get("/set").await;
    assert_eq!((browser.get("/").await.body.as_str(), shelf.texts().len()), ("max", 1));
}

/// X15, F6: visitors who store nothing, and cookies at each answer, by option.
#[tokio::test]
async fn uninitialized_sessions_and_rolling_cookies() {
    let mut browser = Browser::of(routes(), &memory().build().unwrap()).await;
    assert_eq!(browser.get("/").await.cookie(), "");
    browser.get("/set").await;
    assert_eq!(browser.get("/").await.cookie(), "");

    let cookie = Cookie::default().lifetime(Duration::from_secs(60));
    let sessions = memory().cookie(cookie).save_uninitialized().rolling().build().unwrap();
    let mut browser = Browser::of(routes(), &sessions).await;
    for _ in 0..3 {
        let answer = browser.get("/").await;
        assert!(answer.cookie().contains("Max-Age=60"), "{:?}", answer.cookie());
    }
    assert_eq!(sessions.counts().created, 1);
}

/// X15, F7: ids by a function that sees the request.
#[tokio::test]
async fn ids_by_a_function_that_sees_the_request() {
    let seen = Arc::new(std::sync::Mutex::new(Vec::new()));
    let calls = Arc::clone(&seen);
    let sessions = memory().id_generator(move |request| {
        calls.lock().unwrap().push(request.uri.path().to_owned());
        secret().into_bytes()
    });
    let mut browser = Browser::of(routes(), &sessions.build().unwrap()).await;
    browser.get("/set").await;
    assert_eq!(browser.get("/").await.body, "max");
    assert_eq!(*seen.lock().unwrap(), ["/set"]);
}

/// X15, F8: a new id for all data, or for some fields of them.
#[tokio::test]
async fn regenerated_with_all_fields_or_some() {
    async fn fill(session: Session) -> Result<(), Error> {
        Ok(session.merge([("a", 1), ("b", 2)])?)
    }
    async fn all(session: Session) -> Result<(), Error> {
        Ok(session.regenerate()?)
    }
    async fn some(session: Session) -> Result<(), Error> {
        Ok(session.regenerate_keeping(&["b"])?)
    }
    let routes = Router::new()
        .route("/fill", get(fill))
        .route("/all", get(all))
        .route("/some", get(some))
        .route("/keys", get(|session: Session| async move { session.keys().join(",") }));
    let sessions = Sessions::in_memory().unwrap();
    let mut browser = Browser::of(routes, &sessions).await;
    browser.get("/fill").await;
    for (path, kept) in [("/all", "a,b"), ("/some", "b")] {
        let old = browser.token();
        browser.get(path).await;
        assert_ne!(browser.token(), old);
        assert!(sessions.open_token(&old).await.unwrap().is_none());
        assert_eq!(browser.get("/keys").await.body, kept);
    }
}

/// X15, F8: touch, reload, save, get and set, and whether it was modified and is saved.
#[tokio::test]
async fn methods_of_the_session() {
    async fn work(session: Session) -> Result<(), Error> {
        assert!(!session.is_modified());
        session.set("n", 1)?;
        assert!(session.is_modified() && !session.is_saved());
        session.save().await?;
        assert!(!session.is_modified() && session.is_saved());
        session.set("n", 2)?;
        session.reload().await?;
        assert_eq!(session.get("n")?, Some(1), "as the store has it");
        Ok(session.touch()?)
    }
    let mut browser =
        Browser::of(Router::new().route("/", get(work)), &memory().build().unwrap()).await;
    assert_eq!(browser.get("/").await.status, 200);
    browser.visitor.session().await.assert_eq("n", 1);
}

/// X15, F9: a session from the raw cookie, outside of a request, with other options, too.
#[tokio::test]
async fn a_session_from_the_raw_cookie() {
    let sessions = memory().build().unwrap();
    let mut browser = Browser::of(routes(), &sessions).await;
    browser.get("/set").await;
    let other = Cookie::default().lifetime(Duration::from_secs(86_400));
    for sessions in [sessions.clone(), sessions.with_cookie(other).unwrap()] {
        let session = sessions.open_token(&browser.token()).await.unwrap().unwrap();
        assert_eq!(session.get_path::<String>("user.name").unwrap().as_deref(), Some("max"));
    }
    assert!(sessions.open_token("nonsense").await.unwrap().is_none());
}

/// X15, F10: keys with a type, and any others beside them.
#[tokio::test]
async fn keys_with_a_type_and_without() {
    const USER_ID: Key<String> = Key::new("user_id");
    const ID: Key<Option<u32>> = Key::new("id");
    async fn write(session: Session) -> Result<(), Error> {
        session.set(USER_ID, "max".to_owned())?;
        session.set(ID, Some(7))?;
        Ok(session.set("not-exist", "happy")?)
    }
    async fn read(session: Session) -> Result<String, Error> {
        let (user, id) = (session.get(USER_ID)?, session.get(ID)?);
        Ok(format!("{user:?} {id:?} {:?}", session.get::<String>("not-exist")?))
    }
    let routes = Router::new().route("/write", get(write)).route("/read", get(read));
    let mut browser = Browser::of(routes, &memory().build().unwrap()).await;
    browser.get("/write").await;
    assert_eq!(browser.get("/read").await.body, r#"Some("max") Some(Some(7)) Some("happy")"#);
}

/// X15, F14: the store within a handler's reach, and the cookie's raw value by a name that warns.
#[tokio::test]
async fn the_store_and_the_cookies_raw_value() {
    async fn raw(session: Session) -> Result<String, Error> {
        let token = session.danger_expose_token().unwrap();
        let handle = session.handle().unwrap();
        let shown = format!("{session:?} {handle} {handle:?} {}", session.all::<Value>()?);
        assert!(!shown.contains(&token), "by that name alone");
        Ok(token)
    }
    async fn end(session: Session, sessions: Manager) -> Result<String, Error> {
        let key = StoreKey::new(sessions.namespace().clone(), session.handle().unwrap());
        let ended = sessions.store().delete(&key, SystemClock.now()).await;
        Ok(ended.is_ok_and(|was_there| was_there).to_string())
    }
    let routes = routes().route("/raw", get(raw)).route("/end", get(end));
    let mut browser = Browser::of(routes, &memory().build().unwrap()).await;
    browser.get("/set").await;
    assert_eq!(browser.get("/raw").await.body, browser.token());
    assert_eq!(browser.get("/end").await.body, "true", "the store's own record of it");
    assert_eq!(browser.get("/").await.body, "nobody");
}
