//! A record as the fields of a hash, and back.
//!
//! A key of the session is a field of this name with `=` before it, which no other field begins
//! with. The others, in octets where nothing else is said, numbers with the highest octet first:
//!
//! | field | what it holds |
//! | --- | --- |
//! | `t` | the version 1 in one octet; created, last seen, renewed, idle timeout, idle deadline and absolute deadline in 8 each; the revision in 8 |
//! | `p` | the present proof in 32 |
//! | `n` | the pending proof in 32, and since when |
//! | `f` | the former proof in 32, and until when |
//! | `k` | the recent commits: id in 16, and when |
//! | `e` | the epochs that the record has seen: everybody's and the user's |
//! | `u`, `a` | the user as text, and when they last proved who they are |
//! | `i`, `b` | the client's address and user agent as text |

use std::time::Duration;

use redis::Value;
use tenure_core::Timestamp;
use tenure_core::id::{CommitId, Proof, UserId};
use tenure_core::store::{
    Client, Epochs, Former, Pending, Record, Revision, StoreError, StoreErrorKind, StoreResult,
};
use tenure_core::value::{Data, Json};

use crate::error::{corrupt, unexpected};
use crate::packed;

/// What is longer never reaches the server.
pub(crate) const MAX_LEN: usize = 4 << 20;
/// Stands before the name of a key.
pub(crate) const DATA: u8 = b'=';
const VERSION: u8 = 1;
const TIMES_LEN: usize = 57;

/// The fields of a record but its epochs, which the server stamps, as names and values in turn.
pub(crate) fn fields(record: &Record, revision: u64) -> StoreResult<Vec<Vec<u8>>> {
    let mut fields = Vec::with_capacity(8 + 2 * record.data.len());
    let mut put = |name: &[u8], value: Vec<u8>| {
        fields.push(name.to_vec());
        fields.push(value);
    };
    let mut times = vec![VERSION];
    for time in [
        record.created,
        record.last_seen,
        record.renewed,
        Timestamp::default() + record.idle_timeout,
        record.idle_deadline,
        record.absolute_deadline,
    ] {
        times.extend_from_slice(&time.as_millis().to_be_bytes());
    }
    times.extend_from_slice(&revision.to_be_bytes());
    put(b"t", times);
    if let Some(proof) = &record.proofs.present {
        put(b"p", proof.as_bytes().to_vec());
    }
    if let Some(Pending { proof, since }) = &record.proofs.pending {
        put(b"n", dated(proof.as_bytes(), *since));
    }
    if let Some(Former { proof, until }) = &record.proofs.former {
        put(b"f", dated(proof.as_bytes(), *until));
    }
    if !record.commits.is_empty() {
        let commits = record.commits.iter().flat_map(|(id, at)| dated(id.as_bytes(), *at));
        put(b"k", commits.collect());
    }
    if let Some(user) = &record.user {
        put(b"u", user.as_str().into());
    }
    if let Some(at) = record.authenticated {
        put(b"a", at.as_millis().to_be_bytes().into());
    }
    if let Some(ip) = record.client.ip {
        put(b"i", ip.to_string().into());
    }
    if let Some(user_agent) = &record.client.user_agent {
        put(b"b", user_agent.as_bytes().into());
    }
    for (key, value) in record.data.iter() {
        put(&[&[DATA], key.as_bytes()].concat(), value.into());
    }
    fits(fields.iter().map(Vec::len).sum())?;
    Ok(fields)
}

/// Whether this many octets may be sent.
pub(crate) fn fits(octets: usize) -> StoreResult<()> {
    if octets <= MAX_LEN {
        return Ok(());
    }
    Err(too_large())
}

pub(crate) fn too_large() -> StoreError {
    StoreError::new(
        StoreErrorKind::TooLarge,
        format!("a session is at most {MAX_LEN} octets; keep large values elsewhere"),
    )
}

fn dated(octets: &[u8], at: Timestamp) -> Vec<u8> {
    [octets, &at.as_millis().to_be_bytes()].concat()
}

/// The record of a hash as scripts pack it; none if it has no fields.
pub(crate) fn record(hash: &Value) -> StoreResult<Option<Record>> {
    match hash {
        Value::Nil => Ok(None),
        Value::BulkString(packed) => {
            let list = packed::list(packed).ok_or_else(unexpected)?;
            read(&list).map(Some)
        }
        _ => Err(unexpected()),
    }
}

pub(crate) fn octets(value: Value) -> StoreResult<Vec<u8>> {
    match value {
        Value::BulkString(octets) => Ok(octets),
        Value::SimpleString(text) => Ok(text.into_bytes()),
        Value::Int(number) => Ok(number.to_string().into_bytes()),
        Value::Okay => Ok(b"OK".to_vec()),
        _ => Err(unexpected()),
    }
}

/// The record of fields and values in turn.
fn read(list: &[&[u8]]) -> StoreResult<Record> {
    let mut record = Record::new(Timestamp::default(), Duration::ZERO, Duration::ZERO);
    let mut has_times = false;
    let (mut ip, mut user_agent) = (None, None);
    let mut data = Vec::with_capacity(list.len() / 2);
    for field in list.chunks_exact(2) {
        let (name, value) = (field[0], field[1]);
        let broken =
            || corrupt(&format!("its field {:?} is broken", name.escape_ascii().to_string()));
        let read = || -> Option<()> {
            match name {
                b"t" => has_times = times(&mut record, value)?,
                b"p" => record.proofs.present = Some(proof(value)?),
                b"n" => {
                    let (proof, since) = undated(value)?;
                    record.proofs.pending =
                        Some(Pending { proof: Proof::from_bytes(proof), since });
                }
                b"f" => {
                    let (proof, until) = undated(value)?;
                    record.proofs.former = Some(Former { proof: Proof::from_bytes(proof), until });
                }
                b"k" => {
                    record.commits.reserve(value.len() / (CommitId::LEN + 8));
                    for commit in value.chunks(CommitId::LEN + 8) {
                        let (id, at) = undated(commit)?;
                        record.commits.push((CommitId::from_bytes(id), at));
                    }
                }
                b"e" => {
                    let (everybody, user) = value.split_at_checked(8)?;
                    record.epochs = Epochs { everybody: number(everybody)?, user: number(user)? };
                }
                b"u" => record.user = Some(UserId::new(text(value)?).ok()?),
                b"a" => record.authenticated = Some(Timestamp::from_millis(number(value)?)),
                b"i" => ip = Some(text(value)?.parse().ok()?),
                b"b" => user_agent = Some(text(value)?),
                [DATA, key @ ..] => {
                    let value = text(value)?;
                    Json::parse(value).ok()?;
                    data.push((text(key)?, value));
                }
                _ => return None,
            }
            Some(())
        };
        if name == b"t" && value.first().is_some_and(|version| *version != VERSION) {
            return Err(unknown_version());
        }
        let mut read = read;
        read().ok_or_else(broken)?;
    }
    if !has_times {
        return Err(corrupt("its field \"t\" is missing"));
    }
    record.client = Client::new(ip, user_agent);
    record.data = data.into_iter().collect::<Data>();
    Ok(record)
}

pub(crate) fn unknown_version() -> StoreError {
    StoreError::new(
        StoreErrorKind::UnknownVersion,
        "the session was written by another version of tenure-redis; run the same version \
         everywhere",
    )
}

fn times(record: &mut Record, value: &[u8]) -> Option<bool> {
    if value.len() != TIMES_LEN {
        return None;
    }
    let at = |place: usize| number(value.get(1 + 8 * place..9 + 8 * place)?);
    let time = |place: usize| at(place).map(Timestamp::from_millis);
    record.created = time(0)?;
    record.last_seen = time(1)?;
    record.renewed = time(2)?;
    record.idle_timeout = Duration::from_millis(at(3)?);
    record.idle_deadline = time(4)?;
    record.absolute_deadline = time(5)?;
    record.revision = Revision::number(at(6)?);
    Some(true)
}

pub(crate) fn number(octets: &[u8]) -> Option<u64> {
    octets.try_into().ok().map(u64::from_be_bytes)
}

fn text(octets: &[u8]) -> Option<&str> {
    str::from_utf8(octets).ok()
}

fn proof(octets: &[u8]) -> Option<Proof> {
    octets.try_into().ok().map(Proof::from_bytes)
}

fn undated<const N: usize>(octets: &[u8]) -> Option<([u8; N], Timestamp)> {
    let (octets, at) = octets.split_at_checked(N)?;
    Some((octets.try_into().ok()?, Timestamp::from_millis(number(at)?)))
}
