//! The field against forged requests, through HTTP: what pages write is what is checked.

use std::collections::BTreeMap;

use axum::Router;
use axum::extract::Form;
use axum::response::Html;
use axum::routing::get;
use http::header::CONTENT_TYPE;
use http::{Request, StatusCode};
use minijinja::Environment;
use tenure::Sessions;
use tenure::axum::{Csrf, Error, Session};
use tenure::csrf::OriginCheck;
use tenure::store::MemoryStore;
use tenure::template::SessionView;
use tenure::template::tera::{register, render};
use tenure::tower::SessionLayer;
use tenure::tower::csrf::CsrfLayer;
use tera::{Context, Tera};

use crate::http::Client;

const FORM: &str = "<form method='post'>{{ csrf_field() }}</form>";

async fn jinja(session: Session) -> Html<String> {
    Html(Environment::new().render_str(FORM, SessionView::new(&session)).unwrap())
}

async fn tera(session: Session) -> Html<String> {
    let mut templates = Tera::new();
    register(&mut templates);
    templates.add_raw_template("form.html", FORM).unwrap();
    let view = SessionView::new(&session);
    Html(render(&templates, "form.html", &Context::new(), &view).unwrap())
}

async fn plain(session: Session) -> Result<Html<String>, Error> {
    Ok(Html(SessionView::new(&session).csrf_field()?))
}

async fn by_hand(session: Session) -> Result<Html<String>, Error> {
    let (name, token) = (session.csrf_field(), session.csrf_token()?);
    Ok(Html(format!(r#"<input name="{name}" value="{token}">"#)))
}

async fn sign(Csrf(Form(form)): Csrf<Form<BTreeMap<String, String>>>) -> String {
    form["name"].clone()
}

/// Name and value of the field.
fn field(page: &str) -> (String, String) {
    let (_, rest) = page.split_once(r#"name=""#).unwrap();
    let (name, rest) = rest.split_once('"').unwrap();
    let (_, rest) = rest.split_once(r#"value=""#).unwrap();
    (name.to_owned(), rest.split_once('"').unwrap().0.to_owned())
}

/// P14, A17: whatever the field is called, in each engine, and wherever the check is.
#[tokio::test]
async fn p14_a17_the_field_is_the_one_that_is_checked() {
    for name in ["_csrf", "authenticity_token", "auth[token]"] {
        let sessions = || {
            let builder = Sessions::builder().store(MemoryStore::new());
            let builder = if name == "_csrf" { builder } else { builder.csrf_field(name) };
            SessionLayer::new(builder.build().unwrap())
        };
        let routes = || {
            Router::new()
                .route("/jinja", get(jinja).post(sign))
                .route("/tera", get(tera).post(sign))
                .route("/plain", get(plain).post(sign))
                .route("/by_hand", get(by_hand).post(sign))
        };
        let check = || CsrfLayer::new(OriginCheck::new());
        for app in [
            routes().layer(check()).layer(sessions()),
            routes().layer(sessions()).layer(check()),
            routes().layer(sessions()),
        ] {
            for path in ["/jinja", "/tera", "/plain", "/by_hand"] {
                let url = format!("https://shop.test{path}");
                let mut client = Client::default();
                let (_, page) = client.send(&app, Request::get(&url), String::new()).await;
                let (written, token) = field(&page);
                assert_eq!(written, name, "{path}: {page}");
                let mut post = async |body: String| {
                    let request = Request::post(&url)
                        .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
                        .header("sec-fetch-site", "same-origin");
                    client.send(&app, request, body).await
                };
                let signed = post(format!("name=ada&{written}={token}")).await;
                assert_eq!(signed, (StatusCode::OK, "ada".to_owned()), "{path}");
                let (status, _) = post(format!("name=ada&other={token}")).await;
                assert_eq!(status, StatusCode::FORBIDDEN, "{path}");
                if name != "_csrf" {
                    let (status, _) = post(format!("name=ada&_csrf={token}")).await;
                    assert_eq!(status, StatusCode::FORBIDDEN, "{path}: one name, not two");
                }
            }
        }
    }
}
