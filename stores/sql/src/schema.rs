//! The version of the tables, and what another one means.

use tenure_core::store::{StoreError, StoreErrorKind, StoreResult};

use crate::table::Table;

/// The version of the tables that this crate makes and uses.
pub(crate) const VERSION: i64 = 1;

/// What the marker says of tables that are there.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Found {
    /// There are none, or their making was not completed.
    Nothing,
    /// They are what this crate makes.
    Current,
}

/// Judges the version that the marker tells, if there is one.
pub(crate) fn judge(version: Option<i64>, table: &Table) -> StoreResult<Found> {
    let (table, options) = (table.as_str(), "the options' `table`");
    let message = match version {
        None => return Ok(Found::Nothing),
        Some(VERSION) => return Ok(Found::Current),
        Some(ahead) if ahead > VERSION => format!(
            "the session tables of {table:?} have version {ahead}, and this tenure-sql knows them \
             up to version {VERSION}; update tenure-sql, or choose another name by {options}"
        ),
        Some(behind) => format!(
            "the session tables of {table:?} have version {behind}, and this tenure-sql needs \
             version {VERSION} and knows no way from there; remove them, or choose another name \
             by {options}"
        ),
    };
    Err(StoreError::new(StoreErrorKind::Other, message))
}

/// A table has a session table's name and not its shape.
pub(crate) fn other_shape(table: &str, options: &str) -> String {
    format!(
        "a table {table:?}, \"{table}_epochs\" or \"{table}_meta\" is there but is not one that \
         this version of tenure-sql made; choose another name by {options}::table, or remove it"
    )
}

/// The tables are missing.
pub(crate) fn no_tables(table: &str) -> String {
    format!(
        "the session tables of {table:?} are not there yet; call migrate(), or run the statements \
         that migration_sql() prints"
    )
}
