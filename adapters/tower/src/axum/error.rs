use std::error::Error as StdError;
use std::fmt;

use axum_core::response::{IntoResponse, Response};
use http::StatusCode;
use tenure_core::ErrorKind;

use crate::PlainText;
use crate::respond::{failed, text};

/// An error of a session as the answer of a handler, so that `?` is enough.
///
/// The client sees `503 Service Unavailable` while the store cannot be reached, `401 Unauthorized`
/// where a log-in is asked for, else `500 Internal Server Error`, and nothing of what happened; what it sees instead is for
/// [`SessionLayer::error_response`](crate::SessionLayer::error_response) to say.
///
/// ```
/// use tenure_tower::axum::{Error, Session};
///
/// async fn theme(session: Session) -> Result<String, Error> {
///     Ok(session.get::<String>("theme")?.unwrap_or_else(|| "light".into()))
/// }
/// ```
pub struct Error(Inner);

enum Inner {
    Session(tenure_core::Error),
    MissingLayer,
}

const MISSING: &str = "There is no session on this route: no SessionLayer covers it. Add \
                       `.layer(SessionLayer::new(sessions))` to the router, after the routes that \
                       need it.";

impl Error {
    pub(super) fn missing_layer() -> Self {
        Self(Inner::MissingLayer)
    }

    /// None of the layers has the session of this name.
    pub(super) fn missing(name: &str) -> Self {
        let why = format!(
            "there is no session {name:?} on this route; add `.layer(SessionLayer::new(…))` with \
             sessions whose cookie has this name, after the routes that need it"
        );
        #[cfg(feature = "tracing")]
        tracing::error!("{why}");
        Self(Inner::Session(tenure_core::Error::new(ErrorKind::Misuse, "session", why)))
    }

    /// The class of this error; [`ErrorKind::Misuse`] where there is no layer.
    ///
    /// ```
    /// use tenure_core::ErrorKind;
    /// use tenure_tower::axum::Error;
    ///
    /// let error = Error::from(tenure_core::Error::new(ErrorKind::Type, "get", "it is no number"));
    /// assert_eq!(error.kind(), ErrorKind::Type);
    /// ```
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        match &self.0 {
            Inner::Session(error) => error.kind(),
            Inner::MissingLayer => ErrorKind::Misuse,
        }
    }

    /// Whether the same request may succeed when it is sent again.
    ///
    /// ```
    /// # use tenure_core::ErrorKind;
    /// # use tenure_tower::axum::Error;
    /// let error = tenure_core::Error::new(ErrorKind::Unavailable, "load", "connection refused");
    /// assert!(Error::from(error).is_retryable());
    /// ```
    #[must_use]
    pub fn is_retryable(&self) -> bool {
        matches!(&self.0, Inner::Session(error) if error.is_retryable())
    }

    /// The status that the client gets by default.
    ///
    /// ```
    /// # use tenure_core::ErrorKind;
    /// # use tenure_tower::axum::Error;
    /// let error = tenure_core::Error::new(ErrorKind::Unavailable, "load", "connection refused");
    /// assert_eq!(Error::from(error).status(), 503);
    /// ```
    #[must_use]
    pub fn status(&self) -> StatusCode {
        match &self.0 {
            Inner::Session(error) => PlainText::status(error),
            Inner::MissingLayer => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }
}

impl From<tenure_core::Error> for Error {
    fn from(error: tenure_core::Error) -> Self {
        Self(Inner::Session(error))
    }
}

impl IntoResponse for Error {
    fn into_response(self) -> Response {
        match self.0 {
            Inner::Session(error) => failed(error),
            Inner::MissingLayer => {
                #[cfg(feature = "tracing")]
                tracing::error!("{MISSING}");
                text(StatusCode::INTERNAL_SERVER_ERROR, MISSING)
            }
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Inner::Session(error) => error.fmt(f),
            Inner::MissingLayer => f.write_str(MISSING),
        }
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Inner::Session(error) => error.fmt(f),
            Inner::MissingLayer => f.write_str("MissingLayer"),
        }
    }
}

impl StdError for Error {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        match &self.0 {
            Inner::Session(error) => error.source(),
            Inner::MissingLayer => None,
        }
    }
}
