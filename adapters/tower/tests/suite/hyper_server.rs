//! The layer over a plain hyper server, without axum.

use std::convert::Infallible;
use std::net::SocketAddr;

use http::{Request, Response};
use http_body_util::Full;
use hyper::body::{Bytes, Incoming};
use hyper_util::rt::TokioIo;
use hyper_util::service::TowerToHyperService;
use tenure_core::Sessions;
use tenure_core::engine::Connection;
use tenure_tower::{Installed, SessionLayer};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tower::{Layer, service_fn};

async fn count(mut request: Request<Incoming>) -> Result<Response<Full<Bytes>>, Infallible> {
    let installed = request.extensions_mut().remove::<Installed>().expect("a layer");
    let session = installed.session().load().await.unwrap();
    session.increment("n", 1).unwrap();
    let body = format!("n={} ip={:?}", session.get::<u32>("n").unwrap().unwrap(), session.ip());
    Ok(Response::new(body.into()))
}

async fn serve(sessions: Sessions) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((stream, peer)) = listener.accept().await {
            let service = SessionLayer::new(sessions.clone()).layer(service_fn(count));
            let service = tower::util::MapRequest::new(service, move |mut request: Request<_>| {
                request.extensions_mut().insert(Connection::new().peer(peer.ip()));
                request
            });
            let serve = hyper::server::conn::http1::Builder::new()
                .serve_connection(TokioIo::new(stream), TowerToHyperService::new(service));
            tokio::spawn(async move { serve.await.unwrap() });
        }
    });
    address
}

/// Sends one request on a connection of its own.
async fn exchange(address: SocketAddr, cookie: &str) -> String {
    let mut stream = TcpStream::connect(address).await.unwrap();
    let request = format!("GET / HTTP/1.1\r\nhost: shop.test\r\n{cookie}connection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    answer
}

#[tokio::test]
async fn it_works_over_plain_hyper_without_axum() {
    let address = serve(Sessions::in_memory().unwrap()).await;
    let first = exchange(address, "").await;
    assert!(first.starts_with("HTTP/1.1 200 OK\r\n"), "{first}");
    assert!(first.ends_with("n=1 ip=None"), "{first}");
    let cookie = first.lines().find_map(|line| line.strip_prefix("set-cookie: ")).unwrap();
    let pair = cookie.split(';').next().unwrap();

    let second = exchange(address, &format!("cookie: {pair}\r\n")).await;
    assert!(second.ends_with("n=2 ip=Some(127.0.0.1)"), "{second}");
    assert!(!second.contains("set-cookie"), "{second}");
    let stranger = exchange(address, "").await;
    assert!(stranger.ends_with("n=1 ip=None"), "{stranger}");
}
