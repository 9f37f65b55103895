//! AdonisJS' flash messages.

use std::collections::BTreeMap;

use axum::response::Redirect;
use axum::routing::{get, post};
use axum::{Form, Router};
use http::Request;
use serde_json::json;
use tenure::Sessions;
use tenure::axum::{Error, Session};

use crate::browser::Browser;

type Fields = Form<BTreeMap<String, String>>;

async fn browser(routes: Router) -> Browser {
    async fn keys(session: Session) -> Result<String, Error> {
        Ok(session.flash_messages()?.keys().join(" "))
    }
    let routes = routes.route("/keys", get(keys));
    Browser::of(routes, &Sessions::in_memory().unwrap()).await
}

/// X15, A13, P16: a message over a redirect, for one request.
#[tokio::test]
async fn a_message_over_a_redirect() {
    async fn begin(session: Session) -> Result<Redirect, Error> {
        session.flash("message", "Hello world")?;
        Ok(Redirect::to("/see-message"))
    }
    async fn see(session: Session) -> Result<String, Error> {
        let messages = session.flash_messages()?;
        Ok(messages.get("message")?.unwrap_or_else(|| "nothing".to_owned()))
    }
    let routes = Router::new().route("/", get(begin)).route("/see-message", get(see));
    let mut browser = browser(routes).await;
    let answer = browser.get("/").await;
    assert_eq!(answer.headers["location"], "/see-message");
    assert_eq!(browser.get("/see-message").await.body, "Hello world");
    assert_eq!(browser.get("/see-message").await.body, "nothing");
}

/// X15, A16: an object of messages, found by path, with a default, one by one and all.
#[tokio::test]
async fn an_object_of_messages_by_path() {
    async fn errors(session: Session) -> Result<(), Error> {
        let errors = json!({"title": "A title is missing", "description": "So is this"});
        Ok(session.flash("errors", errors)?)
    }
    async fn see(session: Session) -> Result<String, Error> {
        let messages = session.flash_messages()?;
        let title: Option<String> = messages.get("errors.title")?;
        let other: Option<String> = messages.get("title")?;
        let all: Vec<_> = messages.iter().map(|(key, _)| key).collect();
        let has = messages.contains("errors.description");
        let other = other.unwrap_or_else(|| "none".into());
        Ok(format!("{title:?} {other} {has} {} {all:?}", messages.is_empty()))
    }
    let routes = Router::new().route("/errors", get(errors)).route("/see", get(see));
    let mut browser = browser(routes).await;
    browser.get("/errors").await;
    let seen = r#"Some("A title is missing") none true false ["errors"]"#;
    assert_eq!(browser.get("/see").await.body, seen);
    assert_eq!(browser.get("/see").await.body, "None none false true []");
}

/// X15, A14: the form's fields: all, some, and all but some.
#[tokio::test]
async fn the_fields_of_a_form() {
    async fn all(session: Session, form: Fields) -> Result<(), Error> {
        Ok(session.flash_all(&form.0)?)
    }
    async fn only(session: Session, form: Fields) -> Result<(), Error> {
        Ok(session.flash_only(&form.0, &["title", "description"])?)
    }
    async fn except(session: Session, form: Fields) -> Result<(), Error> {
        Ok(session.flash_except(&form.0, &["_csrf", "submit"])?)
    }
    async fn old(session: Session) -> Result<String, Error> {
        Ok(session.flash_messages()?.old("title").unwrap_or_default())
    }
    let routes = Router::new()
        .route("/all", post(all))
        .route("/only", post(only))
        .route("/except", post(except))
        .route("/old", get(old));
    let mut browser = browser(routes).await;
    let form = "title=Tea&description=Green&submit=1&_csrf=x&password=secret&author=ada";
    for (path, kept) in [
        ("/all", "author description submit title"),
        ("/only", "description title"),
        ("/except", "author description title"),
    ] {
        for see in ["/keys", "/old"] {
            let request =
                Request::post(path).header("content-type", "application/x-www-form-urlencoded");
            assert_eq!(browser.send_body(request, form).await.status, 200, "{path}");
            let expected = if see == "/keys" { kept } else { "Tea" };
            assert_eq!(browser.get(see).await.body, expected, "{path}");
        }
    }
}

/// X15, A15: flashed again: all, some, and all but some.
#[tokio::test]
async fn flashed_again() {
    async fn begin(session: Session) -> Result<(), Error> {
        for key in ["errors", "success", "username", "password"] {
            session.flash(key, "text")?;
        }
        Ok(())
    }
    async fn all(session: Session) -> Result<(), Error> {
        Ok(session.reflash()?)
    }
    async fn only(session: Session) -> Result<(), Error> {
        Ok(session.reflash_only(&["errors"])?)
    }
    async fn except(session: Session) -> Result<(), Error> {
        Ok(session.reflash_except(&["success", "username", "password"])?)
    }
    let routes = Router::new()
        .route("/begin", get(begin))
        .route("/all", get(all))
        .route("/only", get(only))
        .route("/except", get(except));
    let mut browser = browser(routes).await;
    for (path, kept) in
        [("/all", "errors password success username"), ("/only", "errors"), ("/except", "errors")]
    {
        browser.get("/begin").await;
        assert_eq!(browser.get(path).await.status, 200);
        assert_eq!(browser.get("/keys").await.body, kept, "{path}");
        assert_eq!(browser.get("/keys").await.body, "", "{path}");
    }
}
