//! A stream of server-sent events that reads the session of the request that began it.
//!
//! `cargo run -p tenure --features axum --example server_sent_events`, then http://localhost:3000
//!
//! - What the handler writes before it returns is committed before the head of the response is sent.
//! - The stream itself runs after that. It gets `session.read_only()`: what it would write nobody would
//!   commit, and no cookie could carry, which is why a write there is an error of the kind `Sealed`.
//! - What a stream reads is what the request saw. One that has to see a logout, or to write, takes
//!   `session.detach()`: see the recipe `websocket`.

use std::convert::Infallible;
use std::time::Duration;

use axum::Router;
use axum::response::Html;
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::routing::get;
use futures_util::{Stream, StreamExt, stream};
use tenure::Sessions;
use tenure::axum::{Error, Session};
use tenure::tower::SessionLayer;

/// How many events a stream has here; those of an application go on.
const EVENTS: u32 = 3;

/// A page, its events, and how not to do it.
pub(crate) fn router(sessions: Sessions, pause: Duration) -> Router {
    Router::new()
        .route("/", get(page))
        .route("/events", get(move |session| events(session, pause)))
        .route("/too-late", get(too_late))
        .layer(SessionLayer::new(sessions))
}

async fn page(session: Session) -> Result<Html<String>, Error> {
    let streams = session.get_or("streams", 0)?;
    Ok(Html(format!(
        "<p>You have opened {streams} streams.<ul></ul><script>
         const events = new EventSource('/events');
         events.onmessage = event => {{
             const item = document.createElement('li');
             item.textContent = event.data;
             document.querySelector('ul').append(item);
         }};
         events.addEventListener('end', () => events.close());
         </script>"
    )))
}

type Events<S> = Sse<axum::response::sse::KeepAliveStream<S>>;

async fn events(
    session: Session,
    pause: Duration,
) -> Result<Events<impl Stream<Item = Result<Event, Infallible>>>, Error> {
    session.increment("streams", 1)?; // committed with the head
    let view = session.read_only();
    let ticks = stream::iter(1..=EVENTS).then(move |tick| {
        let view = view.clone();
        async move {
            tokio::time::sleep(pause).await;
            Ok(match view.get::<u32>("streams") {
                Ok(streams) => Event::default()
                    .data(format!("event {tick} of stream {}", streams.unwrap_or_default())),
                Err(error) => failed(&error),
            })
        }
    });
    let end = stream::once(async { Ok(Event::default().event("end").data("")) });
    Ok(Sse::new(ticks.chain(end)).keep_alive(KeepAlive::default()))
}

/// How not to do it: the request is over when the stream writes.
async fn too_late(session: Session) -> Sse<impl Stream<Item = Result<Event, Infallible>>> {
    Sse::new(stream::once(async move {
        Ok(match session.increment("streams", 1) {
            Ok(()) => Event::default().data("written"),
            Err(error) => failed(&error),
        })
    }))
}

/// The kind alone: what else an error says is for the log.
fn failed(error: &tenure::Error) -> Event {
    Event::default().event("failed").data(format!("{:?}", error.kind()))
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:3000").await?;
    axum::serve(listener, router(Sessions::in_memory()?, Duration::from_secs(1))).await?;
    Ok(())
}
