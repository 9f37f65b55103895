//! The proxy between a store and its server, against a server that answers each line with itself.

use std::io::ErrorKind;
use std::time::{Duration, Instant};

use tenure_testkit::{Link, Proxies, Proxy};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio::time::timeout;

const SOON: Duration = Duration::from_millis(150);

/// The proxy before a server that sends back what it gets, and what the server has got.
async fn echo() -> (Proxy, mpsc::UnboundedReceiver<Vec<u8>>) {
    let server = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let proxy = Proxy::start(server.local_addr().unwrap()).await.unwrap();
    let (tell, told) = mpsc::unbounded_channel();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = server.accept().await {
            let tell = tell.clone();
            tokio::spawn(async move {
                let mut room = [0; 64];
                while let Ok(read @ 1..) = stream.read(&mut room).await {
                    tell.send(room[..read].to_vec()).unwrap();
                    let _ = stream.write_all(&room[..read]).await;
                }
            });
        }
    });
    (proxy, told)
}

async fn connect(proxy: &Proxy) -> TcpStream {
    TcpStream::connect(proxy.address()).await.unwrap()
}

async fn ask(stream: &mut TcpStream, request: &str) -> std::io::Result<String> {
    stream.write_all(request.as_bytes()).await?;
    let mut room = vec![0; request.len()];
    let read = stream.read(&mut room).await?;
    Ok(String::from_utf8_lossy(&room[..read]).into_owned())
}

#[tokio::test]
async fn a_sound_link_carries_both_ways_and_the_end() {
    let (proxy, _told) = echo().await;
    let mut stream = connect(&proxy).await;
    assert_eq!(ask(&mut stream, "hello").await.unwrap(), "hello");
    stream.shutdown().await.unwrap();
    assert_eq!(stream.read(&mut [0; 8]).await.unwrap(), 0);
}

#[tokio::test]
async fn a_refused_link_resets_and_comes_back() {
    let (proxy, _told) = echo().await;
    let mut stream = connect(&proxy).await;
    ask(&mut stream, "hello").await.unwrap();
    proxy.set(Link::Refused).await;
    assert_eq!(stream.read(&mut [0; 8]).await.unwrap_err().kind(), ErrorKind::ConnectionReset);
    let error = TcpStream::connect(proxy.address()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ConnectionRefused);
    proxy.set(Link::Sound).await;
    assert_eq!(ask(&mut connect(&proxy).await, "again").await.unwrap(), "again");
}

#[tokio::test]
async fn a_silent_link_holds_back_and_loses_nothing() {
    let (proxy, mut told) = echo().await;
    let mut stream = connect(&proxy).await;
    ask(&mut stream, "hello").await.unwrap();
    told.recv().await.unwrap();
    proxy.set(Link::Silent).await;
    let mut late = connect(&proxy).await;
    assert!(timeout(SOON, ask(&mut stream, "one")).await.is_err());
    assert!(timeout(SOON, ask(&mut late, "two")).await.is_err());
    assert!(told.try_recv().is_err());
    proxy.set(Link::Sound).await;
    let mut room = [0; 8];
    assert_eq!(stream.read(&mut room).await.unwrap(), 3);
    assert_eq!(late.read(&mut room).await.unwrap(), 3);
}

#[tokio::test]
async fn a_black_hole_answers_nobody_and_loses_what_it_gets() {
    let (proxy, mut told) = echo().await;
    let mut stream = connect(&proxy).await;
    ask(&mut stream, "hello").await.unwrap();
    told.recv().await.unwrap();
    proxy.set(Link::BlackHole).await;
    assert!(timeout(SOON, ask(&mut stream, "one")).await.is_err());
    assert!(timeout(SOON, TcpStream::connect(proxy.address())).await.is_err());
    proxy.set(Link::Sound).await;
    assert_eq!(stream.read(&mut [0; 8]).await.unwrap_err().kind(), ErrorKind::ConnectionReset);
    assert_eq!(ask(&mut connect(&proxy).await, "again").await.unwrap(), "again");
    assert_eq!(told.recv().await.unwrap(), b"again", "what was sent is lost");
}

#[tokio::test]
async fn each_link_follows_each_other() {
    let links = || {
        let cut = Link::Cut { request: b"cut".to_vec(), after: 0 };
        [Link::Sound, Link::Refused, Link::Silent, Link::BlackHole, Link::Slow(SOON / 9), cut]
    };
    let (proxy, _told) = echo().await;
    for from in links() {
        for to in links() {
            proxy.set(from.clone()).await;
            proxy.set(to).await;
            proxy.set(Link::Sound).await;
            assert_eq!(ask(&mut connect(&proxy).await, "hello").await.unwrap(), "hello");
        }
    }
}

#[tokio::test]
async fn servers_that_name_each_other_name_their_proxies() {
    let ((first, _told), (second, _heard)) = (echo().await, echo().await);
    let servers = [first.address(), second.address()];
    let proxies = Proxies::start(&servers).await.unwrap();
    let url = proxies.in_url(&format!("some://{},{}/x", servers[0], servers[1]));
    let (_, place) = url.strip_suffix("/x").unwrap().split_once(',').unwrap();
    let mut stream = TcpStream::connect(place).await.unwrap();
    let (asked, port) = (servers[0].port(), url["some://127.0.0.1:".len()..].split(',').next());
    let answer = ask(&mut stream, &format!("MOVED 127.0.0.1:{asked}\r\n")).await.unwrap();
    assert_eq!(answer, format!("MOVED 127.0.0.1:{}\r\n", port.unwrap()));
    proxies.set(Link::Refused).await;
    assert!(TcpStream::connect(place).await.is_err());
}

#[tokio::test]
async fn a_slow_link_takes_its_time() {
    let (proxy, _told) = echo().await;
    let mut stream = connect(&proxy).await;
    proxy.set(Link::Slow(SOON)).await;
    let began = Instant::now();
    assert_eq!(ask(&mut stream, "hello").await.unwrap(), "hello");
    assert!(began.elapsed() >= 2 * SOON, "{:?}", began.elapsed());
}

#[tokio::test]
async fn a_cut_strikes_the_request_that_it_names_once() {
    let (proxy, mut told) = echo().await;
    let (mut first, mut second) = (connect(&proxy).await, connect(&proxy).await);
    proxy.set(Link::Cut { request: b"write".to_vec(), after: 0 }).await;
    assert_eq!(ask(&mut first, "read").await.unwrap(), "read");
    let error = ask(&mut first, "write").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ConnectionReset);
    assert_eq!(told.recv().await.unwrap(), b"read");
    assert_eq!(told.recv().await.unwrap(), b"write", "the server has acted");
    assert_eq!(ask(&mut second, "write").await.unwrap(), "write");
    assert_eq!(proxy.cuts(), 1);
}

#[tokio::test]
async fn a_cut_in_the_middle_lets_the_beginning_pass() {
    let (proxy, _told) = echo().await;
    let mut stream = connect(&proxy).await;
    proxy.set(Link::Cut { request: Vec::new(), after: 2 }).await;
    assert_eq!(ask(&mut stream, "hello").await.unwrap(), "he");
    assert_eq!(stream.read(&mut [0; 8]).await.unwrap_err().kind(), ErrorKind::ConnectionReset);
}

#[tokio::test]
async fn a_dropped_proxy_ends_its_connections() {
    let (proxy, _told) = echo().await;
    let mut stream = connect(&proxy).await;
    ask(&mut stream, "hello").await.unwrap();
    let address = proxy.address();
    drop(proxy);
    assert_eq!(stream.read(&mut [0; 8]).await.unwrap_err().kind(), ErrorKind::ConnectionReset);
    assert!(TcpStream::connect(address).await.is_err());
}
