//! X1, V10: two server processes on one store, parallel requests through both, nothing lost.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::process::{Child, Command};
use std::thread;
use std::time::{Duration, Instant};

use tenure_testkit::server;

struct Server {
    process: Child,
    port: u16,
}

impl Server {
    fn start(store: &str, place: (&str, &str)) -> Self {
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let process = Command::new(env!("CARGO_BIN_EXE_tenure-bench-server"))
            .env("PORT", port.to_string())
            .env("STORE", store)
            .env(place.0, place.1)
            .spawn()
            .unwrap();
        let server = Self { process, port };
        let deadline = Instant::now() + Duration::from_secs(30);
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            assert!(Instant::now() < deadline, "the server did not start");
            thread::sleep(Duration::from_millis(20));
        }
        server
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// The cookie that the answer sets, if it does, and its body.
fn get(port: u16, path: &str, cookie: &str) -> (Option<String>, String) {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
    write!(
        stream,
        "GET {path} HTTP/1.1\r\nHost: localhost\r\nCookie: {cookie}\r\nConnection: close\r\n\r\n"
    )
    .unwrap();
    let mut reader = BufReader::new(stream.try_clone().unwrap());
    let (mut line, mut set) = (String::new(), None);
    reader.read_line(&mut line).unwrap();
    assert!(line.contains(" 200 "), "{path}: {line}");
    while line.trim_end() != "" {
        line.clear();
        reader.read_line(&mut line).unwrap();
        if let Some(value) = line.strip_prefix("set-cookie: ") {
            set = value.split(';').next().map(str::to_owned);
        }
    }
    let mut body = String::new();
    reader.read_to_string(&mut body).unwrap();
    let _ = stream.shutdown(Shutdown::Both);
    (set, body)
}

fn burst(ports: [u16; 2], path: impl Fn(usize) -> String, cookie: &str) {
    thread::scope(|scope| {
        for i in 0..50 {
            let path = path(i);
            scope.spawn(move || get(ports[i % 2], &path, cookie));
        }
    });
}

/// What is read. A near cache may be a message behind what the other process wrote: it is asked
/// again, for so long, if it does not give what is expected.
fn read(port: u16, path: &str, cookie: &str, expected: &str, news: Duration) -> String {
    let deadline = Instant::now() + news;
    loop {
        let read = get(port, path, cookie).1;
        if read == expected || Instant::now() >= deadline {
            return read;
        }
        thread::sleep(Duration::from_millis(5));
    }
}

/// Five rounds of 50 slow increments and 50 slow writes, half of them through each process.
#[allow(clippy::print_stdout, reason = "what survived is worth seeing, also when all did")]
fn nothing_is_lost(store: &str, place: (&str, &str)) {
    let servers = [Server::start(store, place), Server::start(store, place)];
    let ports = [servers[0].port, servers[1].port];
    let news = if store.ends_with("-cached") { Duration::from_secs(5) } else { Duration::ZERO };
    let (mut sums, mut keys) = (Vec::new(), Vec::new());
    for _ in 0..5 {
        let (cookie, _) = get(ports[0], "/set/first/1", "none=0");
        let cookie = cookie.unwrap();
        burst(ports, |_| "/slowincr".to_owned(), &cookie);
        burst(ports, |i| format!("/slowset/k{i}/{i}"), &cookie);
        for port in ports {
            sums.push(read(port, "/read", &cookie, "50", news));
            keys.push(read(port, "/keys", &cookie, "52", news));
        }
    }
    println!("lost: {store}: increments {}, keys {}", sums.join(" "), keys.join(" "));
    assert_eq!(sums, ["50"; 10], "increments, in each process after each round");
    assert_eq!(keys, ["52"; 10], "keys, with the first and the counter");
}

#[test]
fn x1_two_processes_on_one_sqlite_file_lose_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("sessions.sqlite");
    nothing_is_lost("sqlite", ("SQLITE_PATH", file.to_str().unwrap()));
}

#[test]
fn x1_two_processes_on_one_folder_lose_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let sessions = folder.path().join("sessions");
    nothing_is_lost("file", ("FILE_PATH", sessions.to_str().unwrap()));
}

#[test]
fn x1_two_processes_on_postgres_lose_nothing() {
    if let Some(url) = server::url("postgres") {
        nothing_is_lost("postgres", ("DATABASE_URL", &url));
    }
}

#[test]
fn x1_two_processes_on_mariadb_lose_nothing() {
    if let Some(url) = server::url("mariadb") {
        nothing_is_lost("mysql", ("DATABASE_URL", &url));
    }
}

#[test]
fn x1_two_processes_on_redis_lose_nothing() {
    if let Some(url) = server::url("redis") {
        nothing_is_lost("redis", ("REDIS_URL", &url));
    }
}

#[test]
fn x10_two_processes_with_near_caches_on_redis_lose_nothing() {
    if let Some(url) = server::url("redis") {
        nothing_is_lost("redis-cached", ("REDIS_URL", &url));
    }
}

#[test]
fn x10_two_processes_with_near_caches_on_a_redis_cluster_lose_nothing() {
    if let Some(url) = server::url("redis-cluster") {
        nothing_is_lost("redis-cached", ("REDIS_URL", &url));
    }
}

#[test]
fn x1_two_processes_on_a_redis_cluster_lose_nothing() {
    if let Some(url) = server::url("redis-cluster") {
        nothing_is_lost("redis-cluster", ("REDIS_URL", &url));
    }
}

#[test]
fn x1_two_processes_on_mongodb_lose_nothing() {
    if let Some(url) = server::url("mongodb") {
        nothing_is_lost("mongodb", ("MONGODB_URL", &url));
    }
}

#[test]
fn x1_two_processes_on_couchdb_lose_nothing() {
    if let Some(url) = server::url("couchdb") {
        nothing_is_lost("couchdb", ("COUCHDB_URL", &url));
    }
}
