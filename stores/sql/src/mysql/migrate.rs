//! The tables, and how they come to be.

use std::collections::BTreeMap;

use sqlx::{AssertSqlSafe, Executor, MySqlConnection, Row};
use tenure_core::store::{StoreError, StoreErrorKind, StoreResult};

use super::driver::{release, take};
use super::error::explain;
use super::{DIALECT, MySqlStore};
use crate::schema::{Found, VERSION, judge, other_shape};
use crate::table::Table;

/// How long a process waits for another one that makes the tables, in seconds.
const TURN: u32 = 60;

/// The columns of the three tables. Octets are kept as octets: a collation would take some names
/// for others, and a JSON column would change values.
const SESSIONS: [(&str, &str); 17] = [
    ("namespace", "varbinary(64) NOT NULL"),
    ("id", "varbinary(1025) NOT NULL"),
    ("revision", "bigint NOT NULL"),
    ("proof", "varbinary(32)"),
    ("pending", "varbinary(32)"),
    ("pending_since", "bigint"),
    ("former", "varbinary(32)"),
    ("former_until", "bigint"),
    ("last_seen", "bigint NOT NULL"),
    ("idle_timeout", "bigint NOT NULL"),
    ("idle_deadline", "bigint NOT NULL"),
    ("absolute_deadline", "bigint NOT NULL"),
    ("sweep_at", "bigint NOT NULL"),
    ("user_id", "varbinary(255)"),
    ("epoch", "bigint NOT NULL"),
    ("user_epoch", "bigint NOT NULL"),
    ("record", "longblob NOT NULL"),
];
const EPOCHS: [(&str, &str); 3] = [
    ("namespace", "varbinary(64) NOT NULL"),
    ("user_id", "varbinary(255) NOT NULL"),
    ("epoch", "bigint NOT NULL"),
];
const META: [(&str, &str); 2] = [("id", "bigint NOT NULL"), ("version", "bigint NOT NULL")];

/// The statements that bring an empty database to [`VERSION`], and leave one that is there as it
/// is. The marker comes last: without it nobody takes the tables for complete.
pub(super) fn sql(table: &Table) -> String {
    let table_of = |name: String, columns: &[(&str, &str)], keys: &str| {
        let columns: String =
            columns.iter().map(|(column, kind)| format!("    {column} {kind},\n")).collect();
        format!("CREATE TABLE IF NOT EXISTS {name} (\n{columns}    {keys}\n) ENGINE=InnoDB;\n")
    };
    let keys = "PRIMARY KEY (namespace, id),\n    KEY by_sweep_at (sweep_at),\n    \
                KEY by_user (namespace, user_id)";
    let meta = table.meta(&DIALECT);
    [
        table_of(table.sessions(&DIALECT), &SESSIONS, keys),
        table_of(table.epochs(&DIALECT), &EPOCHS, "PRIMARY KEY (namespace, user_id)"),
        table_of(meta.clone(), &META, "PRIMARY KEY (id)"),
        format!("INSERT IGNORE INTO {meta} (id, version) VALUES (1, {VERSION});\n"),
    ]
    .concat()
}

impl MySqlStore {
    /// Makes the tables if they are missing, and checks them if they are there.
    ///
    /// It may run at every start, and by any number of processes at once: one makes the tables, the
    /// others wait for it. It creates nothing but the store's own three tables with their indexes.
    /// The server undoes no `CREATE TABLE`: after a crash in the middle the next call goes on.
    ///
    /// # Errors
    /// When another version of this crate made the tables, when a table of this name has another
    /// shape, when the user may not create tables, or when the server takes no writes.
    pub async fn migrate(&self) -> StoreResult<()> {
        let link = &self.sessions.driver;
        let mut connection = link.acquire().await?;
        // A future that is dropped in the middle must not leave the lock with the pool.
        connection.close_on_drop();
        if self.found(&mut connection).await? == Found::Current {
            return Ok(());
        }
        let failed = |error| explain(error, &link.terms);
        let lock = link.terms.lock("migrate");
        if !take(&mut connection, &lock, TURN).await.map_err(failed)? {
            return Err(StoreError::new(
                StoreErrorKind::Timeout,
                format!("another process has been making the tables for {TURN} seconds; try again"),
            ));
        }
        if self.found(&mut connection).await? == Found::Nothing {
            let sql = sqlx::raw_sql(AssertSqlSafe(sql(&link.terms.table)));
            connection.execute(sql).await.map_err(failed)?;
        }
        self.found(&mut connection).await?;
        release(&mut connection, &lock).await.map_err(failed)
    }

    /// The statements that [`migrate`](Self::migrate) runs, as
    /// [`MySqlOptions::migration_sql`](super::MySqlOptions::migration_sql) gives them.
    #[must_use]
    pub fn migration_sql(&self) -> String {
        sql(&self.sessions.driver.terms.table)
    }

    /// Which tables are there. Those that are must have the columns that the statements need.
    async fn found(&self, connection: &mut MySqlConnection) -> StoreResult<Found> {
        let terms = &self.sessions.driver.terms;
        let failed = |error| explain(error, terms);
        let columns = columns(connection, &terms.table).await.map_err(failed)?;
        for (suffix, wanted) in
            [("", &SESSIONS[..]), ("_epochs", &EPOCHS[..]), ("_meta", &META[..])]
        {
            let there = columns.get(&format!("{}{suffix}", terms.table.as_str()));
            if there.is_some_and(|there| !fits(there, wanted)) {
                let message = other_shape(terms.table.as_str(), "MySqlOptions");
                return Err(StoreError::new(StoreErrorKind::Other, message));
            }
        }
        if columns.len() < 3 {
            return Ok(Found::Nothing);
        }
        let meta = terms.table.meta(&DIALECT);
        let version = format!("SELECT version FROM {meta} WHERE id = 1");
        let asked = sqlx::query_scalar(AssertSqlSafe(version)).persistent(false);
        let version: Option<i64> = asked.fetch_optional(connection).await.map_err(failed)?;
        judge(version, &terms.table)
    }
}

/// The columns of those of our tables that are there, each with its type.
type Columns = BTreeMap<String, Vec<(String, String)>>;

async fn columns(connection: &mut MySqlConnection, table: &Table) -> sqlx::Result<Columns> {
    let asked = sqlx::query(
        "SELECT CAST(table_name AS BINARY), CAST(column_name AS BINARY), \
         CAST(data_type AS BINARY) FROM information_schema.columns \
         WHERE table_schema = DATABASE() AND table_name IN (?, ?, ?)",
    )
    .persistent(false)
    .bind(table.as_str())
    .bind(format!("{}_epochs", table.as_str()))
    .bind(format!("{}_meta", table.as_str()));
    let mut columns = Columns::new();
    for row in connection.fetch_all(asked).await? {
        let text = |at: usize| -> sqlx::Result<String> {
            Ok(String::from_utf8_lossy(&row.try_get::<Vec<u8>, _>(at)?).to_ascii_lowercase())
        };
        let name = String::from_utf8_lossy(&row.try_get::<Vec<u8>, _>(0)?).into_owned();
        columns.entry(name).or_default().push((text(1)?, text(2)?));
    }
    Ok(columns)
}

/// Whether all the wanted columns are there. One of an application's own does no harm if it can be
/// left out.
fn fits(there: &[(String, String)], wanted: &[(&str, &str)]) -> bool {
    wanted.iter().all(|(column, kind)| {
        let kind = kind.split([' ', '(']).next().unwrap_or_default();
        there.iter().any(|(name, data_type)| name == column && data_type == kind)
    })
}
