use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use http::request::Parts;
use http::{Request, Response};
use pin_project_lite::pin_project;
use tenure_core::Error;
use tenure_core::csrf::Refusal;
use tower_service::Service;

use super::respond::{RefusalResponse, render};
use super::settings::Settings;
use crate::PlainText;
use crate::respond::Failed;

pub(super) type Check = Pin<Box<dyn Future<Output = Result<bool, Error>> + Send>>;

pin_project! {
    /// The response of a [`CsrfService`](super::CsrfService): the inner one, or a refusal.
    pub struct ResponseFuture<S, F, Q, B, R> {
        #[pin]
        state: State<S, F, Q, B>,
        refusals: R,
    }
}

pin_project! {
    #[project = StateProj]
    enum State<S, F, Q, B> {
        Checking { check: Check, held: Option<Held<S, Q>> },
        Running { #[pin] inner: F },
        Refused { response: Option<Response<B>> },
    }
}

/// A request that waits for its token to be checked, and where it goes then.
struct Held<S, Q> {
    inner: S,
    parts: Parts,
    body: Q,
    settings: Arc<Settings>,
}

impl<S, F, Q, B, R> ResponseFuture<S, F, Q, B, R> {
    pub(super) fn run(inner: F, refusals: R) -> Self {
        Self { state: State::Running { inner }, refusals }
    }

    pub(super) fn refuse(response: Response<B>, refusals: R) -> Self {
        Self { state: State::Refused { response: Some(response) }, refusals }
    }

    pub(super) fn check(
        check: Check,
        inner: S,
        parts: Parts,
        body: Q,
        settings: Arc<Settings>,
        refusals: R,
    ) -> Self {
        let held = Some(Held { inner, parts, body, settings });
        Self { state: State::Checking { check, held }, refusals }
    }
}

impl<S, F, Q, B, R, E> Future for ResponseFuture<S, F, Q, B, R>
where
    S: Service<Request<Q>, Response = Response<B>, Error = E, Future = F>,
    F: Future<Output = Result<Response<B>, E>>,
    R: RefusalResponse<B>,
    B: Default,
{
    type Output = Result<Response<B>, E>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut this = self.project();
        loop {
            let next = match this.state.as_mut().project() {
                StateProj::Checking { check, held } => {
                    let outcome = ready!(check.as_mut().poll(cx));
                    let mut held = held.take().expect("polled after completion");
                    match outcome {
                        Err(error) => State::Refused { response: Some(failed(error)) },
                        Ok(good)
                            if !good && held.settings.refuses(Refusal::WrongToken, &held.parts) =>
                        {
                            let response =
                                this.refusals.respond(Refusal::WrongToken, &held.parts.headers);
                            State::Refused { response: Some(response) }
                        }
                        Ok(_) => {
                            let request = Request::from_parts(held.parts, held.body);
                            State::Running { inner: held.inner.call(request) }
                        }
                    }
                }
                StateProj::Running { inner } => {
                    let response = ready!(inner.poll(cx))?;
                    return Poll::Ready(Ok(render(this.refusals, response)));
                }
                StateProj::Refused { response } => {
                    return Poll::Ready(Ok(response.take().expect("polled after completion")));
                }
            };
            this.state.set(next);
        }
    }
}

/// What the session's layer, further out, renders: the session was found by it.
fn failed<B: Default>(error: Error) -> Response<B> {
    let mut response = Response::new(B::default());
    *response.status_mut() = PlainText::status(&error);
    response.extensions_mut().insert(Failed(Arc::new(error)));
    response
}

impl<S, F, Q, B, R> fmt::Debug for ResponseFuture<S, F, Q, B, R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ResponseFuture")
    }
}
