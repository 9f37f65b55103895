use std::sync::{Arc, Mutex};

use tenure::config::Sources;
use tenure::store::{MemoryStore, Schemes};

use crate::{json, refused};

/// The URL with which the store is opened, by the scheme `carrier`.
async fn opened(sources: Sources) -> String {
    let urls = Arc::new(Mutex::new(Vec::new()));
    let seen = Arc::clone(&urls);
    let open = move |url: String| {
        seen.lock().unwrap().push(url);
        std::future::ready(Ok(MemoryStore::new()))
    };
    let schemes = Schemes::new().add("carrier", open).unwrap();
    let vars = [("TENURE_INSECURE_UNSIGNED_TOKENS", "yes")];
    sources.vars(vars).read().unwrap().schemes(schemes).build().await.unwrap();
    let urls = urls.lock().unwrap();
    assert_eq!(urls.len(), 1);
    urls[0].clone()
}

/// A4: a store by the name of a connection: host, port, user, password and database, or a URL.
#[tokio::test]
async fn a4_the_store_names_a_connection() {
    let settings = |connection: &str| {
        let other = r#""other": {"url": "redis://elsewhere"}"#;
        let main = format!(r#""main": {{{connection}}}"#);
        json(&format!(r#"{{"store": "main", "connections": {{{main}, {other}}}}}"#))
    };
    for (connection, url) in [
        (r#""url": "carrier://host/1""#, "carrier://host/1"),
        (r#""driver": "carrier", "host": "host""#, "carrier://host"),
        (r#""driver": "carrier", "host": "host", "port": 6379, "db": 3"#, "carrier://host:6379/3"),
        (r#""driver": "carrier", "host": "::1", "db": "shop""#, "carrier://[::1]/shop"),
        (r#""driver": "carrier", "host": "[::1]", "port": 1"#, "carrier://[::1]:1"),
        (
            r#""driver": "carrier", "host": "h", "user": "ada@home", "password": "p:/?#@é 1""#,
            "carrier://ada%40home:p%3A%2F%3F%23%40%C3%A9%201@h",
        ),
        (r#""driver": "carrier", "host": "h", "password": "hunter2""#, "carrier://:hunter2@h"),
    ] {
        assert_eq!(opened(settings(connection)).await, url);
    }
}

/// A4: connections in the environment, above those of a file, with a password by other means.
#[tokio::test]
async fn a4_connections_in_the_environment() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("password");
    std::fs::write(&path, "hunter2\n").unwrap();
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
    }
    let file = json(
        r#"{"store": "near_by", "connections": {"near_by": {"driver": "carrier", "host": "dev"}}}"#,
    );
    let vars = [
        ("TENURE_CONNECTIONS_NEAR_BY_HOST", "cache.internal"),
        ("TENURE_CONNECTIONS_NEAR_BY_PORT", "6380"),
        ("TENURE_CONNECTIONS_NEAR_BY_PASSWORD_FILE", path.to_str().unwrap()),
    ];
    assert_eq!(opened(file.vars(vars)).await, "carrier://:hunter2@cache.internal:6380");

    let vars = [
        ("TENURE_STORE", "main"),
        ("TENURE_CONNECTIONS_MAIN_DRIVER", "carrier"),
        ("TENURE_CONNECTIONS_MAIN_HOST", "host"),
        ("TENURE_CONNECTIONS_MAIN_USER", "ada"),
        ("TENURE_CONNECTIONS_MAIN_PASSWORD_ENV", "CACHE_PASSWORD"),
        ("CACHE_PASSWORD", "hunter2"),
    ];
    assert_eq!(opened(json("{}").vars(vars)).await, "carrier://ada:hunter2@host");
}

/// A4: Redis is what AdonisJS' connections are of; the store is left to its own tests.
#[tokio::test]
async fn a4_a_connection_is_to_redis_by_default() {
    let settings = r#"{"store": "main", "connections": {"main": {"host": "h\u0000"}}}"#;
    assert!(refused(json(settings)).contains("connections.main.host"));
    #[cfg(not(feature = "redis"))]
    {
        let settings = r#"{"store": "main", "connections": {"main": {"host": "127.0.0.1"}}}"#;
        let error = json(settings).read().unwrap().build().await.unwrap_err();
        assert!(error.to_string().contains("feature `redis`"), "{error}");
    }
}

/// A4: Redis itself, by host, port and database.
#[cfg(feature = "redis")]
#[tokio::test]
async fn a4_a_connection_to_redis() {
    let Some(url) = tenure_testkit::server::url("redis") else { return };
    let (host, port) = url.trim_start_matches("redis://").rsplit_once(':').unwrap();
    let vars = [
        ("TENURE_STORE", "main"),
        ("TENURE_NAMESPACE", "a4-connection"),
        ("TENURE_INSECURE_UNSIGNED_TOKENS", "yes"),
        ("TENURE_CONNECTIONS_MAIN_HOST", host),
        ("TENURE_CONNECTIONS_MAIN_PORT", port.trim_end_matches('/')),
        ("TENURE_CONNECTIONS_MAIN_DB", "1"),
    ];
    let build = async || json("{}").vars(vars).read().unwrap().build().await.unwrap();
    let session = build().await.start().await.unwrap();
    session.set("theme", "dark").unwrap();
    session.save().await.unwrap();
    let token = session.danger_expose_token().unwrap();
    let again = build().await.open_token(&token).await.unwrap().unwrap();
    assert_eq!(again.get::<String>("theme").unwrap().as_deref(), Some("dark"));
    again.destroy().unwrap();
    again.commit().await.unwrap();
}

/// A4: what is wrong with a connection is told by its path, without the password.
#[test]
fn a4_connections_that_are_wrong() {
    for (settings, words) in [
        (r#"{"store": "cache"}"#, ["store = …", "names no connection (there is none)"]),
        (
            r#"{"store": "cache", "connections": {"main": {"url": "redis://h"}}}"#,
            ["store = …", "names no connection (`main`)"],
        ),
        (
            r#"{"connections": {"main": {"hots": "h"}}}"#,
            ["connections.main.hots", "`connections.main.host`"],
        ),
        (r#"{"connections": {"main": "redis:"}}"#, ["connections.main (", "is a table"]),
        (r#"{"connections": {"a.b": {"host": "h"}}}"#, ["connections.a.b.host (", "no dot"]),
        (
            r#"{"connections": {"main": {"host": "h", "port": 65536}}}"#,
            ["connections.main.port", "65535"],
        ),
        (
            r#"{"connections": {"main": {"host": "h", "port": "high"}}}"#,
            ["connections.main.port = \"high\"", "whole number"],
        ),
        (r#"{"connections": {"main": {"port": 1}}}"#, ["connections.main.host", "a whole `url`"]),
        (
            r#"{"connections": {"main": {"host": "a/b"}}}"#,
            ["connections.main.host = \"a/b\"", "name of a host"],
        ),
        (
            r#"{"connections": {"main": {"url": "redis://:hunter2@h", "port": 1}}}"#,
            ["connections.main.url", "leave it out"],
        ),
        (
            r#"{"connections": {"main": {"host": "h", "password": "hunter2", "password_env": "A"}}}"#,
            ["connections.main.password_env", "keep one"],
        ),
        (
            r#"{"connections": {"main": {"host": "h", "password": ["hunter2"]}}}"#,
            ["connections.main.password = …", "write a text"],
        ),
    ] {
        let text = refused(json(settings));
        for word in words {
            assert!(text.contains(word), "{word:?} in {text}");
        }
    }
}
