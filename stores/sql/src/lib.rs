//! Stores of `tenure` in SQL databases, through sqlx: SQLite, PostgreSQL, MariaDB and MySQL.
//!
//! Each opens a database by its URL or works in the application's own pool. Its tables come into
//! being by `migrate`, or by the application's own migrations, for which `migration_sql` of the
//! options prints the statements.
//!
//! ```
//! use tenure_sql::SqliteStore;
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let folder = tempfile::tempdir()?;
//! # let path = folder.path().join("sessions.sqlite");
//! let store = SqliteStore::open(path).await?;
//! store.migrate().await?;
//! # Ok(())
//! # }
//! ```
//!
//! What a store promises is written at [`tenure_core::store::Store`]. Each change of a session is
//! one conditional write of one row, so processes that share the database lose nothing to each
//! other, and nothing brings back a session that has ended.

#![cfg_attr(
    not(any(feature = "sqlite", feature = "postgres", feature = "mysql")),
    allow(dead_code, unused_imports, unused_macros, reason = "no database, no store")
)]

mod call;
mod calls;
#[cfg(any(feature = "postgres", feature = "mysql"))]
mod connect;
mod dialect;
mod error;
#[cfg(any(feature = "postgres", feature = "mysql"))]
mod fields;
#[cfg(feature = "mysql")]
mod mysql;
#[cfg(any(feature = "postgres", feature = "mysql"))]
mod network;
#[cfg(any(feature = "postgres", feature = "mysql"))]
mod options;
#[cfg(any(feature = "postgres", feature = "mysql"))]
mod parked;
mod people;
#[cfg(feature = "postgres")]
mod postgres;
mod row;
mod schema;
mod sessions;
#[cfg(feature = "sqlite")]
mod sqlite;
mod statements;
mod store;
mod table;

#[cfg(feature = "mysql")]
pub use mysql::{MySqlOptions, MySqlStore};
#[cfg(feature = "postgres")]
pub use postgres::{PostgresOptions, PostgresStore};
#[cfg(feature = "sqlite")]
pub use sqlite::{SqliteOptions, SqliteStore};

/// The examples of the README, too.
#[cfg(all(doctest, feature = "sqlite", feature = "postgres"))]
#[doc = include_str!("../README.md")]
struct Readme;
