//! A record as a document, and back.

use std::hash::{DefaultHasher, Hasher};
use std::time::Duration;

use mongodb::bson::spec::BinarySubtype;
use mongodb::bson::{Binary, Bson, DateTime, Document, doc};
use tenure_core::Timestamp;
use tenure_core::id::{CommitId, Proof, UserId};
use tenure_core::store::{
    Client, Former, Pending, Record, Revision, StoreError, StoreErrorKind, StoreResult,
};
use tenure_core::value::{Data, Json};

use crate::name::{field, hex, key_of, octets};

/// The version of a document that is written, and the only one that is read.
const VERSION: i32 = 1;
/// The data of a session must stay within it. MongoDB's own limit for a document is 16 MiB.
const MAX_LEN: usize = 4 << 20;
/// The last date that every client of MongoDB can read: the end of the year 9999.
const LAST_DATE: i64 = 253_402_300_799_999;

/// The document of a record under this `_id` and revision.
pub(crate) fn document(id: &str, revision: i64, record: &Record) -> Document {
    let mut document = doc! {
        "_id": id,
        "v": VERSION,
        "revision": revision,
        "created": millis(record.created),
        "last_seen": millis(record.last_seen),
        "renewed": millis(record.renewed),
        "idle_timeout": millis(Timestamp::default() + record.idle_timeout),
        "idle_deadline": millis(record.idle_deadline),
        "absolute_deadline": millis(record.absolute_deadline),
        "deadline": date(record.deadline()),
    };
    let mut add = |name: &str, value: Option<Bson>| {
        if let Some(value) = value {
            document.insert(name, value);
        }
    };
    add("proof", record.proofs.present.as_ref().map(proof));
    add("pending", record.proofs.pending.map(|it| dated(&it.proof, "since", it.since)));
    add("former", record.proofs.former.map(|it| dated(&it.proof, "until", it.until)));
    add("user", record.user.as_ref().map(|user| user.as_str().into()));
    add("authenticated", record.authenticated.map(|at| millis(at).into()));
    add("ip", record.client.ip.map(|ip| ip.to_string().into()));
    add("user_agent", record.client.user_agent.as_deref().map(Into::into));
    let commits = record.commits.iter().map(|(id, at)| (commit(*id), millis(*at).into()));
    add("commits", Some(Bson::Document(commits.collect())));
    let data = record.data.iter().map(|(key, value)| (field(key), value.into()));
    add("data", Some(Bson::Document(data.collect())));
    document
}

/// Whether a session with this data may be written.
pub(crate) fn fits(data: &Data) -> StoreResult<()> {
    if data.size() <= MAX_LEN {
        return Ok(());
    }
    Err(StoreError::new(
        StoreErrorKind::TooLarge,
        format!(
            "the session has {} octets of data, and {MAX_LEN} are the most; keep large values \
             elsewhere and their ids in the session",
            data.size()
        ),
    ))
}

/// The field of a commit's id.
pub(crate) fn commit(id: CommitId) -> String {
    hex(id.as_bytes())
}

/// A proof, as documents and conditions have it.
pub(crate) fn proof(proof: &Proof) -> Bson {
    let bytes = proof.as_bytes().to_vec();
    Bson::Binary(Binary { subtype: BinarySubtype::Generic, bytes })
}

fn dated(of: &Proof, name: &str, at: Timestamp) -> Bson {
    Bson::Document(doc! { "proof": proof(of), name: millis(at) })
}

/// A time, or a stretch of it.
pub(crate) fn millis(time: Timestamp) -> i64 {
    time.as_millis().try_into().unwrap_or(i64::MAX)
}

/// A time of the field `deadline`, which has the type that an expiring index needs.
pub(crate) fn date(time: Timestamp) -> DateTime {
    DateTime::from_millis(millis(time).min(LAST_DATE))
}

/// What [`date`] makes of the value of `time` on the server.
pub(crate) fn date_of(time: Document) -> Document {
    doc! { "$toDate": { "$min": [time, LAST_DATE] } }
}

/// A revision, as it is compared. No document has a negative one.
pub(crate) fn revision(revision: &Revision) -> i64 {
    revision.as_number().and_then(|number| number.try_into().ok()).unwrap_or(-1)
}

/// The revision that a new record begins with. The commits of a process follow each other, so their
/// ids are hashed: a write that was meant for an earlier session of the same foreign id must not
/// fit this one, however many writes that one had.
pub(crate) fn first_revision(record: &Record) -> i64 {
    let mut hasher = DefaultHasher::new();
    if let Some((id, _)) = record.commits.first() {
        hasher.write(id.as_bytes());
    }
    // Small enough to be counted up for ever.
    i64::try_from(hasher.finish() >> 2).unwrap_or_default()
}

/// The record of a document.
pub(crate) fn record(document: &Document) -> StoreResult<Record> {
    match document.get("v") {
        Some(Bson::Int32(VERSION)) => {}
        Some(version @ (Bson::Int32(_) | Bson::Int64(_) | Bson::Double(_))) => {
            return Err(StoreError::new(
                StoreErrorKind::UnknownVersion,
                format!(
                    "the session's document has version {version}, and this tenure-mongodb knows \
                     version {VERSION} alone; update it"
                ),
            ));
        }
        _ => return Err(corrupt("v")),
    }
    Fields(document).record().map_err(corrupt)
}

/// The name of a field that holds what this crate never writes is all that is said of it.
fn corrupt(field: &str) -> StoreError {
    StoreError::new(
        StoreErrorKind::Corrupt,
        format!("the field {field:?} of the session's document is broken"),
    )
}

struct Fields<'a>(&'a Document);

impl<'a> Fields<'a> {
    fn record(&self) -> Result<Record, &'static str> {
        let idle_timeout = Duration::from_millis(self.number("idle_timeout")?);
        let mut record = Record::new(self.time("created")?, idle_timeout, Duration::ZERO);
        record.revision = Revision::number(self.number("revision")?);
        record.last_seen = self.time("last_seen")?;
        record.renewed = self.time("renewed")?;
        record.idle_deadline = self.time("idle_deadline")?;
        record.absolute_deadline = self.time("absolute_deadline")?;
        record.proofs.present = self.maybe("proof", proof_of)?;
        record.proofs.pending = self.maybe("pending", |value| {
            let fields = Fields(value.as_document()?);
            let proof = proof_of(fields.0.get("proof")?)?;
            Some(Pending { proof, since: fields.time("since").ok()? })
        })?;
        record.proofs.former = self.maybe("former", |value| {
            let fields = Fields(value.as_document()?);
            let proof = proof_of(fields.0.get("proof")?)?;
            Some(Former { proof, until: fields.time("until").ok()? })
        })?;
        record.user = self.maybe("user", |value| UserId::new(value.as_str()?).ok())?;
        record.authenticated = self.maybe("authenticated", time_of)?;
        let ip = self.maybe("ip", |value| value.as_str()?.parse().ok())?;
        record.client = Client::new(ip, self.maybe("user_agent", Bson::as_str)?);
        record.commits = self
            .document("commits")?
            .iter()
            .map(|(id, at)| Some((CommitId::from_bytes(octets(id)?), time_of(at)?)))
            .collect::<Option<_>>()
            .ok_or("commits")?;
        let data: Vec<(String, &str)> = self
            .document("data")?
            .iter()
            .map(|(field, value)| {
                let text = value.as_str()?;
                Json::parse(text).ok()?;
                Some((key_of(field)?, text))
            })
            .collect::<Option<_>>()
            .ok_or("data")?;
        record.data = data.into_iter().collect();
        Ok(record)
    }

    fn number(&self, name: &'static str) -> Result<u64, &'static str> {
        self.0.get(name).and_then(number_of).ok_or(name)
    }

    fn time(&self, name: &'static str) -> Result<Timestamp, &'static str> {
        self.number(name).map(Timestamp::from_millis)
    }

    fn document(&self, name: &'static str) -> Result<&'a Document, &'static str> {
        self.0.get(name).and_then(Bson::as_document).ok_or(name)
    }

    /// A field that may be absent, but not broken.
    fn maybe<T>(
        &self,
        name: &'static str,
        read: impl FnOnce(&'a Bson) -> Option<T>,
    ) -> Result<Option<T>, &'static str> {
        self.0.get(name).map(|value| read(value).ok_or(name)).transpose()
    }
}

fn number_of(value: &Bson) -> Option<u64> {
    value.as_i64().and_then(|number| number.try_into().ok())
}

fn time_of(value: &Bson) -> Option<Timestamp> {
    number_of(value).map(Timestamp::from_millis)
}

fn proof_of(value: &Bson) -> Option<Proof> {
    match value {
        Bson::Binary(Binary { bytes, .. }) => {
            bytes.as_slice().try_into().ok().map(Proof::from_bytes)
        }
        _ => None,
    }
}
