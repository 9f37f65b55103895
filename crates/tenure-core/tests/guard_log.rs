//! P7: that a lock has ended a session is logged, without the token.

#![cfg(feature = "tracing")]

use std::fmt::{Debug, Write};
use std::sync::Mutex;

use http::Request;
use http::header::COOKIE;
use tenure_core::engine::Connection;
use tenure_core::guard::IpLock;
use tenure_core::store::MemoryStore;
use tenure_core::{Result, Sessions};
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Level, Metadata, Subscriber};

static LOG: Mutex<String> = Mutex::new(String::new());

/// Keeps all events as text.
struct Log;

struct Line<'a>(&'a mut String);

impl Visit for Line<'_> {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        write!(self.0, " {field}={value:?}").unwrap();
    }
}

impl Subscriber for Log {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        true
    }

    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }

    fn event(&self, event: &Event<'_>) {
        let mut log = LOG.lock().unwrap();
        write!(log, "{}", event.metadata().level()).unwrap();
        event.record(&mut Line(&mut log));
        log.push('\n');
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}
    fn record_follows_from(&self, _: &Id, _: &Id) {}
    fn enter(&self, _: &Id) {}
    fn exit(&self, _: &Id) {}
}

#[tokio::test]
async fn p7_the_end_of_a_session_is_logged_without_its_token() -> Result<()> {
    tracing::subscriber::set_global_default(Log).unwrap();
    let builder = Sessions::builder().store(MemoryStore::new());
    let sessions = builder.lock_ip(IpLock::Exact).lock_user_agent(true).build()?;
    let open = |cookie: &str, peer: &str| {
        let (parts, ()) = Request::builder().header(COOKIE, cookie).body(()).unwrap().into_parts();
        sessions.open(&parts, Connection::new().secure(true).peer(peer.parse().unwrap()))
    };
    let session = open("", "192.0.2.7").session().load().await?;
    session.login("ada")?;
    session.save().await?;
    let (token, handle) = (session.danger_expose_token().unwrap(), session.handle().unwrap());
    open(&format!("__Host-id={token}"), "198.51.100.9").session().load().await?;

    let log = LOG.lock().unwrap();
    let ended = |line: &&str| line.contains("session ended by a lock");
    let line = log.lines().find(ended).expect("an event");
    assert!(line.starts_with(Level::DEBUG.as_str()), "{line}");
    assert!(line.contains(&handle.to_string()) && line.contains("another address"), "{line}");
    assert!(!log.contains(&token) && !log.contains(&token[16..]), "{log}");
    Ok(())
}
