//! What a handler answers when it cannot do what was asked.

use axum::extract::rejection::FormRejection;
use axum::http::header::RETRY_AFTER;
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use tenure::csrf::Refusal;
use tenure::tower::PlainText;

use crate::view;

/// Why there is no proper answer.
pub(crate) enum Problem {
    /// The request asks for what is not there, or was made by none of the pages.
    Status(StatusCode),
    /// The session failed. The layer renders it, by [`of_session`].
    Session(tenure::axum::Error),
}

/// The page for a session that could not be loaded or committed. Nothing is known of the visitor
/// then.
pub(crate) fn of_session(error: &tenure::Error) -> Response {
    let status = PlainText::status(error);
    let mut response = (status, view::problem(status, None)).into_response();
    if status == StatusCode::SERVICE_UNAVAILABLE {
        response.headers_mut().insert(RETRY_AFTER, HeaderValue::from_static("1"));
    }
    response
}

/// The page for a request that another page made the browser send, or a form without its token.
pub(crate) fn of_forgery(_: Refusal, _: &HeaderMap) -> Response {
    (StatusCode::FORBIDDEN, view::problem(StatusCode::FORBIDDEN, None)).into_response()
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        match self {
            Self::Status(status) => (status, view::problem(status, None)).into_response(),
            Self::Session(error) => error.into_response(),
        }
    }
}

impl From<FormRejection> for Problem {
    fn from(rejection: FormRejection) -> Self {
        Self::Status(rejection.status())
    }
}

impl From<tenure::axum::Error> for Problem {
    fn from(error: tenure::axum::Error) -> Self {
        Self::Session(error)
    }
}

impl From<tenure::Error> for Problem {
    fn from(error: tenure::Error) -> Self {
        Self::Session(error.into())
    }
}
