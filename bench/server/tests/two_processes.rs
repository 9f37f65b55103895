//! X1, V10: two server processes on one SQLite file, parallel requests through both, nothing lost.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command};
use std::thread;
use std::time::{Duration, Instant};

struct Server {
    process: Child,
    port: u16,
}

impl Server {
    fn start(file: &Path) -> Self {
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let process = Command::new(env!("CARGO_BIN_EXE_tenure-bench-server"))
            .env("PORT", port.to_string())
            .env("STORE", "sqlite")
            .env("SQLITE_PATH", file)
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

#[test]
fn x1_two_processes_on_one_file_lose_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("sessions.sqlite");
    let servers = [Server::start(&file), Server::start(&file)];
    let ports = [servers[0].port, servers[1].port];
    for round in 0..5 {
        let (cookie, _) = get(ports[0], "/set/first/1", "none=0");
        let cookie = cookie.unwrap();
        burst(ports, |_| "/slowincr".to_owned(), &cookie);
        burst(ports, |i| format!("/slowset/k{i}/{i}"), &cookie);
        for port in ports {
            assert_eq!(get(port, "/read", &cookie).1, "50", "increments, round {round}");
            assert_eq!(get(port, "/keys", &cookie).1, "52", "keys, round {round}");
        }
    }
}
