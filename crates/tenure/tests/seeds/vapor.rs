//! Vapor's sessions.
//!
//! Fluent's default and named databases are pools that the application hands over, shown in the
//! tests of the SQL stores; Redis is in the tests of its store and in the demo's.

use axum::Router;
use axum::extract::Path;
use axum::routing::get;
use tenure::Sessions;
use tenure::axum::{Error, Session};
use tenure::store::MemoryStore;
use tenure::tower::SessionLayer;
use tenure::transport::Cookie;

use crate::browser::Browser;

/// The document's three routes.
fn routes() -> Router {
    async fn set(session: Session, Path(value): Path<String>) -> Result<(), Error> {
        Ok(session.set("name", value)?)
    }
    async fn name(session: Session) -> Result<String, Error> {
        Ok(session.get_or("name", "n/a".to_owned())?)
    }
    async fn del(session: Session) -> Result<(), Error> {
        Ok(session.destroy()?)
    }
    Router::new().route("/set/{value}", get(set)).route("/get", get(name)).route("/del", get(del))
}

/// X15, V9, V11: a name that one route sets, another one gets and a third deletes.
#[tokio::test]
async fn set_get_and_delete() {
    let sessions = Sessions::in_memory().unwrap();
    let mut browser = Browser::of(routes(), &sessions).await;
    let answer = browser.get("/get").await;
    assert_eq!((answer.body.as_str(), answer.cookie()), ("n/a", ""));

    let answer = browser.get("/set/vapor").await;
    assert_eq!(answer.status, 200);
    assert!(answer.cookie().starts_with("__Host-id="), "{}", answer.cookie());
    assert!(answer.cookie().contains("; Path=/"), "{}", answer.cookie());
    assert_eq!(browser.get("/get").await.body, "vapor");

    let token = browser.token();
    let answer = browser.get("/del").await;
    assert!(answer.cookie().contains("Max-Age=0"), "{}", answer.cookie());
    assert_eq!((browser.get("/get").await.body.as_str(), browser.cookie().as_str()), ("n/a", ""));
    assert!(sessions.open_token(&token).await.unwrap().is_none(), "the store has forgotten it");
}

/// X15, V1: the middleware for a group of routes, and not for the others.
#[tokio::test]
async fn a_group_of_routes_has_sessions() {
    let sessions = Sessions::in_memory().unwrap();
    let group = routes().layer(SessionLayer::new(sessions.clone()));
    let app = Router::new().route("/outside", get(|| async { "ok" })).nest("/group", group);
    let mut browser = Browser::at(app.merge(routes()), &sessions).await;
    assert_eq!(browser.get("/outside").await.cookie(), "");
    browser.get("/group/set/vapor").await;
    assert_eq!(browser.get("/group/get").await.body, "vapor");
    assert_eq!(browser.get("/get").await.status, 500, "there is no session outside");
}

/// X15, V2, V3: another name for the cookie, and a function that makes it.
#[tokio::test]
async fn the_cookies_name_and_a_function_that_makes_it() {
    let cookie = Cookie::named("foo").factory(|context, cookie| {
        let zone = if context.is_secure() { "safe" } else { "plain" };
        cookie.extension("Zone", Some(zone))
    });
    let sessions = Sessions::builder().store(MemoryStore::new()).cookie(cookie).build().unwrap();
    let mut browser = Browser::of(routes(), &sessions).await;
    let answer = browser.get("/set/vapor").await;
    assert!(answer.cookie().starts_with("foo="), "{}", answer.cookie());
    assert!(answer.cookie().contains("; Secure"), "{}", answer.cookie());
    assert!(answer.cookie().contains("; Zone=safe"), "{}", answer.cookie());
    assert_eq!(browser.get("/get").await.body, "vapor");
}

/// X15, V7: sessions in a database, whose table a migration makes, outlive the application.
#[cfg(feature = "sqlite")]
#[tokio::test]
async fn a_database_keeps_sessions_over_a_restart() {
    use crate::browser::keys;
    use tenure::store::SqliteStore;

    let (folder, keys) = (tempfile::tempdir().unwrap(), keys());
    let start = async || {
        let store = SqliteStore::open(folder.path().join("sessions.sqlite")).await.unwrap();
        store.migrate().await.unwrap();
        Sessions::builder().store(store).signing_keys(keys.clone()).build().unwrap()
    };
    let sessions = start().await;
    let mut browser = Browser::of(routes(), &sessions).await;
    browser.get("/set/vapor").await;
    sessions.close().await;

    let cookie = browser.cookie();
    let mut browser = Browser::of(routes(), &start().await).await;
    let request = http::Request::get("/get").header("cookie", cookie);
    assert_eq!(browser.send(request).await.body, "vapor");
}

/// X15: a driver of one's own.
#[tokio::test]
async fn a_driver_of_ones_own() {
    let store = crate::adonis::Shelf::default();
    let builder = Sessions::builder().store(tenure::store::simple::SimpleStore::new(store.clone()));
    let sessions = builder.signing_keys(crate::browser::keys()).build().unwrap();
    let mut browser = Browser::of(routes(), &sessions).await;
    browser.get("/set/vapor").await;
    assert_eq!(browser.get("/get").await.body, "vapor");
    assert_eq!(store.texts().len(), 1);
    browser.get("/del").await;
    assert!(store.texts().is_empty());
}
