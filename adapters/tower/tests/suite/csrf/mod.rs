//! P14, X9: forged requests, through HTTP.

mod answers;
mod origins;
mod tokens;

use std::collections::BTreeMap;

use axum::routing::{get, post};
use axum::{Form, Json, Router};
use http::header::{CACHE_CONTROL, CONTENT_TYPE};
use http::{Request, StatusCode};
use tenure_core::Sessions;
use tenure_core::csrf::OriginCheck;
use tenure_tower::SessionLayer;
use tenure_tower::axum::{Csrf, Error, Session};
use tenure_tower::csrf::CsrfLayer;

use crate::client::{Answer, Client};

const SITE: &str = "sec-fetch-site";
const TOKEN: &str = "x-csrf-token";
const FORM: &str = "application/x-www-form-urlencoded";
type Fields = BTreeMap<String, String>;

/// Routes that hand out tokens and count what reaches them.
fn routes() -> Router {
    async fn act(session: Session) -> Result<String, Error> {
        session.increment("n", 1)?;
        Ok(session.get::<u32>("n")?.unwrap_or_default().to_string())
    }
    async fn form(session: Session, Csrf(Form(form)): Csrf<Form<Fields>>) -> Result<String, Error> {
        session.increment("n", 1)?;
        Ok(form.get("name").cloned().unwrap_or_default())
    }
    async fn login(session: Session) -> Result<String, Error> {
        session.login("ada")?;
        Ok(session.csrf_token()?)
    }
    Router::new()
        .route(
            "/token",
            get(|session: Session| async move { session.csrf_token().map_err(Error::from) }),
        )
        .route(
            "/n",
            get(|session: Session| async move {
                session.get::<u32>("n").unwrap().unwrap_or(0).to_string()
            }),
        )
        .route("/act", get(act).fallback(act))
        .route("/form", get(form).fallback(form))
        .route(
            "/json",
            post(|Csrf(Json(fields)): Csrf<Json<Fields>>| async move { fields["name"].clone() }),
        )
        .route("/text", post(|Csrf(text): Csrf<String>| async move { text }))
        .route("/hook", post(act))
        .route("/hook/form", post(form))
        .route("/login", get(login))
}

fn behind(layer: CsrfLayer) -> Client {
    Client::new(&routes().layer(layer).layer(SessionLayer::new(Sessions::in_memory().unwrap())))
}

fn plain() -> CsrfLayer {
    CsrfLayer::new(OriginCheck::new())
}

/// A form as a browser posts it.
async fn submit(client: &mut Client, path: &str, body: impl Into<String>) -> Answer {
    let request = Request::post(path).header(CONTENT_TYPE, FORM).header(SITE, "same-origin");
    client.send_body(request, body.into()).await
}

async fn token(client: &mut Client) -> String {
    let answer = client.get("/token").await;
    assert_eq!(answer.status, StatusCode::OK, "{answer:?}");
    answer.body
}

fn refused(answer: &Answer) -> bool {
    answer.status == StatusCode::FORBIDDEN && answer.all(CACHE_CONTROL) == ["no-store"]
}
