//! K14: the session in a sealed cookie.

#[path = "../../examples/client_cookie.rs"]
#[expect(dead_code, reason = "the example's `main`")]
mod recipe;

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD as BASE64;
use http::header::SET_COOKIE;
use http::{Request, StatusCode};
use tenure::transform::{Keyring, SecretKey};

use crate::client::Client;

fn client(keys: &Keyring) -> Client {
    Client::new(&recipe::router(keys.clone()).unwrap(), "https://shop.test")
}

fn keyring() -> Keyring {
    Keyring::new([SecretKey::generate().unwrap()])
}

/// K14, K5, A2: it needs nothing of the server, and so outlives it.
#[tokio::test]
async fn k14_a2_the_cart_is_in_the_cookie() {
    let keys = keyring();
    let mut visitor = client(&keys);
    assert_eq!(visitor.get("/cart").await.body, "[]");
    assert!(visitor.jar.is_empty(), "nothing to keep yet");
    let answer = visitor.post("/cart", "item=tea").await;
    assert_eq!(answer.body, r#"["tea"]"#);
    let cookie = answer.header(SET_COOKIE);
    assert!(cookie.ends_with("; Path=/; Secure; HttpOnly; SameSite=Lax"), "{cookie}");
    assert_eq!(visitor.post("/cart", "item=milk").await.body, r#"["tea","milk"]"#);

    let mut restarted = client(&keys);
    restarted.jar = visitor.jar.clone();
    let answer = restarted.get("/cart").await;
    assert_eq!(answer.body, r#"["tea","milk"]"#);
    assert!(!answer.headers.contains_key(SET_COOKIE), "it has not changed");
    let mut other = client(&keyring());
    other.jar = visitor.jar.clone();
    assert_eq!(other.get("/cart").await.body, "[]", "other keys");

    restarted.send(Request::delete("/cart").header("sec-fetch-site", "same-origin"), "").await;
    assert!(restarted.jar.is_empty());
}

/// K14: nobody can read it, or write it, or make a visitor's browser write it.
#[tokio::test]
async fn k14_a2_nobody_else_can_read_or_write_it() {
    let mut visitor = client(&keyring());
    visitor.post("/cart", "item=secret").await;
    let sealed = visitor.jar["__Host-id"].clone();
    let octets = BASE64.decode(&sealed).unwrap();
    assert!(!octets.windows(6).any(|window| window == b"secret"));
    for at in [0, sealed.len() / 2, sealed.len() - 1] {
        let mut forged = sealed.clone().into_bytes();
        forged[at] = if forged[at] == b'A' { b'B' } else { b'A' };
        visitor.jar.insert("__Host-id".into(), String::from_utf8(forged).unwrap());
        assert_eq!(visitor.get("/cart").await.body, "[]");
    }
    let forged = Request::post("/cart").header("sec-fetch-site", "cross-site");
    assert_eq!(visitor.send(forged, "item=c").await.status, StatusCode::FORBIDDEN);
}
