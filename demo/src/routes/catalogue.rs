//! The shop itself, on one page.

use axum::Router;
use axum::routing::get;
use maud::Markup;
use tenure::axum::Session;

use crate::problem::Problem;
use crate::view::{self, LoginForm};
use crate::visitor::{VISITS, Visitor};

pub(super) fn routes() -> Router {
    Router::new().route("/", get(shelf))
}

/// Writes nothing for a visitor who only looks: no cookie, no row.
async fn shelf(session: Session) -> Result<Markup, Problem> {
    if session.user().is_some() {
        session.increment(VISITS, 1)?;
    }
    Ok(view::shop(&Visitor::of(&session)?, &LoginForm::default()))
}
