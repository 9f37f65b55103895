//! The store itself, and how it talks to the server.

use std::fmt;
use std::hash::{BuildHasher, RandomState};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex as Lock, PoisonError};
use std::time::{Duration, Instant};

use http::{Method, StatusCode};
use serde::Deserialize;
use serde_json::{Value, json};
use tenure_core::store::{StoreError, StoreErrorKind, StoreResult};
use tokio::sync::{Mutex, MutexGuard};

use crate::document::Document;
use crate::error::corrupt;
use crate::http::Http;
use crate::options::CouchOptions;

/// Queues for writers; sessions share them by chance.
const QUEUES: usize = 256;
/// The longest pause before another attempt.
const MAX_PAUSE: u64 = 32;
/// Tombstones that wait for the next sweep; those beyond stay.
const MAX_TOMBSTONES: usize = 10_000;

/// Sessions in a CouchDB database, for as many processes as reach it.
///
/// Cheap to clone. It needs a tokio runtime with I/O and time. Reading a session is one request, a
/// new session is one, and so is a change of what the request has seen, unless somebody was faster;
/// then it is read and merged again.
///
/// The database is not made by connecting: call [`migrate`](Self::migrate).
///
/// ```no_run
/// use std::time::{Duration, SystemTime};
/// use tenure_core::store::{Created, Record, Store, StoreKey};
/// use tenure_core::{Handle, Namespace, Timestamp, id::Proof};
/// use tenure_couchdb::CouchStore;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let store = CouchStore::connect("couchdb://shop:secret@localhost/sessions").await?;
/// store.migrate().await?;
///
/// let now = Timestamp::from(SystemTime::now());
/// let proof = Proof::from_bytes([2; 32]);
/// let key = StoreKey::new(Namespace::new("shop")?, Handle::from_bytes([1; 12])).with_proof(proof);
/// let mut record = Record::new(now, Duration::from_secs(60), Duration::from_secs(3600));
/// record.proofs.present = Some(proof);
/// assert_eq!(store.create(&key, &record, now).await?, Created::Created);
/// assert!(store.load(&key, now).await?.is_some());
/// # Ok(())
/// # }
/// ```
///
/// # Deployment caveat
/// What a store promises holds for one server, or for a cluster that answers with a quorum. Between
/// databases that replicate to each other two requests may both change a session, and replication
/// keeps one of the changes; a logout on either side wins over all of them once it has arrived, if
/// tombstones are [kept](CouchOptions::keep_tombstones).
#[derive(Clone)]
pub struct CouchStore {
    pub(crate) shared: Arc<Shared>,
}

pub(crate) struct Shared {
    pub(crate) http: Http,
    pub(crate) name: String,
    pub(crate) options: CouchOptions,
    /// Whether the database was seen to be what this crate made.
    checked: AtomicBool,
    /// Whether the server is not known to have no `_purge`.
    pub(crate) purges: AtomicBool,
    /// What was deleted, and waits to be purged.
    tombstones: Lock<Vec<(String, String)>>,
    /// One is held where a writer of this process was in the way of another: waiting here is fair,
    /// and trying again is not.
    queues: [Mutex<()>; QUEUES],
    hasher: RandomState,
    attempts: AtomicU64,
}

/// The answer to a document that was written.
#[derive(Deserialize)]
struct Written {
    rev: String,
}

/// One line of the answer to `_bulk_docs`.
#[derive(Deserialize)]
pub(crate) struct Line {
    pub(crate) id: String,
    #[serde(default)]
    pub(crate) rev: Option<String>,
    #[serde(default)]
    error: Option<String>,
}

impl CouchStore {
    /// Connects to the server of a URL `couchdb://user:password@host:port/database`, or
    /// `couchdbs://` for TLS, with the default options. The ports are 5984 and 6984 if none is
    /// given.
    ///
    /// # Errors
    /// When the URL cannot be read or names no database, when no server answers, or when it does
    /// not accept the user.
    pub async fn connect(url: impl AsRef<str>) -> StoreResult<Self> {
        CouchOptions::new().connect(url).await
    }

    pub(crate) fn new(http: Http, name: String, options: CouchOptions) -> Self {
        let purges = AtomicBool::new(options.purge);
        Self {
            shared: Arc::new(Shared {
                http,
                name,
                options,
                checked: AtomicBool::default(),
                purges,
                tombstones: Lock::default(),
                queues: std::array::from_fn(|_| Mutex::default()),
                hasher: RandomState::new(),
                attempts: AtomicU64::default(),
            }),
        }
    }

    /// The requests to the database, once it is known that it is one of ours.
    pub(crate) async fn http(&self) -> StoreResult<&Http> {
        if !self.shared.checked.load(Ordering::Relaxed) {
            self.check().await?;
            self.is_checked();
        }
        Ok(&self.shared.http)
    }

    pub(crate) fn is_checked(&self) {
        self.shared.checked.store(true, Ordering::Relaxed);
    }

    /// The document, if it is there.
    pub(crate) async fn get(&self, id: &str, query: &str) -> StoreResult<Option<Document>> {
        let answer = self.http().await?.ask(Method::GET, &format!("/{id}{query}"), None).await?;
        if answer.is_missing()? {
            return Ok(None);
        }
        // An answer of CouchDB that is no session's document is a broken one.
        let value: Value = answer.read()?;
        serde_json::from_value(value).map(Some).map_err(|_| corrupt("the head"))
    }

    /// Writes the document in place of the one that has the revision `expected`, or where there is
    /// none; gives its revision, unless there is another one.
    pub(crate) async fn put(
        &self,
        id: &str,
        expected: Option<&str>,
        body: &Value,
    ) -> StoreResult<Option<String>> {
        // In the URL and never in a header, which not all servers heed.
        let path = match expected {
            Some(rev) => format!("/{id}?rev={}", revision(rev)?),
            None => format!("/{id}"),
        };
        let answer = self.http().await?.ask(Method::PUT, &path, Some(body)).await?;
        if answer.status == StatusCode::CONFLICT {
            return Ok(None);
        }
        answer.read::<Written>().map(|written| Some(written.rev))
    }

    /// Deletes a version of a document, and tells whether it was there.
    pub(crate) async fn remove(&self, id: &str, rev: &str) -> StoreResult<bool> {
        let path = format!("/{id}?rev={}", revision(rev)?);
        let answer = self.http().await?.ask(Method::DELETE, &path, None).await?;
        if answer.status == StatusCode::CONFLICT || answer.is_missing()? {
            return Ok(false);
        }
        let written: Written = answer.read()?;
        self.bury(id, written.rev);
        Ok(true)
    }

    /// Deletes these versions of documents, and gives the ids of those that were there.
    pub(crate) async fn remove_all(
        &self,
        documents: impl Iterator<Item = (String, String)>,
    ) -> StoreResult<Vec<String>> {
        let docs: Vec<Value> = documents
            .map(|(id, rev)| json!({ "_id": id, "_rev": rev, "_deleted": true }))
            .collect();
        if docs.is_empty() {
            return Ok(Vec::new());
        }
        let body = json!({ "docs": docs });
        let answer = self.http().await?.ask(Method::POST, "/_bulk_docs", Some(&body)).await?;
        let mut removed = Vec::with_capacity(docs.len());
        for line in answer.read::<Vec<Line>>()? {
            match (line.rev, line.error.as_deref()) {
                (Some(rev), None) => {
                    self.bury(&line.id, rev);
                    removed.push(line.id);
                }
                (_, Some("conflict" | "not_found")) => {}
                (_, error) => {
                    return Err(StoreError::new(
                        StoreErrorKind::Other,
                        format!(
                            "CouchDB does not delete a session: {}; check the database's \
                             validate_doc_update functions",
                            error.unwrap_or("no reason")
                        ),
                    ));
                }
            }
        }
        Ok(removed)
    }

    fn bury(&self, id: &str, rev: String) {
        if !self.shared.purges.load(Ordering::Relaxed) {
            return;
        }
        let mut tombstones = self.shared.tombstones.lock().unwrap_or_else(PoisonError::into_inner);
        if tombstones.len() < MAX_TOMBSTONES {
            tombstones.push((id.to_owned(), rev));
        }
    }

    /// Takes out what waits to be purged, at most `limit`.
    pub(crate) fn exhume(&self, limit: usize) -> Vec<(String, String)> {
        let mut tombstones = self.shared.tombstones.lock().unwrap_or_else(PoisonError::into_inner);
        let rest = tombstones.len().saturating_sub(limit);
        tombstones.split_off(rest)
    }

    /// The turn of a writer among those of this process that are in each other's way.
    pub(crate) async fn turn(&self, id: &str) -> MutexGuard<'_, ()> {
        #[expect(clippy::cast_possible_truncation, reason = "any part of a hash will do")]
        let at = self.shared.hasher.hash_one(id) as usize % QUEUES;
        self.shared.queues[at].lock().await
    }

    pub(crate) fn attempts(&self) -> Attempts<'_> {
        Attempts { store: self, begun: Instant::now(), pause: 1 }
    }

    /// Whether a server of CouchDB's protocol answers and accepts the user. That there is no
    /// database is for [`migrate`](Self::migrate) to see.
    pub(crate) async fn ping(&self) -> StoreResult<()> {
        let answer = self.shared.http.ask(Method::GET, "", None).await?;
        if answer.status == StatusCode::NOT_FOUND {
            // A page of a proxy is no answer.
            return match answer.failure() {
                error if error.to_string().contains("no CouchDB") => Err(error),
                _ => Ok(()),
            };
        }
        answer.read::<Value>().map(drop)
    }
}

/// The attempts at one change, which end with the time limit.
pub(crate) struct Attempts<'a> {
    store: &'a CouchStore,
    begun: Instant,
    pause: u64,
}

impl Attempts<'_> {
    /// Waits a little, by chance more or less, after somebody else was faster.
    pub(crate) async fn again(&mut self) -> StoreResult<()> {
        let Shared { options, attempts, hasher, .. } = &*self.store.shared;
        if self.begun.elapsed() >= options.operation_timeout {
            return Err(StoreError::new(
                StoreErrorKind::Unavailable,
                format!(
                    "others kept changing the session for {:?}; try again",
                    options.operation_timeout
                ),
            ));
        }
        let chance = hasher.hash_one(attempts.fetch_add(1, Ordering::Relaxed));
        tokio::time::sleep(Duration::from_millis(chance % self.pause)).await;
        self.pause = MAX_PAUSE.min(2 * self.pause);
        Ok(())
    }
}

/// A revision as a part of a URL, if it is one of CouchDB's.
fn revision(rev: &str) -> StoreResult<&str> {
    if !rev.is_empty() && rev.bytes().all(|octet| octet.is_ascii_alphanumeric() || octet == b'-') {
        return Ok(rev);
    }
    Err(corrupt("the revision"))
}

impl fmt::Debug for CouchStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CouchStore").field("database", &self.shared.name).finish_non_exhaustive()
    }
}
