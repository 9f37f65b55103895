//! V1, K11: a layer for the whole application, or for a group of its routes.

use axum::routing::get;
use axum::{Extension, Router};
use http::StatusCode;
use http::header::VARY;
use tenure_core::Sessions;
use tenure_tower::axum::{Error, Session};
use tenure_tower::{Installed, SessionLayer};

use crate::client::Client;

async fn count(session: Session) -> Result<String, Error> {
    session.increment("n", 1)?;
    Ok(session.get::<u32>("n")?.unwrap_or_default().to_string())
}

async fn is_installed(installed: Option<Extension<Installed>>) -> String {
    installed.is_some().to_string()
}

fn routes() -> Router {
    Router::new().route("/count", get(count)).route("/installed", get(is_installed))
}

#[tokio::test]
async fn v1_k11_a_layer_for_the_application_covers_every_route() {
    let layer = SessionLayer::new(Sessions::in_memory().unwrap());
    let mut client = Client::new(&routes().nest("/shop", routes()).layer(layer));
    assert_eq!(client.get("/count").await.body, "1");
    assert_eq!(client.get("/shop/count").await.body, "2");
    assert_eq!(client.get("/count").await.body, "3");
}

#[tokio::test]
async fn v1_k11_routes_outside_the_group_see_no_session_and_no_cookie() {
    let layer = SessionLayer::new(Sessions::in_memory().unwrap());
    let mut client = Client::new(&routes().nest("/shop", routes().layer(layer)));
    assert_eq!(client.get("/shop/count").await.body, "1");
    assert_eq!(client.get("/shop/installed").await.body, "true");

    let outside = client.get("/installed").await;
    assert_eq!(outside.body, "false");
    assert!(outside.sets_no_cookie());
    assert!(!outside.headers.contains_key(VARY));

    let refused = client.get("/count").await;
    assert_eq!(refused.status, StatusCode::INTERNAL_SERVER_ERROR);
    assert!(refused.sets_no_cookie());
    assert_eq!(client.get("/shop/count").await.body, "2");
}

#[tokio::test]
async fn v1_k11_a_layer_for_one_route() {
    let layer = SessionLayer::new(Sessions::in_memory().unwrap());
    let app = routes().route("/one", get(count).layer(layer));
    let mut client = Client::new(&app);
    assert_eq!(client.get("/one").await.body, "1");
    assert_eq!(client.get("/one").await.body, "2");
    assert_eq!(client.get("/count").await.status, StatusCode::INTERNAL_SERVER_ERROR);
}
