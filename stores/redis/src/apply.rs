//! A patch as the arguments of a script, and what the script answers.

use std::iter;

use redis::Value;
use tenure_core::Timestamp;
use tenure_core::id::CommitId;
use tenure_core::store::{Patch, ProofChange, Record, Step, Steps, StoreError, StoreResult};
use tenure_core::value::{Json, Number};

use crate::error::{corrupt, other, unexpected};
use crate::hash::{self, DATA, fits, octets, too_large};
use crate::pipe::Call;

/// What has at most 18 digits is added by the server, where nothing of that size can overflow.
const COUNTABLE: u64 = 999_999_999_999_999_999;

/// The answer of the script.
pub(crate) enum Answer {
    Gone,
    /// It took effect.
    Done {
        /// Under whom the session is to be listed, and until when.
        listed: Option<(String, Timestamp)>,
        /// Under whom it is to be listed no longer.
        unlisted: Option<String>,
        /// The record, if it was asked for.
        record: Option<Box<Record>>,
    },
    /// It had taken effect before.
    Already(Box<Record>),
    /// A step does not fit the value that it meets: the newest record, of whose keys only those of
    /// the patch are there.
    Stale(Box<Record>),
    /// It shared a command with another, after which the script did not come to it.
    NotYet,
}

/// Adds what a patch is, and what it does to the session's times, user and proofs.
pub(crate) fn add_patch(
    call: &mut Call,
    patch: &Patch,
    revision: u64,
    now: Timestamp,
) -> StoreResult<()> {
    let mut head = [0; CommitId::LEN + 16];
    let (commit, times) = head.split_at_mut(CommitId::LEN);
    commit.copy_from_slice(patch.id().as_bytes());
    times[..8].copy_from_slice(&revision.to_be_bytes());
    times[8..].copy_from_slice(&patch.until().map_or(0, Timestamp::as_millis).to_be_bytes());
    let settled = patch.settled().iter().map(|id| &id.as_bytes()[..]);
    call.push_parts(iter::once(&head[..]).chain(settled));

    let lifetimes = [
        patch.idle_timeout().map(|timeout| Timestamp::default() + timeout),
        patch.absolute_deadline(),
    ];
    let (proof, user) = (patch.proof(), patch.user());
    if lifetimes == [None; 2] && proof.is_none() && user.is_none() {
        return Ok(());
    }
    call.stay_alone();
    call.push("+");
    call.push(if matches!(proof, Some(ProofChange::Prepare(_))) { "1" } else { "" });
    let text = |time: Timestamp| time.as_millis().to_string();
    call.push(match lifetimes {
        [None, None] => String::new(),
        times => times.map(|time| time.map_or_else(String::new, text)).join(" "),
    });
    call.push(match proof {
        None => Vec::new(),
        Some(ProofChange::Replace(proof)) => [b"r", &proof.as_bytes()[..]].concat(),
        Some(ProofChange::Prepare(proof)) => [b"p", &proof.as_bytes()[..]].concat(),
        Some(ProofChange::Confirm(proof)) => [b"c", &proof.as_bytes()[..]].concat(),
        Some(_) => return Err(unknown()),
    });
    let (user, authenticated) = match user {
        None => (String::new(), now),
        Some((None, at)) => ("-".to_owned(), at),
        Some((Some(user), at)) => (format!("+{user}"), at),
    };
    call.push(user);
    call.push_number(authenticated.as_millis());
    Ok(())
}

/// Adds the steps. False if one of them does not fit what was `seen`, about which only the newest
/// record decides.
pub(crate) fn add_steps(call: &mut Call, steps: &Steps, seen: &Record) -> StoreResult<bool> {
    if steps.clears() {
        call.stay_alone();
        call.push("clear");
        call.push(steps.kept().count().to_string());
        steps.kept().for_each(|key| call.push_parts([&[DATA], key.as_bytes()]));
    }
    for (key, step) in steps.iter() {
        let mut begin = |operation: &str| {
            call.push(operation);
            call.push_parts([&[DATA], key.as_bytes()]);
        };
        match step {
            Step::Set(value) => {
                begin("set");
                call.push(value.as_str());
            }
            Step::Remove => begin("remove"),
            Step::Add(Number::Int(by))
                if is_countable(*by) && seen.data.get(key).is_none_or(is_countable_text) =>
            {
                begin("add");
                call.push_integer(*by);
            }
            Step::Add(by) => {
                let saw = seen.data.get(key);
                let Some(sum) = sum(saw, *by) else { return Ok(false) };
                begin("replace");
                call.push(saw.unwrap_or_default());
                call.push(sum.as_str());
            }
            Step::Push(items) => {
                begin("push");
                let items: Vec<_> = items.iter().map(Json::as_str).collect();
                call.push(items.join(","));
            }
            Step::Replace { saw, with } => {
                begin("replace");
                call.push(saw.as_ref().map_or("", Json::as_str));
                call.push(with.as_ref().map_or("", Json::as_str));
            }
            _ => return Err(unknown()),
        }
    }
    fits(call.size)?;
    Ok(true)
}

fn is_countable(number: i64) -> bool {
    number.unsigned_abs() <= COUNTABLE
}

/// Whether the server can add to a value: a whole number, written as the server would write it.
fn is_countable_text(text: &str) -> bool {
    match text.strip_prefix('-').unwrap_or(text).as_bytes() {
        [b'1'..=b'9', rest @ ..] => rest.len() < 18 && rest.iter().all(u8::is_ascii_digit),
        _ => text == "0",
    }
}

/// The number after an increment, if there is one.
fn sum(value: Option<&str>, by: Number) -> Option<Json> {
    match value {
        None => Some(by.to_json()),
        Some(text) => Number::parse(text)?.plus(by).ok().map(Number::to_json),
    }
}

impl Answer {
    pub(crate) fn read(answer: Value) -> StoreResult<Self> {
        let mut list = match answer {
            Value::Int(0) => return Ok(Self::Gone),
            Value::Int(1) => {
                return Ok(Self::Done { listed: None, unlisted: None, record: None });
            }
            Value::Int(4) => return Err(too_large()),
            Value::Int(why) => return Err(unreadable(why)),
            Value::Array(list) => list.into_iter(),
            Value::Nil => return Ok(Self::NotYet),
            _ => return Err(unexpected()),
        };
        let mut next = || list.next().unwrap_or_default();
        Ok(match next() {
            Value::Int(1) => {
                let listed = optional_text(next())?;
                let unlisted = optional_text(next())?;
                let absolute = deadline(next())?;
                let record = hash::record(&next())?.map(Box::new);
                Self::Done { listed: listed.map(|user| (user, absolute)), unlisted, record }
            }
            Value::Int(2) => Self::Already(whole(next())?),
            Value::Int(3) => Self::Stale(whole(next())?),
            _ => return Err(unexpected()),
        })
    }
}

/// What it means that a script could not read the session.
pub(crate) fn unreadable(why: i64) -> StoreError {
    match why {
        -1 => corrupt("its fields `t`, `n`, `f`, `e` or `k` are missing or broken"),
        -2 => hash::unknown_version(),
        _ => unexpected(),
    }
}

pub(crate) fn optional_text(value: Value) -> StoreResult<Option<String>> {
    match value {
        Value::Nil | Value::Boolean(false) => Ok(None),
        value => {
            String::from_utf8(octets(value)?).map(Some).map_err(|_| corrupt("its user is no text"))
        }
    }
}

pub(crate) fn deadline(value: Value) -> StoreResult<Timestamp> {
    let octets = octets(value)?;
    let millis = str::from_utf8(&octets).ok().and_then(|text| text.parse().ok());
    millis.map(Timestamp::from_millis).ok_or_else(unexpected)
}

fn whole(value: Value) -> StoreResult<Box<Record>> {
    hash::record(&value)?.map(Box::new).ok_or_else(unexpected)
}

fn unknown() -> StoreError {
    other(
        "the patch does what this version of tenure-redis does not know; use the same version of \
           all crates of tenure",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_server_adds_to_is_written_in_one_way() {
        for text in ["0", "7", "-7", "10", "999999999999999999", "-999999999999999999"] {
            assert!(is_countable_text(text), "{text}");
        }
        let longer = "1000000000000000000";
        for text in ["", "-", "-0", "00", "07", "-07", "+7", " 7", "7 ", "1.0", "1e3", longer] {
            assert!(!is_countable_text(text), "{text}");
        }
    }
}
