//! Where the user is logged in, and how to end that.

use axum::Router;
use axum::extract::Path;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use tenure::Handle;
use tenure::axum::Session;
use tenure::session::Level;

use crate::problem::Problem;
use crate::view;
use crate::visitor::Visitor;

pub(super) fn routes() -> Router {
    Router::new()
        .route("/devices", get(list))
        .route("/devices/{handle}/revoke", post(revoke))
        .route("/devices/logout-everywhere", post(everywhere))
}

async fn list(session: Session) -> Result<Response, Problem> {
    if session.user().is_none() {
        return Ok(Redirect::to("/").into_response());
    }
    let devices = session.devices().await?;
    Ok(view::devices(&Visitor::of(&session)?, &devices).into_response())
}

/// The handle is in the page and opens nothing; the session ends only if it is the user's own.
async fn revoke(session: Session, Path(handle): Path<String>) -> Result<Redirect, Problem> {
    let handle: Handle = handle.parse().map_err(|_| Problem::Status(StatusCode::NOT_FOUND))?;
    if session.revoke(handle).await? {
        session.flash(Level::Success, "That device is logged out.")?;
    } else if session.user().is_some() {
        session.flash(Level::Info, "That device was logged out already.")?;
    }
    Ok(Redirect::to("/devices"))
}

async fn everywhere(session: Session) -> Result<Redirect, Problem> {
    session.logout_everywhere().await?;
    Ok(Redirect::to("/"))
}
