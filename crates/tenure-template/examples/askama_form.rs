//! A form on a page of askama: a token in it, what had been typed, what is wrong with it, and a message
//! when it worked.
//!
//! `cargo run -p tenure-template --example askama_form`, then http://localhost:3000

use askama::Template;
use axum::http::StatusCode;
use axum::response::{Html, Redirect};
use axum::routing::get;
use axum::{Form, Router};
use serde::{Deserialize, Serialize};
use tenure::Sessions;
use tenure::axum::{Csrf, Session};
use tenure::csrf::OriginCheck;
use tenure::session::Level;
use tenure::template::SessionView;
use tenure::tower::SessionLayer;
use tenure::tower::csrf::CsrfLayer;

#[derive(Template)]
#[template(
    ext = "html",
    source = r#"<!DOCTYPE html>
<title>{{ title }}</title>
{%- let messages = view.flash_messages()? %}
{% for (level, text) in messages.levels() -%}
  <p class="{{ level }}">{{ text }}</p>
{% endfor -%}
<form method="post">
  {{ view.csrf_field()?|safe }}
  <label>Name <input name="name" value="{{ view.old("name", "")? }}"></label>
  {% if let Some(error) = view.error("name")? %}<p class="problem">The name {{ error }}.</p>{% endif %}
  <label>Text <textarea name="text">{{ view.old("text", "Hello!")? }}</textarea></label>
  <button>Sign</button>
</form>
<ul>{% for entry in entries %}<li>{{ entry.name }}: {{ entry.text }}</li>{% endfor %}</ul>
"#
)]
struct Page {
    title: &'static str,
    entries: Vec<Entry>,
    view: SessionView,
}

/// The form and what becomes of it.
pub(crate) fn router(sessions: Sessions) -> Router {
    Router::new()
        .route("/", get(form).post(sign))
        .layer(CsrfLayer::new(OriginCheck::new()))
        .layer(SessionLayer::new(sessions))
}

async fn form(session: Session) -> Result<Html<String>, StatusCode> {
    let view = SessionView::new(&session);
    let entries = view.get("entries").map_err(failed)?.unwrap_or_default();
    let page = Page { title: "Guest book", entries, view };
    page.render().map(Html).map_err(failed)
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
    axum::serve(listener, router(Sessions::in_memory()?)).await?;
    Ok(())
}
