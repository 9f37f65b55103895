//! The collection, and how it comes to be.

use std::cmp::Ordering;
use std::time::Duration;

use mongodb::IndexModel;
use mongodb::bson::{Bson, Document, doc};
use mongodb::options::IndexOptions;
use mongodb::results::CollectionType;
use tenure_core::store::{StoreError, StoreErrorKind, StoreResult};

use crate::client::MongoStore;
use crate::error::{DUPLICATE_KEY, NAMESPACE_EXISTS, OTHER_SHAPE, code, failed};
use crate::name::SCHEMA;

/// The version of the collection that this crate makes and uses.
const VERSION: i64 = 1;
/// The server's own expiry comes this much later than the sessions': their clocks may differ.
const SLACK: Duration = Duration::from_secs(60 * 60);

impl MongoStore {
    /// Makes the collection if it is missing, with its indexes, and checks it if it is there.
    ///
    /// It may run at every start, and by several processes at once. It makes nothing but that one
    /// collection. Two indexes belong to it: by user, and by deadline, by which the server deletes
    /// what has expired an hour ago, in case nothing else does.
    ///
    /// # Errors
    /// When a newer version of this crate made the collection, when one of this name has another
    /// shape, or when the user may not make it.
    pub async fn migrate(&self) -> StoreResult<()> {
        if !self.is_there().await? {
            self.make().await?;
            // Another process may have made it meanwhile, and in another shape.
            self.is_there().await?;
        }
        match self.version().await? {
            Some(version) => known(version)?,
            None => self.is_free().await?,
        }
        self.ask(self.sessions.create_indexes(indexes())).await?;
        let schema = doc! { "_id": SCHEMA, "version": VERSION };
        match self.asked(self.sessions.insert_one(schema)).await? {
            Err(error) if code(&error) != Some(DUPLICATE_KEY) => return Err(failed(error)),
            _ => {}
        }
        self.is_checked();
        Ok(())
    }

    /// Whether the collection is one that this crate made and knows.
    pub(crate) async fn check(&self) -> StoreResult<()> {
        match self.version().await? {
            Some(version) => known(version),
            None => Err(StoreError::new(
                StoreErrorKind::Other,
                format!(
                    "the collection {:?} of sessions is not there yet; call migrate()",
                    self.sessions.name()
                ),
            )),
        }
    }

    /// Whether there is a collection, in which names are told apart octet by octet and nothing is
    /// pushed out.
    async fn is_there(&self) -> StoreResult<bool> {
        let named = self.database.list_collections().filter(doc! { "name": self.sessions.name() });
        let mut found = self.ask(named).await?;
        if !self.ask(found.advance()).await? {
            return Ok(false);
        }
        let found = found.deserialize_current().map_err(failed)?;
        let folds = found.options.collation.is_some_and(|collation| collation.locale != "simple");
        let capped = found.options.capped == Some(true);
        if folds || capped || !matches!(found.collection_type, CollectionType::Collection) {
            return Err(self.misshapen());
        }
        Ok(true)
    }

    async fn make(&self) -> StoreResult<()> {
        match self.asked(self.database.create_collection(self.sessions.name())).await? {
            Err(error) if code(&error) != Some(NAMESPACE_EXISTS) => Err(failed(error)),
            _ => Ok(()),
        }
    }

    /// The version of the collection, if this crate made it.
    async fn version(&self) -> StoreResult<Option<i64>> {
        let schema = self.ask(self.sessions.find_one(doc! { "_id": SCHEMA })).await?;
        let Some(schema) = schema else { return Ok(None) };
        match schema.get("version") {
            Some(Bson::Int64(version)) => Ok(Some(*version)),
            Some(Bson::Int32(version)) => Ok(Some((*version).into())),
            _ => Err(self.misshapen()),
        }
    }

    /// Whether the collection holds nothing that somebody else put there.
    async fn is_free(&self) -> StoreResult<()> {
        let foreign = self.sessions.find_one(doc! { "_id": { "$ne": SCHEMA } });
        match self.ask(foreign).await? {
            None => Ok(()),
            // Another process may have just finished.
            Some(_) if self.version().await?.is_some() => Ok(()),
            Some(_) => Err(self.misshapen()),
        }
    }

    fn misshapen(&self) -> StoreError {
        let name = self.sessions.name();
        StoreError::new(StoreErrorKind::Other, format!("collection {name:?}: {OTHER_SHAPE}"))
    }
}

fn known(version: i64) -> StoreResult<()> {
    let (differs, remedy) = match version.cmp(&VERSION) {
        Ordering::Equal => return Ok(()),
        Ordering::Greater => ("newer", "update tenure-mongodb"),
        Ordering::Less => ("older", "no version of tenure-mongodb made it: remove it"),
    };
    Err(StoreError::new(
        StoreErrorKind::Other,
        format!(
            "the collection of sessions has version {version}, which is {differs} than the \
             {VERSION} that this tenure-mongodb knows; {remedy}, or choose another name by \
             MongoOptions::collection"
        ),
    ))
}

fn indexes() -> [IndexModel; 2] {
    let index = |keys: Document, options: IndexOptions| {
        IndexModel::builder().keys(keys).options(options).build()
    };
    let by_deadline =
        IndexOptions::builder().name("tenure_by_deadline".to_owned()).expire_after(SLACK).build();
    let by_user = IndexOptions::builder()
        .name("tenure_by_user".to_owned())
        .partial_filter_expression(doc! { "user": { "$exists": true } })
        .build();
    [index(doc! { "deadline": 1 }, by_deadline), index(doc! { "user": 1, "_id": 1 }, by_user)]
}
