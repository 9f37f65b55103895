//! How statements get to PostgreSQL.

use std::sync::Arc;

use sqlx::postgres::{PgArguments, PgRow};
use sqlx::{Arguments, AssertSqlSafe, Executor, FromRow, PgConnection, Postgres};
use tenure_core::store::StoreError;

use super::{DIALECT, literal};
use crate::call::{Call, Param};
use crate::network::{Server, Swept};
use crate::row::Row;
use crate::statements::BOUND;
use crate::table::Table;

/// What statements and messages need to know of a store.
#[derive(Clone)]
pub(crate) struct Terms {
    pub(super) table: Table,
    /// Whether connections are another's between two messages.
    pub(super) pooler: bool,
    sweep: Arc<str>,
}

impl Terms {
    pub(super) fn new(table: Table, pooler: bool) -> Self {
        let sweep = sweep(&table).into();
        Self { table, pooler, sweep }
    }

    /// What keeps the advisory locks of different tables apart.
    pub(super) fn lock(table: &Table, purpose: &str) -> String {
        format!("hashtextextended('tenure-sql {purpose} {}', 0)", table.as_str())
    }
}

/// Takes its turn, locks sessions that may have ended and that nobody else works on, deletes those
/// that have, and files the others under their deadline of now.
///
/// Those that another session of the server changes meanwhile are left for the next sweep.
fn sweep(table: &Table) -> String {
    let sessions = table.sessions(&DIALECT);
    let lock = Terms::lock(table, "sweep");
    DIALECT.parameters(&format!(
        "WITH turn AS MATERIALIZED (SELECT pg_advisory_xact_lock({lock})), \
         due AS MATERIALIZED (SELECT namespace, id, least(idle_deadline, absolute_deadline) AS ends \
         FROM {sessions} WHERE (SELECT count(*) FROM turn) > 0 AND {BOUND} <= ? \
         ORDER BY {BOUND} LIMIT ? FOR UPDATE SKIP LOCKED), \
         gone AS (DELETE FROM {sessions} AS s USING due \
         WHERE s.namespace = due.namespace AND s.id = due.id AND due.ends <= ? \
         AND least(s.idle_deadline, s.absolute_deadline) <= ? RETURNING 1), \
         kept AS (UPDATE {sessions} AS s SET {BOUND} = due.ends FROM due \
         WHERE s.namespace = due.namespace AND s.id = due.id AND due.ends > ? RETURNING 1) \
         SELECT (SELECT count(*) FROM gone), (SELECT count(*) FROM due)"
    ))
}

impl Server for Postgres {
    type Terms = Terms;
    // sqlx reads what is left of an answer before it asks again.
    const FRAGILE: bool = false;

    async fn execute(
        connection: &mut PgConnection,
        call: &Call<'_>,
        terms: &Terms,
    ) -> sqlx::Result<u64> {
        let done = if terms.pooler {
            connection.execute(sqlx::raw_sql(AssertSqlSafe(literal::text(call)))).await?
        } else {
            connection.execute(query(call)?).await?
        };
        Ok(done.rows_affected())
    }

    async fn rows(
        connection: &mut PgConnection,
        call: &Call<'_>,
        terms: &Terms,
    ) -> sqlx::Result<Vec<Row>> {
        fetch(connection, call, terms).await?.iter().map(Row::from_row).collect()
    }

    async fn sweep(
        connection: &mut PgConnection,
        limit: u32,
        now: i64,
        terms: &Terms,
    ) -> sqlx::Result<Swept> {
        let call = Call::new(&terms.sweep);
        let call = call.int(now).int(limit.into()).int(now).int(now).int(now);
        let rows = fetch(connection, &call, terms).await?;
        let counted: Vec<(i64, i64)> =
            rows.iter().map(FromRow::from_row).collect::<Result<_, _>>()?;
        let (deleted, met) = counted.first().copied().unwrap_or_default();
        let deleted = deleted.try_into().unwrap_or(limit);
        Ok(Swept { deleted, more: met >= limit.into() })
    }

    fn is_passing(error: &sqlx::Error) -> bool {
        super::error::is_passing(error)
    }

    fn explain(error: sqlx::Error, terms: &Terms) -> StoreError {
        super::error::explain(error, terms)
    }
}

async fn fetch(
    connection: &mut PgConnection,
    call: &Call<'_>,
    terms: &Terms,
) -> sqlx::Result<Vec<PgRow>> {
    if terms.pooler {
        connection.fetch_all(sqlx::raw_sql(AssertSqlSafe(literal::text(call)))).await
    } else {
        connection.fetch_all(query(call)?).await
    }
}

fn query<'q>(call: &Call<'_>) -> sqlx::Result<sqlx::query::Query<'q, Postgres, PgArguments>> {
    let mut arguments = PgArguments::default();
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
