//! A form that keeps what was typed when something in it is wrong.

use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::get;
use axum::{Form, Router};
use serde::{Deserialize, Serialize};
use tenure::axum::{Csrf, Session};
use tenure::session::Level;

use crate::problem::Problem;
use crate::view;
use crate::visitor::{PROFILE, Profile, Visitor};

/// The longest name or address, in characters.
pub(crate) const LONGEST: usize = 80;

#[derive(Deserialize, Serialize)]
struct Input {
    #[serde(default)]
    name: String,
    #[serde(default)]
    email: String,
}

pub(super) fn routes() -> Router {
    Router::new().route("/profile", get(show).post(save))
}

async fn show(session: Session) -> Result<Response, Problem> {
    if session.user().is_none() {
        return Ok(Redirect::to("/").into_response());
    }
    let profile = session.get(PROFILE)?.unwrap_or_default();
    let token = session.csrf_token()?;
    Ok(view::profile(&Visitor::of(&session)?, &profile, &token).into_response())
}

async fn save(session: Session, Csrf(Form(input)): Csrf<Form<Input>>) -> Result<Redirect, Problem> {
    if session.user().is_none() {
        return Ok(Redirect::to("/"));
    }
    let errors = wrong(&input);
    if errors.is_empty() {
        let (name, email) = (input.name.trim().to_owned(), input.email.trim().to_owned());
        session.set(PROFILE, Profile { name, email })?;
        session.flash(Level::Success, "Your profile is saved.")?;
    } else {
        session.flash_errors(errors)?;
        session.flash_all(&input)?;
    }
    Ok(Redirect::to("/profile"))
}

/// What is wrong with which field.
fn wrong(input: &Input) -> Vec<(&'static str, &'static str)> {
    let mut errors = Vec::new();
    let (name, email) = (input.name.trim(), input.email.trim());
    if name.is_empty() {
        errors.push(("name", "Please tell us what to call you."));
    }
    let is_address = email.split_once('@').is_some_and(|(local, domain)| {
        !local.is_empty() && domain.contains('.') && !domain.contains('@')
    });
    if !is_address || email.contains(char::is_whitespace) {
        errors.push(("email", "Please write an address such as ada@example.org."));
    }
    for (field, value) in [("name", name), ("email", email)] {
        if value.chars().count() > LONGEST {
            errors.push((field, "That is too long: at most 80 characters fit."));
        }
    }
    errors
}

#[cfg(test)]
mod tests {
    use super::{Input, LONGEST, wrong};

    fn fields(name: &str, email: &str) -> Vec<&'static str> {
        let input = Input { name: name.into(), email: email.into() };
        wrong(&input).into_iter().map(|(field, _)| field).collect()
    }

    #[test]
    fn each_field_is_checked() {
        assert!(fields("Ada", " ada@example.org ").is_empty());
        assert_eq!(fields(" ", "ada@example.org"), ["name"]);
        for email in ["", "ada", "@example.org", "ada@", "ada@example", "a@b@c.org", "a b@c.org"] {
            assert_eq!(fields("Ada", email), ["email"], "{email:?}");
        }
        assert_eq!(fields(&"a".repeat(LONGEST + 1), "nobody"), ["email", "name"]);
    }
}
