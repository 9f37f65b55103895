//! The tables, and how they come to be.

use sqlx::{AssertSqlSafe, Connection, Executor, PgConnection, Row};
use tenure_core::store::{StoreError, StoreErrorKind, StoreResult};

use super::driver::Terms;
use super::error::{explain, is_misshapen};
use super::{DIALECT, PostgresStore, literal, notify};
use crate::call::Call;
use crate::error::explained;
use crate::schema::{Found, VERSION, judge, other_shape};
use crate::table::Table;

/// The statements that bring an empty database to [`VERSION`], and leave one that is there as it is.
///
/// A touch writes no column that has an index, and a page keeps room for the new version of a row:
/// so PostgreSQL writes it beside the old one (HOT) and leaves the indexes alone.
pub(super) fn sql(table: &Table, notifies: bool) -> String {
    let (sessions, epochs) = (table.sessions(&DIALECT), table.epochs(&DIALECT));
    let meta = table.meta(&DIALECT);
    let by_sweep_at = table.with("_by_sweep_at", &DIALECT);
    let by_user = table.with("_by_user", &DIALECT);
    let turn = turn(table);
    let triggers = if notifies { notify::sql(table) } else { String::new() };
    format!(
        r#"BEGIN;
{turn}CREATE TABLE IF NOT EXISTS {sessions} (
    revision bigint NOT NULL,
    last_seen bigint NOT NULL,
    idle_timeout bigint NOT NULL,
    idle_deadline bigint NOT NULL,
    absolute_deadline bigint NOT NULL,
    sweep_at bigint NOT NULL,
    epoch bigint NOT NULL,
    user_epoch bigint NOT NULL,
    pending_since bigint,
    former_until bigint,
    namespace bytea NOT NULL,
    id bytea NOT NULL,
    proof bytea,
    pending bytea,
    former bytea,
    user_id bytea,
    record bytea NOT NULL,
    PRIMARY KEY (namespace, id)
) WITH (fillfactor = 70);
CREATE INDEX IF NOT EXISTS {by_sweep_at} ON {sessions} (sweep_at);
CREATE INDEX IF NOT EXISTS {by_user} ON {sessions} (namespace, user_id) WHERE user_id IS NOT NULL;
CREATE TABLE IF NOT EXISTS {epochs} (
    epoch bigint NOT NULL,
    namespace bytea NOT NULL,
    user_id bytea NOT NULL,
    PRIMARY KEY (namespace, user_id)
);
CREATE TABLE IF NOT EXISTS {meta} (
    id bigint NOT NULL PRIMARY KEY CHECK (id = 1),
    version bigint NOT NULL
);
INSERT INTO {meta} (id, version) VALUES (1, {VERSION}) ON CONFLICT (id) DO NOTHING;
{triggers}COMMIT;
"#
    )
}

/// Waits for others that migrate, until the end of the transaction.
fn turn(table: &Table) -> String {
    format!("SELECT pg_advisory_xact_lock({});\n", Terms::lock(table, "migrate"))
}

impl PostgresStore {
    /// Makes the tables if they are missing, and checks them if they are there.
    ///
    /// It may run at every start, and by any number of processes at once: one makes the tables, the
    /// others wait for it. It creates nothing but the store's own three tables with their indexes,
    /// in the schema that the user's `search_path` names first, all of them or none; and triggers on
    /// them with [`notify_changes`](super::PostgresOptions::notify_changes).
    ///
    /// # Errors
    /// When another version of this crate made the tables, when a table of this name has another
    /// shape, when the user may not create tables, or when the server takes no writes.
    pub async fn migrate(&self) -> StoreResult<()> {
        let link = &self.sessions.driver;
        let mut connection = link.acquire().await?;
        // A future that is dropped in the middle must leave no transaction with the pool.
        connection.close_on_drop();
        let found = self.found(&mut connection).await?;
        if found == Found::Nothing || !self.tells(&mut connection).await? {
            let mut transaction =
                connection.begin().await.map_err(|error| explain(error, &link.terms))?;
            let table = &link.terms.table;
            let sql = match found {
                Found::Nothing => sql(table, self.hearing.notifies),
                Found::Current => turn(table) + &notify::sql(table),
            };
            let sql = sql.trim_start_matches("BEGIN;\n").trim_end_matches("COMMIT;\n").to_owned();
            self.run(&mut transaction, sql).await?;
            self.found(&mut transaction).await?;
            self.check(&mut transaction).await?;
            return transaction.commit().await.map_err(|error| explain(error, &link.terms));
        }
        self.check(&mut connection).await
    }

    /// The statements that [`migrate`](Self::migrate) runs, as
    /// [`PostgresOptions::migration_sql`](super::PostgresOptions::migration_sql) gives them.
    #[must_use]
    pub fn migration_sql(&self) -> String {
        sql(&self.sessions.driver.terms.table, self.hearing.notifies)
    }

    /// Which tables are there.
    async fn found(&self, connection: &mut PgConnection) -> StoreResult<Found> {
        let table = &self.sessions.driver.terms.table;
        let meta = table.meta(&DIALECT);
        let there = format!("SELECT to_regclass('{meta}') IS NOT NULL");
        let row = connection.fetch_one(sqlx::raw_sql(AssertSqlSafe(there))).await;
        let there: bool = row.and_then(|row| row.try_get(0)).map_err(|error| self.wrong(error))?;
        if !there {
            return Ok(Found::Nothing);
        }
        let version = format!("SELECT version FROM {meta} WHERE id = 1");
        let row = connection.fetch_optional(sqlx::raw_sql(AssertSqlSafe(version))).await;
        let version: Option<i64> = row
            .and_then(|row| row.map(|row| row.try_get(0)).transpose())
            .map_err(|error| self.wrong(error))?;
        judge(version, table)
    }

    /// Whether the tables tell of changes, or are not asked to.
    async fn tells(&self, connection: &mut PgConnection) -> StoreResult<bool> {
        if !self.hearing.notifies {
            return Ok(true);
        }
        let look = notify::look(&self.sessions.driver.terms.table);
        let row = connection.fetch_one(sqlx::raw_sql(AssertSqlSafe(look))).await;
        row.and_then(|row| row.try_get(1)).map_err(|error| self.wrong(error))
    }

    /// Whether the tables have the shape that the statements need: PostgreSQL can plan them all.
    async fn check(&self, connection: &mut PgConnection) -> StoreResult<()> {
        let mut statements = Vec::new();
        let mut explain =
            |call: &Call<'_>| statements.push(format!("EXPLAIN {}", literal::text(call)));
        self.sessions.shared.examples(&mut explain)?;
        for statement in statements {
            self.run(connection, statement).await?;
        }
        Ok(())
    }

    /// Not prepared: behind a pooler that would do harm.
    async fn run(&self, connection: &mut PgConnection, sql: String) -> StoreResult<()> {
        let done = connection.execute(sqlx::raw_sql(AssertSqlSafe(sql))).await;
        done.map(drop).map_err(|error| self.wrong(error))
    }

    /// What an error means that a table of another shape may give.
    fn wrong(&self, error: sqlx::Error) -> StoreError {
        let terms = &self.sessions.driver.terms;
        let decoding = matches!(error, sqlx::Error::ColumnDecode { .. });
        // A missing table is one of another shape here: the marker stands, the rest is gone.
        let missing = error.as_database_error().and_then(|error| error.code());
        if decoding || is_misshapen(&error) || missing.is_some_and(|code| code == "42P01") {
            let message = other_shape(terms.table.as_str(), "PostgresOptions");
            return explained(StoreErrorKind::Other, message, error);
        }
        explain(error, terms)
    }
}
