//! A record as columns, and back.
//!
//! The column `record` has the whole record in its format. What conditions need stands in columns
//! of its own as well, and those win: a touch changes them alone.

use tenure_core::Timestamp;
use tenure_core::format::{DecodeError, RecordFormat};
use tenure_core::id::{Handle, Namespace, Proof, UserId};
use tenure_core::store::{
    Epochs, Former, KeyName, Pending, Proofs, Record, Revision, StoreError, StoreErrorKind,
    StoreKey, StoreResult,
};

use crate::call::Call;

/// A longer record never reaches the driver.
const MAX_LEN: usize = 4 << 20;
/// A longer name is not filed: indexes of servers take no more than a few thousand octets.
pub(crate) const MAX_NAME_LEN: usize = 1_024;
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
    Option<Vec<u8>>,
    i64,
    i64,
    Vec<u8>,
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

/// What a commit writes, apart from what the database itself makes: revision and epochs.
pub(crate) struct Written<'a> {
    record: &'a Record,
    octets: Vec<u8>,
}

impl<'a> Written<'a> {
    pub(crate) fn new(record: &'a Record, format: &dyn RecordFormat) -> StoreResult<Self> {
        let octets = format.encode(record)?.bytes;
        if octets.len() > MAX_LEN {
            return Err(StoreError::new(StoreErrorKind::TooLarge, DecodeError::TooLarge));
        }
        Ok(Self { record, octets })
    }

    pub(crate) fn user(&self) -> Option<&'a str> {
        self.record.user.as_ref().map(UserId::as_str)
    }

    /// Before this the record cannot expire.
    pub(crate) fn deadline(&self) -> i64 {
        millis(self.record.deadline())
    }

    pub(crate) fn bind<'c>(&'c self, call: Call<'c>) -> Call<'c> {
        let Self { record, octets: text } = self;
        let Proofs { present, pending, former, .. } = &record.proofs;
        let idle_timeout = Timestamp::default() + record.idle_timeout;
        call.octets(present.as_ref().map(octets))
            .octets(pending.as_ref().map(|pending| octets(&pending.proof)))
            .maybe_int(pending.map(|pending| millis(pending.since)))
            .octets(former.as_ref().map(|former| octets(&former.proof)))
            .maybe_int(former.map(|former| millis(former.until)))
            .int(millis(record.last_seen))
            .int(millis(idle_timeout))
            .int(millis(record.idle_deadline))
            .int(millis(record.absolute_deadline))
            .utf8(text)
    }
}

/// The record of a row.
pub(crate) fn record(row: Row, format: &dyn RecordFormat) -> StoreResult<Record> {
    let (_, number, present, pending, since, former, until, seen, idle, absolute, ..) = row;
    let (.., user, epoch, user_epoch, text) = row;
    let mut record = format.decode(&text)?;
    let columns = || {
        record.revision = Revision::number(natural(number)?);
        record.proofs.present = present.map(proof_of).transpose()?;
        record.proofs.pending =
            dated(pending, since)?.map(|(proof, since)| Pending { proof, since });
        record.proofs.former = dated(former, until)?.map(|(proof, until)| Former { proof, until });
        record.last_seen = time(seen)?;
        record.idle_deadline = time(idle)?;
        record.absolute_deadline = time(absolute)?;
        record.user = user.map(user_of).transpose()?;
        record.epochs = Epochs { everybody: natural(epoch)?, user: natural(user_epoch)? };
        Ok::<_, Broken>(record)
    };
    columns().map_err(|Broken| corrupt())
}

/// The key of a row, without a proof.
pub(crate) fn key(namespace: &Namespace, row: &Row) -> StoreResult<StoreKey> {
    key_of(namespace, &row.0).ok_or_else(corrupt)
}

/// The key, without a proof, of what is filed under these octets.
pub(crate) fn key_of(namespace: &Namespace, id: &[u8]) -> Option<StoreKey> {
    match id.split_first() {
        Some((&HANDLE, name)) => name
            .try_into()
            .ok()
            .map(|handle| StoreKey::new(namespace.clone(), Handle::from_bytes(handle))),
        Some((&FOREIGN, name)) => {
            str::from_utf8(name).ok().map(|id| StoreKey::foreign(namespace.clone(), id))
        }
        _ => None,
    }
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

fn user_of(id: Vec<u8>) -> Result<UserId, Broken> {
    let id = String::from_utf8(id).map_err(|_| Broken)?;
    UserId::new(id).map_err(|_| Broken)
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
