//! Asks a server for one page again and again, over connections that stay open.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use crate::Result;

const CONNECTIONS: usize = 32;
const PATIENCE: Duration = Duration::from_secs(30);

/// The cookie of a new session.
pub(super) fn session(address: SocketAddr) -> Result<String> {
    let head = Connection::open(address)?.ask(&request("/incr", ""))?;
    header(&head, "set-cookie")
        .and_then(|line| line.split(';').next())
        .map(str::to_owned)
        .ok_or_else(|| format!("no cookie in {head:?}"))
}

/// Asks on all connections at once, and tells how many answers there were.
pub(super) fn drive(address: SocketAddr, path: &str, cookie: &str, time: Duration) -> Result<u64> {
    let request = request(path, cookie);
    let end = Instant::now() + time;
    let ask = || {
        let mut connection = Connection::open(address)?;
        let mut answers = 0;
        loop {
            connection.ask(&request)?;
            answers += 1;
            if Instant::now() >= end {
                return Ok(answers);
            }
        }
    };
    std::thread::scope(|scope| {
        let threads: Vec<_> = (0..CONNECTIONS).map(|_| scope.spawn(ask)).collect();
        let answers = threads.into_iter().map(|thread| match thread.join() {
            Ok(answers) => answers,
            Err(_) => Err("a connection's thread panicked".to_owned()),
        });
        answers.sum()
    })
}

fn request(path: &str, cookie: &str) -> String {
    let cookie = if cookie.is_empty() { String::new() } else { format!("Cookie: {cookie}\r\n") };
    format!("GET {path} HTTP/1.1\r\nHost: localhost\r\n{cookie}\r\n")
}

struct Connection {
    stream: TcpStream,
    answer: Vec<u8>,
}

impl Connection {
    fn open(address: SocketAddr) -> Result<Self> {
        let open = || {
            let stream = TcpStream::connect(address)?;
            stream.set_nodelay(true)?;
            stream.set_read_timeout(Some(PATIENCE))?;
            Ok(stream)
        };
        let failed = |error: std::io::Error| format!("{address}: {error}");
        Ok(Self { stream: open().map_err(failed)?, answer: Vec::with_capacity(4096) })
    }

    /// Sends a request, reads the answer to its end, and gives its head.
    fn ask(&mut self, request: &str) -> Result<String> {
        let failed = |error: std::io::Error| format!("the server: {error}");
        self.stream.write_all(request.as_bytes()).map_err(failed)?;
        self.answer.clear();
        let mut octets = [0; 4096];
        loop {
            if let Some((head, 0)) = head(&self.answer)? {
                return Ok(head);
            }
            match self.stream.read(&mut octets).map_err(failed)? {
                0 => return Err("the server closed a connection".into()),
                count => self.answer.extend_from_slice(&octets[..count]),
            }
        }
    }
}

/// The head of an answer, if that is complete, and how many octets of the body are to come.
fn head(answer: &[u8]) -> Result<Option<(String, usize)>> {
    let Some(end) = answer.windows(4).position(|octets| octets == b"\r\n\r\n") else {
        return Ok(None);
    };
    let head = String::from_utf8_lossy(&answer[..end]).into_owned();
    if !head.starts_with("HTTP/1.1 200 ") {
        return Err(format!("the server answers {head:?}"));
    }
    let length = header(&head, "content-length").and_then(|value| value.parse::<usize>().ok());
    let length = length.ok_or_else(|| format!("no length in {head:?}"))?;
    Ok(Some((head, (end + 4 + length).saturating_sub(answer.len()))))
}

fn header<'a>(head: &'a str, name: &str) -> Option<&'a str> {
    head.lines().find_map(|line| {
        let (found, value) = line.split_once(':')?;
        found.eq_ignore_ascii_case(name).then(|| value.trim())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_are_read_to_their_end() {
        let answer = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nset-cookie: id=a; Path=/\r\n\r\nok";
        let at = |length: usize| head(&answer[..length]);
        assert_eq!(at(40), Ok(None));
        let (lines, missing) = at(answer.len() - 1).unwrap().expect("a head");
        assert_eq!((header(&lines, "Set-Cookie"), missing), (Some("id=a; Path=/"), 1));
        assert_eq!(at(answer.len()).unwrap().expect("a head").1, 0);
        assert!(head(b"HTTP/1.1 503 Service Unavailable\r\n\r\n").is_err());
        assert!(head(b"HTTP/1.1 200 OK\r\n\r\n").is_err());
    }

    #[test]
    fn every_answer_counts() {
        let listener = std::net::TcpListener::bind(("127.0.0.1", 0)).expect("a port");
        let address = listener.local_addr().expect("an address");
        let serve = move |mut stream: TcpStream| {
            let mut octets = [0; 1024];
            while stream.read(&mut octets).is_ok_and(|count| count > 0) {
                let answer =
                    b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nSet-Cookie: id=a; Path=/\r\n\r\nok";
                let _gone = stream.write_all(answer);
            }
        };
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                std::thread::spawn(move || serve(stream));
            }
        });
        assert_eq!(session(address).as_deref(), Ok("id=a"));
        let answers = drive(address, "/read", "id=a", Duration::from_millis(100));
        assert!(answers.is_ok_and(|answers| answers >= 32));
    }
}
