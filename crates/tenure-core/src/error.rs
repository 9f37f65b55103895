//! The one error type of the crate.

use std::borrow::Cow;
use std::error::Error as StdError;
use std::fmt;

/// The result of every fallible call of this crate.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// What went wrong in a session, a store or a configuration.
///
/// Missing, expired, malformed and tampered credentials are not errors: there is simply no
/// session. An `Error` is for the system, for configuration and for misuse.
///
/// ```
/// use tenure_core::{ErrorKind, Sessions, store::MemoryStore, transport::Cookie};
///
/// let error = Sessions::builder()
///     .store(MemoryStore::new())
///     .cookie(Cookie::named("__Host-id").domain("example.com"))
///     .build()
///     .unwrap_err();
/// assert_eq!(error.kind(), ErrorKind::Config);
/// assert!(!error.is_retryable());
/// ```
pub struct Error(Box<Inner>);

struct Inner {
    kind: ErrorKind,
    operation: &'static str,
    message: Cow<'static, str>,
    source: Option<Box<dyn StdError + Send + Sync>>,
}

/// The classes of [`Error`], by what the caller can do about them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The store cannot be reached or refuses to work; answer 503.
    Unavailable,
    /// The store did not answer within the time limit; answer 503.
    Timeout,
    /// What the store holds cannot be read.
    Corrupt,
    /// A key, a value, a session or a cookie is over its limit.
    TooLarge,
    /// A value does not have the type that was asked for, or is no number where one is needed.
    Type,
    /// The application's own check refuses a value; answer 422.
    Invalid,
    /// A sum left the range of its type.
    Overflow,
    /// The value could not be settled, since it kept changing underneath.
    Conflict,
    /// The response head has been sent; nothing can be written any more.
    Sealed,
    /// The handle is for reading only.
    ReadOnly,
    /// The session has ended, or got another secret, since this request began.
    Gone,
    /// The session was destroyed by this handle, or in this request.
    Destroyed,
    /// Nobody is logged in, or not as well or as recently as is asked for; answer 401.
    Unauthenticated,
    /// The user has as many sessions as are allowed; answer 403.
    TooManySessions,
    /// A setting contradicts another one, a browser's rules or good security.
    Config,
    /// The call does not fit the state of the session.
    Misuse,
    /// Anything else.
    Other,
}

impl Error {
    /// An error of this class: what was being done, and what went wrong and can be done about it.
    ///
    /// ```
    /// use tenure_core::{Error, ErrorKind};
    ///
    /// let error = Error::new(ErrorKind::Config, "configuration", "path: must begin with `/`");
    /// assert_eq!(error.to_string(), "configuration: path: must begin with `/`");
    /// ```
    pub fn new(
        kind: ErrorKind,
        operation: &'static str,
        message: impl Into<Cow<'static, str>>,
    ) -> Self {
        Self(Box::new(Inner { kind, operation, message: message.into(), source: None }))
    }

    /// The refusal of a value, for [`SessionsBuilder::validate`](crate::SessionsBuilder::validate)
    /// and [`SessionData::validate`](crate::session::SessionData::validate).
    ///
    /// ```
    /// use tenure_core::{Error, ErrorKind};
    ///
    /// let error = Error::invalid("at most twenty articles");
    /// assert_eq!(error.kind(), ErrorKind::Invalid);
    /// ```
    pub fn invalid(why: impl Into<Cow<'static, str>>) -> Self {
        Self::new(ErrorKind::Invalid, "validate", why)
    }

    /// This as the reason why `what` is not recorded.
    pub(crate) fn refusal_of(self, operation: &'static str, what: &str) -> Self {
        let message = format!("{what} is refused: {}", self.0.message);
        Self::new(ErrorKind::Invalid, operation, message).with_source(self)
    }

    pub(crate) fn config(message: impl Into<Cow<'static, str>>) -> Self {
        Self::new(ErrorKind::Config, "configuration", message)
    }

    pub(crate) fn message(&self) -> &str {
        &self.0.message
    }

    /// The same error with its cause.
    ///
    /// ```
    /// # use std::error::Error as _;
    /// # use tenure_core::{Error, ErrorKind};
    /// let cause = std::io::Error::other("disk full");
    /// let error = Error::new(ErrorKind::Other, "commit", "nothing was written").with_source(cause);
    /// assert_eq!(error.source().unwrap().to_string(), "disk full");
    /// ```
    #[must_use]
    pub fn with_source(mut self, source: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        self.0.source = Some(source.into());
        self
    }

    /// The class of this error.
    ///
    /// ```
    /// # use tenure_core::{Error, ErrorKind};
    /// # let error = Error::new(ErrorKind::Timeout, "load", "no answer");
    /// let status = match error.kind() {
    ///     ErrorKind::Unavailable | ErrorKind::Timeout => 503,
    ///     _ => 500,
    /// };
    /// assert_eq!(status, 503);
    /// ```
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        self.0.kind
    }

    /// What was being done: `"load"`, `"commit"`, `"set"`, `"configuration"`, …
    ///
    /// ```
    /// # use tenure_core::{Error, ErrorKind};
    /// let error = Error::new(ErrorKind::Timeout, "load", "no answer within 2 s");
    /// assert_eq!(error.operation(), "load");
    /// ```
    #[must_use]
    pub fn operation(&self) -> &'static str {
        self.0.operation
    }

    /// Whether the same request may succeed when it is sent again.
    ///
    /// ```
    /// # use tenure_core::{Error, ErrorKind};
    /// assert!(Error::new(ErrorKind::Timeout, "load", "no answer within 2 s").is_retryable());
    /// assert!(!Error::new(ErrorKind::TooLarge, "set", "over the limit").is_retryable());
    /// ```
    #[must_use]
    pub fn is_retryable(&self) -> bool {
        matches!(self.0.kind, ErrorKind::Unavailable | ErrorKind::Timeout | ErrorKind::Conflict)
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.0.operation, self.0.message)
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Error")
            .field("kind", &self.0.kind)
            .field("operation", &self.0.operation)
            .field("message", &self.0.message)
            .field("source", &self.0.source)
            .finish()
    }
}

impl StdError for Error {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.0.source.as_deref().map(|source| source as _)
    }
}
