//! What the driver fails with, and what to do about it.

use std::fmt;

use mongodb::error::{Error, ErrorKind, WriteFailure};
use tenure_core::store::{StoreError, StoreErrorKind};

/// The codes of the server that mean something to us.
const UNAUTHORIZED: i32 = 13;
const AUTHENTICATION_FAILED: i32 = 18;
pub(crate) const NAMESPACE_EXISTS: i32 = 48;
const MAX_TIME_EXPIRED: i32 = 50;
const WRITE_CONCERN_TIMEOUT: i32 = 64;
const INDEX_OPTIONS_CONFLICT: i32 = 85;
const INDEX_KEYS_CONFLICT: i32 = 86;
const WRITE_CONFLICT: i32 = 112;
const COMMAND_NOT_SUPPORTED_ON_VIEW: i32 = 166;
const ATLAS: i32 = 8000;
const NOT_WRITABLE: [i32; 3] = [10_107, 13_435, 10_058];
const STEPPING_DOWN: [i32; 6] = [91, 189, 11_600, 11_602, 13_436, 9_001];
const TOO_LARGE: [i32; 3] = [10_334, 17_419, 17_420];
pub(crate) const DUPLICATE_KEY: i32 = 11_000;

/// A failure of the driver with its remedy.
#[derive(Debug)]
struct Failure {
    message: String,
    source: Error,
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
    source: Error,
) -> StoreError {
    StoreError::new(kind, Failure { message: message.into(), source })
}

/// What the error of an operation means for the caller.
pub(crate) fn failed(error: Error) -> StoreError {
    use StoreErrorKind::{Corrupt, Other, Unavailable};
    if let Some((kind, advice)) = code(&error).and_then(advice) {
        return explained(kind, advice, error);
    }
    let (kind, message) = match &*error.kind {
        ErrorKind::Authentication { .. } => (Other, REFUSED),
        ErrorKind::Io(_)
        | ErrorKind::ConnectionPoolCleared { .. }
        | ErrorKind::DnsResolve { .. }
        | ErrorKind::ServerSelection { .. } => {
            if refuses_the_user(&error) {
                (Other, REFUSED)
            } else {
                (
                    Unavailable,
                    "no MongoDB server can be reached; check the URL's hosts and replicaSet, and for TLS \
                     the authority of MongoOptions::tls_ca_file",
                )
            }
        }
        ErrorKind::Shutdown => (Unavailable, "the client is shut down"),
        ErrorKind::InvalidTlsConfig { .. } => {
            (Other, "TLS cannot be set up; check the file of MongoOptions::tls_ca_file")
        }
        ErrorKind::IncompatibleServer { .. } => (Other, "the server is too old for the driver"),
        ErrorKind::BsonDeserialization(_) => (Corrupt, "a session's document cannot be read"),
        _ => (Other, "MongoDB failed"),
    };
    explained(kind, message, error)
}

const REFUSED: &str =
    "MongoDB refuses the user; check the user, password and authSource of the URL";

fn advice(code: i32) -> Option<(StoreErrorKind, &'static str)> {
    use StoreErrorKind::{Other, Timeout, TooLarge, Unavailable};
    Some(match code {
        UNAUTHORIZED => (
            Other,
            "the user of the URL may not do this; grant it readWrite on the database of the \
             sessions",
        ),
        AUTHENTICATION_FAILED | ATLAS => (Other, REFUSED),
        MAX_TIME_EXPIRED => (Timeout, "MongoDB did not finish in time"),
        WRITE_CONCERN_TIMEOUT => (
            Timeout,
            "a majority of the replica set did not acknowledge in time; check its secondaries",
        ),
        INDEX_OPTIONS_CONFLICT | INDEX_KEYS_CONFLICT | COMMAND_NOT_SUPPORTED_ON_VIEW => {
            (Other, OTHER_SHAPE)
        }
        WRITE_CONFLICT => (Unavailable, "MongoDB had too many writers at once"),
        code if NOT_WRITABLE.contains(&code) => (
            Unavailable,
            "the server is a replica that only reads; let the URL name the replica set \
             (replicaSet=) or its primary",
        ),
        code if STEPPING_DOWN.contains(&code) => {
            (Unavailable, "the replica set is choosing a primary, or the server is going down")
        }
        code if TOO_LARGE.contains(&code) => {
            (TooLarge, "the session is over the 16 MiB of MongoDB")
        }
        _ => return None,
    })
}

/// A collection has the name of ours and not its shape.
pub(crate) const OTHER_SHAPE: &str = "the collection is there but is not one that this version of tenure-mongodb made; choose \
     another name by MongoOptions::collection, or remove it";

/// Whether what keeps the driver from choosing a server is that it does not accept the user.
fn refuses_the_user(error: &Error) -> bool {
    let message = error.to_string();
    ["Authentication failed", "AuthenticationFailed"].iter().any(|part| message.contains(part))
}

/// The code that the server gave, if it was the server that failed.
pub(crate) fn code(error: &Error) -> Option<i32> {
    match &*error.kind {
        ErrorKind::Command(error) => Some(error.code),
        ErrorKind::Write(WriteFailure::WriteError(error)) => Some(error.code),
        ErrorKind::Write(WriteFailure::WriteConcernError(error)) => Some(error.code),
        _ => None,
    }
}
