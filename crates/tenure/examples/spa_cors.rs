//! A JSON API for a single-page application that is served from another origin.
//!
//! `cargo run -p tenure --features axum --example spa_cors` serves the API on http://localhost:3000 for a
//! front end on http://localhost:5173, which asks it by `fetch(url, { credentials: "include" })`.
//!
//! - CORS names the front end, allows credentials and the headers that `tenure::tower::cors` lists. It is
//!   the outermost layer, so that refusals can be read by the front end, too.
//! - The cookie is for another site: `SameSite=None; Secure; Partitioned`. Where front end and API are
//!   hosts of one site, leave the default, `SameSite=Lax`, which is safer.
//! - Without `SameSite` the token is what tells forged requests: the front end gets it as JSON, which no
//!   other origin may read, and sends it back in `x-csrf-token`. A log-in changes it.

use std::time::Duration;

use axum::http::{HeaderMap, HeaderValue, Method, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use serde::Deserialize;
use serde_json::{Value, json};
use tenure::axum::{Error, Session};
use tenure::csrf::{OriginCheck, Refusal};
use tenure::store::MemoryStore;
use tenure::tower::csrf::CsrfLayer;
use tenure::tower::{SessionLayer, cors};
use tenure::transport::{Cookie, SameSite};
use tenure::{Key, Sessions};
use tower_http::cors::CorsLayer;

const CART: Key<Vec<String>> = Key::new("cart");

/// The API for the front end at this origin.
pub(crate) fn router(front_end: &'static str) -> tenure::Result<Router> {
    let cookie = Cookie::named("__Host-spa").same_site(SameSite::None).partitioned(true);
    let sessions = Sessions::builder().store(MemoryStore::new()).cookie(cookie).build()?;
    let cors = CorsLayer::new()
        .allow_origin([HeaderValue::from_static(front_end)])
        .allow_credentials(true)
        .allow_methods([Method::GET, Method::POST])
        .allow_headers(cors::request_headers())
        .expose_headers(cors::response_headers())
        .max_age(Duration::from_secs(10 * 60));
    let csrf = CsrfLayer::new(OriginCheck::new().trusted_origin(front_end)?)
        .require_token()
        .error_response(forged);
    Ok(Router::new()
        .route("/session", get(session))
        .route("/login", post(login))
        .route("/logout", post(logout))
        .route("/cart", get(cart).post(add))
        .layer(csrf)
        .layer(SessionLayer::new(sessions))
        .layer(cors))
}

fn forged(refusal: Refusal, _: &HeaderMap) -> Response {
    let error = if refusal.is_of_token() { "csrf-token" } else { "origin" };
    (StatusCode::FORBIDDEN, Json(json!({ "error": error }))).into_response()
}

/// An error of a session as JSON.
struct Failed(Error);

impl<E: Into<Error>> From<E> for Failed {
    fn from(error: E) -> Self {
        Self(error.into())
    }
}

impl IntoResponse for Failed {
    fn into_response(self) -> Response {
        let error = if self.0.is_retryable() { "unavailable" } else { "failed" };
        (self.0.status(), Json(json!({ "error": error }))).into_response()
    }
}

type Answer = Result<Json<Value>, Failed>;

/// What the front end asks for first, and after a log-in or a log-out.
async fn session(session: Session) -> Answer {
    let user = session.user().map(|user| user.as_str().to_owned());
    Ok(Json(json!({ "user": user, "csrfToken": session.csrf_token()? })))
}

#[derive(Deserialize)]
struct Login {
    user: String,
}

/// The recipe `login_argon2` asks for a password.
async fn login(session: Session, Json(login): Json<Login>) -> Answer {
    session.login(login.user)?;
    self::session(session).await
}

async fn logout(session: Session) -> Answer {
    session.logout()?;
    Ok(Json(json!({ "user": null })))
}

async fn cart(session: Session) -> Answer {
    Ok(Json(json!(session.get(CART)?.unwrap_or_default())))
}

#[derive(Deserialize)]
struct Item {
    item: String,
}

async fn add(session: Session, Json(Item { item }): Json<Item>) -> Answer {
    session.require_user()?;
    session.push(CART, item)?;
    cart(session).await
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:3000").await?;
    axum::serve(listener, router("http://localhost:5173")?).await?;
    Ok(())
}
