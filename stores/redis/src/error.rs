//! What the driver fails with, and what to do about it.

use std::fmt;

use redis::{ErrorKind, RedisError, ServerErrorKind};
use tenure_core::store::{StoreError, StoreErrorKind};

/// A failure of the driver, with what to do about it.
#[derive(Debug)]
struct Failure {
    message: String,
    source: RedisError,
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

/// What a failed command means for the caller.
pub(crate) fn failed(error: RedisError) -> StoreError {
    let (kind, message) = advice(&error);
    StoreError::new(kind, Failure { message: message.to_owned(), source: error })
}

/// What a failed command means to whom the nodes of a cluster have sent to each other in vain.
pub(crate) fn failed_in_cluster(error: RedisError) -> StoreError {
    let unsettled =
        matches!(error.kind(), ErrorKind::Server(ServerErrorKind::Moved | ServerErrorKind::Ask));
    if !unsettled {
        return failed(error);
    }
    let message = "the cluster does not agree yet on who has the session's slot";
    StoreError::new(
        StoreErrorKind::Unavailable,
        Failure { message: message.to_owned(), source: error },
    )
}

/// Whether the connection to a cluster has lost all its nodes.
pub(crate) fn has_no_nodes(error: &RedisError) -> bool {
    error.kind() == ErrorKind::ClusterConnectionNotFound
}

pub(crate) fn other(message: impl Into<String>) -> StoreError {
    StoreError::new(StoreErrorKind::Other, message.into())
}

pub(crate) fn corrupt(what: &str) -> StoreError {
    StoreError::new(StoreErrorKind::Corrupt, format!("the session's hash cannot be read: {what}"))
}

/// The server gave an answer that no script of ours gives.
pub(crate) fn unexpected() -> StoreError {
    other("the server answered what no script of this store answers; is a proxy in between?")
}

/// Whether what the connection leads to may not be the master any more, or nothing at all.
pub(crate) fn is_connections_fault(error: &RedisError) -> bool {
    error.is_unrecoverable_error()
        || error.is_timeout()
        || error.is_io_error()
        || matches!(
            error.kind(),
            ErrorKind::Server(ServerErrorKind::ReadOnly | ServerErrorKind::MasterDown)
        )
}

/// Whether the server does not know the script.
pub(crate) fn is_unknown_script(error: &RedisError) -> bool {
    error.kind() == ErrorKind::Server(ServerErrorKind::NoScript)
}

/// Whether the user may not run the command.
pub(crate) fn is_forbidden(error: &StoreError) -> bool {
    std::error::Error::source(error)
        .and_then(|source| source.downcast_ref::<RedisError>())
        .is_some_and(|error| error.kind() == ErrorKind::Server(ServerErrorKind::NoPerm))
}

fn advice(error: &RedisError) -> (StoreErrorKind, &'static str) {
    use StoreErrorKind::{Corrupt, Other, Timeout, Unavailable};
    if error.is_timeout() {
        return (Timeout, "Redis did not answer in time");
    }
    if matches!(error.code(), Some("WRONGPASS" | "NOAUTH")) || is_refused_password(error) {
        return (
            Other,
            "Redis refuses the user or the password; check both in the URL, or those given to \
             RedisOptions::user and RedisOptions::password",
        );
    }
    if error.is_io_error() && error.to_string().contains("peer certificate") {
        return (
            Other,
            "the server's certificate is not good for its name, or not by an authority that is \
             trusted; name the host as the certificate does, and the authority's file by \
             RedisOptions::ca_file",
        );
    }
    match error.kind() {
        ErrorKind::Io | ErrorKind::ClusterConnectionNotFound => {
            return (
                Unavailable,
                "Redis cannot be reached; check that it runs, and host and port in the URL",
            );
        }
        ErrorKind::Server(ServerErrorKind::NoPerm) => {
            return (
                Other,
                "the user may not do what sessions need; grant +@read +@write +@scripting \
                 +@connection +info on the keys of the store's prefix (ACL SETUSER)",
            );
        }
        ErrorKind::Server(ServerErrorKind::ReadOnly) => {
            return (
                Unavailable,
                "this server is a replica by now; the sessions' master is another",
            );
        }
        ErrorKind::Server(
            ServerErrorKind::Moved | ServerErrorKind::Ask | ServerErrorKind::CrossSlot,
        ) => {
            return (
                Other,
                "the server is part of a cluster; connect by a URL redis-cluster://host:port",
            );
        }
        ErrorKind::Server(
            ServerErrorKind::BusyLoading
            | ServerErrorKind::ClusterDown
            | ServerErrorKind::MasterDown
            | ServerErrorKind::TryAgain,
        ) => return (Unavailable, "Redis is not ready"),
        ErrorKind::InvalidClientConfig => {
            return (Other, "the connection is not set up as it has to be");
        }
        _ => {}
    }
    match error.code() {
        Some("WRONGTYPE") => (
            Corrupt,
            "a key of this store holds something else; give the store a prefix of its own by \
             RedisOptions::prefix",
        ),
        Some("OOM") => (
            Unavailable,
            "Redis has no memory left for writes; raise its maxmemory, and see that sessions are \
             swept",
        ),
        Some("MISCONF") => (Unavailable, "Redis cannot write to its disk and refuses to write"),
        Some("NOREPLICAS") => (Unavailable, "Redis has fewer replicas than it needs to write"),
        Some("BUSY" | "UNBLOCKED") => (Unavailable, "Redis is busy with a script"),
        _ if error.detail().is_some_and(|detail| detail.contains("DB index")) => (
            Other,
            "Redis has no database of this number; check the number at the end of the URL or given \
             to RedisOptions::database, and `databases` in the server's configuration",
        ),
        _ => (Other, "Redis refused a command"),
    }
}

fn is_refused_password(error: &RedisError) -> bool {
    error.kind() == ErrorKind::AuthenticationFailed
}
