//! The preference for a light or a dark page.

use axum::extract::rejection::FormRejection;
use axum::response::Redirect;
use axum::routing::post;
use axum::{Form, Router};
use serde::Deserialize;
use tenure::axum::LazySession;
use tenure::session::Level;

use crate::problem::Problem;
use crate::visitor::{THEME, Theme};

#[derive(Deserialize)]
struct Choice {
    theme: Theme,
}

pub(super) fn routes() -> Router {
    Router::new().route("/theme", post(choose))
}

/// A blind write: it needs no look at what the session holds.
async fn choose(
    session: LazySession,
    form: Result<Form<Choice>, FormRejection>,
) -> Result<Redirect, Problem> {
    let Form(choice) = form?;
    session.set(THEME, choice.theme)?;
    session.flash(Level::Info, format!("The shop is {} now.", choice.theme.name()))?;
    Ok(Redirect::to("/"))
}
