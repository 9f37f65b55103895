//! P7: a lock ends a session in a file for every process.

#![cfg(feature = "sqlite")]

use http::header::{COOKIE, SET_COOKIE};
use http::{HeaderMap, Request, StatusCode};
use tenure::engine::{Connection, Exchange};
use tenure::guard::IpLock;
use tenure::store::SqliteStore;
use tenure::transform::{Keyring, SecretKey};
use tenure::{Result, Sessions};

/// A request with this cookie from there.
fn open(sessions: &Sessions, cookie: &str, peer: &str) -> Exchange {
    let (parts, ()) = Request::builder().header(COOKIE, cookie).body(()).unwrap().into_parts();
    sessions.open(&parts, Connection::new().secure(true).peer(peer.parse().unwrap()))
}

/// Its end, and the cookie of the answer without its attributes.
async fn close(exchange: Exchange) -> Result<Option<String>> {
    let mut headers = HeaderMap::new();
    exchange.close(StatusCode::OK, &mut headers).await?;
    let pair = |line: &str| line.split(';').next().unwrap().to_owned();
    Ok(headers.get(SET_COOKIE).map(|line| pair(line.to_str().unwrap())))
}

#[tokio::test]
async fn p7_a_lock_ends_a_session_in_sqlite() -> Result<()> {
    let folder = tempfile::tempdir().unwrap();
    let keys = Keyring::new([SecretKey::generate()?]);
    let process = async || {
        let store = SqliteStore::open(folder.path().join("sessions.sqlite")).await.unwrap();
        store.migrate().await.unwrap();
        let builder = Sessions::builder().store(store).signing_keys(keys.clone());
        builder.lock_ip(IpLock::Prefix { v4: 24, v6: 64 }).lock_user_agent(true).build()
    };
    let (first, second) = (process().await?, process().await?);
    for (began, near, far) in [
        ("192.0.2.7", "::ffff:192.0.2.99", "198.51.100.1"),
        ("2001:db8::1", "2001:db8::ffff", "2001:db8:0:1::1"),
    ] {
        let exchange = open(&first, "", began);
        exchange.session().load().await?.login("ada")?;
        let cookie = close(exchange).await?.unwrap();

        let exchange = open(&second, &cookie, near);
        assert!(exchange.session().load().await?.exists());
        assert_eq!(close(exchange).await?, None);

        let exchange = open(&second, &cookie, far);
        assert!(!exchange.session().load().await?.exists());
        assert_eq!(close(exchange).await?.as_deref(), Some("__Host-id="));

        let exchange = open(&first, &cookie, began);
        assert!(!exchange.session().load().await?.exists(), "the record is gone");
        assert_eq!(close(exchange).await?, None);
    }
    assert_eq!((first.counts().locked_out, second.counts().locked_out), (0, 2));
    Ok(())
}
