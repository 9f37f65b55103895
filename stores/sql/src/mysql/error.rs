//! What the errors of MySQL and MariaDB mean.

use sqlx::mysql::MySqlDatabaseError;
use tenure_core::store::{StoreError, StoreErrorKind};

use super::driver::Terms;
use crate::error::{explained, failed};
use crate::schema::{no_tables, other_shape};

const LOCK_WAIT_TIMEOUT: u16 = 1205;
const DEADLOCK: u16 = 1213;
/// MariaDB: the row has changed since this transaction began.
const CHANGED: u16 = 1020;

/// Whether the server undid the statement for the sake of another one.
pub(super) fn is_passing(error: &sqlx::Error) -> bool {
    matches!(number(error), Some(DEADLOCK | CHANGED))
}

/// Whether a row with this key is there already.
pub(super) fn is_taken(error: &sqlx::Error) -> bool {
    number(error) == Some(1062)
}

fn number(error: &sqlx::Error) -> Option<u16> {
    let error = error.as_database_error()?.try_downcast_ref::<MySqlDatabaseError>()?;
    Some(error.number())
}

/// What a failed statement means for the caller.
pub(super) fn explain(error: sqlx::Error, terms: &Terms) -> StoreError {
    let table = terms.table.as_str();
    match number(&error) {
        Some(1146) => explained(StoreErrorKind::Other, no_tables(table), error),
        // A column is unknown, has no default, is too short or of another type.
        Some(1054 | 1364 | 1406 | 1265 | 1366 | 1292) => {
            explained(StoreErrorKind::Other, other_shape(table, "MySqlOptions"), error)
        }
        Some(number) => {
            let (kind, advice) = advice(number);
            explained(kind, advice, error)
        }
        None => failed(error),
    }
}

/// What a number means, whatever was asked.
fn advice(number: u16) -> (StoreErrorKind, &'static str) {
    use StoreErrorKind::{Other, Timeout, TooLarge, Unavailable};
    match number {
        1045 | 1130 | 1698 | 2061 => {
            (Other, "the server refuses the login; check user, password and the user's host")
        }
        1044 => (Other, "the user may not use this database; check database, or grant it"),
        1046 | 1049 => (
            Other,
            "the server has no such database; check database, or create it: tenure makes none",
        ),
        1142 | 1143 | 1227 => (
            Other,
            "the user lacks a privilege; grant SELECT, INSERT, UPDATE and DELETE on the session \
             tables, and CREATE and INDEX on the database to call migrate()",
        ),
        1290 | 1792 | 1836 => (
            Unavailable,
            "the server takes no writes; it is a read-only replica, or read_only is set: give host \
             and port of the primary",
        ),
        1040 | 1203 | 1226 => (
            Unavailable,
            "the server has no connection left; lower max_connections of the pool, or raise \
             max_connections of the server",
        ),
        1153 => (TooLarge, "the session is over max_allowed_packet of the server; raise that"),
        1021 | 1114 | 1041 | 1037 | 1038 => (Unavailable, "the server has no disk or memory left"),
        LOCK_WAIT_TIMEOUT => (
            Timeout,
            "another transaction held the session for longer than innodb_lock_wait_timeout; keep \
             no session's row locked",
        ),
        1317 | 1969 | 3024 => (Timeout, "the server cut the statement short"),
        DEADLOCK | CHANGED => {
            (Unavailable, "other statements were in the way each time it was tried")
        }
        1047 | 1053 | 1077 | 1079 | 1152 | 1158..=1161 | 1184 | 1927 | 4031 => {
            (Unavailable, "the server cannot work for now")
        }
        _ => (Other, "the server failed"),
    }
}
