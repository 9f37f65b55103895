//! Records as MessagePack.

mod value;
mod wire;

use std::net::IpAddr;
use std::time::Duration;

use self::wire::{Reader, Writer};
use super::record::{MAX_LEN, read};
use super::{DecodeError, Encoded, RecordFormat, TouchMode};
use crate::clock::Timestamp;
use crate::id::{CommitId, Proof, UserId};
use crate::store::{Client, Epochs, Former, Pending, Proofs, Record, StoreError, StoreErrorKind};
use crate::value::Data;

/// The same record as [`Envelope`](super::Envelope) in
/// [MessagePack](https://github.com/msgpack/msgpack/blob/master/spec.md): a map with names, smaller
/// and for stores that keep octets. Values come back byte for byte.
///
/// Each format reads what the others have written, so an application may go from one to the other
/// while sessions are in use. Before it does, every process that shares the store needs the feature
/// `messagepack`: one without it answers such a session with an error.
///
/// ```
/// use std::time::Duration;
/// use tenure_core::{Timestamp, store::Record};
/// use tenure_core::format::{Envelope, MessagePack, RecordFormat};
///
/// let mut record =
///     Record::new(Timestamp::from_millis(5), Duration::from_secs(60), Duration::from_secs(90));
/// record.data = [("n", "1.50"), ("theme", "\"dark\"")].into_iter().collect();
/// let bytes = MessagePack.encode(&record)?.bytes;
/// assert!(bytes.len() < Envelope.encode(&record)?.bytes.len());
/// assert_eq!(MessagePack.decode(&bytes)?, record);
/// assert_eq!(Envelope.decode(&bytes)?, record, "whoever reads it");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct MessagePack;

/// The version that is written, and the only one that is read.
const VERSION: u64 = 1;

impl RecordFormat for MessagePack {
    fn encode(&self, record: &Record) -> Result<Encoded, StoreError> {
        let too_large = || StoreError::new(StoreErrorKind::TooLarge, DecodeError::TooLarge);
        if record.data.size() > MAX_LEN {
            return Err(too_large());
        }
        let bytes = written(record)?;
        if bytes.len() > MAX_LEN {
            return Err(too_large());
        }
        Ok(Encoded::new(bytes, record.deadline()))
    }

    fn decode(&self, bytes: &[u8]) -> Result<Record, DecodeError> {
        read(bytes)
    }

    fn touch_mode(&self) -> TouchMode {
        TouchMode::Rewrite
    }
}

fn written(record: &Record) -> Result<Vec<u8>, StoreError> {
    let mut fields = Fields::new(256 + record.data.size());
    fields.natural("v", VERSION);
    fields.time("created", record.created);
    fields.time("seen", record.last_seen);
    fields.time("renewed", record.renewed);
    let idle = record.idle_timeout.as_millis().try_into().unwrap_or(u64::MAX);
    fields.natural("idle", idle);
    fields.time("idle_until", record.idle_deadline);
    fields.time("until", record.absolute_deadline);
    if let Some(proof) = &record.proofs.present {
        fields.field("proof").octets(proof.as_bytes());
    }
    if let Some(pending) = &record.proofs.pending {
        fields.field("pending").dated(pending.proof.as_bytes(), pending.since);
    }
    if let Some(former) = &record.proofs.former {
        fields.field("former").dated(former.proof.as_bytes(), former.until);
    }
    if let Some(user) = &record.user {
        fields.field("user").text(user.as_str());
    }
    if let Some(at) = record.authenticated {
        fields.time("authenticated", at);
    }
    match record.client.ip {
        Some(IpAddr::V4(ip)) => fields.field("ip").octets(&ip.octets()),
        Some(IpAddr::V6(ip)) => fields.field("ip").octets(&ip.octets()),
        None => {}
    }
    if let Some(agent) = &record.client.user_agent {
        fields.field("user_agent").text(agent);
    }
    if record.epochs != Epochs::default() {
        let epochs = fields.field("epochs");
        epochs.list(2);
        epochs.natural(record.epochs.everybody);
        epochs.natural(record.epochs.user);
    }
    if !record.commits.is_empty() {
        let commits = fields.field("commits");
        commits.list(record.commits.len());
        for (id, at) in &record.commits {
            commits.dated(id.as_bytes(), *at);
        }
    }
    let data = fields.field("data");
    let (at, mut len) = (data.open(), 0);
    for (key, json) in record.data.iter() {
        data.text(key);
        value::write(data, json).map_err(|e| StoreError::new(StoreErrorKind::Corrupt, e))?;
        len += 1;
    }
    data.close_map(at, len);
    Ok(fields.finish())
}

/// The fields of a record on their way out.
struct Fields {
    writer: Writer,
    head: usize,
    count: usize,
}

impl Fields {
    fn new(capacity: usize) -> Self {
        let mut writer = Writer::with_capacity(capacity);
        Self { head: writer.open(), writer, count: 0 }
    }

    fn field(&mut self, name: &str) -> &mut Writer {
        self.count += 1;
        self.writer.text(name);
        &mut self.writer
    }

    fn natural(&mut self, name: &str, number: u64) {
        self.field(name).natural(number);
    }

    fn time(&mut self, name: &str, time: Timestamp) {
        self.natural(name, time.as_millis());
    }

    fn finish(mut self) -> Vec<u8> {
        self.writer.close_map(self.head, self.count);
        self.writer.into_bytes()
    }
}

impl Writer {
    fn dated(&mut self, octets: &[u8], at: Timestamp) {
        self.list(2);
        self.octets(octets);
        self.natural(at.as_millis());
    }
}

/// The record that `bytes` hold, which are no more than [`MAX_LEN`].
pub(super) fn decoded(bytes: &[u8]) -> Result<Record, DecodeError> {
    let mut reader = Reader(bytes);
    let count = reader.map().ok_or(DecodeError::Malformed)?;
    let first = (count > 0).then(|| reader.text()).flatten();
    match first.filter(|name| *name == "v").and_then(|_| reader.natural()) {
        Some(VERSION) => {}
        Some(_) => return Err(DecodeError::UnknownVersion),
        None => return Err(DecodeError::Malformed),
    }
    let mut parts = Parts::default();
    for _ in 1..count {
        let name = reader.text().ok_or(DecodeError::Malformed)?;
        if name == "data" {
            once(&mut parts.data, Some(data(&mut reader)?))
        } else {
            parts.read(name, &mut reader)
        }
        .ok_or(DecodeError::Malformed)?;
    }
    if !reader.is_at_end() {
        return Err(DecodeError::Malformed);
    }
    parts.into_record().ok_or(DecodeError::Malformed)
}

fn data(reader: &mut Reader<'_>) -> Result<Data, DecodeError> {
    let (mut texts, mut entries) = (String::new(), Vec::new());
    for _ in 0..reader.map().ok_or(DecodeError::Malformed)? {
        let key = reader.text().ok_or(DecodeError::Malformed)?;
        if entries.last().is_some_and(|(last, _)| *last >= key) {
            return Err(DecodeError::Malformed);
        }
        let start = texts.len();
        value::read(reader, &mut texts)?;
        entries.push((key, start..texts.len()));
    }
    Ok(Data::ordered(entries.into_iter().map(|(key, range)| (key, &texts[range]))))
}

/// The fields of a record on their way in.
#[derive(Default)]
struct Parts {
    created: Option<Timestamp>,
    seen: Option<Timestamp>,
    renewed: Option<Timestamp>,
    idle: Option<u64>,
    idle_until: Option<Timestamp>,
    until: Option<Timestamp>,
    proof: Option<Proof>,
    pending: Option<Pending>,
    former: Option<Former>,
    user: Option<UserId>,
    authenticated: Option<Timestamp>,
    ip: Option<IpAddr>,
    user_agent: Option<Box<str>>,
    epochs: Option<Epochs>,
    commits: Option<Vec<(CommitId, Timestamp)>>,
    data: Option<Data>,
}

impl Parts {
    /// Takes a field; none if there is no such field, or it is there twice, or of another type.
    fn read(&mut self, name: &str, from: &mut Reader<'_>) -> Option<()> {
        match name {
            "created" => once(&mut self.created, from.time()),
            "seen" => once(&mut self.seen, from.time()),
            "renewed" => once(&mut self.renewed, from.time()),
            "idle" => once(&mut self.idle, from.natural()),
            "idle_until" => once(&mut self.idle_until, from.time()),
            "until" => once(&mut self.until, from.time()),
            "proof" => once(&mut self.proof, from.array().map(Proof::from_bytes)),
            "pending" => once(
                &mut self.pending,
                from.dated()
                    .map(|(proof, since)| Pending { proof: Proof::from_bytes(proof), since }),
            ),
            "former" => once(
                &mut self.former,
                from.dated()
                    .map(|(proof, until)| Former { proof: Proof::from_bytes(proof), until }),
            ),
            "user" => once(&mut self.user, from.text().and_then(|user| UserId::new(user).ok())),
            "authenticated" => once(&mut self.authenticated, from.time()),
            "ip" => once(&mut self.ip, from.octets().and_then(address)),
            "user_agent" => once(&mut self.user_agent, from.text().map(Into::into)),
            "epochs" => once(&mut self.epochs, from.epochs()),
            "commits" => once(&mut self.commits, from.commits()),
            _ => None,
        }
    }

    fn into_record(self) -> Option<Record> {
        let idle_timeout = Duration::from_millis(self.idle?);
        let mut record = Record::new(self.created?, idle_timeout, Duration::ZERO);
        record.proofs = Proofs { present: self.proof, pending: self.pending, former: self.former };
        record.last_seen = self.seen?;
        record.renewed = self.renewed?;
        record.idle_deadline = self.idle_until?;
        record.absolute_deadline = self.until?;
        record.user = self.user;
        record.authenticated = self.authenticated;
        record.client = Client::new(self.ip, self.user_agent.as_deref());
        record.epochs = self.epochs.unwrap_or_default();
        record.commits = self.commits.unwrap_or_default();
        record.data = self.data?;
        Some(record)
    }
}

fn once<T>(field: &mut Option<T>, value: Option<T>) -> Option<()> {
    field.replace(value?).is_none().then_some(())
}

fn address(octets: &[u8]) -> Option<IpAddr> {
    let v4 = <[u8; 4]>::try_from(octets).map(IpAddr::from).ok();
    v4.or_else(|| <[u8; 16]>::try_from(octets).map(IpAddr::from).ok())
}

impl Reader<'_> {
    fn time(&mut self) -> Option<Timestamp> {
        self.natural().map(Timestamp::from_millis)
    }

    fn dated<const N: usize>(&mut self) -> Option<([u8; N], Timestamp)> {
        if self.list()? != 2 {
            return None;
        }
        Some((self.array()?, self.time()?))
    }

    fn epochs(&mut self) -> Option<Epochs> {
        if self.list()? != 2 {
            return None;
        }
        Some(Epochs { everybody: self.natural()?, user: self.natural()? })
    }

    fn commits(&mut self) -> Option<Vec<(CommitId, Timestamp)>> {
        let dated = |(id, at)| (CommitId::from_bytes(id), at);
        (0..self.list()?).map(|_| self.dated().map(dated)).collect()
    }
}

#[cfg(test)]
mod tests;
