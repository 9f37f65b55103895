//! P17: an API with sessions for a front end at another origin.

#[path = "../../examples/spa_cors.rs"]
#[expect(dead_code, reason = "the example's `main`")]
mod recipe;

use http::header::{
    ACCESS_CONTROL_ALLOW_CREDENTIALS, ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_ORIGIN,
    ACCESS_CONTROL_EXPOSE_HEADERS, ACCESS_CONTROL_REQUEST_HEADERS, ACCESS_CONTROL_REQUEST_METHOD,
    CONTENT_TYPE, ORIGIN, SET_COOKIE,
};
use http::{Request, StatusCode};
use serde_json::Value;

use crate::client::{Answer, Client};

const FRONT_END: &str = "https://app.test";

fn client() -> Client {
    Client::new(&recipe::router(FRONT_END).unwrap(), "https://api.example")
}

/// A request of a script on a page of `origin`.
async fn fetch(
    client: &mut Client,
    origin: &str,
    path: &str,
    post: Option<(&str, &str)>,
) -> Answer {
    let request = match post {
        Some((token, _)) => Request::post(path)
            .header("x-csrf-token", token)
            .header(CONTENT_TYPE, "application/json"),
        None => Request::get(path),
    };
    let request = request.header(ORIGIN, origin).header("sec-fetch-site", "cross-site");
    client.send(request, post.map_or("", |(_, body)| body)).await
}

fn token(answer: &Answer) -> String {
    let json: Value = serde_json::from_str(&answer.body).unwrap();
    json["csrfToken"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn p17_a_front_end_elsewhere_has_a_session() {
    let mut client = client();
    let answer = fetch(&mut client, FRONT_END, "/session", None).await;
    assert_eq!(answer.header(ACCESS_CONTROL_ALLOW_ORIGIN), FRONT_END);
    assert_eq!(answer.header(ACCESS_CONTROL_ALLOW_CREDENTIALS), "true");
    assert_eq!(answer.header(ACCESS_CONTROL_EXPOSE_HEADERS), "retry-after");
    let cookie = answer.header(SET_COOKIE);
    for attribute in ["__Host-spa=", "SameSite=None", "Secure", "HttpOnly", "Partitioned"] {
        assert!(cookie.contains(attribute), "{cookie}");
    }
    let first = token(&answer);
    let login = Some((&*first, r#"{"user":"ada"}"#));
    let answer = fetch(&mut client, FRONT_END, "/login", login).await;
    assert_eq!(answer.status, StatusCode::OK, "{answer:?}");
    let second = token(&answer);
    let tea = r#"{"item":"tea"}"#;
    let answer = fetch(&mut client, FRONT_END, "/cart", Some((&second, tea))).await;
    assert_eq!(answer.body, r#"["tea"]"#);

    let answer = fetch(&mut client, FRONT_END, "/cart", Some((&first, tea))).await;
    assert_eq!(answer.status, StatusCode::FORBIDDEN, "of before the log-in");
    assert_eq!(answer.body, r#"{"error":"csrf-token"}"#);
    assert_eq!(answer.header(ACCESS_CONTROL_ALLOW_ORIGIN), FRONT_END, "readable by the front end");
    fetch(&mut client, FRONT_END, "/logout", Some((&second, ""))).await;
    let answer = fetch(&mut client, FRONT_END, "/session", None).await;
    let anonymous = token(&answer);
    let answer = fetch(&mut client, FRONT_END, "/cart", Some((&anonymous, tea))).await;
    assert_eq!((answer.status, &*answer.body), (StatusCode::UNAUTHORIZED, r#"{"error":"failed"}"#));
}

async fn preflight(client: &mut Client, origin: &str) -> Answer {
    let request = Request::options("/cart")
        .header(ORIGIN, origin)
        .header(ACCESS_CONTROL_REQUEST_METHOD, "POST")
        .header(ACCESS_CONTROL_REQUEST_HEADERS, "content-type,x-csrf-token");
    client.send(request, "").await
}

#[tokio::test]
async fn p17_the_preflight_allows_what_the_layers_need() {
    let answer = preflight(&mut client(), FRONT_END).await;
    assert_eq!(answer.status, StatusCode::OK);
    assert_eq!(answer.header(ACCESS_CONTROL_ALLOW_ORIGIN), FRONT_END);
    assert_eq!(answer.header(ACCESS_CONTROL_ALLOW_CREDENTIALS), "true");
    assert_eq!(answer.header(ACCESS_CONTROL_ALLOW_HEADERS), "content-type,x-csrf-token");
    assert!(!answer.headers.contains_key(SET_COOKIE), "no session for a preflight");
}

#[tokio::test]
async fn p17_another_origin_is_refused_and_credentials_never_go_with_a_star() {
    let mut client = client();
    let token = token(&fetch(&mut client, FRONT_END, "/session", None).await);
    for origin in ["https://evil.test", "http://app.test", "https://app.test.evil.test", "null"] {
        let answer = preflight(&mut client, origin).await;
        assert!(!answer.headers.contains_key(ACCESS_CONTROL_ALLOW_ORIGIN), "{origin}: {answer:?}");
        let answer = fetch(&mut client, origin, "/session", None).await;
        assert!(!answer.headers.contains_key(ACCESS_CONTROL_ALLOW_ORIGIN), "{origin}: {answer:?}");
        let login = Some((&*token, r#"{"user":"eve"}"#));
        let answer = fetch(&mut client, origin, "/login", login).await;
        assert_eq!(answer.status, StatusCode::FORBIDDEN, "{origin}");
        assert_eq!(answer.body, r#"{"error":"origin"}"#);
    }
}
