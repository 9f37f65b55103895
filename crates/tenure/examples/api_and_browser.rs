//! An API with bearer tokens beside pages for browsers, with the same handlers (P3).
//!
//! `cargo run -p tenure --features axum --example api_and_browser`, then http://localhost:3000 in a
//! browser, which gets a cookie; and as a client of the API:
//!
//! ```console
//! $ curl --json '{"user": "ada"}' http://localhost:3000/token
//! {"access_token":"…","token_type":"Bearer","expires_in":1800}
//! $ curl --oauth2-bearer … --json '{"text": "call Bob"}' http://localhost:3000/notes
//! ["call Bob"]
//! $ curl --oauth2-bearer … http://localhost:3000/notes
//! ["call Bob"]
//! ```
//!
//! - A request with `Authorization: Bearer` is read by that alone, others by the cookie; each is
//!   answered in kind. When a session gets another secret, the response has the new token in
//!   `Authorization`.
//! - What a browser's script sends must have the forgery token of its page. A bearer token is there on
//!   purpose, and needs no other; but its log-in, which comes with nothing yet, is in a group of its own.

use axum::response::Html;
use axum::routing::{get, post};
use axum::{Json, Router};
use serde::Deserialize;
use tenure::axum::{Error, Session};
use tenure::csrf::OriginCheck;
use tenure::session::BearerToken;
use tenure::store::MemoryStore;
use tenure::tower::SessionLayer;
use tenure::tower::csrf::CsrfLayer;
use tenure::transport::{Bearer, Cookie};
use tenure::{Key, Sessions};

const NOTES: Key<Vec<String>> = Key::new("notes");

pub(crate) fn router() -> tenure::Result<Router> {
    let sessions = Sessions::builder()
        .store(MemoryStore::new())
        .bearer(Bearer::new())
        .cookie(Cookie::default())
        .build()?;
    let with_session = Router::new()
        .route("/", get(page))
        .route("/login", post(login))
        .route("/logout", post(logout))
        .route("/notes", get(notes).post(add))
        .layer(CsrfLayer::new(OriginCheck::new()).require_token());
    let token =
        Router::new().route("/token", post(token)).layer(CsrfLayer::new(OriginCheck::new()));
    Ok(with_session.merge(token).layer(SessionLayer::new(sessions)))
}

#[derive(Deserialize)]
struct Login {
    user: String,
}

/// For browsers. The recipe `login_argon2` asks for a password.
async fn login(session: Session, Json(login): Json<Login>) -> Result<(), Error> {
    Ok(session.login(login.user)?)
}

/// For clients of the API: the same, and the token in the body.
async fn token(session: Session, Json(login): Json<Login>) -> Result<Json<BearerToken>, Error> {
    session.login(login.user)?;
    Ok(Json(session.issue_bearer().await?))
}

async fn logout(session: Session) -> Result<(), Error> {
    Ok(session.logout()?)
}

async fn notes(session: Session) -> Result<Json<Vec<String>>, Error> {
    session.require_user()?;
    Ok(Json(session.get(NOTES)?.unwrap_or_default()))
}

#[derive(Deserialize)]
struct Note {
    text: String,
}

async fn add(session: Session, Json(note): Json<Note>) -> Result<Json<Vec<String>>, Error> {
    session.require_user()?;
    session.push(NOTES, note.text)?;
    notes(session).await
}

/// The front end; whoever is logged in sees their notes.
async fn page(session: Session) -> Result<Html<String>, Error> {
    let (path, field) =
        if session.user().is_some() { ("/notes", "text") } else { ("/login", "user") };
    let token = session.csrf_token()?; // of base64url
    Ok(Html(format!(
        r#"<!doctype html><title>Notes</title><pre></pre>
           <form><input name="{field}" placeholder="{field}"><button>Send</button></form>
           <script>
             const send = (path, body) => fetch(path, {{
               method: "POST", body: JSON.stringify(body),
               headers: {{ "content-type": "application/json", "x-csrf-token": "{token}" }},
             }});
             document.forms[0].onsubmit = async (event) => {{
               event.preventDefault();
               await send("{path}", Object.fromEntries(new FormData(event.target)));
               location.reload();
             }};
             fetch("/notes").then(async (answer) => {{
               if (answer.ok) document.querySelector("pre").textContent = (await answer.json()).join("\n");
             }});
           </script>"#
    )))
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:3000").await?;
    axum::serve(listener, router()?).await?;
    Ok(())
}
