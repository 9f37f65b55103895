//! X1, V10: two server processes on one store, parallel requests through both, nothing lost, and
//! each sees at once what the other did. `cargo xtask lost` runs these tests and prints what they
//! found as a table.

mod support;

use std::thread;

use tenure_testkit::server;

use self::support::{Server, Visitor};

const ROUNDS: usize = 5;
const REQUESTS: usize = 50;

/// Bursts through two processes, for a store that outlives them.
fn nothing_is_lost(name: &str, store: &str, place: (&str, &str)) {
    let servers = [Server::start(store, place), Server::start(store, place)];
    all_bursts(name, [servers[0].port, servers[1].port]);
}

/// Five rounds of 50 requests with one cookie, half of them through each port, on every route that
/// writes; then what one does and the other sees.
fn all_bursts(name: &str, ports: [u16; 2]) {
    let columns = [
        ("set", bursts(ports, |i| format!("/set/k{i}/{i}"), keys)),
        ("set, slow", bursts(ports, |i| format!("/slowset/k{i}/{i}"), keys)),
        ("incr", bursts(ports, |_| "/incr".to_owned(), sum)),
        ("incr, slow", bursts(ports, |_| "/slowincr".to_owned(), sum)),
    ];
    for (column, survived) in &columns {
        tell(name, column, &survived.join(" "));
    }
    let coherence = coherence(ports);
    tell(name, "coherence", coherence.as_deref().unwrap_or_else(|problem| problem));
    for (column, survived) in columns {
        assert_eq!(survived, ["50"; ROUNDS], "{name}: {column}: what survived of each round");
    }
    assert_eq!(coherence, Ok("ok".to_owned()), "{name}");
}

/// A cell of the table.
#[allow(clippy::print_stdout, reason = "what survived is worth seeing, also when all did")]
fn tell(store: &str, column: &str, found: &str) {
    println!("lost: {store}: {column}: {found}");
}

/// How many of each round's writes are there after it, as both processes see it.
fn bursts(
    ports: [u16; 2],
    path: impl Fn(usize) -> String,
    survivors: impl Fn(&mut Visitor, u16) -> String,
) -> Vec<String> {
    let round = |_| {
        let mut visitor = Visitor::default();
        visitor.get(ports[0], "/set/first/1");
        thread::scope(|scope| {
            for i in 0..REQUESTS {
                let (mut tab, path) = (visitor.clone(), path(i));
                scope.spawn(move || tab.get(ports[i % 2], &path));
            }
        });
        let [here, there] = ports.map(|port| survivors(&mut visitor, port));
        if here == there { here } else { format!("{here}/{there}") }
    };
    (0..ROUNDS).map(round).collect()
}

/// The keys without the one with which the session began.
fn keys(visitor: &mut Visitor, port: u16) -> String {
    let keys: usize = visitor.get(port, "/keys").parse().unwrap();
    (keys - 1).to_string()
}

fn sum(visitor: &mut Visitor, port: u16) -> String {
    visitor.get(port, "/read")
}

/// A write, a login and a destroyed session, each through one process and seen at once through the
/// other: "ok", or what was seen instead.
fn coherence([a, b]: [u16; 2]) -> Result<String, String> {
    for (here, there) in [(a, b), (b, a)] {
        let mut visitor = Visitor::default();
        let mut seen = Vec::new();
        for port in [here, there, here] {
            visitor.get(port, "/incr");
            seen.push(visitor.get(a + b - port, "/read"));
        }
        visitor.get(here, "/login/ada");
        seen.push(visitor.get(there, "/whoami"));
        let mut stolen = visitor.clone();
        visitor.get(there, "/destroy");
        seen.push(stolen.get(here, "/whoami"));
        seen.push(stolen.get(here, "/read"));
        let expected = ["1", "2", "3", "ada", "-", "0"];
        if seen != expected {
            return Err(format!("{seen:?} instead of {expected:?}"));
        }
    }
    Ok("ok".to_owned())
}

#[test]
fn x1_nothing_is_lost_in_memory() {
    let server = Server::start("memory", ("STORE", "memory"));
    all_bursts("memory", [server.port; 2]);
}

#[test]
fn x1_nothing_is_lost_in_file() {
    let folder = tempfile::tempdir().unwrap();
    let sessions = folder.path().join("sessions");
    nothing_is_lost("file", "file", ("FILE_PATH", sessions.to_str().unwrap()));
}

#[test]
fn x1_nothing_is_lost_in_sqlite() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("sessions.sqlite");
    nothing_is_lost("sqlite", "sqlite", ("SQLITE_PATH", file.to_str().unwrap()));
}

#[test]
fn x1_nothing_is_lost_in_postgres() {
    if let Some(url) = server::url("postgres") {
        nothing_is_lost("postgres", "postgres", ("DATABASE_URL", &url));
    }
}

#[test]
fn x1_nothing_is_lost_in_mariadb() {
    if let Some(url) = server::url("mariadb") {
        nothing_is_lost("mariadb", "mysql", ("DATABASE_URL", &url));
    }
}

#[test]
fn x1_nothing_is_lost_in_redis() {
    if let Some(url) = server::url("redis") {
        nothing_is_lost("redis", "redis", ("REDIS_URL", &url));
    }
}

#[test]
fn x1_nothing_is_lost_in_valkey() {
    if let Some(url) = server::url("valkey") {
        nothing_is_lost("valkey", "redis", ("REDIS_URL", &url));
    }
}

#[test]
fn x1_nothing_is_lost_in_redis_cluster() {
    if let Some(url) = server::url("redis-cluster") {
        nothing_is_lost("redis-cluster", "redis-cluster", ("REDIS_URL", &url));
    }
}

#[test]
fn x1_nothing_is_lost_in_mongodb() {
    if let Some(url) = server::url("mongodb") {
        nothing_is_lost("mongodb", "mongodb", ("MONGODB_URL", &url));
    }
}

#[test]
fn x1_nothing_is_lost_in_couchdb() {
    if let Some(url) = server::url("couchdb") {
        nothing_is_lost("couchdb", "couchdb", ("COUCHDB_URL", &url));
    }
}
