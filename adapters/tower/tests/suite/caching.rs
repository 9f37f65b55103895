//! Headers for caches, and the application's own headers beside ours.

use axum::Router;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use http::header::{CACHE_CONTROL, SET_COOKIE, VARY};
use tenure_core::Sessions;
use tenure_tower::SessionLayer;
use tenure_tower::axum::{Error, LazySession, Session};

use crate::app::app;
use crate::client::Client;

#[tokio::test]
async fn t_cache_1_whatever_sets_or_clears_the_cookie_is_not_stored() {
    let mut client = Client::new(&app(&Sessions::in_memory().unwrap()));
    for path in ["/set/a/b", "/regenerate", "/login/ada", "/destroy"] {
        let answer = client.get(path).await;
        answer.cookie();
        assert_eq!(answer.all(CACHE_CONTROL), ["no-store"], "{path}");
    }
    for path in ["/set/a/b", "/get/a", "/incr", "/plain"] {
        let answer = client.get(path).await;
        assert_eq!(answer.headers.contains_key(CACHE_CONTROL), !answer.sets_no_cookie(), "{path}");
    }
}

#[tokio::test]
async fn t_cache_2_whatever_consults_the_session_varies() {
    type Look = fn(&tenure_core::Session);
    let looks: [(&str, Look); 6] = [
        ("contains", |session| assert!(!session.contains("a"))),
        ("len", |session| assert_eq!(session.len(), 0)),
        ("handle", |session| assert!(session.handle().is_none())),
        ("user", |session| assert!(session.user().is_none())),
        ("touch", |session| session.touch().unwrap()),
        ("is_new", |session| assert!(session.is_new())),
    ];
    for (name, look) in looks {
        let handler = move |session: Session| async move { look(&session) };
        let layer = SessionLayer::new(Sessions::in_memory().unwrap());
        let app = Router::new().route("/", get(handler)).layer(layer);
        assert_eq!(Client::new(&app).get("/").await.all(VARY), ["cookie"], "{name}");
    }
}

#[tokio::test]
async fn t_cache_2_a_blind_write_varies_too() {
    async fn blind(session: LazySession) -> Result<(), Error> {
        Ok(session.set("a", "b")?)
    }
    let layer = SessionLayer::new(Sessions::in_memory().unwrap());
    let app = Router::new().route("/", get(blind)).layer(layer);
    assert_eq!(Client::new(&app).get("/").await.all(VARY), ["cookie"]);
}

async fn own_headers(session: Session) -> Result<Response, Error> {
    session.set("a", "b")?;
    let headers =
        [(SET_COOKIE, "theme=dark; Path=/"), (VARY, "Accept-Encoding"), (CACHE_CONTROL, "private")];
    let mut response = (headers, "ok").into_response();
    response.headers_mut().append(SET_COOKIE, "lang=de; Path=/".parse().unwrap());
    Ok(response)
}

#[tokio::test]
async fn p9_the_applications_own_headers_survive() {
    let layer = SessionLayer::new(Sessions::in_memory().unwrap());
    let app = Router::new().route("/", get(own_headers)).layer(layer);
    let answer = Client::new(&app).get("/").await;
    let cookies = answer.all(SET_COOKIE);
    assert_eq!(cookies[..2], ["theme=dark; Path=/", "lang=de; Path=/"]);
    assert!(cookies.len() == 3 && cookies[2].starts_with("__Host-id="), "{cookies:?}");
    assert_eq!(answer.all(VARY), ["Accept-Encoding", "cookie"]);
    assert_eq!(answer.all(CACHE_CONTROL), ["private", "no-store"]);
}

#[tokio::test]
async fn what_the_application_says_already_is_not_said_twice() {
    async fn said(_session: Session) -> impl IntoResponse {
        ([(VARY, "Accept, Cookie")], "ok")
    }
    async fn everything(_session: Session) -> impl IntoResponse {
        ([(VARY, "*")], "ok")
    }
    let layer = SessionLayer::new(Sessions::in_memory().unwrap());
    let app = Router::new().route("/said", get(said)).route("/all", get(everything)).layer(layer);
    let mut client = Client::new(&app);
    assert_eq!(client.get("/said").await.all(VARY), ["Accept, Cookie"]);
    assert_eq!(client.get("/all").await.all(VARY), ["*"]);
}
