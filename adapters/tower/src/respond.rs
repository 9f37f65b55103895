use std::sync::Arc;

use http::header::{CACHE_CONTROL, CONTENT_TYPE, HeaderName, HeaderValue, RETRY_AFTER};
use http::{Response, StatusCode};
use tenure_core::{Error, ErrorKind};

/// What makes the response for a session that failed: [`PlainText`], or the function given to
/// [`SessionLayer::error_response`](crate::SessionLayer::error_response).
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot make an error response with the body `{B}`",
    label = "add `.error_response(|error| …)` to this `SessionLayer`",
    note = "the default, `PlainText`, needs a body that is `From<&'static str>`"
)]
pub trait ErrorResponse<B>: Clone {
    /// The response for `error`.
    ///
    /// ```
    /// use tenure_core::{Error, ErrorKind};
    /// use tenure_tower::{ErrorResponse, PlainText};
    ///
    /// let error = Error::new(ErrorKind::Timeout, "load", "no answer within 2 s");
    /// let response: http::Response<String> = PlainText.respond(&error);
    /// assert_eq!(response.status(), 503);
    /// assert_eq!(response.body(), "Service Unavailable");
    /// ```
    fn respond(&self, error: &Error) -> Response<B>;
}

/// Answers with a status and its name, and nothing of the error: `503 Service Unavailable` with
/// `Retry-After` while the store cannot be reached, what [`status`](Self::status) says of other
/// classes, else `500 Internal Server Error`. The default.
#[derive(Clone, Copy, Debug, Default)]
pub struct PlainText;

impl PlainText {
    /// The status for `error`: 503 where the store cannot be reached in time, 401 where a log-in is
    /// asked for, 403 for too many sessions, 422 for a value that a validation refuses, else 500.
    ///
    /// ```
    /// use http::StatusCode;
    /// use tenure_core::{Sessions, store::MemoryStore, transport::Cookie};
    /// use tenure_tower::PlainText;
    ///
    /// let builder = Sessions::builder().store(MemoryStore::new()).cookie(Cookie::named(""));
    /// let error = builder.build().unwrap_err();
    /// assert_eq!(PlainText::status(&error), StatusCode::INTERNAL_SERVER_ERROR);
    /// ```
    #[must_use]
    pub fn status(error: &Error) -> StatusCode {
        match error.kind() {
            ErrorKind::Unavailable | ErrorKind::Timeout => StatusCode::SERVICE_UNAVAILABLE,
            ErrorKind::Unauthenticated => StatusCode::UNAUTHORIZED,
            ErrorKind::TooManySessions => StatusCode::FORBIDDEN,
            ErrorKind::Invalid => StatusCode::UNPROCESSABLE_ENTITY,
            _ => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    /// A response of this status that says its name.
    pub(crate) fn of_status<B: From<&'static str>>(status: StatusCode) -> Response<B> {
        let mut response = text(status, status.canonical_reason().unwrap_or("Error"));
        if status == StatusCode::SERVICE_UNAVAILABLE {
            response.headers_mut().insert(RETRY_AFTER, HeaderValue::from_static("1"));
        }
        response
    }
}

impl<B: From<&'static str>> ErrorResponse<B> for PlainText {
    fn respond(&self, error: &Error) -> Response<B> {
        Self::of_status(Self::status(error))
    }
}

impl<B, F> ErrorResponse<B> for F
where
    F: Fn(&Error) -> Response<B> + Clone,
{
    fn respond(&self, error: &Error) -> Response<B> {
        self(error)
    }
}

/// What a handler answered with, left on the response for the layer to render; see
/// [`render`].
#[derive(Clone)]
pub(crate) struct Failed(pub(crate) Arc<Error>);

/// The answer with which something inside of the layer gives up.
pub(crate) fn failed<B: From<&'static str>>(error: Error) -> Response<B> {
    let mut response = PlainText.respond(&error);
    response.extensions_mut().insert(Failed(Arc::new(error)));
    response
}

/// Renders anew a response that a handler's error has made. Headers that others have added to it
/// stay, such as those of CORS, unless they speak of the body.
pub(crate) fn render<B>(errors: &impl ErrorResponse<B>, response: Response<B>) -> Response<B> {
    let Some(Failed(error)) = response.extensions().get::<Failed>().cloned() else {
        return response;
    };
    let mut new = replaced(response, errors.respond(&error));
    new.extensions_mut().remove::<Failed>();
    new
}

/// `new` in the place of `response`, with the headers that others have added to that, unless they
/// speak of the body, and with its extensions.
pub(crate) fn replaced<B>(response: Response<B>, mut new: Response<B>) -> Response<B> {
    let (mut old, _) = response.into_parts();
    let speaks_of_body =
        |name: &HeaderName| name.as_str().starts_with("content-") || *name == RETRY_AFTER;
    let others: Vec<_> = (old.headers.iter())
        .filter(|(name, _)| !speaks_of_body(name) && !new.headers().contains_key(*name))
        .map(|(name, value)| (name.clone(), value.clone()))
        .collect();
    new.headers_mut().extend(others);
    old.extensions.extend(std::mem::take(new.extensions_mut()));
    *new.extensions_mut() = old.extensions;
    new
}

pub(crate) fn text<B: From<&'static str>>(status: StatusCode, text: &'static str) -> Response<B> {
    let mut response = Response::new(B::from(text));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}
