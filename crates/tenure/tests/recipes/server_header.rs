//! K14: the id in a header, the sessions in a folder.

#[path = "../../examples/server_header.rs"]
#[expect(dead_code, reason = "the example's `main`")]
mod recipe;

use axum::Router;
use http::header::{CONTENT_TYPE, COOKIE, SET_COOKIE};
use http::{Method, Request};
use tenure::store::FileStore;
use tenure::transform::{Keyring, SecretKey};

use crate::client::{Answer, Client};

/// A client that keeps what the header says.
struct Script {
    app: Router,
    id: String,
}

impl Script {
    async fn send(&mut self, method: Method, body: &str) -> Answer {
        let mut request = Request::builder()
            .method(method)
            .uri("/cart")
            .header(CONTENT_TYPE, "application/x-www-form-urlencoded");
        if !self.id.is_empty() {
            request = request.header("x-session", &self.id);
        }
        let answer = Client::new(&self.app, "https://api.test").send(request, body).await;
        assert!(!answer.headers.contains_key(SET_COOKIE));
        if answer.headers.contains_key("x-session") {
            self.id = answer.header("x-session").to_owned();
        }
        answer
    }
}

/// K14, K4, K6: the id goes both ways in the header, and the folder outlives the server.
#[tokio::test]
async fn k14_k4_k6_the_id_is_in_a_header_and_the_session_in_a_folder() {
    let parent = tempfile::tempdir().unwrap();
    let folder = parent.path().join("sessions");
    let keys = Keyring::new([SecretKey::generate().unwrap()]);
    let start =
        async || recipe::router(FileStore::open(&folder).await.unwrap(), keys.clone()).unwrap();
    let mut script = Script { app: start().await, id: String::new() };
    assert_eq!(script.send(Method::GET, "").await.body, "[]");
    assert_eq!(script.id, "", "nothing is stored, so there is no id");
    assert_eq!(script.send(Method::POST, "item=tea").await.body, r#"["tea"]"#);
    let id = script.id.clone();
    assert_eq!(id.len(), 80);

    script.app = start().await;
    assert_eq!(script.send(Method::POST, "item=milk").await.body, r#"["tea","milk"]"#);
    assert_eq!(script.id, id);
    let cookie = Request::get("/cart").header(COOKIE, format!("x-session={id}; __Host-id={id}"));
    let answer = Client::new(&script.app, "https://api.test").send(cookie, "").await;
    assert_eq!(answer.body, "[]", "it is read from the header alone");

    let answer = script.send(Method::DELETE, "").await;
    assert_eq!(&answer.headers["x-session"], "", "there is nothing to keep any more");
    script.id = id;
    assert_eq!(script.send(Method::GET, "").await.body, "[]");
}
