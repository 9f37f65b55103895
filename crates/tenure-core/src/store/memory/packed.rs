//! A key and its record in one piece of memory, small: what 100,000 sessions cost is this form.

use std::net::IpAddr;
use std::ops::Deref;
use std::sync::Arc;
use std::time::Duration;

use crate::clock::Timestamp;
use crate::id::{CommitId, Handle, Namespace, Proof, UserId};
use crate::store::{Client, Epochs, Former, Pending, Proofs, Record, Revision};
use crate::store::{KeyName, StoreKey};
use crate::value::{Data, read_number, write_number};

const HANDLE: u8 = 0;
const FOREIGN: u8 = 1;

/// How many octets of room a shard keeps for packing.
const MAX_SCRATCH: usize = 4_096;

/// The packed form of a key: namespace, kind and name, self-delimiting. That of a handle needs no
/// allocation.
pub(super) enum Key {
    Short([u8; Key::SHORT], usize),
    Long(Box<[u8]>),
}

impl Key {
    const SHORT: usize = Namespace::MAX_LEN + Handle::LEN + 3;

    pub(super) fn of(key: &StoreKey) -> Self {
        let (namespace, name) = (key.namespace().as_str().as_bytes(), key.name().as_bytes());
        match key.name() {
            KeyName::Handle(_) => {
                let mut short = [0; Self::SHORT];
                let mut end = 0;
                for part in
                    [&[namespace.len() as u8], namespace, &[HANDLE, Handle::LEN as u8], name]
                {
                    short[end..end + part.len()].copy_from_slice(part);
                    end += part.len();
                }
                Self::Short(short, end)
            }
            KeyName::Foreign(_) => {
                let mut into = Vec::with_capacity(namespace.len() + name.len() + 6);
                write_part(&mut into, namespace);
                into.push(FOREIGN);
                write_part(&mut into, name);
                Self::Long(into.into())
            }
        }
    }
}

impl Deref for Key {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        match self {
            Self::Short(octets, len) => &octets[..*len],
            Self::Long(octets) => octets,
        }
    }
}

/// The key at the front of a packed record.
pub(super) fn key_of(packed: &[u8]) -> &[u8] {
    let mut rest = packed;
    let end = (|| {
        read_part(&mut rest)?;
        read_octet(&mut rest)?;
        read_part(&mut rest)
    })();
    &packed[..end.map_or(packed.len(), |_| packed.len() - rest.len())]
}

/// Whether the packed record has this packed key.
pub(super) fn is_of(packed: &[u8], key: &[u8]) -> bool {
    packed.starts_with(key)
}

pub(super) fn read_key(packed: &[u8]) -> Option<StoreKey> {
    let mut rest = packed;
    let namespace = Namespace::new(str::from_utf8(read_part(&mut rest)?).ok()?).ok()?;
    let kind = read_octet(&mut rest)?;
    let name = read_part(&mut rest)?;
    Some(match kind {
        HANDLE => StoreKey::new(namespace, Handle::from_bytes(name.try_into().ok()?)),
        _ => StoreKey::foreign(namespace, str::from_utf8(name).ok()?),
    })
}

/// What a record has beside its times and data, a bit each.
mod has {
    pub(super) const PRESENT: u64 = 1;
    pub(super) const PENDING: u64 = 1 << 1;
    pub(super) const FORMER: u64 = 1 << 2;
    pub(super) const USER: u64 = 1 << 3;
    pub(super) const AUTHENTICATED: u64 = 1 << 4;
    pub(super) const IP: u64 = 1 << 5;
    pub(super) const USER_AGENT: u64 = 1 << 6;
}

/// Packs a record by way of `scratch`, which keeps its room from one record to the next.
pub(super) fn pack(key: &[u8], record: &Record, scratch: &mut Vec<u8>) -> Arc<[u8]> {
    scratch.clear();
    write(key, record, scratch);
    let packed = scratch.as_slice().into();
    scratch.shrink_to(MAX_SCRATCH);
    packed
}

fn write(key: &[u8], record: &Record, into: &mut Vec<u8>) {
    into.extend_from_slice(key);
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
    ];
    write_number(into, flags.iter().filter(|(is, _)| *is).map(|(_, flag)| flag).sum());
    write_number(into, record.revision.as_number().unwrap_or_default());
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

/// The record whose key takes the first `key_len` octets. Its data stays where it is.
pub(super) fn unpack(packed: &Arc<[u8]>, key_len: usize) -> Option<Record> {
    let from = &mut packed.get(key_len..)?;
    let flags = read_number(from)?;
    let has = |flag| flags & flag != 0;
    let revision = Revision::number(read_number(from)?);
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
    record.revision = revision;
    record.epochs = Epochs { everybody: read_number(from)?, user: 0 };
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
    if has(has::IP) {
        record.client.ip = Some(read_ip(read_part(from)?)?);
    }
    if has(has::USER_AGENT) {
        record.client = Client::new(record.client.ip, str::from_utf8(read_part(from)?).ok());
    }
    for _ in 0..read_number(from)? {
        let id = CommitId::from_bytes(*take(from)?);
        record.commits.push((id, time(from)?));
    }
    record.data = Data::shared(Arc::clone(packed), packed.len() - from.len());
    Some(record)
}

fn read_ip(octets: &[u8]) -> Option<IpAddr> {
    if let Ok(octets) = <[u8; 4]>::try_from(octets) {
        return Some(octets.into());
    }
    <[u8; 16]>::try_from(octets).ok().map(Into::into)
}

fn write_part(into: &mut Vec<u8>, part: &[u8]) {
    write_number(into, part.len() as u64);
    into.extend_from_slice(part);
}

fn read_part<'a>(from: &mut &'a [u8]) -> Option<&'a [u8]> {
    let len = read_number(from)?.try_into().ok()?;
    let (part, rest) = from.split_at_checked(len)?;
    *from = rest;
    Some(part)
}

fn read_octet(from: &mut &[u8]) -> Option<u8> {
    let (&octet, rest) = from.split_first()?;
    *from = rest;
    Some(octet)
}

fn take<'a, const N: usize>(from: &mut &'a [u8]) -> Option<&'a [u8; N]> {
    let (part, rest) = from.split_first_chunk()?;
    *from = rest;
    Some(part)
}

fn read_proof(from: &mut &[u8]) -> Option<Proof> {
    take(from).map(|octets| Proof::from_bytes(*octets))
}
