//! A20: redirects back, to where one was going, and never elsewhere.

use axum::extract::Form;
use axum::response::{Html, IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use http::header::{ACCEPT, CONTENT_TYPE, LOCATION};
use http::{Request, StatusCode};
use serde::Deserialize;
use tenure_core::Sessions;
use tenure_core::session::LocalPath;
use tenure_tower::axum::{Error, Redirect, Session};
use tenure_tower::{PreviousUrl, SessionLayer};

use crate::client::Client;
use crate::store::Spy;

const HOME: LocalPath = LocalPath::from_static("/home");

async fn back(session: Session) -> Result<Redirect, Error> {
    session.flash("notice", "added")?;
    Redirect::back(&session, HOME)
}

async fn page() -> Html<&'static str> {
    Html("<p>a page</p>")
}

fn app() -> Router {
    Router::new()
        .route("/cart", get(page))
        .route("/other", get(page))
        .route("/missing", get(|| async { (StatusCode::NOT_FOUND, page().await) }))
        .route("/data", get(|| async { Json(1) }))
        .route("/begin", get(|session: Session| async move { session.set("a", 1).unwrap() }))
        .route("/login", get(|session: Session| async move { session.login("ada").unwrap() }))
        .route("/back", post(back))
        .layer(PreviousUrl::new())
}

async fn lands(client: &mut Client) -> String {
    let answer = client.send(Request::post("/back")).await;
    assert_eq!(answer.status, StatusCode::SEE_OTHER);
    answer.headers[LOCATION].to_str().unwrap().to_owned()
}

#[tokio::test]
async fn a20_redirect_back_goes_to_the_last_page() {
    let app = app().layer(SessionLayer::new(Sessions::in_memory().unwrap()));
    let mut client = Client::new(&app);
    client.get("/cart").await;
    assert!(client.jar.is_empty(), "a page makes no session");
    client.get("/begin").await;
    assert_eq!(lands(&mut client).await, "/home");
    client.get("/cart?page=2").await;
    for path in ["/data", "/missing", "/nowhere"] {
        client.get(path).await;
    }
    client.send(Request::get("/other").header("sec-fetch-dest", "empty")).await;
    client.send(Request::get("/other").header(ACCEPT, "application/json")).await;
    client.send(Request::get("/other").header("sec-purpose", "prefetch")).await;
    client.send(Request::head("/other")).await;
    assert_eq!(lands(&mut client).await, "/cart?page=2");
    assert_eq!(lands(&mut client).await, "/cart?page=2", "it stays");
    client.get("/other").await;
    assert_eq!(lands(&mut client).await, "/other");
    client.get("/login").await;
    assert_eq!(lands(&mut client).await, "/home", "a login forgets it");
}

#[tokio::test]
async fn a20_the_same_page_again_is_not_written_again() {
    let store = Spy::default();
    let app = app().layer(SessionLayer::new(store.builder().build().unwrap()));
    let mut client = Client::new(&app);
    client.get("/cart").await;
    assert_eq!(store.calls(), [""; 0], "no credential, no call");
    client.get("/begin").await;
    client.get("/cart").await;
    client.get("/cart").await;
    assert_eq!(store.calls(), ["create", "load", "apply", "load"]);
}

/// A form field that says where to go next: elsewhere is refused before the handler runs.
#[tokio::test]
async fn a20_a_form_cannot_lead_elsewhere() {
    #[derive(Deserialize)]
    struct Next {
        next: Option<LocalPath>,
    }
    async fn go(session: Session, Form(form): Form<Next>) -> Result<Response, Error> {
        if let Some(next) = &form.next {
            session.set_intended_url(next)?;
        }
        Ok(Redirect::intended(&session, HOME)?.into_response())
    }
    let app = Router::new()
        .route("/go", get(go))
        .layer(SessionLayer::new(Sessions::in_memory().unwrap()));
    let mut client = Client::new(&app);
    for (next, to) in [("?next=/orders%3Fpage=2", "/orders?page=2"), ("", "/home")] {
        let answer = client.get(&format!("/go{next}")).await;
        assert_eq!(answer.headers[LOCATION], to);
        assert!(!answer.headers.contains_key(CONTENT_TYPE));
    }
    for next in [
        "//evil.test",
        "/%5Cevil.test",
        "/%09/evil.test",
        "https://evil.test",
        "/x%0D%0ALocation:%20https://evil.test",
        "/%252Fevil.test",
        "javascript:alert(1)",
        "",
    ] {
        let answer = client.get(&format!("/go?next={next}")).await;
        assert!(answer.status.is_client_error(), "{next}: {}", answer.status);
        assert!(!answer.headers.contains_key(LOCATION), "{next}");
    }
}
