//! The database, and how it comes to be.

use std::cmp::Ordering;

use http::{Method, StatusCode};
use serde::Deserialize;
use serde_json::{Value, json};
use tenure_core::store::StoreResult;

use crate::client::CouchStore;
use crate::error::other;
use crate::name::SCHEMA;

/// The version of the database that this crate makes and uses.
const VERSION: u64 = 1;
/// The indexes of Mango: a session's user, and its deadline.
const INDEXES: [&str; 2] = ["owner", "exp"];

#[derive(Deserialize)]
struct Rows {
    rows: Vec<Row>,
}

#[derive(Deserialize)]
struct Row {
    id: String,
}

impl CouchStore {
    /// Makes the database if it is missing, with its indexes, and checks it if it is there.
    ///
    /// It may run at every start, and by several processes at once. It makes nothing but that one
    /// database, two indexes and one document with the version. An administrator may have to call
    /// it; afterwards a member of the database is enough.
    ///
    /// # Errors
    /// When a newer version of this crate made the database, when one of this name holds other
    /// documents, or when the user may not make it.
    pub async fn migrate(&self) -> StoreResult<()> {
        let http = &self.shared.http;
        let there = http.ask(Method::GET, "", None).await?;
        if there.status == StatusCode::NOT_FOUND {
            let made = http.ask(Method::PUT, "", None).await?;
            // 412: another process has made it meanwhile.
            if !made.status.is_success() && made.status != StatusCode::PRECONDITION_FAILED {
                return Err(made.failure());
            }
        } else {
            there.read::<Value>()?;
        }
        match self.version().await? {
            Some(version) => known(version)?,
            None => self.is_free().await?,
        }
        for field in INDEXES {
            let name = format!("tenure-by-{field}");
            let index = json!({
                "index": { "fields": [field] }, "ddoc": name, "name": name, "type": "json",
            });
            http.ask(Method::POST, "/_index", Some(&index)).await?.read::<Value>()?;
        }
        let schema = json!({ "version": VERSION });
        let filed = http.ask(Method::PUT, &format!("/{SCHEMA}"), Some(&schema)).await?;
        if filed.status != StatusCode::CONFLICT {
            filed.read::<Value>()?;
        }
        self.is_checked();
        Ok(())
    }

    /// Whether the database is one that this crate made and knows.
    pub(crate) async fn check(&self) -> StoreResult<()> {
        match self.version().await? {
            Some(version) => known(version),
            None => Err(other(format!(
                "the database {:?} is not prepared for sessions yet; call migrate()",
                self.shared.name
            ))),
        }
    }

    /// The version of the database, if this crate made it.
    async fn version(&self) -> StoreResult<Option<u64>> {
        let answer = self.shared.http.ask(Method::GET, &format!("/{SCHEMA}"), None).await?;
        if answer.is_missing()? {
            return Ok(None);
        }
        let schema: Value = answer.read()?;
        match schema.get("version").and_then(Value::as_u64) {
            Some(version) => Ok(Some(version)),
            None => Err(self.misshapen()),
        }
    }

    /// Whether the database holds no documents of somebody else: a sweep would delete some.
    async fn is_free(&self) -> StoreResult<()> {
        let first = "/_all_docs?limit=20";
        let rows: Rows = self.shared.http.ask(Method::GET, first, None).await?.read()?;
        let foreign = |row: &Row| !row.id.starts_with("_design/tenure-by-") && row.id != SCHEMA;
        if rows.rows.iter().any(foreign) && self.version().await?.is_none() {
            return Err(self.misshapen());
        }
        Ok(())
    }

    fn misshapen(&self) -> tenure_core::store::StoreError {
        other(format!(
            "the database {:?} is there but is not one that this version of tenure-couchdb made; \
             choose another name by the URL or CouchOptions::database, or remove it",
            self.shared.name
        ))
    }
}

fn known(version: u64) -> StoreResult<()> {
    let (differs, remedy) = match version.cmp(&VERSION) {
        Ordering::Equal => return Ok(()),
        Ordering::Greater => ("newer", "update tenure-couchdb"),
        Ordering::Less => ("older", "no version of tenure-couchdb made it: remove it"),
    };
    Err(other(format!(
        "the database of sessions has version {version}, which is {differs} than the {VERSION} \
         that this tenure-couchdb knows; {remedy}, or choose another name by \
         CouchOptions::database"
    )))
}
