use std::error::Error as StdError;
use std::fmt;

use crate::error::{Error, ErrorKind};

/// The result of a store's operation.
pub type StoreResult<T> = Result<T, StoreError>;

/// Why a store could not do what it was asked.
///
/// ```
/// use tenure_core::store::{StoreError, StoreErrorKind};
///
/// let error = StoreError::new(StoreErrorKind::Unavailable, "connection refused");
/// assert!(error.is_retryable());
/// assert_eq!(error.to_string(), "connection refused");
/// ```
#[derive(Debug)]
pub struct StoreError {
    kind: StoreErrorKind,
    source: Box<dyn StdError + Send + Sync>,
}

/// The classes of [`StoreError`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum StoreErrorKind {
    /// The server cannot be reached or refuses to work for now.
    Unavailable,
    /// The server did not answer in time; whether it acted is unknown.
    Timeout,
    /// What lies in the store is no record.
    Corrupt,
    /// What lies in the store is a record of a version that this library does not know: no
    /// session, and counted.
    UnknownVersion,
    /// The record or a part of it is over a limit of the store.
    TooLarge,
    /// Anything else.
    Other,
}

impl StoreError {
    /// An error of this kind, with its cause.
    pub fn new(kind: StoreErrorKind, source: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        Self { kind, source: source.into() }
    }

    /// The error of a store that is asked for a capability which it does not have; for those who
    /// wrap a store.
    ///
    /// ```
    /// use tenure_core::store::StoreError;
    ///
    /// let error = StoreError::without("user index");
    /// assert_eq!(error.to_string(), "the store has no user index");
    /// ```
    #[must_use]
    pub fn without(capability: &str) -> Self {
        Self::new(StoreErrorKind::Other, format!("the store has no {capability}"))
    }

    /// The class.
    ///
    /// ```
    /// # use tenure_core::store::{StoreError, StoreErrorKind};
    /// let error = StoreError::new(StoreErrorKind::TooLarge, "2 MiB are over the limit of 1 MiB");
    /// assert_eq!(error.kind(), StoreErrorKind::TooLarge);
    /// ```
    #[must_use]
    pub fn kind(&self) -> StoreErrorKind {
        self.kind
    }

    /// Whether the same call may succeed when it is made again.
    #[must_use]
    pub fn is_retryable(&self) -> bool {
        matches!(self.kind, StoreErrorKind::Unavailable | StoreErrorKind::Timeout)
    }

    /// The same error as an application sees it, with what was being done.
    ///
    /// ```
    /// use tenure_core::ErrorKind;
    /// use tenure_core::store::{StoreError, StoreErrorKind};
    ///
    /// let error = StoreError::new(StoreErrorKind::Timeout, "no answer").during("load");
    /// assert_eq!(error.kind(), ErrorKind::Timeout);
    /// assert_eq!(error.operation(), "load");
    /// ```
    #[must_use]
    pub fn during(self, operation: &'static str) -> Error {
        let (kind, message) = match self.kind {
            StoreErrorKind::Unavailable => (ErrorKind::Unavailable, "the store is unavailable"),
            StoreErrorKind::Timeout => (ErrorKind::Timeout, "the store did not answer in time"),
            StoreErrorKind::Corrupt | StoreErrorKind::UnknownVersion => {
                (ErrorKind::Corrupt, "the stored session cannot be read")
            }
            StoreErrorKind::TooLarge => {
                (ErrorKind::TooLarge, "the session is too large for the store")
            }
            StoreErrorKind::Other => (ErrorKind::Other, "the store failed"),
        };
        Error::new(kind, operation, message).with_source(self)
    }
}

impl fmt::Display for StoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.source.fmt(f)
    }
}

impl StdError for StoreError {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.source.source()
    }
}
