//! The shop on every store that a URL names: V6. `cargo xtask demo` runs these tests and prints
//! what works as a table.

use tenure_testkit::server;

use crate::support::{Server, Visitor};

/// What works, cell by cell.
#[allow(clippy::print_stdout, reason = "what works is worth seeing")]
fn works(store: &str, what: &str) {
    println!("demo: {store}: {what}: ok");
}

/// A visit with everything in it, and a server that is stopped and started anew in the middle.
fn the_shop_works(store: &str, url: &str) {
    let folder = tempfile::tempdir().expect("a folder");
    let start = || Server::start_with(folder.path(), &[("TENURE_STORE", url)]);
    // Nobody else on this server, not even somebody of an earlier run.
    let ada = format!("Ada {}", std::process::id());
    let server = start();
    let mut visitor = Visitor::of(&server.url);
    assert_eq!(visitor.get("/").cookies, [""; 0], "who only looks gets no cookie");

    let cart = visitor.submit("/cart/sencha/add", &[]);
    assert_eq!(cart.text("cart-count"), "1");
    let page = visitor.submit("/login", &[("name", &ada)]);
    assert_eq!((page.text("user"), page.text("cart-count")), (ada.as_str(), "1"));
    works(store, "log-in");
    assert_eq!(visitor.submit("/cart/teapot/add", &[]).text("cart-count"), "2");
    works(store, "cart");
    let page = visitor.submit("/theme", &[("theme", "dark")]);
    assert!(page.html.contains("data-theme=\"dark\""));
    works(store, "theme");
    assert_eq!(page.text("visits"), "3");
    works(store, "visits");

    server.stop();
    let server = start();
    let mut visitor = visitor.at(&server.url);
    let page = visitor.get("/");
    if url == "memory:" {
        assert!(page.has("login"), "what was in memory is gone with it");
        visitor.submit("/login", &[("name", &ada)]);
        works(store, "restart");
    } else {
        assert_eq!((page.text("user"), page.text("cart-count")), (ada.as_str(), "2"));
        assert_eq!(page.text("visits"), "4");
        assert!(page.html.contains("data-theme=\"dark\""));
        works(store, "restart");
    }

    assert!(visitor.submit("/cart/cup/add", &[]).has("flash") && !visitor.get("/").has("flash"));
    works(store, "messages");
    let mut elsewhere = Visitor::of(&server.url);
    elsewhere.submit("/login", &[("name", &ada)]);
    let devices = elsewhere.get("/devices");
    assert_eq!(devices.revocable().len(), 1, "{}", devices.html);
    elsewhere.post("/devices/logout-everywhere", &[]);
    assert!(visitor.get("/").has("login"), "logged out everywhere");
    works(store, "devices");

    visitor.submit("/login", &[("name", &ada)]);
    let mut stolen = visitor.clone();
    assert!(stolen.get("/").has("user"));
    assert!(visitor.submit("/logout", &[]).has("login"));
    assert!(!visitor.has_cookies());
    let page = stolen.get("/");
    assert!(page.has("login") && !page.has("user"));
    assert_eq!(page.text("cart-count"), "0");
    works(store, "log-out");
}

/// The shop on a server, if the tests have it.
fn the_shop_works_at(service: &str) {
    if let Some(url) = server::url(service) {
        the_shop_works(service, &url);
    }
}

/// P1, P11: on memory.
#[test]
fn the_shop_works_on_memory() {
    the_shop_works("memory", "memory:");
}

/// P11: on files.
#[test]
fn the_shop_works_on_file() {
    let folder = tempfile::tempdir().expect("a folder");
    let url = format!("file:{}", folder.path().join("sessions").display());
    the_shop_works("file", &url);
}

/// P1, P11: on SQLite.
#[test]
fn the_shop_works_on_sqlite() {
    // In the demo's own folder, as it is without a setting.
    the_shop_works("sqlite", "sqlite:tenure-demo.sqlite");
}

/// P1, P11: on PostgreSQL.
#[test]
fn the_shop_works_on_postgres() {
    the_shop_works_at("postgres");
}

/// P1, P11: on MariaDB.
#[test]
fn the_shop_works_on_mariadb() {
    the_shop_works_at("mariadb");
}

/// P2, P11, V8: on Redis, by its URL.
#[test]
fn the_shop_works_on_redis() {
    the_shop_works_at("redis");
}

/// P2, P11: on Valkey.
#[test]
fn the_shop_works_on_valkey() {
    the_shop_works_at("valkey");
}

/// P2, P11: on a cluster of Redis.
#[test]
fn the_shop_works_on_redis_cluster() {
    the_shop_works_at("redis-cluster");
}

/// P11: on what speaks the protocol of MongoDB.
#[test]
fn the_shop_works_on_mongodb() {
    the_shop_works_at("mongodb");
}

/// P11: on what speaks the protocol of CouchDB.
#[test]
fn the_shop_works_on_couchdb() {
    the_shop_works_at("couchdb");
}
