use std::borrow::Cow;
use std::collections::BTreeMap;
use std::net::IpAddr;
use std::time::Duration;

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD as BASE64;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::record::{MAX_LEN, read};
use super::{DecodeError, Encoded, RecordFormat, TouchMode};
use crate::clock::Timestamp;
use crate::id::{CommitId, Proof, UserId};
use crate::store::{Client, Epochs, Former, Pending, Proofs, Record, StoreError, StoreErrorKind};
use crate::value::{Data, Json};

/// Our record format, unless another is chosen: one JSON object with everything that a record has but its revision, which is
/// the store's own; values byte for byte. It also reads what `MessagePack` and [`Packed`](super::Packed)
/// have written.
///
/// ```
/// use std::time::Duration;
/// use tenure_core::{Timestamp, format::{Envelope, RecordFormat}, store::Record};
///
/// let mut record =
///     Record::new(Timestamp::from_millis(5), Duration::from_secs(60), Duration::from_secs(90));
/// record.data = [("n", "1.50")].into_iter().collect();
/// let bytes = Envelope.encode(&record)?.bytes;
/// assert!(bytes.starts_with(br#"{"v":1,"#));
/// assert_eq!(Envelope.decode(&bytes)?, record);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct Envelope;

/// The version that is written, and the only one that is read.
const VERSION: u32 = 1;

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Wire<'a> {
    v: u32,
    created: u64,
    seen: u64,
    renewed: u64,
    idle: u64,
    idle_until: u64,
    until: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    proof: Option<Cow<'a, str>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pending: Option<(Cow<'a, str>, u64)>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    former: Option<(Cow<'a, str>, u64)>,
    #[serde(default, borrow, skip_serializing_if = "Option::is_none")]
    user: Option<Cow<'a, str>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    authenticated: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    ip: Option<IpAddr>,
    #[serde(default, borrow, skip_serializing_if = "Option::is_none")]
    user_agent: Option<Cow<'a, str>>,
    #[serde(default, skip_serializing_if = "is_default")]
    epochs: (u64, u64),
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    commits: Vec<(Cow<'a, str>, u64)>,
    #[serde(borrow)]
    data: BTreeMap<Cow<'a, str>, &'a RawValue>,
}

#[derive(Deserialize)]
struct Version {
    v: u32,
}

impl RecordFormat for Envelope {
    fn encode(&self, record: &Record) -> Result<Encoded, StoreError> {
        let data = record
            .data
            .iter()
            .map(|(key, value)| Ok((key.into(), serde_json::from_str(value)?)))
            .collect::<Result<_, _>>()
            .map_err(broken)?;
        let dated = |proof: &Proof, at: Timestamp| (octets(proof.as_bytes()), at.as_millis());
        let wire = Wire {
            v: VERSION,
            created: record.created.as_millis(),
            seen: record.last_seen.as_millis(),
            renewed: record.renewed.as_millis(),
            idle: record.idle_timeout.as_millis().try_into().unwrap_or(u64::MAX),
            idle_until: record.idle_deadline.as_millis(),
            until: record.absolute_deadline.as_millis(),
            proof: record.proofs.present.as_ref().map(|proof| octets(proof.as_bytes())),
            pending: record.proofs.pending.map(|pending| dated(&pending.proof, pending.since)),
            former: record.proofs.former.map(|former| dated(&former.proof, former.until)),
            user: record.user.as_ref().map(|user| user.as_str().into()),
            authenticated: record.authenticated.map(Timestamp::as_millis),
            ip: record.client.ip,
            user_agent: record.client.user_agent.as_deref().map(Into::into),
            epochs: (record.epochs.everybody, record.epochs.user),
            commits: record
                .commits
                .iter()
                .map(|(id, at)| (octets(id.as_bytes()), at.as_millis()))
                .collect(),
            data,
        };
        let bytes = serde_json::to_vec(&wire).map_err(broken)?;
        if bytes.len() > MAX_LEN {
            return Err(StoreError::new(StoreErrorKind::TooLarge, DecodeError::TooLarge));
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

/// The record that a text holds, which is no longer than [`MAX_LEN`].
pub(super) fn decoded(text: &[u8]) -> Result<Record, DecodeError> {
    let wire: Wire<'_> = match serde_json::from_slice(text) {
        Ok(wire @ Wire { v: VERSION, .. }) => wire,
        _ => {
            return Err(match serde_json::from_slice(text) {
                Ok(Version { v }) if v != VERSION => DecodeError::UnknownVersion,
                _ => DecodeError::Malformed,
            });
        }
    };
    wire.into_record().ok_or(DecodeError::Malformed)
}

impl Wire<'_> {
    fn into_record(self) -> Option<Record> {
        let proof = |text: &str| array(text).map(Proof::from_bytes);
        let mut proofs = Proofs::default();
        if let Some(text) = &self.proof {
            proofs.present = Some(proof(text)?);
        }
        if let Some((text, since)) = &self.pending {
            proofs.pending =
                Some(Pending { proof: proof(text)?, since: Timestamp::from_millis(*since) });
        }
        if let Some((text, until)) = &self.former {
            proofs.former =
                Some(Former { proof: proof(text)?, until: Timestamp::from_millis(*until) });
        }
        let user = match self.user {
            Some(user) => Some(UserId::new(user).ok()?),
            None => None,
        };
        let commits = self
            .commits
            .iter()
            .map(|(id, at)| Some((CommitId::from_bytes(array(id)?), Timestamp::from_millis(*at))))
            .collect::<Option<_>>()?;
        let data = self
            .data
            .iter()
            .map(|(key, value)| Some((key, Json::parse(value.get()).ok()?)))
            .collect::<Option<Vec<_>>>()?;
        let mut record = Record::new(
            Timestamp::from_millis(self.created),
            Duration::from_millis(self.idle),
            Duration::ZERO,
        );
        record.proofs = proofs;
        record.last_seen = Timestamp::from_millis(self.seen);
        record.renewed = Timestamp::from_millis(self.renewed);
        record.idle_deadline = Timestamp::from_millis(self.idle_until);
        record.absolute_deadline = Timestamp::from_millis(self.until);
        record.user = user;
        record.authenticated = self.authenticated.map(Timestamp::from_millis);
        record.client = Client::new(self.ip, self.user_agent.as_deref());
        record.epochs = Epochs { everybody: self.epochs.0, user: self.epochs.1 };
        record.commits = commits;
        record.data = data.iter().map(|(key, value)| (key, value.as_str())).collect::<Data>();
        Some(record)
    }
}

fn octets(bytes: &[u8]) -> Cow<'static, str> {
    BASE64.encode(bytes).into()
}

fn array<const N: usize>(text: &str) -> Option<[u8; N]> {
    let mut bytes = [0; N];
    (BASE64.decode_slice(text, &mut bytes).ok()? == N).then_some(bytes)
}

fn is_default(epochs: &(u64, u64)) -> bool {
    *epochs == (0, 0)
}

fn broken(error: serde_json::Error) -> StoreError {
    StoreError::new(StoreErrorKind::Corrupt, error)
}
