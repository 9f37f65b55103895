//! How statements get to MySQL and MariaDB.

use std::collections::BTreeMap;
use std::sync::Arc;

use sqlx::mysql::MySqlArguments;
use sqlx::{
    Arguments, AssertSqlSafe, Connection, Executor, FromRow, MySql, MySqlConnection, Row as _,
};
use tenure_core::store::StoreError;

use super::DIALECT;
use super::error::is_taken;
use crate::call::{Call, Param};
use crate::network::{Server, Swept};
use crate::row::Row;
use crate::statements::BOUND;
use crate::table::Table;

/// How long a sweep waits for that of another process, in seconds.
const TURN: u32 = 1;

/// What statements and messages need to know of a store.
#[derive(Clone)]
pub(crate) struct Terms {
    pub(super) table: Table,
    /// limit, now
    due: Arc<str>,
}

impl Terms {
    pub(super) fn new(table: Table) -> Self {
        let due = format!(
            "SELECT namespace, id, least(idle_deadline, absolute_deadline) FROM {} \
             WHERE {BOUND} <= ? ORDER BY {BOUND} LIMIT ? FOR UPDATE SKIP LOCKED",
            table.sessions(&DIALECT)
        );
        Self { table, due: due.into() }
    }

    /// What the server's lock for this purpose is called: at most 64 characters.
    pub(super) fn lock(&self, purpose: &str) -> String {
        format!("tenure {purpose} {}", self.table.as_str())
    }
}

impl Server for MySql {
    type Terms = Terms;
    // An answer that nobody read would be taken for that of the next question.
    const FRAGILE: bool = true;

    async fn execute(
        connection: &mut MySqlConnection,
        call: &Call<'_>,
        _terms: &Terms,
    ) -> sqlx::Result<u64> {
        match connection.execute(query(call)?).await {
            Ok(done) => Ok(done.rows_affected()),
            Err(error) if is_taken(&error) => Ok(0),
            Err(error) => Err(error),
        }
    }

    async fn rows(
        connection: &mut MySqlConnection,
        call: &Call<'_>,
        _terms: &Terms,
    ) -> sqlx::Result<Vec<Row>> {
        connection.fetch_all(query(call)?).await?.iter().map(Row::from_row).collect()
    }

    async fn sweep(
        connection: &mut MySqlConnection,
        limit: u32,
        now: i64,
        terms: &Terms,
    ) -> sqlx::Result<Swept> {
        let lock = terms.lock("sweep");
        if !take(connection, &lock, TURN).await? {
            return Ok(Swept { deleted: 0, more: false });
        }
        let swept = sweep(connection, limit, now, terms).await;
        release(connection, &lock).await?;
        swept
    }

    fn is_passing(error: &sqlx::Error) -> bool {
        super::error::is_passing(error)
    }

    fn explain(error: sqlx::Error, terms: &Terms) -> StoreError {
        super::error::explain(error, terms)
    }
}

/// Waits for a lock of the server, which belongs to the connection.
pub(super) async fn take(
    connection: &mut MySqlConnection,
    lock: &str,
    seconds: u32,
) -> sqlx::Result<bool> {
    let asked = sqlx::query_scalar("SELECT GET_LOCK(?, ?)").bind(lock).bind(seconds);
    let taken: Option<i64> = asked.fetch_one(connection).await?;
    Ok(taken == Some(1))
}

pub(super) async fn release(connection: &mut MySqlConnection, lock: &str) -> sqlx::Result<()> {
    connection.execute(sqlx::query("SELECT RELEASE_LOCK(?)").bind(lock)).await.map(drop)
}

/// Locks sessions that may have ended and that nobody else works on, deletes those that have, by
/// their primary keys, and files the others under their deadline of now.
async fn sweep(
    connection: &mut MySqlConnection,
    limit: u32,
    now: i64,
    terms: &Terms,
) -> sqlx::Result<Swept> {
    // Of the next transaction alone. Otherwise gaps would be locked, and creations wait for them.
    connection.execute(sqlx::raw_sql("SET TRANSACTION ISOLATION LEVEL READ COMMITTED")).await?;
    let mut transaction = connection.begin().await?;
    let due = query(&Call::new(&terms.due).int(now).int(limit.into()))?;
    let due = transaction.fetch_all(due).await?;
    let (mut gone, mut kept): (Keys, Keys) = Default::default();
    for row in &due {
        let ends: i64 = row.try_get(2)?;
        let keys = if ends <= now { &mut gone } else { &mut kept };
        keys.entry(row.try_get(0)?).or_default().push(row.try_get(1)?);
    }
    let sessions = terms.table.sessions(&DIALECT);
    let deleting = format!("DELETE FROM {sessions}");
    let deleted = each(&mut transaction, &deleting, &gone).await?;
    let filing = format!("UPDATE {sessions} SET {BOUND} = least(idle_deadline, absolute_deadline)");
    each(&mut transaction, &filing, &kept).await?;
    transaction.commit().await?;
    let more = due.len() >= limit as usize;
    Ok(Swept { deleted: deleted.try_into().unwrap_or(limit), more })
}

/// The ids of a namespace.
type Keys = BTreeMap<Vec<u8>, Vec<Vec<u8>>>;

/// Runs a statement on the rows with these keys and tells how many it met.
async fn each(connection: &mut MySqlConnection, sql: &str, keys: &Keys) -> sqlx::Result<u64> {
    let mut met = 0;
    for (namespace, ids) in keys {
        let marks = vec!["?"; ids.len()].join(", ");
        let sql = format!("{sql} WHERE namespace = ? AND id IN ({marks})");
        let query = sqlx::query(AssertSqlSafe(sql)).persistent(false).bind(namespace);
        let query = ids.iter().fold(query, |query, id| query.bind(id));
        met += connection.execute(query).await?.rows_affected();
    }
    Ok(met)
}

fn query<'q>(call: &Call<'_>) -> sqlx::Result<sqlx::query::Query<'q, MySql, MySqlArguments>> {
    let mut arguments = MySqlArguments::default();
    for param in &call.params {
        let added = match param {
            Param::Int(value) => arguments.add(*value),
            Param::MaybeInt(value) => arguments.add(*value),
            Param::Octets(value) => arguments.add(value.as_deref()),
            Param::Text(value) => arguments.add(*value),
        };
        added.map_err(sqlx::Error::Encode)?;
    }
    Ok(sqlx::query_with(AssertSqlSafe(Arc::clone(call.sql)), arguments))
}
