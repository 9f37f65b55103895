//! A record as a document, and back.
//!
//! The record is text within the document: CouchDB would change numbers. What Mango looks for
//! stands beside it.

use std::hash::{DefaultHasher, Hasher};
use std::time::Duration;

use serde::Deserialize;
use serde_json::{Map, Value};
use tenure_core::Timestamp;
use tenure_core::format::RecordFormat;
use tenure_core::store::{Record, Revision, StoreError, StoreErrorKind, StoreKey, StoreResult};

use crate::error::{corrupt, other};
use crate::name::owner;

/// The version of a document that is written, and the only one that is read.
const VERSION: u64 = 1;
/// A longer text is never sent. CouchDB's own limit for a document is 8 MiB, where nobody has
/// changed it.
const MAX_LEN: usize = 4 << 20;
/// Stands between the document's revision and the mark; no revision has it.
const MARK: char = ' ';

/// A document as the server gives it. Whatever is missing or of another type is found when the
/// record is read, so that it is told which field it is.
#[derive(Deserialize)]
pub(crate) struct Document {
    #[serde(rename = "_id")]
    pub(crate) id: String,
    #[serde(rename = "_rev")]
    pub(crate) rev: String,
    /// Other versions that replication brought, and that wait behind this one.
    #[serde(rename = "_conflicts", default)]
    pub(crate) conflicts: Vec<String>,
    /// Versions in which the session was deleted on another node: deleted it is.
    #[serde(rename = "_deleted_conflicts", default)]
    deleted_conflicts: Vec<String>,
    #[serde(flatten)]
    fields: Map<String, Value>,
}

/// What is written of a document, and the mark of its record.
pub(crate) struct Body {
    pub(crate) value: Value,
    mark: u64,
}

impl Body {
    pub(crate) fn new(
        key: &StoreKey,
        record: &Record,
        format: &dyn RecordFormat,
    ) -> StoreResult<Self> {
        let bytes = format.encode(record)?.bytes;
        if bytes.len() > MAX_LEN {
            return Err(StoreError::new(
                StoreErrorKind::TooLarge,
                format!(
                    "the session has {} octets, and {MAX_LEN} are the most; keep large values \
                     elsewhere and their ids in the session",
                    bytes.len()
                ),
            ));
        }
        let mark = mark(&bytes);
        let text = String::from_utf8(bytes).map_err(|_| no_text(format))?;
        let mut body = Map::new();
        body.insert("v".into(), VERSION.into());
        body.insert("exp".into(), record.deadline().as_millis().into());
        if let Some(user) = &record.user {
            body.insert("owner".into(), owner(key.namespace(), user).into());
        }
        body.insert("record".into(), text.into());
        Ok(Self { value: Value::Object(body), mark })
    }

    /// The revision of the record, now that the document has this one.
    pub(crate) fn revision(&self, rev: &str) -> Revision {
        revision(rev, self.mark)
    }
}

/// Refuses a format that writes no text, before the first session is lost to it.
pub(crate) fn check_format(format: &dyn RecordFormat) -> StoreResult<()> {
    let empty = Record::new(Timestamp::default(), Duration::ZERO, Duration::ZERO);
    let bytes = format.encode(&empty)?.bytes;
    String::from_utf8(bytes).map(drop).map_err(|_| no_text(format))
}

fn no_text(format: &dyn RecordFormat) -> StoreError {
    other(format!(
        "format: {format:?} writes octets that are no UTF-8 text, and CouchDB keeps text; leave it \
         out, or choose one that writes text"
    ))
}

/// The revision of a record: that of the document, and a mark of what stood in it.
fn revision(rev: &str, mark: u64) -> Revision {
    Revision::text(format!("{rev}{MARK}{mark:016x}"))
}

fn mark(bytes: &[u8]) -> u64 {
    let mut hasher = DefaultHasher::new();
    hasher.write(bytes);
    hasher.finish()
}

/// The document's revision in that of a record.
pub(crate) fn rev(revision: &Revision) -> Option<&str> {
    revision.as_text()?.split_once(MARK).map(|(rev, _)| rev)
}

/// Whether a record that a request brings is the one that was stored under its revision. If so, and
/// if that is still the newest, what it says of proofs and deadlines is the truth, and it need not
/// be read again.
pub(crate) fn is_as_stored(record: &Record, format: &dyn RecordFormat) -> bool {
    let Some(rev) = rev(&record.revision) else { return false };
    let encoded = format.encode(record);
    encoded.is_ok_and(|encoded| revision(rev, mark(&encoded.bytes)) == record.revision)
}

impl Document {
    /// Whether a replica has heard that the session was deleted.
    pub(crate) fn is_destroyed(&self) -> bool {
        !self.deleted_conflicts.is_empty()
    }

    /// The record in it.
    pub(crate) fn record(&self, format: &dyn RecordFormat) -> StoreResult<Record> {
        match self.fields.get("v").and_then(Value::as_u64) {
            Some(VERSION) => {}
            Some(version) => {
                return Err(StoreError::new(
                    StoreErrorKind::UnknownVersion,
                    format!(
                        "the session's document has version {version}, and this tenure-couchdb \
                         knows version {VERSION} alone; update it"
                    ),
                ));
            }
            None => return Err(corrupt("the field \"v\"")),
        }
        let text = self.fields.get("record").and_then(Value::as_str);
        let text = text.ok_or_else(|| corrupt("the field \"record\""))?;
        let mut record = format.decode(text.as_bytes())?;
        record.revision = revision(&self.rev, mark(text.as_bytes()));
        Ok(record)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The server that tests run on never names deleted versions; CouchDB does, when it is asked.
    #[test]
    fn a_version_that_was_deleted_elsewhere_destroys() {
        let read = |text: &str| serde_json::from_str::<Document>(text).unwrap();
        let alone = read(r#"{"_id":"a","_rev":"2-b","v":1}"#);
        assert!(!alone.is_destroyed() && alone.conflicts.is_empty());
        let beside = read(r#"{"_id":"a","_rev":"2-b","_deleted_conflicts":["3-c"],"v":1}"#);
        assert!(beside.is_destroyed());
        let live = read(r#"{"_id":"a","_rev":"2-b","_conflicts":["2-a"],"v":1}"#);
        assert!(!live.is_destroyed() && live.conflicts == ["2-a"]);
    }
}
