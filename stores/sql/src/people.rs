//! The sessions of a user, and the epochs.

use tenure_core::store::{Listed, StoreKey, StoreResult};
use tenure_core::{Namespace, Timestamp, UserId};

use crate::row;
use crate::sessions::{Driver, Sessions};
use crate::statements::EVERYBODY;

impl<D: Driver> Sessions<D> {
    pub(crate) async fn list(
        &self,
        namespace: &Namespace,
        user: &UserId,
        now: Timestamp,
    ) -> StoreResult<Vec<Listed>> {
        let rows = self.driver.rows(&self.shared.listing(namespace, user, now)).await?;
        rows.into_iter()
            .map(|row| {
                let key = row::key(namespace, &row)?;
                Ok(Listed::new(key, row::record(row, &*self.shared.format)?))
            })
            .collect()
    }

    pub(crate) async fn revoke(
        &self,
        namespace: &Namespace,
        user: &UserId,
        keep: Option<&StoreKey>,
        now: Timestamp,
    ) -> StoreResult<u32> {
        let deleting = self.shared.revoking(namespace, user, keep, now);
        let deleted = if keep.is_some() {
            self.driver.execute(&deleting).await?
        } else {
            let moving = self.shared.moving_epoch(namespace, user.as_str());
            self.driver.both(&deleting, &moving).await?
        };
        Ok(deleted.try_into().unwrap_or(u32::MAX))
    }

    pub(crate) async fn revoke_everybody(&self, namespace: &Namespace) -> StoreResult<()> {
        self.driver.execute(&self.shared.moving_epoch(namespace, EVERYBODY)).await.map(drop)
    }
}
