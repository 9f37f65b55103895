//! K19, T-WS-1: what may be written when, and by whom after the response.

use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};

use axum::body::Body;
use axum::routing::get;
use axum::{Extension, Router};
use http::StatusCode;
use hyper::body::{Bytes, Frame};
use tenure_core::session::Detached;
use tenure_core::{ErrorKind, Sessions};
use tenure_tower::SessionLayer;
use tenure_tower::axum::{Error, LazySession, Session, Sessions as Manager};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;

use crate::app::routes;
use crate::client::Client;

/// Where a handler leaves something for the test.
type Kept<T> = Arc<Mutex<Option<T>>>;

#[tokio::test]
async fn k19_without_a_layer_the_answer_says_which_line_to_add() {
    let app = Router::new()
        .route("/session", get(|_: Session| async {}))
        .route("/lazy", get(|_: LazySession| async {}))
        .route("/maybe", get(|_: Option<Session>| async {}))
        .route("/manager", get(|_: Manager| async {}));
    for path in ["/session", "/lazy", "/maybe", "/manager"] {
        let answer = Client::new(&app).get(path).await;
        assert_eq!(answer.status, StatusCode::INTERNAL_SERVER_ERROR);
        assert!(answer.body.contains(".layer(SessionLayer::new(sessions))"), "{}", answer.body);
        assert!(answer.sets_no_cookie());
    }
}

#[tokio::test]
async fn k19_a_write_after_the_head_is_an_error() {
    async fn keeps(
        session: Session,
        Extension(kept): Extension<Kept<Session>>,
    ) -> Result<(), Error> {
        session.set("a", 1)?;
        *kept.lock().unwrap() = Some(session);
        Ok(())
    }
    let kept = Kept::<Session>::default();
    let app = Router::new()
        .route("/", get(keeps))
        .layer(Extension(Arc::clone(&kept)))
        .layer(SessionLayer::new(Sessions::in_memory().unwrap()));
    Client::new(&app).get("/").await;
    let session = kept.lock().unwrap().take().unwrap();
    let refused = [
        session.set("a", 2),
        session.remove("a"),
        session.increment("a", 1),
        session.clear(),
        session.login("ada"),
        session.logout(),
        session.destroy(),
        session.regenerate(),
        session.touch(),
        session.lazy().set("a", 2),
        session.save().await,
    ];
    for result in refused {
        assert_eq!(result.unwrap_err().kind(), ErrorKind::Sealed);
    }
    assert_eq!(session.get::<i32>("a").unwrap(), Some(1));
}

#[tokio::test]
async fn k19_what_the_request_saw_can_be_read_after_the_head() {
    async fn keeps(
        session: Session,
        Extension(kept): Extension<Kept<Session>>,
    ) -> Result<(), Error> {
        session.increment("n", 1)?;
        *kept.lock().unwrap() = Some(session);
        Ok(())
    }
    let kept = Kept::<Session>::default();
    let app = routes()
        .route("/", get(keeps))
        .layer(Extension(Arc::clone(&kept)))
        .layer(SessionLayer::new(Sessions::in_memory().unwrap()));
    let mut client = Client::new(&app);
    client.get("/set/a/b").await;
    for n in 1..=2 {
        client.get("/").await;
        let session = kept.lock().unwrap().take().unwrap();
        assert_eq!(session.get::<u32>("n").unwrap(), Some(n));
        assert_eq!(session.get::<String>("a").unwrap().as_deref(), Some("b"));
    }
}

#[tokio::test]
async fn t_ws_1_a_detached_handle_goes_on_after_the_response() {
    async fn upgrade(
        session: Session,
        Extension(kept): Extension<Kept<Detached>>,
    ) -> Result<(), Error> {
        assert_eq!(session.detach().unwrap_err().kind(), ErrorKind::Misuse);
        session.set("room", "lobby")?;
        session.save().await?;
        *kept.lock().unwrap() = Some(session.detach()?);
        Ok(())
    }
    let kept = Kept::<Detached>::default();
    let app = routes()
        .route("/upgrade", get(upgrade))
        .layer(Extension(Arc::clone(&kept)))
        .layer(SessionLayer::new(Sessions::in_memory().unwrap()));
    let mut client = Client::new(&app);
    client.get("/upgrade").await.cookie();
    let socket = kept.lock().unwrap().take().unwrap();
    socket.set("room", "kitchen").unwrap();
    assert_eq!(client.get("/get/room").await.body, "lobby");
    socket.commit().await.unwrap();
    assert_eq!(client.get("/get/room").await.body, "kitchen");

    client.get("/logout").await;
    socket.set("room", "attic").unwrap();
    assert_eq!(socket.commit().await.unwrap_err().kind(), ErrorKind::Gone);
}

/// A body whose parts come through a channel.
struct Stream(mpsc::Receiver<String>);

impl hyper::body::Body for Stream {
    type Data = Bytes;
    type Error = std::convert::Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        self.0.poll_recv(cx).map(|part| part.map(|part| Ok(Frame::data(part.into()))))
    }
}

async fn stream(
    session: Session,
    Extension(go_on): Extension<Arc<tokio::sync::Notify>>,
) -> Result<Body, Error> {
    session.set("before", "kept")?;
    let (parts, body) = mpsc::channel(1);
    tokio::spawn(async move {
        parts.send("first\n".to_owned()).await.unwrap();
        go_on.notified().await;
        let late = session.set("after", "lost").unwrap_err().kind();
        parts.send(format!("{late:?}\n")).await.unwrap();
    });
    Ok(Body::new(Stream(body)))
}

#[tokio::test]
async fn t_ws_1_a_stream_is_committed_before_its_first_byte_and_sealed_after() {
    let go_on = Arc::new(tokio::sync::Notify::new());
    let app = routes()
        .route("/stream", get(stream))
        .layer(Extension(Arc::clone(&go_on)))
        .layer(SessionLayer::new(Sessions::in_memory().unwrap()));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let server = axum::serve(listener, app.clone());
    tokio::spawn(async move { server.await.unwrap() });

    let mut connection = TcpStream::connect(address).await.unwrap();
    let request = "GET /stream HTTP/1.1\r\nhost: shop.test\r\nconnection: close\r\n\r\n";
    connection.write_all(request.as_bytes()).await.unwrap();
    let mut lines = BufReader::new(connection);
    let mut read = String::new();
    while !read.ends_with("first\n") {
        assert_ne!(lines.read_line(&mut read).await.unwrap(), 0, "{read}");
    }
    let cookie = read.lines().find_map(|line| line.strip_prefix("set-cookie: ")).unwrap();
    let (name, token) = cookie.split(';').next().unwrap().split_once('=').unwrap();
    let mut client = Client::new(&app);
    client.jar.insert(name.to_owned(), token.to_owned());
    assert_eq!(client.get("/get/before").await.body, "kept", "while the body is on its way");

    go_on.notify_one();
    let mut rest = String::new();
    lines.read_to_string(&mut rest).await.unwrap();
    assert!(rest.contains("Sealed\n"), "{rest}");
    assert_eq!(client.get("/keys").await.body, "before");
}
