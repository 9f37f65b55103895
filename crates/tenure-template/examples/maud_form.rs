//! A form on a page of maud: a token in it, what had been typed, what is wrong with it, and a message
//! when it worked.
//!
//! `cargo run -p tenure-template --example maud_form`, then http://localhost:3000

use axum::response::{Html, Redirect};
use axum::routing::get;
use axum::{Form, Router};
use maud::{DOCTYPE, Markup, PreEscaped, html};
use serde::{Deserialize, Serialize};
use tenure::Sessions;
use tenure::axum::{Csrf, Session};
use tenure::csrf::OriginCheck;
use tenure::session::Level;
use tenure::template::SessionView;
use tenure::tower::SessionLayer;
use tenure::tower::csrf::CsrfLayer;

fn page(title: &str, view: &SessionView) -> tenure::Result<Markup> {
    Ok(html! {
        (DOCTYPE)
        title { (title) }
        @for (level, text) in view.flash_messages()?.levels() {
            p class=(level) { (text) }
        }
        form method="post" {
            (PreEscaped(view.csrf_field()?))
            label { "Name " input name="name" value=(view.old("name", "")?); }
            @if let Some(error) = view.error("name")? {
                p class="problem" { "The name " (error) "." }
            }
            label { "Text " textarea name="text" { (view.old("text", "Hello!")?) } }
            button { "Sign" }
        }
        ul {
            @for entry in view.get::<Vec<Entry>>("entries")?.unwrap_or_default() {
                li { (entry.name) ": " (entry.text) }
            }
        }
    })
}

/// The form and what becomes of it.
pub(crate) fn router(sessions: Sessions) -> Router {
    Router::new()
        .route("/", get(form).post(sign))
        .layer(CsrfLayer::new(OriginCheck::new()))
        .layer(SessionLayer::new(sessions))
}

async fn form(session: Session) -> Result<Html<String>, tenure::axum::Error> {
    Ok(Html(page("Guest book", &SessionView::new(&session))?.into_string()))
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
