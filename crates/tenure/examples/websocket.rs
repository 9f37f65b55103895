//! A WebSocket that belongs to a session: opened by who is logged in, closed by their logout.
//!
//! `cargo run -p tenure --features axum --example websocket`, then http://localhost:3000
//!
//! - The session is read at the handshake, which is a request as any other. Browsers let every page open
//!   a WebSocket to anywhere, with cookies: the `CsrfLayer` refuses those of other origins.
//! - After the handshake `session.detach()` is the handle that goes on. It commits when told to.
//! - Each message loads the session again. After a logout, here or by "end my other sessions", that is an
//!   error of the kind `Gone`, and the socket is closed with 1008 (RFC 6455 section 7.4.1).

use axum::extract::ws::{CloseFrame, Message, WebSocket, WebSocketUpgrade, close_code};
use axum::response::{Html, Response};
use axum::routing::{get, post};
use axum::{Form, Router};
use serde::Deserialize;
use tenure::axum::{Error, Redirect, Session};
use tenure::csrf::OriginCheck;
use tenure::session::{Detached, LocalPath};
use tenure::tower::SessionLayer;
use tenure::tower::csrf::CsrfLayer;
use tenure::{ErrorKind, Key, Sessions};

const SAID: Key<Vec<String>> = Key::new("said");

/// A page, log-in and log-out, and the socket.
pub(crate) fn router(sessions: Sessions) -> Router {
    Router::new()
        .route("/", get(page))
        .route("/login", post(login))
        .route("/logout", post(logout))
        .route("/socket", get(connect))
        .layer(CsrfLayer::new(OriginCheck::new()))
        .layer(SessionLayer::new(sessions))
}

async fn page(session: Session) -> Result<Html<String>, Error> {
    let Some(_) = session.user() else {
        let form =
            r#"<form method="post" action="/login"><input name="user"><button>Log in</button>"#;
        return Ok(Html(form.into()));
    };
    let said = session.get(SAID)?.unwrap_or_default().len();
    Ok(Html(format!(
        r#"<p>You have said {said} things.<p><input id="text"><ul></ul>
           <form method="post" action="/logout" target="_blank"><button>Log out</button></form><script>
           const socket = new WebSocket('ws://' + location.host + '/socket');
           const show = text => {{
               const item = document.createElement('li');
               item.textContent = text;
               document.querySelector('ul').append(item);
           }};
           socket.onmessage = event => show(event.data);
           socket.onclose = event => show('closed: ' + event.reason);
           document.querySelector('#text').onchange = event => socket.send(event.target.value);
           </script>"#
    )))
}

#[derive(Deserialize)]
struct LoginForm {
    user: String,
}

/// The recipe `login_argon2` asks for a password.
async fn login(session: Session, Form(form): Form<LoginForm>) -> Result<Redirect, Error> {
    session.login(form.user)?;
    Ok(Redirect::to(LocalPath::ROOT))
}

async fn logout(session: Session) -> Result<Redirect, Error> {
    session.logout()?;
    Ok(Redirect::to(LocalPath::ROOT))
}

async fn connect(session: Session, upgrade: WebSocketUpgrade) -> Result<Response, Error> {
    let user = session.read_only().require_user()?;
    let session = session.detach()?;
    let greeting = format!("Hello {}", user.as_str());
    Ok(upgrade.on_upgrade(move |socket| converse(socket, session, greeting)))
}

async fn converse(mut socket: WebSocket, session: Detached, greeting: String) {
    let mut answer = Ok(greeting);
    loop {
        let (message, last) = match answer {
            Ok(text) => (Message::text(text), false),
            Err(error) => (Message::Close(Some(farewell(&error))), true),
        };
        if socket.send(message).await.is_err() || last {
            return;
        }
        answer = loop {
            match socket.recv().await {
                Some(Ok(Message::Text(text))) => break said(&session, text.as_str()).await,
                Some(Ok(Message::Close(_)) | Err(_)) | None => return,
                Some(Ok(_)) => {}
            }
        };
    }
}

async fn said(session: &Detached, text: &str) -> tenure::Result<String> {
    session.reload().await?;
    session.require_user()?;
    session.push(SAID, text.to_owned())?;
    session.commit().await?;
    Ok(format!("{}. {text}", session.get(SAID)?.unwrap_or_default().len()))
}

fn farewell(error: &tenure::Error) -> CloseFrame {
    match error.kind() {
        ErrorKind::Gone | ErrorKind::Unauthenticated => {
            CloseFrame { code: close_code::POLICY, reason: "logged out".into() }
        }
        _ => CloseFrame { code: close_code::ERROR, reason: "try again later".into() },
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:3000").await?;
    axum::serve(listener, router(Sessions::in_memory()?)).await?;
    Ok(())
}
