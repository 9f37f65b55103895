//! V5: the README's first application, on a port of its own.

#![cfg(feature = "axum")]

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};

use axum::{Router, routing::get};
use tenure::axum::{Error, Session};
use tenure::{Sessions, tower::SessionLayer};

async fn visits(session: Session) -> Result<String, Error> {
    session.increment("visits", 1)?;
    Ok(format!("Visit no. {}", session.get::<u32>("visits")?.unwrap_or(0)))
}

#[rustfmt::skip]
fn app() -> tenure::Result<Router> {
    let app = Router::new().route("/", get(visits)).layer(SessionLayer::new(Sessions::in_memory()?));
    Ok(app)
}

/// The response to one request over a connection of its own.
fn visit(address: SocketAddr, cookie: &str) -> String {
    let mut connection = TcpStream::connect(address).unwrap();
    let request = format!("GET / HTTP/1.1\r\nhost: shop\r\ncookie: {cookie}\r\nconnection: close");
    connection.write_all(format!("{request}\r\n\r\n").as_bytes()).unwrap();
    let mut answer = String::new();
    connection.read_to_string(&mut answer).unwrap();
    answer
}

/// V5: 15 lines and no setting, and visits are counted for each visitor.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn v5_the_application_of_the_readme_works_without_configuration() {
    let block = include_str!("../README.md").split("```").nth(1).unwrap();
    let (_, block) = block.split_once('\n').unwrap();
    assert!(block.lines().count() <= 15, "{block}");
    // All but what `main` needs around it is above.
    let (handlers, main) = block.split_once("#[tokio::main]").unwrap();
    let own = include_str!("readme.rs");
    let routes = main.lines().find(|line| line.contains("Router::new()")).unwrap();
    for line in handlers.lines().chain([routes]) {
        assert!(own.contains(line), "{line}");
    }

    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let server = tokio::spawn(async move { axum::serve(listener, app().unwrap()).await });
    tokio::task::spawn_blocking(move || {
        let first = visit(address, "");
        assert!(first.ends_with("Visit no. 1"), "{first}");
        let (_, cookie) = first.split_once("set-cookie: ").unwrap();
        let (cookie, _) = cookie.split_once(';').unwrap();
        assert!(visit(address, cookie).ends_with("Visit no. 2"));
        assert!(visit(address, "").ends_with("Visit no. 1"), "somebody else");
        assert!(visit(address, cookie).ends_with("Visit no. 3"));
    })
    .await
    .unwrap();
    server.abort();
}
