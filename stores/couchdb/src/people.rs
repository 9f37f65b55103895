//! The sessions of a user, and of everybody.
//!
//! Revoking deletes them, so no epoch has to be looked up to read a session.

use std::collections::HashSet;

use http::Method;
use serde::Deserialize;
use serde_json::{Value, json};
use tenure_core::store::{Epoch, Listed, StoreKey, StoreResult, UserIndex};
use tenure_core::{Namespace, Timestamp, UserId};

use crate::client::CouchStore;
use crate::document::Document;
use crate::error::corrupt;
use crate::name::{end, id, key, owner, prefix};
use crate::store::Hit;

/// More sessions than a user has. Mango gives 25 if it is not told how many.
const MANY: u32 = 100_000;
/// Sessions that one request deletes.
const BATCH: usize = 500;

#[derive(Deserialize)]
struct Documents {
    docs: Vec<Value>,
}

#[derive(Deserialize)]
struct Rows {
    rows: Vec<Row>,
}

#[derive(Deserialize)]
struct Row {
    id: String,
    value: Version,
}

#[derive(Deserialize)]
struct Version {
    rev: String,
}

impl UserIndex for CouchStore {
    async fn list(
        &self,
        namespace: &Namespace,
        user: &UserId,
        now: Timestamp,
    ) -> StoreResult<Vec<Listed>> {
        let query = json!({ "selector": { "owner": owner(namespace, user) }, "limit": MANY });
        let answer = self.http().await?.ask(Method::POST, "/_find", Some(&query)).await?;
        let mut listed = Vec::new();
        for found in answer.read::<Documents>()?.docs {
            let found: Document = serde_json::from_value(found).map_err(|_| corrupt("the head"))?;
            let Some(record) = self.alive(&found, now)? else { continue };
            if record.user.as_ref() != Some(user) {
                continue;
            }
            let key = key(namespace, &found.id).ok_or_else(|| corrupt("the _id"))?;
            listed.push(Listed::new(key, record));
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
        let keep = keep.map(id).transpose()?;
        let selector = json!({ "owner": owner(namespace, user) });
        let theirs = |hit: &Hit| {
            Some(&hit.id) != keep.as_ref()
                && hit.exp.as_u64().is_some_and(|exp| exp > now.as_millis())
        };
        let mut revoked = HashSet::new();
        let mut attempts = self.attempts();
        // Until the index names none: some were changed meanwhile, and have another revision.
        loop {
            let found = self.query(selector.clone(), &["_id", "_rev", "exp"], MANY).await?;
            let found: Vec<_> = found.docs.into_iter().filter(theirs).collect();
            if found.is_empty() {
                return Ok(revoked.len().try_into().unwrap_or(u32::MAX));
            }
            for batch in found.chunks(BATCH) {
                let batch = batch.iter().map(|hit| (hit.id.clone(), hit.rev.clone()));
                let removed = self.remove_all(batch).await?;
                if !removed.is_empty() {
                    attempts = self.attempts();
                }
                revoked.extend(removed);
            }
            attempts.again().await?;
        }
    }
}

impl Epoch for CouchStore {
    async fn revoke_everybody(&self, namespace: &Namespace, _now: Timestamp) -> StoreResult<()> {
        let path = format!(
            "/_all_docs?startkey=%22{}%22&endkey=%22{}%22&limit={BATCH}",
            prefix(namespace),
            end(namespace)
        );
        loop {
            let rows: Rows = self.http().await?.ask(Method::GET, &path, None).await?.read()?;
            let theirs: Vec<_> = rows
                .rows
                .into_iter()
                .filter(|row| row.id.starts_with(&prefix(namespace)))
                .map(|row| (row.id, row.value.rev))
                .collect();
            if theirs.is_empty() {
                return Ok(());
            }
            self.remove_all(theirs.into_iter()).await?;
        }
    }
}
