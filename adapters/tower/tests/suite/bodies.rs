//! Services with bodies of their own, as tonic's are.

use std::convert::Infallible;

use http::{Request, Response, StatusCode};
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt, Empty, Full};
use hyper::body::Bytes;
use tenure_core::store::StoreErrorKind;
use tenure_core::{Error, ErrorKind, Sessions};
use tenure_tower::{Installed, PlainText, SessionLayer};
use tower::{Layer, Service, ServiceExt, service_fn};

use crate::store::{Fault, Spy};

/// Neither made of text nor shared between threads.
type Body = UnsyncBoxBody<Bytes, Infallible>;

async fn count(request: Request<Body>) -> Result<Response<Body>, Error> {
    let session = Installed::of(request.extensions()).unwrap().session();
    session.increment("n", 1)?;
    Ok(Response::new(Full::from("counted").boxed_unsync()))
}

/// As gRPC says it: in headers of a response without a body.
fn unavailable(error: &Error) -> Response<Body> {
    let code = if error.kind() == ErrorKind::Unavailable { "14" } else { "13" };
    let response = Response::builder().header("grpc-status", code);
    response.body(Empty::new().boxed_unsync()).unwrap()
}

#[tokio::test]
async fn a_service_brings_its_own_body_and_its_own_errors() {
    let store = Spy::default();
    let layer = SessionLayer::new(store.builder().build().unwrap()).error_response(unavailable);
    let service = layer.layer(service_fn(count));
    let request = || Request::new(Empty::new().boxed_unsync());
    let response = service.clone().oneshot(request()).await.unwrap();
    assert!(response.headers().contains_key("set-cookie"));

    store.fail("create", Fault::Fails(StoreErrorKind::Unavailable));
    let response = service.oneshot(request()).await.unwrap();
    assert_eq!(
        (response.status(), &response.headers()["grpc-status"]),
        (StatusCode::OK, &"14".parse().unwrap())
    );
    assert!(!response.headers().contains_key("set-cookie"));
    assert!(response.into_body().collect().await.unwrap().to_bytes().is_empty());
}

/// What servers ask of a service and its future.
fn is_servable<S>(_: &S)
where
    S: Service<Request<Body>, Future: Send + 'static> + Clone + Send + Sync + 'static,
{
}

#[tokio::test]
async fn services_and_futures_can_be_sent() {
    let sessions = Sessions::in_memory().unwrap();
    let service =
        service_fn(async |_: Request<Body>| Ok::<_, Infallible>(Response::new(String::new())));
    is_servable(&SessionLayer::new(sessions.clone()).layer(service));
    let layer = SessionLayer::new(sessions).error_response(|error| {
        let mut response = Response::new(String::new());
        *response.status_mut() = PlainText::status(error);
        response
    });
    is_servable(&layer.layer(service));
}
