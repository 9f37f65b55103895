//! The real server, and a visitor who talks to it over HTTP.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::process::{Child, Command};
use std::thread;
use std::time::{Duration, Instant};

pub(crate) struct Server {
    process: Child,
    pub(crate) port: u16,
}

impl Server {
    /// Starts one on the store of this name, which is where the variable says.
    pub(crate) fn start(store: &str, place: (&str, &str)) -> Self {
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

/// A browser, as far as one cookie goes.
#[derive(Clone, Default)]
pub(crate) struct Visitor {
    cookie: String,
}

impl Visitor {
    /// The body of what must be answered with 200.
    pub(crate) fn get(&mut self, port: u16, path: &str) -> String {
        let (set, body) = get(port, path, &self.cookie);
        if let Some(cookie) = set {
            self.cookie = cookie;
        }
        body
    }
}

/// The cookie that the answer sets, if it does, and its body.
fn get(port: u16, path: &str, cookie: &str) -> (Option<String>, String) {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
    let cookie = if cookie.is_empty() { String::new() } else { format!("Cookie: {cookie}\r\n") };
    write!(stream, "GET {path} HTTP/1.1\r\nHost: localhost\r\n{cookie}Connection: close\r\n\r\n")
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
