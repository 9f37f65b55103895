//! The examples: one form, with each engine.

#[path = "../../examples/askama_form.rs"]
#[expect(dead_code, reason = "the example's `main`")]
mod askama_form;
#[path = "../../examples/maud_form.rs"]
#[expect(dead_code, reason = "the example's `main`")]
mod maud_form;
#[path = "../../examples/minijinja_form.rs"]
#[expect(dead_code, reason = "the example's `main`")]
mod minijinja_form;
#[path = "../../examples/tera_form.rs"]
#[expect(dead_code, reason = "the example's `main`")]
mod tera_form;

use axum::Router;
use http::header::CONTENT_TYPE;
use http::{Request, StatusCode};

use crate::http::Client;
use crate::next::sessions;

/// Fills the form in twice, without and with a name.
async fn sign(app: Router) {
    let mut client = Client::default();
    let (status, form) = client.get(&app).await;
    assert_eq!(status, StatusCode::OK, "{form}");
    assert!(form.contains("<title>Guest book</title>") && form.contains("Hello!"), "{form}");

    let evil = "%3C%2Ftextarea%3E%3Cscript%3E";
    let (status, _) = post(&mut client, &app, &form, &format!("name=&text={evil}")).await;
    assert_eq!(status, StatusCode::SEE_OTHER);
    let (_, form) = client.get(&app).await;
    assert!(form.contains("The name is missing."), "{form}");
    assert!(!form.contains("Hello!") && !form.contains("<script"), "{form}");
    assert!(form.contains("&lt;") || form.contains("&#60;"), "{form}");

    let (status, _) = post(&mut client, &app, &form, &format!("name=Ada&text={evil}")).await;
    assert_eq!(status, StatusCode::SEE_OTHER);
    let (_, form) = client.get(&app).await;
    assert!(form.contains(r#"<p class="success">Thank you, Ada.</p>"#), "{form}");
    assert!(form.contains("<li>Ada: ") && !form.contains("<script"), "{form}");
    let (_, form) = client.get(&app).await;
    assert!(!form.contains("Thank you") && !form.contains("is missing"), "once: {form}");

    let (status, _) = post(&mut client, &app, "", "name=Eve&text=").await;
    assert_eq!(status, StatusCode::FORBIDDEN, "without a token");
}

/// Sends the form with the token that is in it, if any.
async fn post(client: &mut Client, app: &Router, form: &str, fields: &str) -> (StatusCode, String) {
    let token = form.split_once(r#"name="_csrf" value=""#).map(|(_, rest)| rest);
    let token = token.and_then(|rest| rest.split('"').next()).unwrap_or_default();
    let request = Request::post("https://shop.test/")
        .header(CONTENT_TYPE, "application/x-www-form-urlencoded");
    client.send(app, request, format!("{fields}&_csrf={token}")).await
}

#[tokio::test]
async fn a17_a20_a_form_in_minijinja() {
    sign(minijinja_form::router(sessions()).unwrap()).await;
}

#[tokio::test]
async fn a17_a20_a_form_in_tera() {
    sign(tera_form::router(sessions()).unwrap()).await;
}

#[tokio::test]
async fn a17_a20_a_form_in_askama() {
    sign(askama_form::router(sessions())).await;
}

#[tokio::test]
async fn a17_a20_a_form_in_maud() {
    sign(maud_form::router(sessions())).await;
}
