//! Connecting to a server, and what it means when that fails.

use sqlx::pool::PoolOptions;
use sqlx::{ConnectOptions, Connection, Pool};
use tenure_core::store::{StoreError, StoreErrorKind, StoreResult};

use crate::error::explained;
use crate::network::{Limits, Server};

/// A pool of connections to a server that answers. `place` says in messages which one that is.
pub(crate) async fn pool<S: Server>(
    limits: &Limits,
    pool: PoolOptions<S>,
    connect: <S::Connection as Connection>::Options,
    place: &str,
    terms: &S::Terms,
) -> StoreResult<Pool<S>> {
    let error = match pool.connect_with(connect.clone()).await {
        Ok(pool) => return Ok(pool),
        Err(error) => error,
    };
    let error = match error {
        // The pool has tried again and again, and does not tell why.
        sqlx::Error::PoolTimedOut => {
            match tokio::time::timeout(limits.connect_timeout, connect.connect()).await {
                Ok(Err(error)) => error,
                Ok(Ok(_)) | Err(_) => error,
            }
        }
        error => error,
    };
    Err(not_connected::<S>(place, error, terms))
}

fn not_connected<S: Server>(place: &str, error: sqlx::Error, terms: &S::Terms) -> StoreError {
    use StoreErrorKind::{Other, Timeout, Unavailable};
    let (kind, advice) = match &error {
        sqlx::Error::PoolTimedOut => {
            (Timeout, "does not answer within connect_timeout; check host and port")
        }
        // rustls says so of a certificate that it does not trust.
        sqlx::Error::Io(io) if io.kind() == std::io::ErrorKind::InvalidData => {
            (Other, "cannot be trusted; check tls_ca_file and that the certificate names the host")
        }
        sqlx::Error::Io(io) if io.kind() == std::io::ErrorKind::NotFound => {
            (Other, "cannot be reached: a file is missing; check tls_ca_file")
        }
        sqlx::Error::Tls(_) => (Other, "offers no TLS that fits; check tls_ca_file and the server"),
        sqlx::Error::Io(_) => (Unavailable, "cannot be reached; check host and port"),
        sqlx::Error::Database(_) => {
            let error = S::explain(error, terms);
            return StoreError::new(error.kind(), format!("{place}: {error}"));
        }
        _ => (Other, "cannot be used"),
    };
    explained(kind, format!("{place} {advice}"), error)
}
