//! What the layer costs a request that leaves its session alone, in allocations.

use std::convert::Infallible;
use std::fmt::Debug;

use http::header::COOKIE;
use http::{HeaderValue, Request, Response};
use tenure_core::Sessions;
use tenure_tower::SessionLayer;
use tokio::runtime::{Builder, Runtime};
use tower::{Layer, Service, ServiceExt, service_fn};

async fn ok(_: Request<()>) -> Result<Response<&'static str>, Infallible> {
    Ok(Response::new("ok"))
}

fn request(cookie: Option<&HeaderValue>) -> Request<()> {
    let mut request = Request::new(());
    if let Some(cookie) = cookie {
        request.headers_mut().insert(COOKIE, cookie.clone());
    }
    // What is in front of the layer has mostly made the map of extensions already.
    request.extensions_mut().insert("something");
    request
}

/// The allocations of one call, those of the request not counted.
fn allocations<S>(runtime: &Runtime, service: &S, request: Request<()>) -> u64
where
    S: Service<Request<()>, Response = Response<&'static str>, Error: Debug> + Clone,
{
    let call = service.clone().oneshot(request);
    let mut response = None;
    let counted = allocation_counter::measure(|| response = Some(runtime.block_on(call)));
    assert_eq!(*response.unwrap().unwrap().body(), "ok");
    counted.count_total
}

#[test]
fn x3_a_session_that_is_left_alone_costs_two_allocations() {
    let runtime = Builder::new_current_thread().build().unwrap();
    let sessions = Sessions::in_memory().unwrap();
    let token = runtime.block_on(async {
        let session = sessions.start().await.unwrap();
        session.set("a", 1).unwrap();
        session.commit().await.unwrap();
        session.danger_expose_token().unwrap()
    });
    let cookie = HeaderValue::try_from(format!("__Host-id={token}")).unwrap();
    let bare = service_fn(ok);
    let layered = SessionLayer::new(sessions).layer(bare);
    for cookie in [None, Some(&cookie)] {
        allocations(&runtime, &layered, request(cookie)); // whatever happens only once
        let without = allocations(&runtime, &bare, request(cookie));
        let with = allocations(&runtime, &layered, request(cookie));
        // The session's place in this request, and its entry among the extensions.
        assert_eq!(with - without, 2, "with a cookie: {}", cookie.is_some());
    }
}
