//! A store that fails, and what the client and the application see of it.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::response::{Html, IntoResponse};
use axum::routing::get;
use http::StatusCode;
use http::header::{CACHE_CONTROL, CONTENT_TYPE, RETRY_AFTER, SET_COOKIE, VARY};
use tenure_core::ErrorKind;
use tenure_core::engine::WhenUnavailable;
use tenure_core::store::StoreErrorKind;
use tenure_tower::axum::{Error, Session};
use tenure_tower::{PlainText, SessionLayer};

use crate::app::{app, routes};
use crate::client::{Answer, Client};
use crate::store::{Fault, HandClock, Spy};

const DOWN: Fault = Fault::Fails(StoreErrorKind::Unavailable);

fn is_503(answer: &Answer) {
    assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE, "{answer:?}");
    assert_eq!(answer.body, "Service Unavailable");
    assert_eq!(answer.all(RETRY_AFTER), ["1"]);
    assert_eq!(answer.all(CACHE_CONTROL), ["no-store"]);
    assert_eq!(answer.all(VARY), ["cookie"]);
    assert!(answer.sets_no_cookie(), "{answer:?}");
}

#[tokio::test]
async fn a_store_that_is_down_is_503_and_touches_no_cookie() {
    let store = Spy::default();
    let mut client = Client::new(&app(&store.builder().build().unwrap()));
    client.get("/login/ada").await;
    store.fail("", DOWN);
    for path in ["/get/a", "/whoami", "/set/a/b", "/logout", "/destroy", "/regenerate"] {
        is_503(&client.get(path).await);
    }
    is_503(&Client::new(client.app()).get("/set/a/b").await);
    assert_eq!(client.get("/plain").await.body, "ok");
    store.heal();
    assert_eq!(client.get("/whoami").await.body, "ada");
}

#[tokio::test]
async fn a_commit_that_fails_after_the_handler_replaces_its_response() {
    let store = Spy::default();
    let mut client = Client::new(&app(&store.builder().build().unwrap()));
    client.get("/set/a/b").await;
    for operation in ["apply", "delete", "create"] {
        store.fail(operation, DOWN);
        let (path, mut client) = match operation {
            "apply" => ("/redirect/x", client.clone()),
            "delete" => ("/logout", client.clone()),
            _ => ("/set/a/b", Client::new(client.app())),
        };
        let answer = client.get(path).await;
        is_503(&answer);
        assert!(!answer.headers.contains_key("location"));
    }
    store.heal();
    assert_eq!(client.get("/keys").await.body, "a");
}

#[tokio::test]
async fn a_store_that_hangs_is_503_within_the_time_limit() {
    let (store, clock) = (Spy::default(), HandClock::default());
    let builder = store.builder().clock(clock.clone()).store_timeout(Duration::from_millis(700));
    let mut client = Client::new(&app(&builder.build().unwrap()));
    client.get("/set/a/b").await;
    assert_eq!(clock.slept(), []);
    for (operation, path) in [("load", "/get/a"), ("apply", "/set/a/c")] {
        store.fail(operation, Fault::Hangs);
        is_503(&client.get(path).await);
        assert_eq!(clock.slept(), [Duration::from_millis(700)]);
    }
}

#[tokio::test]
async fn what_is_done_stays_done_though_a_later_write_fails() {
    async fn leave(session: Session) -> Result<(), Error> {
        session.logout()?;
        Ok(session.set("bye", true)?)
    }
    let store = Spy::default();
    let layer = SessionLayer::new(store.builder().build().unwrap());
    let mut client = Client::new(&routes().route("/leave", get(leave)).layer(layer));
    client.get("/login/ada").await;
    store.fail("create", DOWN);
    let answer = client.get("/leave").await;
    assert_eq!(answer.status, 503);
    assert!(answer.cookie().contains("Max-Age=0"));
    assert_eq!(store.records(), 0);
}

#[tokio::test]
async fn other_errors_are_500_and_say_nothing() {
    let store = Spy::default();
    let mut client = Client::new(&app(&store.builder().build().unwrap()));
    client.get("/set/a/b").await;
    for kind in [StoreErrorKind::Corrupt, StoreErrorKind::Other] {
        for (operation, path) in [("load", "/get/a"), ("apply", "/set/a/c")] {
            store.fail(operation, Fault::Fails(kind));
            let answer = client.get(path).await;
            assert_eq!(answer.status, StatusCode::INTERNAL_SERVER_ERROR);
            assert_eq!(answer.body, "Internal Server Error");
            assert!(answer.sets_no_cookie() && !answer.headers.contains_key(RETRY_AFTER));
        }
    }
}

#[tokio::test]
async fn degraded_it_goes_on_with_an_empty_session_and_touches_no_cookie() {
    async fn write(session: Session) -> String {
        format!("{:?}", session.set("a", "c").unwrap_err().kind())
    }
    let store = Spy::default();
    let sessions =
        store.builder().when_unavailable(WhenUnavailable::Degrade).rolling().build().unwrap();
    let layer = SessionLayer::new(sessions);
    let mut client = Client::new(&routes().route("/write", get(write)).layer(layer));
    client.get("/set/a/b").await;
    store.fail("", DOWN);
    store.calls();
    for (path, body) in [("/get/a", "-"), ("/whoami", "-"), ("/write", "ReadOnly")] {
        let answer = client.get(path).await;
        assert_eq!((answer.status.as_u16(), answer.body.as_str()), (200, body));
        assert!(answer.sets_no_cookie());
        assert_eq!(store.calls(), ["load", "load"], "{path}: one call and its retry");
    }
    store.heal();
    assert_eq!(client.get("/get/a").await.body, "b");
}

#[tokio::test]
async fn the_error_hook_hears_of_loads_commits_and_cookies() {
    let heard = Arc::new(Mutex::new(Vec::new()));
    let hook = heard.clone();
    let store = Spy::default();
    let cookie = tenure_core::transport::Cookie::default().factory(|_, cookie| {
        let long = cookie.danger_expose_value().repeat(99);
        cookie.value(long)
    });
    let builder = store.builder().on_error(move |error| {
        hook.lock().unwrap().push((error.operation(), error.kind()));
    });
    let mut client = Client::new(&app(&builder.cookie(cookie).build().unwrap()));
    let mut good = Client::new(&app(&store.builder().build().unwrap()));
    good.get("/set/a/b").await;
    store.fail("", DOWN);
    client.get("/set/a/b").await;
    store.heal();
    let answer = client.get("/set/a/b").await;
    assert_eq!(answer.status, 500);
    assert!(answer.sets_no_cookie());
    let expected = [("create", ErrorKind::Unavailable), ("cookie", ErrorKind::TooLarge)];
    assert_eq!(*heard.lock().unwrap(), expected);
}

#[tokio::test]
async fn the_error_response_can_be_replaced() {
    async fn fails(session: Session) -> Result<(), Error> {
        session.set("a", 1)?;
        session.get::<String>("a")?;
        Ok(())
    }
    async fn fails_with_headers(session: Session) -> impl IntoResponse {
        ([(SET_COOKIE, "theme=dark"), (VARY, "Origin")], fails(session).await)
    }
    let store = Spy::default();
    let layer = SessionLayer::new(store.builder().build().unwrap()).error_response(|error| {
        (PlainText::status(error), Html(format!("<p>{:?}", error.kind()))).into_response()
    });
    let routes = routes().route("/fails", get(fails)).route("/headers", get(fails_with_headers));
    let mut client = Client::new(&routes.layer(layer));

    let answer = client.get("/headers").await;
    assert_eq!((answer.status.as_u16(), answer.body.as_str()), (500, "<p>Type"));
    assert_eq!(answer.all(CONTENT_TYPE), ["text/html; charset=utf-8"]);
    assert_eq!(answer.all(VARY), ["Origin", "cookie"]);
    let cookies = answer.all(SET_COOKIE);
    assert!(
        cookies.len() == 2 && cookies[0] == "theme=dark",
        "written beside an error: {cookies:?}"
    );
    assert_eq!(client.get("/fails").await.body, "<p>Type");

    store.fail("load", DOWN);
    let answer = client.get("/get/a").await;
    assert_eq!((answer.status.as_u16(), answer.body.as_str()), (503, "<p>Unavailable"));
    assert!(!answer.headers.contains_key(RETRY_AFTER));
    store.fail("apply", DOWN);
    let answer = client.get("/set/a/c").await;
    assert_eq!((answer.status.as_u16(), answer.body.as_str()), (503, "<p>Unavailable"));
}

#[tokio::test]
async fn commits_happen_on_errors_too_unless_commit_on_says_otherwise() {
    async fn flash(session: Session) -> Result<StatusCode, Error> {
        session.set("flash", "wrong password")?;
        Ok(StatusCode::UNAUTHORIZED)
    }
    for (only_success, found) in [(false, "wrong password"), (true, "-")] {
        let builder = Spy::default().builder();
        let builder =
            if only_success { builder.commit_on(|status| status.is_success()) } else { builder };
        let layer = SessionLayer::new(builder.build().unwrap());
        let mut client = Client::new(&routes().route("/flash", get(flash)).layer(layer));
        let answer = client.get("/flash").await;
        assert_eq!((answer.status.as_u16(), answer.sets_no_cookie()), (401, only_success));
        assert_eq!(client.get("/get/flash").await.body, found);
    }
}

#[tokio::test]
async fn an_inner_service_that_fails_commits_nothing() {
    use tower::{Layer, ServiceExt, service_fn};
    let store = Spy::default();
    let inner = service_fn(|request: http::Request<()>| async move {
        let installed = tenure_tower::Installed::of(request.extensions()).unwrap();
        installed.session().load().await.unwrap().set("a", "b").unwrap();
        Err::<http::Response<String>, _>("failed")
    });
    let service = SessionLayer::new(store.builder().build().unwrap()).layer(inner);
    assert_eq!(service.oneshot(http::Request::new(())).await.unwrap_err(), "failed");
    assert_eq!(store.calls(), [""; 0]);
}
