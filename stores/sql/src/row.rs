//! A record as columns, and back.
//!
//! The column `record` has the whole record in its format. What conditions need stands in columns
//! of its own as well, and those win: a touch changes them alone.

use sqlx::query::Query;
use sqlx::{Database, Encode, Type};
use tenure_core::Timestamp;
use tenure_core::format::{DecodeError, RecordFormat};
use tenure_core::id::{CommitId, Handle, Namespace, Proof, UserId};
use tenure_core::store::{
    Epochs, Former, KeyName, Pending, Proofs, Record, Revision, StoreError, StoreErrorKind,
    StoreKey, StoreResult,
};

/// A longer text never reaches the driver.
const MAX_LEN: usize = 4 << 20;
const HANDLE: u8 = 0;
const FOREIGN: u8 = 1;

/// The columns of a session, in the order in which statements name them.
pub(crate) type Row = (
    Vec<u8>,
    i64,
    Option<Vec<u8>>,
    Option<Vec<u8>>,
    Option<i64>,
    Option<Vec<u8>>,
    Option<i64>,
    i64,
    i64,
    i64,
    Option<String>,
    i64,
    i64,
    String,
);

/// The octets that a session is filed under within its namespace. The first tells handles and
/// foreign ids apart.
pub(crate) fn id(key: &StoreKey) -> Vec<u8> {
    let name = key.name().as_bytes();
    let mut id = Vec::with_capacity(name.len() + 1);
    id.push(match key.name() {
        KeyName::Handle(_) => HANDLE,
        KeyName::Foreign(_) => FOREIGN,
    });
    id.extend_from_slice(name);
    id
}

/// The proof of a key, as it is bound.
pub(crate) fn proof(key: &StoreKey) -> Option<&[u8]> {
    key.proof().map(octets)
}

fn octets(proof: &Proof) -> &[u8] {
    proof.as_bytes()
}

/// A time or a stretch of it, as it is bound: integers up to [`Timestamp::MAX`] are exact
/// everywhere.
pub(crate) fn millis(time: Timestamp) -> i64 {
    time.as_millis().try_into().unwrap_or(i64::MAX)
}

/// A revision, as it is bound. No row has a negative one.
pub(crate) fn revision(revision: &Revision) -> i64 {
    revision.as_number().and_then(|number| number.try_into().ok()).unwrap_or(-1)
}

/// The revision that a new record begins with. It is random, so that a write which was meant for
/// an earlier session of the same foreign id does not fit this one.
pub(crate) fn first_revision(record: &Record) -> i64 {
    let id = record.commits.first().map_or([0; CommitId::LEN], |(id, _)| *id.as_bytes());
    i64::from(u32::from_be_bytes([id[0], id[1], id[2], id[3]]))
}

/// What a commit writes, apart from what the database itself makes: revision and epochs.
pub(crate) struct Written<'a> {
    record: &'a Record,
    text: String,
}

impl<'a> Written<'a> {
    pub(crate) fn new(record: &'a Record, format: &dyn RecordFormat) -> StoreResult<Self> {
        let bytes = format.encode(record)?.bytes;
        if bytes.len() > MAX_LEN {
            return Err(StoreError::new(StoreErrorKind::TooLarge, DecodeError::TooLarge));
        }
        let text = String::from_utf8(bytes).map_err(|_| {
            StoreError::new(
                StoreErrorKind::Other,
                "the record format writes octets that are no UTF-8 text; an SQL store keeps text",
            )
        })?;
        Ok(Self { record, text })
    }

    pub(crate) fn user(&self) -> Option<&'a str> {
        self.record.user.as_ref().map(UserId::as_str)
    }

    pub(crate) fn bind<'q, DB: Database>(
        &self,
        query: Query<'q, DB, DB::Arguments>,
    ) -> Query<'q, DB, DB::Arguments>
    where
        i64: Encode<'q, DB> + Type<DB>,
        Option<i64>: Encode<'q, DB> + Type<DB>,
        for<'t> Option<&'t [u8]>: Encode<'t, DB> + Type<DB>,
        for<'t> &'t str: Encode<'t, DB> + Type<DB>,
    {
        let Self { record, text } = self;
        let Proofs { present, pending, former, .. } = &record.proofs;
        let idle_timeout = Timestamp::default() + record.idle_timeout;
        query
            .bind(present.as_ref().map(octets))
            .bind(pending.as_ref().map(|pending| octets(&pending.proof)))
            .bind(pending.map(|pending| millis(pending.since)))
            .bind(former.as_ref().map(|former| octets(&former.proof)))
            .bind(former.map(|former| millis(former.until)))
            .bind(millis(record.last_seen))
            .bind(millis(idle_timeout))
            .bind(millis(record.idle_deadline))
            .bind(millis(record.absolute_deadline))
            .bind(text.as_str())
    }
}

/// The record of a row.
pub(crate) fn record(row: Row, format: &dyn RecordFormat) -> StoreResult<Record> {
    let (_, number, present, pending, since, former, until, seen, idle, absolute, ..) = row;
    let (.., user, epoch, user_epoch, text) = row;
    let mut record = format.decode(text.as_bytes())?;
    let columns = || {
        record.revision = Revision::number(natural(number)?);
        record.proofs.present = present.map(proof_of).transpose()?;
        record.proofs.pending =
            dated(pending, since)?.map(|(proof, since)| Pending { proof, since });
        record.proofs.former = dated(former, until)?.map(|(proof, until)| Former { proof, until });
        record.last_seen = time(seen)?;
        record.idle_deadline = time(idle)?;
        record.absolute_deadline = time(absolute)?;
        record.user = user.map(|user| UserId::new(user).map_err(|_| Broken)).transpose()?;
        record.epochs = Epochs { everybody: natural(epoch)?, user: natural(user_epoch)? };
        Ok::<_, Broken>(record)
    };
    columns().map_err(|Broken| corrupt())
}

/// The key of a row, without a proof.
pub(crate) fn key(namespace: &Namespace, row: &Row) -> StoreResult<StoreKey> {
    match row.0.split_first() {
        Some((&HANDLE, name)) => name
            .try_into()
            .ok()
            .map(|handle| StoreKey::new(namespace.clone(), Handle::from_bytes(handle))),
        Some((&FOREIGN, name)) => {
            str::from_utf8(name).ok().map(|id| StoreKey::foreign(namespace.clone(), id))
        }
        _ => None,
    }
    .ok_or_else(corrupt)
}

/// A column holds what this crate never writes.
struct Broken;

fn corrupt() -> StoreError {
    StoreError::new(StoreErrorKind::Corrupt, "a column of the session's row is broken")
}

fn natural(number: i64) -> Result<u64, Broken> {
    number.try_into().map_err(|_| Broken)
}

fn time(millis: i64) -> Result<Timestamp, Broken> {
    natural(millis).map(Timestamp::from_millis)
}

fn proof_of(proof: Vec<u8>) -> Result<Proof, Broken> {
    proof.try_into().map(Proof::from_bytes).map_err(|_| Broken)
}

fn dated(proof: Option<Vec<u8>>, at: Option<i64>) -> Result<Option<(Proof, Timestamp)>, Broken> {
    match (proof, at) {
        (Some(proof), Some(at)) => Ok(Some((proof_of(proof)?, time(at)?))),
        (None, None) => Ok(None),
        _ => Err(Broken),
    }
}
