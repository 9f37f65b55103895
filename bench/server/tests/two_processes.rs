//! X1, V10: two server processes on one store, parallel requests through both, nothing lost, and
//! each sees at once what the other did. `cargo xtask lost` runs these tests and prints what they
//! found as a table.

mod support;

use std::thread;
use std::time::{Duration, Instant};

use tenure_testkit::server;

use self::support::{Server, Visitor};

const ROUNDS: usize = 5;
const REQUESTS: usize = 50;
/// How long news of another process takes at most, where a near cache waits for a message.
const NEWS: Duration = Duration::from_secs(5);

/// Bursts through two processes, for a store that outlives them.
fn nothing_is_lost(name: &str, store: &str, place: (&str, &str)) {
    let servers = [Server::start(store, place), Server::start(store, place)];
    let news = if store.ends_with("-cached") { NEWS } else { Duration::ZERO };
    Pair { ports: [servers[0].port, servers[1].port], news }.prove(name);
}

/// Two servers, or one twice.
#[derive(Clone, Copy)]
struct Pair {
    ports: [u16; 2],
    news: Duration,
}

/// A cell of the table.
#[allow(clippy::print_stdout, reason = "what survived is worth seeing, also when all did")]
fn tell(store: &str, column: &str, found: &str) {
    println!("lost: {store}: {column}: {found}");
}

impl Pair {
    /// Five rounds of 50 requests with one cookie, half of them through each port, on every route
    /// that writes; then what one does and the other sees.
    fn prove(self, name: &str) {
        let columns = [
            ("set", self.bursts(|i| format!("/set/k{i}/{i}"), "/keys", REQUESTS + 1)),
            ("set, slow", self.bursts(|i| format!("/slowset/k{i}/{i}"), "/keys", REQUESTS + 1)),
            ("incr", self.bursts(|_| "/incr".to_owned(), "/read", REQUESTS)),
            ("incr, slow", self.bursts(|_| "/slowincr".to_owned(), "/read", REQUESTS)),
        ];
        for (column, survived) in &columns {
            tell(name, column, &survived.join(" "));
        }
        let coherence = self.coherence();
        tell(name, "coherence", coherence.as_deref().unwrap_or_else(|problem| problem));
        for (column, survived) in columns {
            assert_eq!(survived, ["50"; ROUNDS], "{name}: {column}: what survived of each round");
        }
        assert_eq!(coherence, Ok("ok".to_owned()), "{name}");
    }

    /// How many of each round's writes are there after it, as both processes see it: as many fewer
    /// as what they count falls short of what is expected.
    fn bursts(self, path: impl Fn(usize) -> String, count: &str, expected: usize) -> Vec<String> {
        let round = |_| {
            let mut visitor = Visitor::default();
            visitor.get(self.ports[0], "/set/first/1");
            thread::scope(|scope| {
                for i in 0..REQUESTS {
                    let (mut tab, path) = (visitor.clone(), path(i));
                    scope.spawn(move || tab.get(self.ports[i % 2], &path));
                }
            });
            let [here, there] = self.ports.map(|port| {
                let found = self.look(&mut visitor, port, count, &expected.to_string());
                (found.parse::<usize>().unwrap() + REQUESTS - expected).to_string()
            });
            if here == there { here } else { format!("{here}/{there}") }
        };
        (0..ROUNDS).map(round).collect()
    }

    /// A write, a login and a destroyed session, each through one process and seen at once through
    /// the other: "ok", or what was seen instead.
    fn coherence(self) -> Result<String, String> {
        let [a, b] = self.ports;
        for (here, there) in [(a, b), (b, a)] {
            let mut visitor = Visitor::default();
            let mut seen = Vec::new();
            let expected = ["1", "2", "3", "ada", "-", "0"];
            for (port, expected) in [here, there, here].into_iter().zip(expected) {
                visitor.get(port, "/incr");
                let other = if port == a { b } else { a };
                seen.push(self.look(&mut visitor, other, "/read", expected));
            }
            visitor.get(here, "/login/ada");
            seen.push(self.look(&mut visitor, there, "/whoami", "ada"));
            let mut stolen = visitor.clone();
            visitor.get(there, "/destroy");
            seen.push(self.look(&mut stolen, here, "/whoami", "-"));
            seen.push(self.look(&mut stolen, here, "/read", "0"));
            if seen != expected {
                return Err(format!("{seen:?} instead of {expected:?}"));
            }
        }
        Ok("ok".to_owned())
    }

    /// What is read; for as long as news may take, it is read again if it is not what is expected.
    fn look(self, visitor: &mut Visitor, port: u16, path: &str, expected: &str) -> String {
        let deadline = Instant::now() + self.news;
        loop {
            let found = visitor.get(port, path);
            if found == expected || Instant::now() >= deadline {
                return found;
            }
            thread::sleep(Duration::from_millis(5));
        }
    }
}

#[test]
fn x1_nothing_is_lost_in_memory() {
    let server = Server::start("memory", ("STORE", "memory"));
    Pair { ports: [server.port; 2], news: Duration::ZERO }.prove("memory");
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

/// X10: with a near cache in each process.
#[test]
fn x1_nothing_is_lost_in_redis_cached() {
    if let Some(url) = server::url("redis") {
        nothing_is_lost("redis-cached", "redis-cached", ("REDIS_URL", &url));
    }
}

/// X10: the same before a cluster.
#[test]
fn x1_nothing_is_lost_in_redis_cluster_cached() {
    if let Some(url) = server::url("redis-cluster") {
        nothing_is_lost("redis-cluster-cached", "redis-cached", ("REDIS_URL", &url));
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
