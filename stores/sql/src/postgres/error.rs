//! What the errors of PostgreSQL mean.

use tenure_core::store::{StoreError, StoreErrorKind};

use super::driver::Terms;
use crate::error::{explained, failed};
use crate::schema::{no_tables, other_shape};

const SERIALIZATION_FAILURE: &str = "40001";
const DEADLOCK: &str = "40P01";

/// Whether the server undid the statement for the sake of another one.
pub(super) fn is_passing(error: &sqlx::Error) -> bool {
    matches!(code(error).as_deref(), Some(SERIALIZATION_FAILURE | DEADLOCK))
}

/// Whether the error tells of a table that is none of ours, rather than of access.
pub(super) fn is_misshapen(error: &sqlx::Error) -> bool {
    const SHAPES: [&str; 8] =
        ["42703", "42804", "42883", "42P10", "42846", "42809", "42P07", "42611"];
    code(error).is_some_and(|code| SHAPES.contains(&code.as_str()))
}

fn code(error: &sqlx::Error) -> Option<String> {
    Some(error.as_database_error()?.code()?.into_owned())
}

/// What a failed statement means for the caller.
pub(super) fn explain(error: sqlx::Error, terms: &Terms) -> StoreError {
    let table = terms.table.as_str();
    match code(&error).as_deref() {
        Some("42P01") => explained(StoreErrorKind::Other, no_tables(table), error),
        Some(_) if is_misshapen(&error) => {
            explained(StoreErrorKind::Other, other_shape(table, "PostgresOptions"), error)
        }
        Some("26000" | "42P05" | "08P01") if !terms.pooler => explained(
            StoreErrorKind::Other,
            "statements cannot be prepared on these connections; with a pooler in transaction mode \
             set PostgresOptions::transaction_pooler, or pooler=transaction in the URL",
            error,
        ),
        Some(code) => {
            let (kind, advice) = advice(code);
            explained(kind, advice, error)
        }
        None => failed(error),
    }
}

/// What a code means, whatever was asked.
fn advice(code: &str) -> (StoreErrorKind, &'static str) {
    use StoreErrorKind::{Other, Timeout, TooLarge, Unavailable};
    match code {
        "28P01" | "28000" => (
            Other,
            "PostgreSQL refuses the login; check user and password, and pg_hba.conf on the server",
        ),
        "3D000" => (
            Other,
            "PostgreSQL has no such database; check database, or create it: tenure makes none",
        ),
        "42501" => (
            Other,
            "the user lacks a privilege; grant SELECT, INSERT, UPDATE and DELETE on the session \
             tables, and CREATE on their schema to call migrate()",
        ),
        "25006" => (
            Unavailable,
            "the server takes no writes; it is a read-only replica, or \
             default_transaction_read_only is set: give host and port of the primary",
        ),
        "57014" => (
            Timeout,
            "PostgreSQL cut the statement short by its statement_timeout or at an operator's wish",
        ),
        "53300" => (
            Unavailable,
            "PostgreSQL has no connection left; lower max_connections of the pool, or raise \
             max_connections of the server",
        ),
        "53100" => (Unavailable, "the disk of PostgreSQL is full"),
        SERIALIZATION_FAILURE | DEADLOCK => {
            (Unavailable, "other statements were in the way each time it was tried")
        }
        "54000" => (TooLarge, "the session is over a limit of PostgreSQL"),
        _ if ["08", "53", "57", "58"].iter().any(|class| code.starts_with(class)) => {
            (Unavailable, "PostgreSQL cannot work for now")
        }
        _ => (Other, "PostgreSQL failed"),
    }
}
