//! Connecting to a server.

use std::str::FromStr;

use sqlx::PgPool;
use sqlx::postgres::{PgConnectOptions, PgSslMode};
use tenure_core::store::{StoreError, StoreErrorKind, StoreResult};

use super::driver::Terms;
use crate::connect;
use crate::error::explained;
use crate::options::Common;

/// What a URL says.
pub(super) struct Location {
    pub(super) connect: PgConnectOptions,
    pub(super) pooler: bool,
}

impl Location {
    pub(super) fn parse(url: &str) -> StoreResult<Self> {
        if !url.starts_with("postgres://") && !url.starts_with("postgresql://") {
            return Err(refused(
                "the URL does not begin with postgres://; write one such as \
                 postgres://user:password@host/database",
            ));
        }
        let (url, pooler) = without_pooler(url)?;
        let connect = PgConnectOptions::from_str(&url).map_err(|error| {
            explained(StoreErrorKind::Other, "postgres: the URL cannot be read", error)
        })?;
        Ok(Self { connect, pooler })
    }
}

/// Takes our own parameter out of the URL.
fn without_pooler(url: &str) -> StoreResult<(String, bool)> {
    let Some((base, parameters)) = url.split_once('?') else { return Ok((url.to_owned(), false)) };
    let mut pooler = false;
    let mut others = Vec::new();
    for parameter in parameters.split('&') {
        match parameter.split_once('=') {
            Some(("pooler", "transaction")) => pooler = true,
            Some(("pooler", "none")) => pooler = false,
            Some(("pooler", _)) => {
                return Err(refused("the parameter pooler is neither transaction nor none"));
            }
            _ => others.push(parameter),
        }
    }
    let others = others.join("&");
    let separator = if others.is_empty() { "" } else { "?" };
    Ok((format!("{base}{separator}{others}"), pooler))
}

pub(super) fn refused(message: impl Into<String>) -> StoreError {
    StoreError::new(StoreErrorKind::Other, format!("postgres: {}", message.into()))
}

/// How every connection is made that is not the application's own.
pub(super) fn prepared(common: &Common, mut connect: PgConnectOptions) -> PgConnectOptions {
    if let Some(file) = &common.ca_file {
        connect = connect.ssl_mode(PgSslMode::VerifyFull).ssl_root_cert(file);
    }
    // A pooler would refuse what it does not know.
    connect.extra_float_digits(None).application_name("tenure")
}

/// A pool of connections to a server that answers.
pub(super) async fn pool(
    common: &Common,
    connect: PgConnectOptions,
    terms: &Terms,
) -> StoreResult<PgPool> {
    let mut connect = prepared(common, connect);
    if !terms.pooler {
        let limit = common.limits.operation_timeout.as_millis().max(1);
        connect = connect.options([("statement_timeout", limit.to_string())]);
    }
    let place = format!(
        "PostgreSQL at {}:{}, database {:?}",
        connect.get_host(),
        connect.get_port(),
        connect.get_database().unwrap_or(connect.get_username())
    );
    connect::pool(&common.limits, common.limits.pool(), connect, &place, terms).await
}

#[cfg(test)]
mod tests {
    use super::{Location, without_pooler};

    #[test]
    fn the_pooler_is_a_parameter_of_ours() {
        let parse = |url| without_pooler(url).map_err(|error| error.to_string());
        let url = "postgres://a:b@c/d";
        assert_eq!(parse(url), Ok((url.to_owned(), false)));
        let pooled = |rest: &str| Ok((format!("{url}{rest}"), true));
        assert_eq!(parse("postgres://a:b@c/d?pooler=transaction"), pooled(""));
        assert_eq!(
            parse("postgres://a:b@c/d?sslmode=disable&pooler=transaction&user=x"),
            pooled("?sslmode=disable&user=x")
        );
        assert!(parse("postgres://a:b@c/d?pooler=session").unwrap_err().contains("pooler"));
    }

    #[test]
    fn what_is_no_url_is_refused_without_its_password() {
        for url in ["", "shop", "mysql://a:secret@b/c", "postgres://a:secret@b:port/c"] {
            let Err(error) = Location::parse(url) else { panic!("{url} is taken") };
            assert!(error.to_string().starts_with("postgres: the URL"), "{error}");
            assert!(!error.to_string().contains("secret"), "{error}");
        }
    }
}
