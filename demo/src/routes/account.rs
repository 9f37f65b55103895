//! Log in by name, and log out.

use std::time::Duration;

use axum::extract::rejection::FormRejection;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::post;
use axum::{Form, Router};
use serde::Deserialize;
use tenure::axum::{LazySession, Session};
use tenure::session::Level;

use crate::problem::Problem;
use crate::view::{self, LoginForm};
use crate::visitor::{THEME, Visitor};

/// The longest name, in characters.
pub(crate) const LONGEST_NAME: usize = 40;

/// How long whoever ticks "remember me" need not come back.
const REMEMBERED: Duration = Duration::from_secs(14 * 24 * 60 * 60);

#[derive(Deserialize)]
struct Login {
    #[serde(default)]
    name: String,
    /// A box that is ticked; one that is not is not sent.
    remember: Option<String>,
}

pub(super) fn routes() -> Router {
    Router::new().route("/login", post(login)).route("/logout", post(logout))
}

/// The cart that was filled before comes along. Where somebody else was logged in, only the theme
/// does.
async fn login(
    session: Session,
    form: Result<Form<Login>, FormRejection>,
) -> Result<Response, Problem> {
    let Form(Login { name, remember }) = form?;
    match checked(&name) {
        Ok(name) => {
            session.login_keeping(name, &[THEME.name()])?;
            if remember.is_some() {
                session.remember(REMEMBERED)?;
            }
            session.flash(Level::Success, format!("Welcome, {name}."))?;
            Ok(Redirect::to("/").into_response())
        }
        Err(problem) => {
            let form = LoginForm { name: &name, problem: Some(problem) };
            let page = view::shop(&Visitor::of(&session)?, &form);
            Ok((StatusCode::UNPROCESSABLE_ENTITY, page).into_response())
        }
    }
}

/// Ends the session without loading it. Nothing is kept of who has left, not even a farewell.
async fn logout(session: LazySession) -> Result<Redirect, Problem> {
    session.logout()?;
    Ok(Redirect::to("/"))
}

fn checked(name: &str) -> Result<&str, &'static str> {
    let name = name.trim();
    match name.chars().count() {
        0 => Err("Please tell us your name."),
        1..=LONGEST_NAME if name.chars().any(char::is_control) => {
            Err("Please write your name in letters.")
        }
        1..=LONGEST_NAME => Ok(name),
        _ => Err("Please take a shorter name: at most 40 characters fit."),
    }
}

#[cfg(test)]
mod tests {
    use super::{LONGEST_NAME, checked};

    #[test]
    fn names_are_short_and_printable() {
        assert_eq!(checked("  Ada Lovelace\n"), Ok("Ada Lovelace"));
        assert!(checked(&"ä".repeat(LONGEST_NAME)).is_ok());
        for name in ["", " \t", "a\0b", &"a".repeat(LONGEST_NAME + 1)] {
            assert!(checked(name).is_err(), "{name:?}");
        }
    }
}
