//! A record in as few octets as possible, without parsing anything to read it: what the memory
//! store keeps, and what clients keep.

use std::net::IpAddr;
use std::time::Duration;

use super::{Client, Former, Pending, Proofs, Record};
use crate::clock::Timestamp;
use crate::id::{CommitId, Proof, UserId};
use crate::value::{read_number, write_number};

/// What a record has beside its times and data, a bit each.
mod has {
    pub(super) const PRESENT: u64 = 1;
    pub(super) const PENDING: u64 = 1 << 1;
    pub(super) const FORMER: u64 = 1 << 2;
    pub(super) const USER: u64 = 1 << 3;
    pub(super) const AUTHENTICATED: u64 = 1 << 4;
    pub(super) const IP: u64 = 1 << 5;
    pub(super) const USER_AGENT: u64 = 1 << 6;
    pub(super) const USER_EPOCH: u64 = 1 << 7;
    pub(super) const ALL: u64 = (1 << 8) - 1;
}

/// Writes a record, but for its revision; its data comes last, to the end.
#[inline]
pub(crate) fn write(record: &Record, into: &mut Vec<u8>) {
    let Proofs { present, pending, former } = &record.proofs;
    let user_agent = record.client.user_agent.as_deref();
    let flags = [
        (present.is_some(), has::PRESENT),
        (pending.is_some(), has::PENDING),
        (former.is_some(), has::FORMER),
        (record.user.is_some(), has::USER),
        (record.authenticated.is_some(), has::AUTHENTICATED),
        (record.client.ip.is_some(), has::IP),
        (user_agent.is_some(), has::USER_AGENT),
        (record.epochs.user != 0, has::USER_EPOCH),
    ];
    write_number(into, flags.iter().filter(|(is, _)| *is).map(|(_, flag)| flag).sum());
    let created = record.created.as_millis();
    write_number(into, created);
    let mut time = |at: Timestamp| write_number(into, at.as_millis().wrapping_sub(created));
    time(record.last_seen);
    time(record.renewed);
    time(record.idle_deadline);
    time(record.absolute_deadline);
    if let Some(at) = record.authenticated {
        time(at);
    }
    write_number(into, record.idle_timeout.as_millis().try_into().unwrap_or(u64::MAX));
    write_number(into, record.epochs.everybody);
    if record.epochs.user != 0 {
        write_number(into, record.epochs.user);
    }
    if let Some(proof) = present {
        into.extend_from_slice(proof.as_bytes());
    }
    for (proof, at) in [
        pending.map(|pending| (pending.proof, pending.since)),
        former.map(|former| (former.proof, former.until)),
    ]
    .into_iter()
    .flatten()
    {
        into.extend_from_slice(proof.as_bytes());
        write_number(into, at.as_millis());
    }
    if let Some(user) = &record.user {
        write_part(into, user.as_str().as_bytes());
    }
    match record.client.ip {
        Some(IpAddr::V4(ip)) => write_part(into, &ip.octets()),
        Some(IpAddr::V6(ip)) => write_part(into, &ip.octets()),
        None => {}
    }
    if let Some(user_agent) = user_agent {
        write_part(into, user_agent.as_bytes());
    }
    write_number(into, record.commits.len() as u64);
    for (id, at) in &record.commits {
        into.extend_from_slice(id.as_bytes());
        write_number(into, at.as_millis().wrapping_sub(created));
    }
    into.extend_from_slice(record.data.as_packed());
}

/// Reads what was [written](write), but for the data, which is what is left then. Inline, since a
/// record is large to hand over.
#[inline]
pub(crate) fn read(from: &mut &[u8]) -> Option<Record> {
    let flags = read_number(from)?;
    if flags & !has::ALL != 0 {
        return None;
    }
    let has = |flag| flags & flag != 0;
    let created = read_number(from)?;
    let time =
        |from: &mut &[u8]| Some(Timestamp::from_millis(read_number(from)?.wrapping_add(created)));
    let mut record = Record::new(Timestamp::from_millis(created), Duration::ZERO, Duration::ZERO);
    record.last_seen = time(from)?;
    record.renewed = time(from)?;
    record.idle_deadline = time(from)?;
    record.absolute_deadline = time(from)?;
    if has(has::AUTHENTICATED) {
        record.authenticated = Some(time(from)?);
    }
    record.idle_timeout = Duration::from_millis(read_number(from)?);
    record.epochs.everybody = read_number(from)?;
    if has(has::USER_EPOCH) {
        record.epochs.user = read_number(from)?;
    }
    if has(has::PRESENT) {
        record.proofs.present = Some(read_proof(from)?);
    }
    if has(has::PENDING) {
        let proof = read_proof(from)?;
        record.proofs.pending =
            Some(Pending { proof, since: Timestamp::from_millis(read_number(from)?) });
    }
    if has(has::FORMER) {
        let proof = read_proof(from)?;
        record.proofs.former =
            Some(Former { proof, until: Timestamp::from_millis(read_number(from)?) });
    }
    if has(has::USER) {
        record.user = Some(UserId::new(str::from_utf8(read_part(from)?).ok()?).ok()?);
    }
    let ip = if has(has::IP) { Some(read_ip(read_part(from)?)?) } else { None };
    let user_agent = match has(has::USER_AGENT) {
        true => Some(str::from_utf8(read_part(from)?).ok()?),
        false => None,
    };
    record.client = Client::new(ip, user_agent);
    for _ in 0..read_number(from)? {
        let id = CommitId::from_bytes(*take(from)?);
        record.commits.push((id, time(from)?));
    }
    Some(record)
}

fn read_ip(octets: &[u8]) -> Option<IpAddr> {
    if let Ok(octets) = <[u8; 4]>::try_from(octets) {
        return Some(octets.into());
    }
    <[u8; 16]>::try_from(octets).ok().map(Into::into)
}

pub(crate) fn write_part(into: &mut Vec<u8>, part: &[u8]) {
    write_number(into, part.len() as u64);
    into.extend_from_slice(part);
}

pub(crate) fn read_part<'a>(from: &mut &'a [u8]) -> Option<&'a [u8]> {
    let len = read_number(from)?.try_into().ok()?;
    let (part, rest) = from.split_at_checked(len)?;
    *from = rest;
    Some(part)
}

fn take<'a, const N: usize>(from: &mut &'a [u8]) -> Option<&'a [u8; N]> {
    let (part, rest) = from.split_first_chunk()?;
    *from = rest;
    Some(part)
}

fn read_proof(from: &mut &[u8]) -> Option<Proof> {
    take(from).map(|octets| Proof::from_bytes(*octets))
}
