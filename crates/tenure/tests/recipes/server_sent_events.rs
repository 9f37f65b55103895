//! What a stream may do with the session of its request.

#[path = "../../examples/server_sent_events.rs"]
#[expect(dead_code, reason = "the example's `main`")]
mod recipe;

use std::time::Duration;

use http::header::CONTENT_TYPE;
use tenure::Sessions;

use crate::client::Client;

#[tokio::test]
async fn k19_a_write_before_the_head_is_committed_and_read_by_the_stream() {
    let app = recipe::router(Sessions::in_memory().unwrap(), Duration::ZERO);
    let mut client = Client::new(&app, "https://shop.test");
    for stream in 1..=2 {
        let answer = client.get("/events").await;
        assert_eq!(answer.header(CONTENT_TYPE), "text/event-stream");
        let events: Vec<_> = answer.body.split_terminator("\n\n").collect();
        let expected = (1..=3).map(|tick| format!("data: event {tick} of stream {stream}"));
        assert_eq!(events[..3], expected.collect::<Vec<_>>(), "{events:?}");
        assert!(events[3].contains("event: end"), "{events:?}");
        let page = client.get("/").await.body;
        assert!(page.contains(&format!("You have opened {stream} streams.")), "{page}");
    }
}

#[tokio::test]
async fn k19_a_write_after_the_head_is_sealed_and_changes_nothing() {
    let app = recipe::router(Sessions::in_memory().unwrap(), Duration::ZERO);
    let mut client = Client::new(&app, "https://shop.test");
    client.get("/events").await;
    let answer = client.get("/too-late").await;
    assert!(answer.body.contains("data: Sealed"), "{answer:?}");
    assert!(client.get("/").await.body.contains("You have opened 1 streams."));
}
