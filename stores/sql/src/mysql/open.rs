//! Connecting to a server.

use std::str::FromStr;

use sqlx::mysql::{MySqlConnectOptions, MySqlSslMode};
use sqlx::{AssertSqlSafe, Executor, MySqlConnection, MySqlPool};
use tenure_core::store::{StoreError, StoreErrorKind, StoreResult};

use super::driver::Terms;
use crate::connect;
use crate::error::explained;
use crate::options::Common;

pub(super) fn parse(url: &str) -> StoreResult<MySqlConnectOptions> {
    if !url.starts_with("mysql://") && !url.starts_with("mariadb://") {
        return Err(refused(
            "the URL does not begin with mysql://; write one such as \
             mysql://user:password@host/database",
        ));
    }
    MySqlConnectOptions::from_str(url)
        .map_err(|error| explained(StoreErrorKind::Other, "mysql: the URL cannot be read", error))
}

fn refused(message: &str) -> StoreError {
    StoreError::new(StoreErrorKind::Other, format!("mysql: {message}"))
}

/// A pool of connections to a server that answers.
pub(super) async fn pool(
    common: &Common,
    mut connect: MySqlConnectOptions,
) -> StoreResult<MySqlPool> {
    let Some(database) = connect.get_database().map(str::to_owned) else {
        return Err(refused("no database is named; give one by database, or as the URL's path"));
    };
    if let Some(file) = &common.ca_file {
        connect = connect.ssl_mode(MySqlSslMode::VerifyIdentity).ssl_ca(file);
    }
    let (host, port) = (connect.get_host(), connect.get_port());
    let place = format!("the database server at {host}:{port}, database {database:?}");
    // In whole seconds, the only unit that the server knows.
    let wait = common.limits.operation_timeout.as_secs().max(1);
    let settings = format!(
        "SET SESSION innodb_lock_wait_timeout = {wait}; \
         SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED"
    );
    let pool = common.limits.pool().after_connect(move |connection: &mut MySqlConnection, _| {
        let settings = AssertSqlSafe(settings.clone());
        Box::pin(async move { connection.execute(sqlx::raw_sql(settings)).await.map(drop) })
    });
    let terms = Terms::new(common.table.clone());
    connect::pool(&common.limits, pool, connect, &place, &terms).await
}

#[cfg(test)]
mod tests {
    use super::parse;

    #[test]
    fn what_is_no_url_is_refused_without_its_password() {
        for url in ["", "shop", "postgres://a:secret@b/c", "mysql://a:secret@b:port/c"] {
            let error = parse(url).unwrap_err().to_string();
            assert!(error.starts_with("mysql: the URL"), "{error}");
            assert!(!error.contains("secret"), "{error}");
        }
    }
}
