//! V9, T-LAZY-1: a session begins when something is stored, not before.

use axum::Router;
use axum::routing::get;
use http::header::{CACHE_CONTROL, VARY};
use tenure_core::Sessions;
use tenure_tower::SessionLayer;
use tenure_tower::axum::{Error, LazySession, Session};

use crate::client::Client;

fn app(sessions: &Sessions) -> Router {
    Router::new()
        .route("/plain", get(|| async { "ok" }))
        .route("/look", get(look))
        .route(
            "/maybe",
            get(|session: Option<Session>| async move { session.is_some().to_string() }),
        )
        .route("/lazy", get(|_session: LazySession| async { "ok" }))
        .route("/blind", get(blind))
        .route("/store", get(store))
        .layer(SessionLayer::new(sessions.clone()))
}

async fn look(session: Session) -> Result<String, Error> {
    let seen = (session.is_new(), session.exists(), session.handle().is_some());
    Ok(format!("{seen:?} {:?}", session.get::<String>("name")?))
}

async fn blind(session: LazySession) -> Result<(), Error> {
    Ok(session.increment("n", 1)?)
}

async fn store(session: Session) -> Result<(), Error> {
    Ok(session.set("name", "ada")?)
}

#[tokio::test]
async fn v9_t_lazy_1_who_stores_nothing_gets_no_cookie_and_no_record() {
    let sessions = Sessions::in_memory().unwrap();
    let mut client = Client::new(&app(&sessions));
    for path in ["/plain", "/look", "/maybe", "/lazy"] {
        let answer = client.get(path).await;
        assert!(answer.status.is_success(), "{path}: {answer:?}");
        assert!(answer.sets_no_cookie(), "{path}: {answer:?}");
        assert!(!answer.headers.contains_key(CACHE_CONTROL), "{path}: {answer:?}");
    }
    assert_eq!(sessions.counts(), tenure_core::Sessions::in_memory().unwrap().counts());
    assert_eq!(client.get("/look").await.body, "(true, false, false) None");
}

#[tokio::test]
async fn v9_the_first_value_begins_the_session() {
    let sessions = Sessions::in_memory().unwrap();
    for path in ["/store", "/blind"] {
        let before = sessions.counts().created;
        let mut client = Client::new(&app(&sessions));
        client.get(path).await.cookie();
        assert_eq!(sessions.counts().created, before + 1);
        assert!(client.get("/look").await.body.starts_with("(false, true, true)"));
    }
}

#[tokio::test]
async fn v13_has_session_asks_without_making_one() {
    let sessions = Sessions::in_memory().unwrap();
    let mut client = Client::new(&app(&sessions));
    assert_eq!(client.get("/maybe").await.body, "false");
    client.get("/store").await;
    assert_eq!(client.get("/maybe").await.body, "true");
    assert_eq!(sessions.counts().created, 1);
}

#[tokio::test]
async fn k17_only_what_was_consulted_varies_the_response() {
    let mut client = Client::new(&app(&Sessions::in_memory().unwrap()));
    for (path, varies) in [("/plain", false), ("/lazy", false), ("/look", true), ("/maybe", true)] {
        assert_eq!(client.get(path).await.headers.contains_key(VARY), varies, "{path}");
    }
}
