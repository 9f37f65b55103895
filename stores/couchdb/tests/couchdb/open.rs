use std::time::{Duration, Instant};

use tenure_core::format::MessagePack;
use tenure_core::store::{AnyStore, Store, StoreError, StoreErrorKind};
use tenure_couchdb::{CouchOptions, CouchStore};
use tenure_test_servers::{Certificates, Options, Server};
use tenure_testkit::server;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

use crate::support::{NOW, Place, key, loaded, patient, record};

#[tokio::test]
async fn a_wrong_password_is_named_and_not_shown() {
    let server = match Server::couchdb(&Options::new().volatile()) {
        Ok(server) => server,
        Err(error) if error.is_missing() => return server::missing(&format!("couchdb: {error}")),
        Err(error) => panic!("{error}"),
    };
    let store = patient().connect(server.url()).await.unwrap();
    store.migrate().await.unwrap();
    assert!(!format!("{store:?} {:?}", patient()).contains("tenure:tenure"));
    let (_, place) = server.url().rsplit_once('@').unwrap();
    let error = CouchStore::connect(format!("couchdb://tenure:geheim@{place}")).await.unwrap_err();
    assert_eq!(error.kind(), StoreErrorKind::Other, "{error}");
    assert!(error.to_string().contains("check the user and password of the URL"), "{error}");
    assert!(!format!("{error} {error:?}").contains("geheim"), "{error:?}");
}

/// K18: a format that this store cannot keep is refused at the start, before anybody is asked.
#[tokio::test]
async fn k18_a_format_that_is_no_text_is_refused_at_the_start() {
    let options = CouchOptions::new().format(MessagePack);
    let error = options.connect("couchdb://127.0.0.1:1/sessions").await.unwrap_err();
    assert_eq!(error.kind(), StoreErrorKind::Other);
    assert!(error.to_string().contains("format: MessagePack writes octets"), "{error}");
}

#[tokio::test]
async fn a_server_that_is_not_there_is_unavailable() {
    let closed = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let error = CouchStore::connect(format!("couchdb://{closed}/a")).await.unwrap_err();
    assert_eq!(error.kind(), StoreErrorKind::Unavailable);
    assert!(error.to_string().contains("check the URL's host and port"), "{error}");
}

/// A server that accepts and never answers.
#[tokio::test]
async fn a_server_that_does_not_answer_is_given_up_in_time() {
    let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let begun = Instant::now();
    let options = CouchOptions::new().operation_timeout(Duration::from_millis(500));
    let url = format!("couchdb://{}/a", silent.local_addr().unwrap());
    let error = options.connect(url).await.unwrap_err();
    assert_eq!(error.kind(), StoreErrorKind::Timeout);
    assert!(error.to_string().contains("CouchOptions::operation_timeout"), "{error}");
    assert!(begun.elapsed() < Duration::from_secs(5), "{:?}", begun.elapsed());
}

/// What a proxy or an overloaded server says instead of CouchDB.
#[tokio::test]
async fn answers_of_others_are_told_apart() {
    use StoreErrorKind::{Other, Timeout, TooLarge, Unavailable};
    let json = "{\"error\":\"some\",\"reason\":\"thing\"}";
    let page = "<html><body>geht nicht</body></html>";
    for (status, body, kind, remedy) in [
        ("200 OK", page, Other, "no CouchDB"),
        ("404 Not Found", page, Other, "no CouchDB"),
        ("302 Found", page, Other, "no CouchDB"),
        ("302 Found", json, Other, "leads elsewhere"),
        ("401 Unauthorized", page, Other, "check the user and password"),
        ("401 Unauthorized", json, Other, "check the user and password"),
        ("403 Forbidden", json, Other, "make the user a member"),
        ("412 Precondition Failed", json, Other, "a condition does not hold"),
        ("413 Payload Too Large", json, TooLarge, "max_document_size"),
        ("408 Request Timeout", json, Timeout, "gave up"),
        ("500 Internal Server Error", json, Unavailable, "for now"),
        ("502 Bad Gateway", page, Unavailable, "a proxy may have answered"),
        ("503 Service Unavailable", page, Unavailable, "a proxy may have answered"),
        ("503 Service Unavailable", json, Unavailable, "some: thing"),
        ("429 Too Many Requests", json, Unavailable, "for now"),
        ("202 Accepted", json, Unavailable, "too few nodes"),
    ] {
        let error = answered(status, body).await;
        assert_eq!(error.kind(), kind, "{status}: {error}");
        assert!(error.to_string().contains(remedy), "{status} {body}: {error}");
    }
}

/// What the store makes of a server that always gives this answer.
async fn answered(status: &str, body: &str) -> StoreError {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let length = body.len();
    let answer =
        format!("HTTP/1.1 {status}\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{body}");
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut request = [0; 4096];
            let _ = stream.read(&mut request).await;
            let _ = stream.write_all(answer.as_bytes()).await;
            let _ = stream.shutdown().await;
        }
    });
    CouchStore::connect(format!("couchdb://{address}/a")).await.unwrap_err()
}

#[tokio::test]
async fn a_file_without_a_certificate_is_named() {
    for file in ["/nowhere/ca.pem", concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml")] {
        let options = CouchOptions::new().tls_ca_file(file);
        let error = options.connect("couchdbs://localhost/a").await.unwrap_err();
        assert_eq!(error.kind(), StoreErrorKind::Other, "{file}");
        assert!(error.to_string().contains("CouchOptions::tls_ca_file"), "{error}");
    }
}

#[tokio::test]
async fn a_closed_store_answers_no_more() {
    let Some(place) = Place::new() else { return };
    let store = AnyStore::new(place.store().await);
    store.create(&key(1), &record(), NOW).await.unwrap();
    store.close().await;
    store.close().await;
    let error = store.load(&key(1), NOW).await.unwrap_err();
    assert_eq!(error.kind(), StoreErrorKind::Unavailable);
    assert!(error.to_string().contains("the store is closed"), "{error}");
    loaded(&place.store().await, &key(1)).await;
}

/// TLS is verified: by the authority of the file, a server is heard; by no other. The server of the
/// tests has no TLS, so a page stands in for CouchDB.
#[tokio::test]
async fn a_certificate_of_another_authority_is_refused() {
    let (one, two) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let ours = Certificates::generate(one.path()).unwrap();
    let others = Certificates::generate(two.path()).unwrap();
    let port = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap().port();
    let mut page = std::process::Command::new("openssl")
        .args(["s_server", "-www", "-quiet", "-accept", &port.to_string()])
        .args(["-cert", "server.pem", "-key", "server.key"])
        .current_dir(one.path())
        .spawn()
        .unwrap();
    while tokio::net::TcpStream::connect(("127.0.0.1", port)).await.is_err() {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let url = format!("couchdbs://127.0.0.1:{port}/a");
    let heard = patient().tls_ca_file(ours.ca_file()).connect(&url).await.unwrap_err();
    let refused = patient().tls_ca_file(others.ca_file()).connect(&url).await.unwrap_err();
    let unknown = patient().connect(&url).await.unwrap_err();
    page.kill().unwrap();
    page.wait().unwrap();
    assert!(heard.to_string().contains("no CouchDB"), "{heard}");
    for error in [refused, unknown] {
        assert_eq!(error.kind(), StoreErrorKind::Unavailable);
        assert!(error.to_string().contains("authority of its certificate"), "{error}");
    }
}
