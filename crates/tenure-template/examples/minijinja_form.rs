//! A form on a page of minijinja: a token in it, what had been typed, what is wrong with it, and a message
//! when it worked.
//!
//! `cargo run -p tenure-template --example minijinja_form --features minijinja`, then http://localhost:3000

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{Html, Redirect};
use axum::routing::get;
use axum::{Form, Router};
use minijinja::{Environment, context};
use serde::{Deserialize, Serialize};
use tenure::Sessions;
use tenure::axum::{Csrf, Session};
use tenure::csrf::OriginCheck;
use tenure::session::Level;
use tenure::template::SessionView;
use tenure::tower::SessionLayer;
use tenure::tower::csrf::CsrfLayer;

const PAGE: &str = r#"<!DOCTYPE html>
<title>{{ title }}</title>
{% for message in flash_messages.levels() -%}
  <p class="{{ message.level }}">{{ message.text }}</p>
{% endfor -%}
<form method="post">
  {{ csrf_field() }}
  <label>Name <input name="name" value="{{ old('name') }}"></label>
  {% if error('name') %}<p class="problem">The name {{ error('name') }}.</p>{% endif %}
  <label>Text <textarea name="text">{{ old('text', default='Hello!') }}</textarea></label>
  <button>Sign</button>
</form>
<ul>{% for entry in session.entries %}<li>{{ entry.name }}: {{ entry.text }}</li>{% endfor %}</ul>
"#;

/// The form and what becomes of it.
pub(crate) fn router(sessions: Sessions) -> Result<Router, minijinja::Error> {
    let mut templates = Environment::new();
    templates.add_template("page.html", PAGE)?;
    Ok(Router::new()
        .route("/", get(form).post(sign))
        .with_state(Arc::new(templates))
        .layer(CsrfLayer::new(OriginCheck::new()))
        .layer(SessionLayer::new(sessions)))
}

async fn form(
    session: Session,
    State(templates): State<Arc<Environment<'static>>>,
) -> Result<Html<String>, StatusCode> {
    let view = SessionView::new(&session);
    let template = templates.get_template("page.html").map_err(failed)?;
    let page = template.render(context! { title => "Guest book", ..view }).map_err(failed)?;
    Ok(Html(page))
}

/// A page that cannot be rendered is our fault, and the reason is for us alone.
#[expect(clippy::print_stderr, reason = "an application has a log")]
fn failed(error: impl std::fmt::Debug) -> StatusCode {
    eprintln!("{error:?}");
    StatusCode::INTERNAL_SERVER_ERROR
}

#[derive(Serialize, Deserialize)]
struct Entry {
    name: String,
    text: String,
}

async fn sign(
    session: Session,
    Csrf(Form(entry)): Csrf<Form<Entry>>,
) -> Result<Redirect, tenure::axum::Error> {
    if entry.name.trim().is_empty() {
        session.flash_errors([("name", "is missing")])?;
        session.flash_all(&entry)?;
    } else {
        session.flash(Level::Success, format!("Thank you, {}.", entry.name))?;
        session.push("entries", entry)?;
    }
    Ok(Redirect::to("/"))
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:3000").await?;
    axum::serve(listener, router(Sessions::in_memory()?)?).await?;
    Ok(())
}
