//! The tables, and how they come to be.

use std::sync::Arc;

use sqlx::{AssertSqlSafe, Executor, SqlSafeStr, SqliteConnection};
use tenure_core::store::{StoreError, StoreErrorKind, StoreResult};

use super::driver::Connections;
use super::error::other_shape;
use super::{DIALECT, SqliteStore};
use crate::error::explained;
use crate::schema::{Found, VERSION, judge};
use crate::table::Table;

/// The statements that bring an empty database to [`VERSION`], and leave one that is there as it is.
pub(super) fn sql(table: &Table) -> String {
    let (sessions, epochs) = (table.sessions(&DIALECT), table.epochs(&DIALECT));
    let meta = table.meta(&DIALECT);
    let by_deadline = table.with("_by_deadline", &DIALECT);
    let by_user = table.with("_by_user", &DIALECT);
    format!(
        r#"CREATE TABLE IF NOT EXISTS {sessions} (
    namespace TEXT NOT NULL,
    id BLOB NOT NULL,
    revision INTEGER NOT NULL,
    proof BLOB,
    pending BLOB,
    pending_since INTEGER,
    former BLOB,
    former_until INTEGER,
    last_seen INTEGER NOT NULL,
    idle_timeout INTEGER NOT NULL,
    idle_deadline INTEGER NOT NULL,
    absolute_deadline INTEGER NOT NULL,
    deadline INTEGER NOT NULL GENERATED ALWAYS AS (min(idle_deadline, absolute_deadline)) STORED,
    user_id TEXT,
    epoch INTEGER NOT NULL,
    user_epoch INTEGER NOT NULL,
    record ANY NOT NULL,
    PRIMARY KEY (namespace, id)
) STRICT;
CREATE INDEX IF NOT EXISTS {by_deadline} ON {sessions} (deadline);
CREATE INDEX IF NOT EXISTS {by_user} ON {sessions} (namespace, user_id) WHERE user_id IS NOT NULL;
CREATE TABLE IF NOT EXISTS {epochs} (
    namespace TEXT NOT NULL,
    user_id TEXT NOT NULL,
    epoch INTEGER NOT NULL,
    PRIMARY KEY (namespace, user_id)
) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS {meta} (
    id INTEGER NOT NULL PRIMARY KEY CHECK (id = 1),
    version INTEGER NOT NULL
) STRICT;
INSERT INTO {meta} (id, version) VALUES (1, {VERSION}) ON CONFLICT DO NOTHING;
"#
    )
}

impl SqliteStore {
    /// Makes the tables if they are missing, and checks them if they are there.
    ///
    /// It may run at every start, and by several processes at once. It creates nothing but the
    /// store's own three tables with their indexes, all of them or none.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # use tenure_sql::{SqliteOptions, SqliteStore};
    /// # let folder = tempfile::tempdir()?;
    /// # let path = folder.path().join("sessions.sqlite");
    /// let store = SqliteStore::open(path).await?;
    /// store.migrate().await?;
    /// store.migrate().await?; // at the next start
    /// let tables = sqlx::query_scalar("SELECT count(*) FROM sqlite_schema WHERE name LIKE 'tenure%'");
    /// assert!(tables.fetch_one(store.pool()).await.map(|n: i64| n >= 3)?);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// When a newer version of this crate made the tables, when a table of this name has another
    /// shape, or when the database cannot be written.
    pub async fn migrate(&self) -> StoreResult<()> {
        let driver = &self.sessions.driver;
        let failed = |error| driver.failed(error);
        let mut connection = driver.pool.acquire().await.map_err(failed)?;
        if driver.found(&mut connection).await? == Found::Current {
            return self.check(&mut connection).await;
        }
        drop(connection);
        let _turn = driver.writer.lock().await;
        let mut transaction = driver.begin().await?;
        if driver.found(&mut transaction).await? == Found::Nothing {
            sqlx::raw_sql(AssertSqlSafe(sql(&driver.table)))
                .execute(&mut *transaction)
                .await
                .map_err(|error| driver.misshapen(error))?;
        }
        self.check(&mut transaction).await?;
        transaction.commit().await.map_err(failed)
    }

    /// The statements that [`migrate`](Self::migrate) runs, as
    /// [`SqliteOptions::migration_sql`](super::SqliteOptions::migration_sql) gives them.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # use tenure_sql::{SqliteOptions, SqliteStore};
    /// # let folder = tempfile::tempdir()?;
    /// # let path = folder.path().join("sessions.sqlite");
    /// let store = SqliteStore::open(path).await?;
    /// let sql = store.migration_sql(); // for the application's own migrations
    /// sqlx::raw_sql(sqlx::AssertSqlSafe(sql)).execute(store.pool()).await?;
    /// store.migrate().await?; // finds the tables and checks them
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn migration_sql(&self) -> String {
        sql(&self.sessions.driver.table)
    }

    /// Whether the tables have the shape that the statements need: SQLite can prepare them all.
    async fn check(&self, connection: &mut SqliteConnection) -> StoreResult<()> {
        for statement in self.sessions.shared.statements.all() {
            let statement = AssertSqlSafe(Arc::clone(statement)).into_sql_str();
            let prepared = connection.prepare(statement).await;
            prepared.map_err(|error| self.sessions.driver.misshapen(error))?;
        }
        Ok(())
    }
}

impl Connections {
    /// Which tables are there.
    async fn found(&self, connection: &mut SqliteConnection) -> StoreResult<Found> {
        let there: Option<i64> =
            sqlx::query_scalar("SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = ?")
                .bind(format!("{}_meta", self.table.as_str()))
                .fetch_optional(&mut *connection)
                .await
                .map_err(|error| self.failed(error))?;
        if there.is_none() {
            return Ok(Found::Nothing);
        }
        let meta = self.table.meta(&DIALECT);
        let version: Option<i64> =
            sqlx::query_scalar(AssertSqlSafe(format!("SELECT version FROM {meta} WHERE id = 1")))
                .fetch_optional(connection)
                .await
                .map_err(|error| self.misshapen(error))?;
        judge(version, &self.table)
    }

    /// What an error means that a table of another shape gives, unless it has to do with access.
    fn misshapen(&self, error: sqlx::Error) -> StoreError {
        const ERROR: &str = "1";
        if error.as_database_error().and_then(|error| error.code()).is_some_and(|c| c == ERROR) {
            return explained(StoreErrorKind::Other, other_shape(self.table.as_str()), error);
        }
        self.failed(error)
    }
}
