//! R29: several `Cookie` lines, too many of them, and what could break out of a header.

use axum::extract::Path;
use axum::routing::get;
use http::Request;
use http::header::COOKIE;
use tenure_core::Sessions;
use tenure_core::store::MemoryStore;
use tenure_core::transport::Cookie;
use tenure_tower::SessionLayer;
use tenure_tower::axum::{Error, Session};

use crate::app::{app, routes};
use crate::client::Client;

#[tokio::test]
async fn r29_several_cookie_lines_are_one() {
    let app = app(&Sessions::in_memory().unwrap());
    let mut ada = Client::new(&app);
    ada.get("/login/ada").await;
    let ours = format!("__Host-id={}", ada.token());
    for lines in [["a=1", ours.as_str()], [&ours, "a=1"], [&ours, &ours], ["", &ours]] {
        let request = Request::get("/whoami").header(COOKIE, lines[0]).header(COOKIE, lines[1]);
        assert_eq!(Client::new(&app).send(request).await.body, "ada", "{lines:?}");
    }
    // A comma joins no two cookies, and no line takes up where the one before it stopped.
    let (half, rest) = ours.split_at(ours.len() / 2);
    for lines in [[format!("a=1, {ours}").as_str(), "b=2"], [half, rest]] {
        let request = Request::get("/whoami").header(COOKIE, lines[0]).header(COOKIE, lines[1]);
        assert_eq!(Client::new(&app).send(request).await.body, "-", "{lines:?}");
    }
}

#[tokio::test]
async fn r29_too_many_cookies_are_no_session_and_no_error() {
    let app = app(&Sessions::in_memory().unwrap());
    let mut ada = Client::new(&app);
    ada.get("/login/ada").await;
    let ours = format!("__Host-id={}", ada.token());
    let many = format!("{ours}; {}", "a=1; ".repeat(64));
    let large = format!("{ours}; a={}", "x".repeat(16 << 10));
    let planted = format!("{ours}; __Host-id=1; __Host-id=2; __Host-id=3");
    for line in [many, large, planted] {
        let answer = Client::new(&app).send(Request::get("/whoami").header(COOKIE, &line)).await;
        assert_eq!((answer.status.as_u16(), answer.body.as_str()), (200, "-"));
        assert!(answer.sets_no_cookie());
    }
}

#[tokio::test]
async fn r29_nothing_breaks_out_of_a_header() {
    async fn hostile(session: Session, Path(value): Path<String>) -> Result<(), Error> {
        session.set("value", &value)?;
        Ok(session.login(value)?)
    }
    let cookie = Cookie::default().factory(|context, cookie| {
        let path = context.request().map_or("", |request| request.uri.path());
        let decoded = path.replace("%0D", "\r").replace("%0A", "\n").replace("%3B", ";");
        let value = decoded.trim_start_matches("/hostile/").to_owned();
        cookie.extension("X-Value", Some(&value))
    });
    let sessions = Sessions::builder().store(MemoryStore::new()).cookie(cookie).keep_request();
    let layer = SessionLayer::new(sessions.build().unwrap());
    let app = routes().route("/hostile/{value}", get(hostile)).layer(layer);
    assert!(Client::new(&app).get("/hostile/kind").await.cookie().ends_with("; X-Value=kind"));
    for value in ["a%0D%0ASet-Cookie:evil=1", "a%0Ab", "a%0Db", "a%3BDomain=evil.test"] {
        let answer = Client::new(&app).get(&format!("/hostile/{value}")).await;
        assert_eq!(answer.status, 500, "{value}: {answer:?}");
        assert!(answer.sets_no_cookie(), "{value}: {answer:?}");
    }
}
