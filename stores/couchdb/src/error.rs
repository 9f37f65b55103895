//! What goes wrong between the store and the server, and what to do about it.

use std::error::Error as StdError;
use std::fmt;
use std::time::Duration;

use http::StatusCode;
use tenure_core::store::{StoreError, StoreErrorKind};

/// A failure with its remedy, and what caused it.
#[derive(Debug)]
struct Failure {
    message: &'static str,
    source: Box<dyn StdError + Send + Sync>,
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.message, self.source)?;
        let mut cause = self.source.source();
        while let Some(error) = cause {
            write!(f, ": {error}")?;
            cause = error.source();
        }
        Ok(())
    }
}

impl StdError for Failure {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        Some(&*self.source)
    }
}

pub(crate) fn explained(
    kind: StoreErrorKind,
    message: &'static str,
    source: impl Into<Box<dyn StdError + Send + Sync>>,
) -> StoreError {
    StoreError::new(kind, Failure { message, source: source.into() })
}

pub(crate) fn other(message: impl Into<String>) -> StoreError {
    StoreError::new(StoreErrorKind::Other, message.into())
}

pub(crate) fn corrupt(what: &str) -> StoreError {
    StoreError::new(StoreErrorKind::Corrupt, format!("{what} of the session's document is broken"))
}

pub(crate) fn too_late(limit: Duration) -> StoreError {
    StoreError::new(
        StoreErrorKind::Timeout,
        format!(
            "CouchDB did not answer within {limit:?}; check that it can be reached, or allow more \
             by CouchOptions::operation_timeout"
        ),
    )
}

/// The client could not ask, or got no whole answer.
pub(crate) fn unreachable(error: impl Into<Box<dyn StdError + Send + Sync>>) -> StoreError {
    explained(
        StoreErrorKind::Unavailable,
        "CouchDB cannot be reached; check the URL's host and port, and for TLS the authority of \
         its certificate",
        error,
    )
}

/// What an answer means that no operation expects. `said` is what the server says of it.
pub(crate) fn answered(status: StatusCode, said: &str) -> StoreError {
    use StoreErrorKind::{Other, Timeout, TooLarge, Unavailable};
    let (kind, message) = match status.as_u16() {
        401 => (Other, "CouchDB refuses the user; check the user and password of the URL"),
        403 => (
            Other,
            "the user may not do this, or the database takes no changes; make the user a member \
             of the database, for migrate() an administrator, and check its validate_doc_update \
             functions",
        ),
        404 => (
            Other,
            "the database is not there; check the last part of the URL, or call migrate(), which \
             makes it",
        ),
        412 => (Other, "CouchDB finds that a condition does not hold"),
        413 => (TooLarge, "the session is over the max_document_size of CouchDB"),
        408 => (Timeout, "CouchDB gave up"),
        202 => (
            Unavailable,
            "too few nodes of the cluster have acknowledged the write; check that they run",
        ),
        429 | 500..=599 => (Unavailable, "CouchDB cannot answer for now"),
        300..=399 => (Other, "the URL leads elsewhere; give that of CouchDB itself"),
        _ => (Other, "CouchDB refuses the request"),
    };
    explained(kind, message, format!("status {}, {said}", status.as_u16()))
}

/// An answer that no CouchDB gives: a page of a proxy, say.
pub(crate) fn no_couchdb(status: StatusCode) -> StoreError {
    if status.is_server_error() || status == StatusCode::UNAUTHORIZED {
        return answered(status, "and no JSON, so a proxy may have answered");
    }
    other(format!(
        "what answers is no CouchDB: status {}, and no JSON; check the URL's host, port and path, \
         and the proxy in between",
        status.as_u16()
    ))
}
