//! What the drivers of all databases fail with.

use std::fmt;

use tenure_core::store::{StoreError, StoreErrorKind};

/// A failure of the driver, and what to do about it.
#[derive(Debug)]
struct Failure {
    message: String,
    source: sqlx::Error,
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.message, self.source)
    }
}

impl std::error::Error for Failure {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&self.source)
    }
}

pub(crate) fn explained(
    kind: StoreErrorKind,
    message: impl Into<String>,
    source: sqlx::Error,
) -> StoreError {
    StoreError::new(kind, Failure { message: message.into(), source })
}

/// What every driver's errors mean, but for those that the database itself gave.
pub(crate) fn failed(error: sqlx::Error) -> StoreError {
    use StoreErrorKind::{Corrupt, Other, Timeout, Unavailable};
    let (kind, message) = match &error {
        sqlx::Error::PoolTimedOut => (
            Timeout,
            "no connection of the pool became free in time; allow more connections, and do not \
             keep one while a session is saved",
        ),
        sqlx::Error::PoolClosed => (Unavailable, "the pool of connections is closed"),
        sqlx::Error::Io(_) | sqlx::Error::Tls(_) | sqlx::Error::WorkerCrashed => {
            (Unavailable, "the connection to the database failed")
        }
        sqlx::Error::ColumnDecode { .. } | sqlx::Error::Decode(_) => {
            (Corrupt, "a session's row cannot be read")
        }
        _ => (Other, "the database failed"),
    };
    explained(kind, message, error)
}
