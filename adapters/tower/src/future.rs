use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use http::Response;
use http::header::VARY;
use pin_project_lite::pin_project;
use tenure_core::Error;
use tenure_core::engine::{Exchange, Sealed};

use crate::respond::{ErrorResponse, render};

pin_project! {
    /// The response of a [`SessionService`](crate::SessionService): the inner one, with the
    /// session committed. The commit is boxed only when it has to wait for the store.
    pub struct ResponseFuture<F, B, R> {
        #[pin]
        state: State<F, B>,
        errors: R,
    }
}

pin_project! {
    #[project = StateProj]
    enum State<F, B> {
        Running { #[pin] inner: F, exchange: Option<Exchange> },
        Committing { commit: Commit, response: Option<Response<B>> },
    }
}

type Commit = Pin<Box<dyn Future<Output = (Sealed, Result<(), Error>)> + Send>>;

impl<F, B, R> ResponseFuture<F, B, R> {
    pub(crate) fn run(inner: F, exchange: Exchange, errors: R) -> Self {
        Self { state: State::Running { inner, exchange: Some(exchange) }, errors }
    }

    /// Leaves the session to a layer further out.
    pub(crate) fn pass(inner: F, errors: R) -> Self {
        Self { state: State::Running { inner, exchange: None }, errors }
    }
}

impl<F, B, R, E> Future for ResponseFuture<F, B, R>
where
    F: Future<Output = Result<Response<B>, E>>,
    R: ErrorResponse<B>,
{
    type Output = Result<Response<B>, E>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut this = self.project();
        loop {
            match this.state.as_mut().project() {
                StateProj::Running { inner, exchange } => {
                    // Without a response nothing is committed: the exchange is dropped.
                    let response = ready!(inner.poll(cx))?;
                    let Some(exchange) = exchange.take() else {
                        return Poll::Ready(Ok(response));
                    };
                    let response = render(this.errors, response);
                    let sealed = exchange.seal(response.status());
                    if let Some(outcome) = sealed.commit_at_once() {
                        return Poll::Ready(Ok(finish(&sealed, outcome, response, this.errors)));
                    }
                    let commit = Box::pin(async move {
                        let outcome = sealed.commit().await;
                        (sealed, outcome)
                    });
                    this.state.set(State::Committing { commit, response: Some(response) });
                }
                StateProj::Committing { commit, response } => {
                    let (sealed, outcome) = ready!(commit.as_mut().poll(cx));
                    let response = response.take().expect("polled after completion");
                    return Poll::Ready(Ok(finish(&sealed, outcome, response, this.errors)));
                }
            }
        }
    }
}

/// Writes the headers. A cookie that goes with an error tells only what the store has
/// acknowledged: a logout that is done stays done though a later write failed.
fn finish<B>(
    sealed: &Sealed,
    outcome: Result<(), Error>,
    mut response: Response<B>,
    errors: &impl ErrorResponse<B>,
) -> Response<B> {
    if let Err(error) = outcome {
        response = errors.respond(&error);
    }
    if let Err(error) = sealed.write_headers(response.headers_mut()) {
        let vary: Vec<_> = response.headers().get_all(VARY).iter().cloned().collect();
        response = errors.respond(&error);
        response.headers_mut().extend(vary.into_iter().map(|vary| (VARY, vary)));
    }
    response
}

impl<F, B, R> fmt::Debug for ResponseFuture<F, B, R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ResponseFuture")
    }
}
