//! The sessions of a user, and of everybody.
//!
//! Both are found in the documents themselves, by an index that the server changes together with
//! them, and revoking deletes them: so no epoch has to be looked up to read a session.

use mongodb::bson::{Document, doc};
use tenure_core::store::{
    Epoch, Listed, StoreError, StoreErrorKind, StoreKey, StoreResult, UserIndex,
};
use tenure_core::{Namespace, Timestamp, UserId};

use crate::client::MongoStore;
use crate::document::{date, record};
use crate::error::failed;
use crate::name::{all, id, key};

impl UserIndex for MongoStore {
    async fn list(
        &self,
        namespace: &Namespace,
        user: &UserId,
        now: Timestamp,
    ) -> StoreResult<Vec<Listed>> {
        let finding = self.sessions().await?.find(of(namespace, user, now));
        let mut found = self.ask(finding).await?;
        let mut listed = Vec::new();
        while self.ask(found.advance()).await? {
            let found: Document = found.deserialize_current().map_err(failed)?;
            let key =
                found.get_str("_id").ok().and_then(|id| key(namespace, id)).ok_or_else(|| {
                    StoreError::new(
                        StoreErrorKind::Corrupt,
                        "the _id of a session's document is broken",
                    )
                })?;
            listed.push(Listed::new(key, record(&found)?));
        }
        Ok(listed)
    }

    async fn revoke(
        &self,
        namespace: &Namespace,
        user: &UserId,
        keep: Option<&StoreKey>,
        now: Timestamp,
    ) -> StoreResult<u32> {
        let mut theirs = of(namespace, user, now);
        if let Some(keep) = keep
            && let Ok(ids) = theirs.get_document_mut("_id")
        {
            ids.insert("$ne", id(keep));
        }
        let deleted = self.ask(self.sessions().await?.delete_many(theirs)).await?.deleted_count;
        Ok(deleted.try_into().unwrap_or(u32::MAX))
    }
}

impl Epoch for MongoStore {
    async fn revoke_everybody(&self, namespace: &Namespace, _now: Timestamp) -> StoreResult<()> {
        let deleting = self.sessions().await?.delete_many(doc! { "_id": all(namespace) });
        self.ask(deleting).await.map(drop)
    }
}

/// The live sessions of a user.
fn of(namespace: &Namespace, user: &UserId, now: Timestamp) -> Document {
    doc! { "user": user.as_str(), "_id": all(namespace), "deadline": { "$gt": date(now) } }
}
