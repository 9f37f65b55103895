//! Servers outlive what is asked of them, and one that does not is told.

mod http;
mod installed;

use std::io::Write;
use std::net::TcpStream;
use std::time::{Duration, Instant};

use tenure_test_servers::{Options, Server, redis_command};

use http::http;
use installed::installed;

fn wait_for(what: &str, mut seen: impl FnMut() -> bool) {
    let began = Instant::now();
    while !seen() {
        assert!(began.elapsed() < Duration::from_secs(20), "waited in vain: {what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

#[test]
fn couchdb_survives_what_it_forgot_to_handle() {
    let Some(server) = installed(Server::couchdb(&Options::new().volatile())) else { return };
    let port = server.nodes()[0].port();
    let mut stream = TcpStream::connect(("127.0.0.1", port)).expect("connected");
    let request = "PUT /nobody HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 0\r\n\r\n";
    stream.write_all(request.as_bytes()).expect("sent");
    wait_for("it is refused", || {
        std::fs::read_to_string(server.nodes()[0].log())
            .is_ok_and(|log| log.contains("UnhandledPromiseRejection"))
    });
    assert!(http(port, "GET", "/", "").starts_with("HTTP/1.1 200"));
    assert_eq!(server.lost(), [""; 0]);
}

#[test]
fn couchdb_refuses_what_a_deleted_document_once_was() {
    let Some(server) = installed(Server::couchdb(&Options::new().volatile())) else { return };
    let port = server.nodes()[0].port();
    assert!(http(port, "PUT", "/repeats", "").starts_with("HTTP/1.1 201"));
    let revision = |answer: &str| {
        let (_, after) = answer.split_once(r#""rev":""#).expect("a revision");
        after.split_once('"').expect("its end").0.to_owned()
    };
    let first = revision(&http(port, "PUT", "/repeats/a", r#"{"value":1}"#));
    let change = format!("/repeats/a?rev={first}");
    let second = revision(&http(port, "PUT", &change, r#"{"value":2}"#));
    let deleted = http(port, "DELETE", &format!("/repeats/a?rev={second}"), "");
    assert!(deleted.starts_with("HTTP/1.1 200"), "{deleted}");
    let again = http(port, "PUT", &change, r#"{"value":2}"#);
    assert!(again.starts_with("HTTP/1.1 409"), "{again}");
    assert!(http(port, "GET", "/repeats/a", "").starts_with("HTTP/1.1 404"));
    assert_eq!(server.lost(), [""; 0]);
}

#[test]
fn a_server_that_ends_by_itself_is_told_with_its_last_words() {
    let Some(server) = installed(Server::redis(&Options::new().volatile())) else { return };
    assert_eq!(server.lost(), [""; 0]);
    let port = server.nodes()[0].port();
    // The connection closes instead of an answer.
    let _ = redis_command(port, &["SHUTDOWN", "NOSAVE"]);
    wait_for("it ends", || !server.lost().is_empty());
    let lost = server.lost().concat();
    assert!(lost.starts_with("redis ended by itself (exit status: 0):\n"), "{lost}");
    assert!(lost.contains("bye bye"), "{lost}");
    server.start().expect("started again");
    assert_eq!(server.lost(), [""; 0]);
    server.kill().expect("killed");
    assert_eq!(server.lost(), [""; 0], "who was killed here is not lost");
}
