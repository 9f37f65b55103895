//! A socket over TCP, and what ends it.

#[path = "../../examples/websocket.rs"]
#[expect(dead_code, reason = "the example's `main`")]
mod recipe;

use axum::Router;
use futures_util::{SinkExt, StreamExt};
use http::StatusCode;
use http::header::{COOKIE, ORIGIN};
use tenure::Sessions;
use tokio::net::{TcpListener, TcpStream};
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;
use tokio_tungstenite::tungstenite::{Error, Message};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};

use crate::client::Client;

type Socket = WebSocketStream<MaybeTlsStream<TcpStream>>;

/// The application at an address of its own, and a browser there.
async fn serve() -> (String, Client) {
    let app: Router = recipe::router(Sessions::in_memory().unwrap());
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let host = listener.local_addr().unwrap().to_string();
    let client = Client::new(&app, &format!("http://{host}"));
    tokio::spawn(async { axum::serve(listener, app).await.unwrap() });
    (host, client)
}

async fn open(host: &str, origin: &str, client: &Client) -> Result<Socket, StatusCode> {
    let mut request = format!("ws://{host}/socket").into_client_request().unwrap();
    request.headers_mut().insert(ORIGIN, origin.parse().unwrap());
    for (name, value) in &client.jar {
        request.headers_mut().append(COOKIE, format!("{name}={value}").parse().unwrap());
    }
    match connect_async(request).await {
        Ok((socket, _)) => Ok(socket),
        Err(Error::Http(response)) => Err(response.status()),
        Err(error) => panic!("{error}"),
    }
}

async fn said(socket: &mut Socket, text: &str) -> Message {
    socket.send(Message::text(text)).await.unwrap();
    socket.next().await.unwrap().unwrap()
}

#[tokio::test]
async fn t_ws_1_a_socket_commits_what_it_writes() {
    let (host, mut client) = serve().await;
    client.post("/login", "user=ada").await;
    let mut socket = open(&host, &format!("http://{host}"), &client).await.unwrap();
    assert_eq!(socket.next().await.unwrap().unwrap(), Message::text("Hello ada"));
    assert_eq!(said(&mut socket, "one").await, Message::text("1. one"));
    assert_eq!(said(&mut socket, "two").await, Message::text("2. two"));
    let page = client.get("/").await.body;
    assert!(page.contains("You have said 2 things."), "committed while it is open: {page}");
}

#[tokio::test]
async fn t_ws_1_a_logout_ends_the_socket_at_the_next_message() {
    let (host, mut client) = serve().await;
    client.post("/login", "user=ada").await;
    let mut socket = open(&host, &format!("http://{host}"), &client).await.unwrap();
    socket.next().await.unwrap().unwrap();
    client.post("/logout", "").await;
    let Message::Close(Some(frame)) = said(&mut socket, "still here?").await else {
        panic!("the socket goes on");
    };
    assert_eq!((frame.code, frame.reason.as_str()), (CloseCode::Policy, "logged out"));
}

#[tokio::test]
async fn t_ws_1_a_handshake_without_log_in_or_from_elsewhere_is_refused() {
    let (host, mut client) = serve().await;
    let own = format!("http://{host}");
    assert_eq!(open(&host, &own, &client).await.unwrap_err(), StatusCode::UNAUTHORIZED);
    client.post("/login", "user=ada").await;
    for origin in ["http://evil.test", "null", "http://127.0.0.1:1"] {
        let refused = open(&host, origin, &client).await.unwrap_err();
        assert_eq!(refused, StatusCode::FORBIDDEN, "{origin}");
    }
    assert!(open(&host, &own, &client).await.is_ok());
}
