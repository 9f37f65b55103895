use tenure_core::store::{StoreError, StoreErrorKind};

use super::driver::Connections;
use crate::error::{explained, failed};
use crate::schema::{self, no_tables};

/// The primary result codes of SQLite that mean something to us.
const BUSY: u32 = 5;
const LOCKED: u32 = 6;
const READONLY: u32 = 8;
const IOERR: u32 = 10;
const FULL: u32 = 13;
const CANTOPEN: u32 = 14;
const TOOBIG: u32 = 18;
const NOTADB: u32 = 26;

impl Connections {
    /// What a failed statement means for the caller.
    pub(super) fn failed(&self, error: sqlx::Error) -> StoreError {
        let Some(message) = error.as_database_error().map(|error| error.message().to_owned())
        else {
            return failed(error);
        };
        let table = self.table.as_str();
        let (kind, message) = match code(&error) {
            Some(code) if advice(code).is_some() => return explain(code, "", error),
            _ if message.starts_with("no such table") => (StoreErrorKind::Other, no_tables(table)),
            _ if message.contains("no such column") || message.contains("has no column") => {
                (StoreErrorKind::Other, other_shape(table))
            }
            _ => (StoreErrorKind::Other, "SQLite failed".to_owned()),
        };
        explained(kind, message, error)
    }
}

/// A table has a session table's name and not its shape.
pub(super) fn other_shape(table: &str) -> String {
    schema::other_shape(table, "SqliteOptions")
}

/// What a failure of opening means for the caller.
pub(super) fn not_opened(place: &str, error: sqlx::Error) -> StoreError {
    match code(&error) {
        Some(code) if advice(code).is_some() => explain(code, place, error),
        _ => failed(error),
    }
}

/// Whether another connection was in the way.
pub(super) fn is_busy(error: &sqlx::Error) -> bool {
    matches!(code(error), Some(BUSY | LOCKED))
}

fn code(error: &sqlx::Error) -> Option<u32> {
    let extended: u32 = error.as_database_error()?.code()?.parse().ok()?;
    Some(extended & 0xff)
}

fn explain(code: u32, place: &str, error: sqlx::Error) -> StoreError {
    let (kind, advice) = advice(code).unwrap_or((StoreErrorKind::Other, "SQLite failed"));
    let place = if place.is_empty() { String::new() } else { format!("{place}: ") };
    explained(kind, format!("{place}{advice}"), error)
}

fn advice(code: u32) -> Option<(StoreErrorKind, &'static str)> {
    use StoreErrorKind::{Other, TooLarge, Unavailable};
    Some(match code {
        BUSY | LOCKED => (
            Unavailable,
            "the database stayed locked for longer than the busy timeout; keep writing \
             transactions short",
        ),
        READONLY => (
            Unavailable,
            "the database cannot be written; check that this process may write the file and its \
             folder",
        ),
        IOERR => (Unavailable, "the database's disk failed"),
        FULL => (Unavailable, "the database's disk is full"),
        CANTOPEN => (
            Unavailable,
            "the database cannot be opened; check that its folder is there and that this process \
             may read and write in it",
        ),
        TOOBIG => (TooLarge, "the session is over a limit of SQLite"),
        NOTADB => (Other, "the file is no SQLite database; choose another path"),
        _ => return None,
    })
}
