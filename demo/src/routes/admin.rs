//! Who is in the shop.

use axum::Router;
use axum::extract::State;
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::get;
use tenure::axum::Session;

use crate::problem::Problem;
use crate::view;
use crate::visitor::Visitor;
use crate::watch::Watch;

pub(super) fn routes(watch: Watch) -> Router {
    Router::new().route("/admin", get(show)).with_state(watch)
}

/// In a shop with something to lose this would be for the staff alone.
async fn show(session: Session, State(watch): State<Watch>) -> Result<Response, Problem> {
    if session.user().is_none() {
        return Ok(Redirect::to("/").into_response());
    }
    let (visitor, own) = (Visitor::of(&session)?, session.handle());
    Ok(view::admin(&visitor, &watch.live(), own, &watch.numbers()).into_response())
}
