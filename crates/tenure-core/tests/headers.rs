//! The cookie of a response is made under no lock, and what is wrong with it is reported.

use std::sync::{Arc, Mutex, OnceLock};

use http::{HeaderMap, Request, StatusCode};
use tenure_core::engine::Connection;
use tenure_core::store::MemoryStore;
use tenure_core::transport::Cookie;
use tenure_core::{ErrorKind, Session, Sessions};

#[tokio::test]
async fn v3_a_cookie_factory_may_read_the_session() {
    let shared: Arc<OnceLock<Session>> = Arc::default();
    let seen = Arc::clone(&shared);
    let cookie = Cookie::default().factory(move |_, cookie| {
        let plan = seen.get().unwrap().get::<String>("plan").unwrap();
        cookie.extension("X-Plan", plan.as_deref())
    });
    let sessions = Sessions::builder().store(MemoryStore::new()).cookie(cookie).build().unwrap();
    let (parts, ()) = Request::new(()).into_parts();
    let exchange = sessions.open(&parts, Connection::new());
    let session = exchange.session().load().await.unwrap();
    session.set("plan", "gold").unwrap();
    shared.set(session).unwrap();

    let mut headers = HeaderMap::new();
    exchange.close(StatusCode::OK, &mut headers).await.unwrap();
    assert!(headers["set-cookie"].to_str().unwrap().ends_with("; X-Plan=gold"));
}

#[tokio::test]
async fn the_error_hook_hears_of_a_cookie_that_is_refused() {
    let heard: Arc<Mutex<Vec<ErrorKind>>> = Arc::default();
    let hook = Arc::clone(&heard);
    let sessions = Sessions::builder()
        .store(MemoryStore::new())
        .cookie(Cookie::default().factory(|_, cookie| cookie.domain("example.com")))
        .on_error(move |error| hook.lock().unwrap().push(error.kind()))
        .build()
        .unwrap();
    let (parts, ()) = Request::new(()).into_parts();
    let exchange = sessions.open(&parts, Connection::new());
    exchange.session().set("a", 1).unwrap();

    let mut headers = HeaderMap::new();
    let error = exchange.close(StatusCode::OK, &mut headers).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Config);
    assert_eq!(*heard.lock().unwrap(), [ErrorKind::Config]);
    assert!(!headers.contains_key("set-cookie"));
}
