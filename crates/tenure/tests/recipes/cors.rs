//! P17, K4: CORS for sessions that travel in headers.

use axum::Router;
use axum::routing::get;
use http::header::{
    ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_ORIGIN, ACCESS_CONTROL_EXPOSE_HEADERS,
    ACCESS_CONTROL_REQUEST_HEADERS, ACCESS_CONTROL_REQUEST_METHOD, ORIGIN,
};
use http::{HeaderValue, Method, Request, StatusCode};
use tenure::Sessions;
use tenure::axum::{Error, Session};
use tenure::store::MemoryStore;
use tenure::tower::{SessionLayer, cors};
use tenure::transport::{Bearer, Cookie, Header};
use tower_http::cors::CorsLayer;

use crate::client::Client;

const FRONT_END: &str = "https://app.test";

fn app(sessions: Sessions) -> Router {
    let cors = CorsLayer::new()
        .allow_origin([HeaderValue::from_static(FRONT_END)])
        .allow_methods([Method::GET])
        .allow_headers(cors::request_headers_of(&sessions))
        .expose_headers(cors::response_headers_of(&sessions));
    async fn visits(session: Session) -> Result<String, Error> {
        session.increment("n", 1)?;
        Ok(session.get::<u32>("n")?.unwrap_or_default().to_string())
    }
    Router::new().route("/", get(visits)).layer(SessionLayer::new(sessions)).layer(cors)
}

/// K4, P17: the helper lists what a browser has to let a script send and read.
#[tokio::test]
async fn k4_p17_a_front_end_elsewhere_sends_and_reads_the_header() {
    let header = Header::named("x-session");
    let sessions = Sessions::builder().store(MemoryStore::new()).header(header).build().unwrap();
    let mut client = Client::new(&app(sessions), "https://api.test");
    let preflight = Request::options("/")
        .header(ORIGIN, FRONT_END)
        .header(ACCESS_CONTROL_REQUEST_METHOD, "GET")
        .header(ACCESS_CONTROL_REQUEST_HEADERS, "x-session");
    let answer = client.send(preflight, "").await;
    assert_eq!(answer.status, StatusCode::OK);
    assert_eq!(answer.header(ACCESS_CONTROL_ALLOW_ORIGIN), FRONT_END);
    let allowed = answer.header(ACCESS_CONTROL_ALLOW_HEADERS);
    assert_eq!(allowed, "content-type,x-csrf-token,x-session");

    let answer = client.send(Request::get("/").header(ORIGIN, FRONT_END), "").await;
    assert_eq!(answer.header(ACCESS_CONTROL_EXPOSE_HEADERS), "retry-after,x-session");
    let id = answer.header("x-session").to_owned();
    let again = Request::get("/").header(ORIGIN, FRONT_END).header("x-session", id);
    assert_eq!(client.send(again, "").await.body, "2");
}

/// K4: each transport is there once, the cookie not at all.
#[test]
fn k4_the_headers_of_several_transports() {
    let builder = Sessions::builder().store(MemoryStore::new()).cookie(Cookie::default());
    let cookie = builder.build().unwrap();
    assert_eq!(cors::request_headers_of(&cookie), cors::request_headers());
    assert_eq!(cors::response_headers_of(&cookie), cors::response_headers());
    let builder = Sessions::builder().store(MemoryStore::new()).cookie(Cookie::default());
    let all = builder
        .bearer(Bearer::new().response_header("x-session"))
        .header(Header::named("x-session"))
        .build()
        .unwrap();
    assert_eq!(all.request_headers(), ["authorization", "x-session"]);
    assert_eq!(all.response_headers(), ["x-session"]);
}
