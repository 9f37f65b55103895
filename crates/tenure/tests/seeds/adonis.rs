//! AdonisJS' sessions; its flash messages are in `adonis_flash`.
//!
//! Templates are in the tests of `tenure-template`, Redis by the name of a connection in those of
//! the configuration (A4), and both in the demo.
//!
//! Not yet: the driver that keeps the data, encrypted, in a cookie.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard};

use axum::Router;
use axum::routing::get;
use http::Request;
use http::request::Parts;
use serde_json::Value;
use tenure::axum::{Error, Session};
use tenure::config::SessionConfig;
use tenure::store::simple::{SimpleDriver, SimpleStore};
use tenure::store::{Schemes, StoreResult};
use tenure::{ErrorKind, Sessions, Timestamp};

use crate::browser::Browser;

/// The document's driver, which keeps texts in a map.
#[derive(Clone, Default)]
pub(crate) struct Shelf(Arc<Mutex<HashMap<String, String>>>);

impl Shelf {
    pub(crate) fn texts(&self) -> MutexGuard<'_, HashMap<String, String>> {
        self.0.lock().unwrap()
    }
}

impl SimpleDriver for Shelf {
    async fn read(&self, id: &str) -> StoreResult<Option<String>> {
        Ok(self.texts().get(id).cloned())
    }

    async fn write(&self, id: &str, text: &str, _until: Timestamp) -> StoreResult<()> {
        self.texts().insert(id.to_owned(), text.to_owned());
        Ok(())
    }

    async fn destroy(&self, id: &str) -> StoreResult<()> {
        self.texts().remove(id);
        Ok(())
    }
}

const CONFIG: &str = r#"{"enabled": true, "age": "2h", "clear_with_browser": false,
    "cookie": {"name": "adonis-session", "same_site": "lax"}}"#;

fn total() -> Router {
    async fn add(session: Session) -> Result<String, Error> {
        let total = session.get_or("cart_total", 0)?;
        session.set("cart_total", total + 10)?;
        Ok(session.get::<i64>("cart_total")?.unwrap_or_default().to_string())
    }
    Router::new().route("/", get(add))
}

/// X15, A1: the configuration file, whose driver is a variable of the environment.
#[tokio::test]
async fn a_configuration_whose_driver_is_a_variable() {
    let config = SessionConfig::sources().json(CONFIG).vars([("TENURE_STORE", "memory:")]);
    let sessions = config.read().unwrap().build().await.unwrap();
    let mut browser = Browser::of(total(), &sessions).await;
    let answer = browser.get("/").await;
    let line = answer.cookie();
    assert!(line.starts_with("adonis-session="), "{line}");
    for attribute in ["Path=/", "HttpOnly", "SameSite=Lax", "Max-Age=7200"] {
        assert!(line.split("; ").any(|part| part == attribute), "{attribute} in {line}");
    }
    assert_eq!(browser.get("/").await.body, "20");
    let missing = SessionConfig::sources().json(CONFIG).read().unwrap().build().await;
    assert!(missing.unwrap_err().to_string().contains("TENURE_STORE"));
}

/// X15, A1: the switch that turns all sessions off.
#[tokio::test]
async fn sessions_are_switched_off() {
    async fn look(session: Session) -> String {
        session.is_empty().to_string()
    }
    let config = SessionConfig::sources().json(r#"{"enabled": false}"#).read().unwrap();
    let sessions = config.build().await.unwrap();
    let mut browser = Browser::of(total().route("/look", get(look)), &sessions).await;
    let answer = browser.get("/look").await;
    assert_eq!((answer.body.as_str(), answer.cookie()), ("true", ""));
    assert_eq!(browser.get("/").await.status, 500, "who writes is told so");
}

/// X15, A3: files at a place of choice.
#[cfg(all(feature = "file", unix))]
#[tokio::test]
async fn files_at_a_place_of_choice() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("sessions");
    let secret = tenure::transform::SecretKey::generate_secret().unwrap();
    let store = format!("file:{}", path.display());
    let vars = [("TENURE_STORE", store.as_str()), ("TENURE_SECRET", secret.as_str())];
    let config = SessionConfig::sources().json(CONFIG).vars(vars).read().unwrap();
    let mut browser = Browser::of(total(), &config.build().await.unwrap()).await;
    browser.get("/").await;
    assert_eq!(browser.get("/").await.body, "20");
    assert!(std::fs::read_dir(path).unwrap().next().is_some());
}

/// X15, A5, A6, A7: get, put, all, forget, increment, decrement and clear.
#[tokio::test]
async fn every_method_for_values() {
    async fn fill(session: Session) -> Result<(), Error> {
        session.set("cart_total", 1_900)?;
        session.increment("page_views", 1)?;
        session.decrement("score", 1)?;
        session.set("name", "virk")?;
        let error = session.increment("name", 1).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Type, "it is no number");
        Ok(())
    }
    async fn all(session: Session) -> Result<String, Error> {
        Ok(session.all::<Value>()?.to_string())
    }
    async fn forget(session: Session) -> Result<(), Error> {
        session.remove("cart_total")?;
        assert_eq!(session.get::<i64>("cart_total")?, None);
        assert_eq!(session.get_or("cart_total", 0)?, 0);
        Ok(())
    }
    let routes = Router::new()
        .route("/fill", get(fill))
        .route("/all", get(all))
        .route("/forget", get(forget))
        .route("/clear", get(|session: Session| async move { session.clear().unwrap() }));
    let mut browser = Browser::of(routes, &Sessions::in_memory().unwrap()).await;
    browser.get("/fill").await;
    let all = r#"{"cart_total":1900,"name":"virk","page_views":1,"score":-1}"#;
    assert_eq!(browser.get("/all").await.body, all);
    assert_eq!(browser.get("/forget").await.status, 200);
    assert_eq!(browser.get("/all").await.body, r#"{"name":"virk","page_views":1,"score":-1}"#);
    browser.get("/clear").await;
    assert_eq!(browser.get("/all").await.body, "{}");
}

/// X15, A8, A9, A12: the id and whether it is fresh, another id for the same data, and a commit in the
/// middle of a request.
#[tokio::test]
async fn the_life_of_an_id() {
    async fn fresh(session: Session) -> Result<String, Error> {
        session.increment("n", 1)?;
        session.save().await?;
        assert!(!session.is_modified());
        let handle = session.handle().unwrap();
        Ok(format!("{} {handle}", session.is_new()))
    }
    async fn again(session: Session) -> Result<(), Error> {
        if !session.is_new() {
            session.regenerate()?;
        }
        Ok(())
    }
    let sessions = Sessions::in_memory().unwrap();
    let routes = Router::new().route("/fresh", get(fresh)).route("/again", get(again));
    let mut browser = Browser::of(routes, &sessions).await;
    assert!(browser.get("/fresh").await.body.starts_with("true "));
    assert!(browser.get("/fresh").await.body.starts_with("false "));
    let old = browser.token();
    browser.get("/again").await;
    assert_ne!(browser.token(), old);
    assert!(sessions.open_token(&old).await.unwrap().is_none());
    browser.visitor.session().await.assert_eq("n", 2);
}

/// X15, A11: a store for reading alone, as a WebSocket has it: from the headers of its handshake.
#[tokio::test]
async fn for_reading_alone_from_the_headers_of_a_handshake() {
    let sessions = Sessions::in_memory().unwrap();
    let mut browser = Browser::of(total(), &sessions).await;
    browser.get("/").await;
    let handshake = Request::get("/socket").header("upgrade", "websocket");
    let handshake = handshake.header("cookie", browser.cookie()).body(()).unwrap();
    let session = sessions.open_headers(handshake.headers(), true).await.unwrap().unwrap();
    let reading = session.read_only();
    assert_eq!(reading.get::<i64>("cart_total").unwrap(), Some(10));
    assert_eq!(reading.set("key", "value").unwrap_err().kind(), ErrorKind::ReadOnly);
    browser.visitor.session().await.assert_missing("key");
}

/// X15, A18: an own driver by its name in the configuration, with a configuration of its own,
/// and made anew for each request with what the request says.
#[tokio::test]
async fn a_driver_by_name_with_configuration_and_request() {
    let (shelf, paths) = (Shelf::default(), Arc::new(Mutex::new(Vec::new())));
    let (given, seen) = (shelf.clone(), Arc::clone(&paths));
    let open = move |url: String| {
        let (shelf, seen) = (given.clone(), Arc::clone(&seen));
        let store =
            SimpleStore::per_request((shelf, url), move |request: Option<&Parts>, config| {
                let path = request.map(|request| request.uri.path().to_owned());
                seen.lock().unwrap().extend(path.map(|path| (config.1.clone(), path)));
                config.0.clone()
            });
        std::future::ready(Ok(store))
    };
    let schemes = Schemes::new().add("shelf", open).unwrap();
    let secret = tenure::transform::SecretKey::generate_secret().unwrap();
    let vars = [("TENURE_STORE", "shelf:upper"), ("TENURE_SECRET", secret.as_str())];
    let config = SessionConfig::sources().json(CONFIG).vars(vars).read().unwrap();
    let sessions = config.schemes(schemes).build().await.unwrap();
    let mut browser = Browser::of(total(), &sessions).await;
    paths.lock().unwrap().clear();
    browser.get("/").await;
    assert_eq!(browser.get("/").await.body, "20");
    assert_eq!(shelf.texts().len(), 1);
    let request = ("shelf:upper".to_owned(), "/".to_owned());
    assert_eq!(*paths.lock().unwrap(), [request.clone(), request]);
}
