//! An application with a route for each thing that one does with a session.

use axum::extract::Path;
use axum::response::Redirect;
use axum::routing::get;
use axum::{Json, Router};
use tenure_core::Sessions;
use tenure_core::session::BearerToken;
use tenure_tower::SessionLayer;
use tenure_tower::axum::{Error, Session};

type Done = Result<&'static str, Error>;

/// The routes behind a layer of these sessions.
pub(crate) fn app(sessions: &Sessions) -> Router {
    routes().layer(SessionLayer::new(sessions.clone()))
}

pub(crate) fn routes() -> Router {
    Router::new()
        .route("/plain", get(|| async { "ok" }))
        .route("/get/{key}", get(read))
        .route("/set/{key}/{value}", get(write))
        .route("/remove/{key}", get(remove))
        .route("/incr", get(increment))
        .route("/keys", get(|session: Session| async move { session.keys().join(",") }))
        .route("/clear", get(|session: Session| async move { done(session.clear()) }))
        .route("/login/{user}", get(login))
        .route("/token/{user}", get(token))
        .route("/whoami", get(whoami))
        .route("/logout", get(|session: Session| async move { done(session.logout()) }))
        .route("/destroy", get(|session: Session| async move { done(session.destroy()) }))
        .route("/regenerate", get(|session: Session| async move { done(session.regenerate()) }))
        .route("/handle", get(handle))
        .route("/redirect/{value}", get(redirect))
}

fn done(result: tenure_core::Result<()>) -> Done {
    result?;
    Ok("ok")
}

async fn read(session: Session, Path(key): Path<String>) -> Result<String, Error> {
    Ok(session.get::<String>(&key)?.unwrap_or_else(|| "-".into()))
}

async fn write(session: Session, Path((key, value)): Path<(String, String)>) -> Done {
    done(session.set(key, value))
}

async fn remove(session: Session, Path(key): Path<String>) -> Done {
    done(session.remove(key))
}

async fn increment(session: Session) -> Result<String, Error> {
    session.increment("n", 1)?;
    Ok(session.get::<u64>("n")?.unwrap_or_default().to_string())
}

async fn login(session: Session, Path(user): Path<String>) -> Done {
    done(session.login(user))
}

/// A log-in for clients that are no browsers.
async fn token(session: Session, Path(user): Path<String>) -> Result<Json<BearerToken>, Error> {
    session.login(user)?;
    Ok(Json(session.issue_bearer().await?))
}

async fn whoami(session: Option<Session>) -> String {
    let user = session.and_then(|session| session.user());
    user.map_or_else(|| "-".into(), |user| user.as_str().to_owned())
}

async fn handle(session: Session) -> String {
    session.handle().map_or_else(|| "-".into(), |handle| handle.to_string())
}

async fn redirect(session: Session, Path(value): Path<String>) -> Result<Redirect, Error> {
    session.set("value", value)?;
    Ok(Redirect::to("/get/value"))
}
