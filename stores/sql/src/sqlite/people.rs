//! The sessions of a user, and the epochs.

use sqlx::Sqlite;
use sqlx::query::Query;
use sqlx::sqlite::SqliteArguments;
use tenure_core::store::{Epoch, Listed, StoreKey, StoreResult, UserIndex};
use tenure_core::{Namespace, Timestamp, UserId};

use super::SqliteStore;
use crate::row::{self, id, millis};
use crate::statements::EVERYBODY;

impl UserIndex for SqliteStore {
    async fn list(
        &self,
        namespace: &Namespace,
        user: &UserId,
        now: Timestamp,
    ) -> StoreResult<Vec<Listed>> {
        let query = || {
            self.rows(&self.statements.list)
                .bind(namespace.as_str())
                .bind(user.as_str())
                .bind(millis(now))
        };
        let rows = self.patiently(|| query().fetch_all(&self.pool)).await?;
        rows.into_iter()
            .map(|row| {
                let key = row::key(namespace, &row)?;
                Ok(Listed::new(key, row::record(row, &*self.format)?))
            })
            .collect()
    }

    async fn revoke(
        &self,
        namespace: &Namespace,
        user: &UserId,
        keep: Option<&StoreKey>,
        now: Timestamp,
    ) -> StoreResult<u32> {
        // No session has an empty id.
        let kept = keep.filter(|keep| keep.namespace() == namespace).map(id).unwrap_or_default();
        let deleting = || {
            self.query(&self.statements.revoke)
                .bind(namespace.as_str())
                .bind(user.as_str())
                .bind(millis(now))
                .bind(kept.as_slice())
        };
        let deleted = if keep.is_some() {
            self.write(deleting).await?
        } else {
            let failed = |error| self.failed(error);
            let _turn = self.writer.lock().await;
            let mut transaction = self.begin().await?;
            let deleted = deleting().execute(&mut *transaction).await.map_err(failed)?;
            let moving = self.moving_epoch(namespace, user.as_str());
            moving.execute(&mut *transaction).await.map_err(failed)?;
            transaction.commit().await.map_err(failed)?;
            deleted.rows_affected()
        };
        Ok(deleted.try_into().unwrap_or(u32::MAX))
    }
}

impl Epoch for SqliteStore {
    async fn revoke_everybody(&self, namespace: &Namespace, _now: Timestamp) -> StoreResult<()> {
        self.write(|| self.moving_epoch(namespace, EVERYBODY)).await.map(drop)
    }
}

impl SqliteStore {
    fn moving_epoch(
        &self,
        namespace: &Namespace,
        user: &str,
    ) -> Query<'static, Sqlite, SqliteArguments> {
        self.query(&self.statements.move_epoch).bind(namespace.as_str()).bind(user)
    }
}
