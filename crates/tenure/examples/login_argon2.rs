//! Registration, log-in, change of password and log-out, with passwords hashed by argon2id.
//!
//! `cargo run -p tenure --features axum --example login_argon2`, then http://localhost:3000
//!
//! - Hashing takes tens of milliseconds on purpose: it runs by `spawn_blocking`, off the threads that
//!   serve requests. A real application also limits how many run at once, and attempts a user.
//! - A name that nobody has costs a hash, too, and gets the same answer: neither tells who is registered.
//! - `login` gives a new secret and a new CSRF token; `remember` keeps the cookie if the box was ticked.
//! - A new password needs a recent log-in and the old password, and ends all other sessions.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use argon2::Argon2;
use argon2::password_hash::{PasswordHasher, PasswordVerifier, phc::PasswordHash};
use axum::body::Bytes;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{Html, IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Form, Router};
use serde::Deserialize;
use tenure::axum::{Csrf, Error, Redirect, Session};
use tenure::csrf::OriginCheck;
use tenure::session::LocalPath;
use tenure::store::MemoryStore;
use tenure::tower::SessionLayer;
use tenure::tower::csrf::CsrfLayer;
use tenure::{Sessions, SessionsBuilder};
use tokio::task::spawn_blocking;

const MONTH: Duration = Duration::from_secs(30 * 24 * 60 * 60);
const RECENT: Duration = Duration::from_secs(5 * 60);

/// Sessions that a month's "remember me" fits into.
pub(crate) fn sessions(builder: SessionsBuilder) -> tenure::Result<Sessions> {
    builder.absolute_timeout(MONTH).build()
}

/// The application, without any user. None if not even one password could be hashed.
pub(crate) fn router(sessions: Sessions) -> Option<Router> {
    let routes = Router::new()
        .route("/", get(page))
        .route("/register", post(register))
        .route("/login", post(login))
        .route("/password", post(change))
        .route("/logout", post(logout))
        .with_state(Arc::new(Users { decoy: hash("nobody's")?, hashes: Mutex::default() }))
        .layer(CsrfLayer::new(OriginCheck::new()))
        .layer(SessionLayer::new(sessions));
    Some(routes)
}

struct Users {
    hashes: Mutex<HashMap<String, String>>,
    /// For names that nobody has.
    decoy: String,
}

impl Users {
    fn hashes(&self) -> MutexGuard<'_, HashMap<String, String>> {
        self.hashes.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether this is the user's password. Takes as long for a user who does not exist.
    async fn verify(&self, user: &str, password: String) -> bool {
        let found = self.hashes().get(user).cloned();
        let (known, kept) = (found.is_some(), found.unwrap_or_else(|| self.decoy.clone()));
        let right = spawn_blocking(move || {
            let kept = PasswordHash::new(&kept);
            kept.is_ok_and(|kept| {
                Argon2::default().verify_password(password.as_bytes(), &kept).is_ok()
            })
        });
        right.await.unwrap_or(false) && known
    }
}

/// Argon2id with the parameters that the crate recommends, and a salt of its own.
fn hash(password: &str) -> Option<String> {
    let hashed = Argon2::default().hash_password(password.as_bytes());
    hashed.ok().map(|hash| hash.to_string())
}

async fn hashed(password: String) -> Option<String> {
    spawn_blocking(move || hash(&password)).await.ok().flatten()
}

type Answer = Result<Response, Error>;

fn home() -> Answer {
    Ok(Redirect::to(LocalPath::ROOT).into_response())
}

fn wrong(status: StatusCode, text: &'static str) -> Answer {
    Ok((status, text).into_response())
}

#[derive(Deserialize)]
struct Credentials {
    user: String,
    password: String,
    remember: Option<String>,
}

async fn page(session: Session) -> Result<Html<String>, Error> {
    let token = session.csrf_token()?;
    let form = |path, fields| {
        format!(
            r#"<form method="post" action="/{path}"><input type="hidden" name="_csrf" value="{token}">
               {fields}<button>{path}</button></form>"#
        )
    };
    let user = r#"<input name="user"><input name="password" type="password">"#;
    let remember = format!(r#"{user}<input name="remember" type="checkbox"> remember me "#);
    let passwords = r#"<input name="old" type="password"><input name="new" type="password">"#;
    Ok(Html(match session.user() {
        Some(_) => {
            format!("<p>You are logged in.{}{}", form("password", passwords), form("logout", ""))
        }
        None => form("register", user) + &form("login", &remember),
    }))
}

async fn register(
    State(users): State<Arc<Users>>,
    session: Session,
    Csrf(Form(form)): Csrf<Form<Credentials>>,
) -> Answer {
    if form.user.is_empty() || form.user.len() > 64 || form.password.chars().count() < 8 {
        return wrong(StatusCode::UNPROCESSABLE_ENTITY, "A name, and 8 characters.");
    }
    let Some(hashed) = hashed(form.password).await else {
        return wrong(StatusCode::INTERNAL_SERVER_ERROR, "Try again later.");
    };
    match users.hashes().entry(form.user.clone()) {
        Entry::Occupied(_) => return wrong(StatusCode::CONFLICT, "Take another name."),
        Entry::Vacant(free) => free.insert(hashed),
    };
    session.login(form.user)?;
    home()
}

async fn login(
    State(users): State<Arc<Users>>,
    session: Session,
    Csrf(Form(form)): Csrf<Form<Credentials>>,
) -> Answer {
    if !users.verify(&form.user, form.password).await {
        return wrong(StatusCode::FORBIDDEN, "Wrong name or password.");
    }
    session.login(form.user)?;
    if form.remember.is_some() {
        session.remember(MONTH)?;
    }
    home()
}

#[derive(Deserialize)]
struct Passwords {
    old: String,
    new: String,
}

async fn change(
    State(users): State<Arc<Users>>,
    session: Session,
    Csrf(Form(form)): Csrf<Form<Passwords>>,
) -> Answer {
    let user = session.require_recent_auth(RECENT)?;
    if !users.verify(user.as_str(), form.old).await || form.new.chars().count() < 8 {
        return wrong(StatusCode::FORBIDDEN, "Wrong password, or too short a new one.");
    }
    let Some(hashed) = hashed(form.new).await else {
        return wrong(StatusCode::INTERNAL_SERVER_ERROR, "Try again later.");
    };
    users.hashes().insert(user.as_str().to_owned(), hashed);
    session.regenerate()?;
    session.revoke_others().await?;
    home()
}

async fn logout(session: Session, _: Csrf<Bytes>) -> Answer {
    session.logout_and_clear_site_data()?;
    home()
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let sessions = sessions(Sessions::builder().store(MemoryStore::new()))?;
    let app = router(sessions).ok_or("no password can be hashed")?;
    let listener = tokio::net::TcpListener::bind("127.0.0.1:3000").await?;
    axum::serve(listener, app).await?;
    Ok(())
}
