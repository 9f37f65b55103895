use std::error::Error as StdError;
use std::fmt;

use axum_core::response::{IntoResponse, Response};
use http::StatusCode;
use tenure_core::ErrorKind;

use crate::PlainText;
use crate::respond::{failed, text};
use crate::skip::Reason;

/// An error of a session as the answer of a handler, so that `?` is enough.
///
/// The client sees `503 Service Unavailable` while the store cannot be reached, `401 Unauthorized`
/// where a log-in is asked for, `403 Forbidden` where the user has too many sessions, `422
/// Unprocessable Content` for a value that the application's own check refuses, else `500 Internal
/// Server Error`, and nothing of what happened; what it sees instead is for
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
    /// There is no session; why, and what to do.
    Missing(&'static str),
}

const MISSING: &str = "There is no session on this route: no SessionLayer covers it. Add \
                       `.layer(SessionLayer::new(sessions))` to the router, after the routes that \
                       need it.";

const SKIPPED: &str = "There is no session for this request: its SessionLayer was told to skip it, \
                       by `skip_paths`, `skip_below` or `skip_when`. Let the layer cover it, or do \
                       not ask for the session here.";

const OUTSIDE: &str = "There is no session for this request: its path, as the SessionLayer sees it, \
                       is outside of the path of the cookie, so that browsers would not send it. \
                       Widen the path of the cookie, or say by `mounted_at` which prefix a proxy or \
                       a router has taken off.";

impl Error {
    pub(super) fn missing_layer() -> Self {
        Self(Inner::Missing(MISSING))
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

    pub(super) fn skipped(reason: Reason) -> Self {
        Self(Inner::Missing(match reason {
            Reason::Configured => SKIPPED,
            Reason::OutsideOfCookiePath => OUTSIDE,
        }))
    }

    /// The class of this error; [`ErrorKind::Misuse`] where there is no layer, or none that
    /// covers the request.
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
            Inner::Missing(_) => ErrorKind::Misuse,
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
            Inner::Missing(_) => StatusCode::INTERNAL_SERVER_ERROR,
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
            Inner::Missing(why) => {
                #[cfg(feature = "tracing")]
                tracing::error!("{why}");
                text(StatusCode::INTERNAL_SERVER_ERROR, why)
            }
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Inner::Session(error) => error.fmt(f),
            Inner::Missing(why) => f.write_str(why),
        }
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Inner::Session(error) => error.fmt(f),
            Inner::Missing(why) => f.debug_tuple("Missing").field(why).finish(),
        }
    }
}

impl StdError for Error {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        match &self.0 {
            Inner::Session(error) => error.source(),
            Inner::Missing(_) => None,
        }
    }
}
