//! P3: an API with bearer tokens beside a browser front end.

#[path = "../../examples/api_and_browser.rs"]
#[expect(dead_code, reason = "the example's `main`")]
mod recipe;

use http::header::{AUTHORIZATION, CACHE_CONTROL, CONTENT_TYPE, SET_COOKIE};
use http::request::Builder;
use http::{Request, StatusCode};

use crate::client::{Answer, Client};

const NOTE: &str = r#"{"text":"call Bob"}"#;

fn client() -> Client {
    Client::new(&recipe::router().unwrap(), "https://notes.test")
}

fn json(path: &str) -> Builder {
    Request::post(path).header(CONTENT_TYPE, "application/json")
}

/// A script of the page sends with the token that stands in it.
async fn page_sends(browser: &mut Client, path: &str, body: &str) -> Answer {
    let page = browser.get("/").await.body;
    let (_, token) = page.split_once(r#""x-csrf-token": ""#).unwrap();
    let (token, _) = token.split_once('"').unwrap();
    let request = json(path).header("x-csrf-token", token).header("sec-fetch-site", "same-origin");
    browser.send(request, body).await
}

async fn log_in(api: &mut Client, user: &str) -> String {
    let answer = api.send(json("/token"), &format!(r#"{{"user":"{user}"}}"#)).await;
    assert!(!answer.headers.contains_key(SET_COOKIE) && api.jar.is_empty());
    assert_eq!(answer.header(CACHE_CONTROL), "no-store");
    let body: serde_json::Value = serde_json::from_str(&answer.body).unwrap();
    assert_eq!((&body["token_type"], &body["expires_in"]), (&"Bearer".into(), &1800.into()));
    format!("Bearer {}", body["access_token"].as_str().unwrap())
}

/// P3: the same handlers, each client in its own way.
#[tokio::test]
async fn p3_browsers_and_api_clients_by_the_same_handlers() {
    let mut browser = client();
    assert_eq!(browser.get("/notes").await.status, StatusCode::UNAUTHORIZED);
    let answer = page_sends(&mut browser, "/login", r#"{"user":"ada"}"#).await;
    assert_eq!(answer.status, StatusCode::OK);
    assert!(!answer.headers.contains_key(AUTHORIZATION));
    assert_eq!(page_sends(&mut browser, "/notes", NOTE).await.body, r#"["call Bob"]"#);
    assert_eq!(browser.get("/notes").await.body, r#"["call Bob"]"#);

    let mut api = client();
    let token = log_in(&mut api, "ada").await;
    let answer = api.send(json("/notes").header(AUTHORIZATION, &token), NOTE).await;
    assert_eq!((answer.status, &*answer.body), (StatusCode::OK, r#"["call Bob"]"#));
    assert!(api.jar.is_empty());
    let answer = api.send(json("/logout").header(AUTHORIZATION, &token), "").await;
    assert_eq!(&answer.headers[AUTHORIZATION], "", "there is nothing to keep any more");
    let answer = api.send(Request::get("/notes").header(AUTHORIZATION, &token), "").await;
    assert_eq!(answer.status, StatusCode::UNAUTHORIZED);
    assert_eq!(browser.get("/notes").await.body, r#"["call Bob"]"#, "that was another session");
}

/// P3, T-CSRF-3: what a browser sends needs its token, and another site gets nowhere.
#[tokio::test]
async fn p3_t_csrf_3_forged_requests_are_refused() {
    let mut browser = client();
    page_sends(&mut browser, "/login", r#"{"user":"ada"}"#).await;
    for path in ["/notes", "/login", "/logout"] {
        assert_eq!(browser.send(json(path), NOTE).await.status, StatusCode::FORBIDDEN, "{path}");
    }
    let cross = |path| json(path).header("sec-fetch-site", "cross-site");
    for path in ["/notes", "/token"] {
        for authorization in ["", "Bearer x"] {
            let forged = cross(path).header(AUTHORIZATION, authorization);
            assert_eq!(browser.send(forged, NOTE).await.status, StatusCode::FORBIDDEN, "{path}");
        }
    }
    let forged = json("/notes").header(AUTHORIZATION, "Bearer x");
    assert_eq!(
        browser.send(forged, NOTE).await.status,
        StatusCode::UNAUTHORIZED,
        "nobody's session"
    );
    assert_eq!(browser.get("/notes").await.body, "[]");
}
