//! Perfect's sessions.
//!
//! PostgreSQL, MySQL and CouchDB, and their connections by host, port, user and password, are in
//! the tests of their stores and in the demo's.
//!
//! Not yet: the token in JSON, and from there as a bearer token.

use std::time::Duration;

use axum::Router;
use axum::response::Html;
use axum::routing::get;
use http::Request;
use serde_json::{Value, json};
use tenure::axum::{Error, Session};
use tenure::engine::Connection;
use tenure::guard::IpLock;
use tenure::store::MemoryStore;
use tenure::transport::Cookie;
use tenure::{Sessions, SessionsBuilder};
use tenure_testkit::app;

use crate::browser::{Answer, Browser};

/// The sample handler: something random into the session, and a page that shows all of it.
async fn index(session: Session) -> Result<Html<String>, Error> {
    let random = tenure::transform::SecretKey::generate_secret()?;
    session.set(&random, &random)?;
    let (handle, all) = (session.handle(), session.all::<Value>()?);
    let id = handle.map(|handle| handle.to_string()).unwrap_or_default();
    Ok(Html(format!("<p>Session <code>{id}</code>: <code>{all}</code></p>")))
}

async fn write(session: Session) -> Result<(), Error> {
    session.login("MyString")?;
    session.set("keyString", "Value")?;
    session.set("keyInteger", 1)?;
    Ok(session.set("keyBool", true)?)
}

async fn read(session: Session) -> Result<String, Error> {
    let user = session.user().map(|user| user.as_str().to_owned());
    let text: Option<String> = session.get("keyString")?;
    Ok(json!([user, text, session.get::<i64>("keyInteger")?, session.get::<bool>("keyBool")?])
        .to_string())
}

fn routes() -> Router {
    Router::new().route("/", get(index)).route("/write", get(write)).route("/read", get(read))
}

/// X15, V13: the page shows the session's public id and its data; the token is on no page.
#[tokio::test]
async fn the_sample_handler_dumps_the_session() {
    let mut browser = Browser::of(routes(), &Sessions::in_memory().unwrap()).await;
    for visits in 1..=3 {
        let page = browser.get("/").await.body;
        let data = page.rsplit_once("<code>").unwrap().1.split_once("</code>").unwrap().0;
        let data: serde_json::Map<String, Value> = serde_json::from_str(data).unwrap();
        assert_eq!(data.len(), visits);
        assert!(data.iter().all(|(key, value)| value == key));
        assert!(!page.contains(&browser.token()));
    }
    let handle = browser.visitor.session().await.session().handle().unwrap().to_string();
    assert!(browser.get("/").await.body.contains(&handle));
}

/// X15, P10: the user and values of three types, written and read.
#[tokio::test]
async fn the_user_and_values_are_written_and_read() {
    let mut browser = Browser::of(routes(), &Sessions::in_memory().unwrap()).await;
    assert_eq!(browser.get("/read").await.body, "[null,null,null,null]");
    browser.get("/write").await;
    assert_eq!(browser.get("/read").await.body, r#"["MyString","Value",1,true]"#);
}

/// X15, P4, P5, P6: name, idle timeout and domain are configured; each use prolongs the session, and
/// without use it ends.
#[tokio::test]
async fn configured_sessions_end_when_they_are_idle() {
    async fn facts(session: Session) -> String {
        let age = |time: Option<std::time::SystemTime>| {
            time.unwrap().duration_since(session.created_at().unwrap()).unwrap().as_secs()
        };
        let idle = session.idle_timeout().as_secs();
        format!("{} {} {idle}", age(session.last_seen()), age(session.expires_at()))
    }
    let (builder, clock) = app::in_memory();
    let sessions = builder
        .cookie(Cookie::named("PerfectSession").domain("shop.test"))
        .idle_timeout(Duration::from_secs(3_600))
        .build()
        .unwrap();
    let mut browser = Browser::of(routes().route("/facts", get(facts)), &sessions).await;
    let answer = browser.get("/write").await;
    assert!(answer.cookie().starts_with("PerfectSession="), "{}", answer.cookie());
    assert!(answer.cookie().contains("; Domain=shop.test"), "{}", answer.cookie());
    assert_eq!(browser.get("/facts").await.body, "0 3600 3600");
    clock.advance(Duration::from_secs(3_500));
    browser.get("/read").await;
    clock.advance(Duration::from_secs(3_500));
    assert_eq!(browser.get("/facts").await.body, "3500 7100 3600", "as it was found");
    clock.advance(Duration::from_secs(3_601));
    assert_eq!(browser.get("/read").await.body, "[null,null,null,null]");
}

/// One request from there with that program.
async fn from(browser: &mut Browser, path: &str, ip: &str, agent: &str) -> Answer {
    let connection = Connection::new().secure(true).peer(ip.parse().unwrap());
    let request = Request::get(path).header("user-agent", agent).extension(connection);
    browser.send(request).await
}

/// X15, P7: sessions tied to the address, and to the program, with which they began.
#[tokio::test]
async fn locks_end_sessions_that_move() {
    let locked = |lock: fn(SessionsBuilder) -> SessionsBuilder| {
        lock(Sessions::builder().store(MemoryStore::new())).build().unwrap()
    };
    let by_ip = locked(|builder| builder.lock_ip(IpLock::Exact));
    let by_agent = locked(|builder| builder.lock_user_agent(true));
    let free = locked(|builder| builder);
    for (sessions, moved, changed) in [(&by_ip, 1, 0), (&by_agent, 0, 1), (&free, 0, 0)] {
        for (ip, agent, expected) in [("192.0.2.8", "a", moved), ("192.0.2.7", "b", changed)] {
            let mut browser = Browser::of(routes(), sessions).await;
            let before = sessions.counts().locked_out;
            from(&mut browser, "/write", "192.0.2.7", "a").await;
            let same = from(&mut browser, "/read", "192.0.2.7", "a").await;
            assert!(same.body.contains("MyString"));
            let other = from(&mut browser, "/read", ip, agent).await;
            assert_eq!(other.body.contains("MyString"), expected == 0);
            assert_eq!(sessions.counts().locked_out - before, expected);
            assert_eq!(browser.cookie().is_empty(), expected == 1, "the cookie goes with it");
        }
    }
}

/// X15: SQLite in a file of choice.
#[cfg(feature = "sqlite")]
#[tokio::test]
async fn sqlite_in_a_file_of_choice() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("SessionDB");
    let store = tenure::store::connect(&format!("sqlite:{}", path.display())).await.unwrap();
    let builder = Sessions::builder().store(store).signing_keys(crate::browser::keys());
    let mut browser = Browser::of(routes(), &builder.build().unwrap()).await;
    browser.get("/write").await;
    assert_eq!(browser.get("/read").await.body, r#"["MyString","Value",1,true]"#);
    assert!(path.exists());
}
