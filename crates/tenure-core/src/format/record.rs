use std::fmt;

use super::envelope;
use crate::clock::Timestamp;
use crate::store::{Record, StoreError, StoreErrorKind};

/// What is longer is not looked at.
pub(super) const MAX_LEN: usize = 4 << 20;

/// How a record becomes the bytes that a store keeps, and back.
///
/// Ours are [`Envelope`](super::Envelope), which is the default, `MessagePack` with the feature
/// `messagepack`, and [`Packed`](super::Packed); each reads what the others have written. A store that
/// keeps some of a record in columns or fields of its own overrides what the bytes say about those.
pub trait RecordFormat: fmt::Debug + Send + Sync + 'static {
    /// The bytes of `record`, and when a store may drop them.
    ///
    /// ```
    /// # use std::time::Duration;
    /// # use tenure_core::{Timestamp, format::{Envelope, RecordFormat}, store::Record};
    /// # let now = Timestamp::from_millis(5);
    /// let record = Record::new(now, Duration::from_secs(60), Duration::from_secs(90));
    /// let encoded = Envelope.encode(&record)?;
    /// assert_eq!(encoded.expiry, record.deadline());
    /// # Ok::<(), tenure_core::store::StoreError>(())
    /// ```
    ///
    /// # Errors
    /// When the format cannot hold what the record has.
    fn encode(&self, record: &Record) -> Result<Encoded, StoreError>;

    /// The record that `bytes` hold, with the revision zero.
    ///
    /// ```
    /// # use tenure_core::format::{DecodeError, Envelope, RecordFormat};
    /// assert_eq!(Envelope.decode(b"{}").unwrap_err(), DecodeError::Malformed);
    /// assert_eq!(Envelope.decode(br#"{"v":9}"#).unwrap_err(), DecodeError::UnknownVersion);
    /// ```
    ///
    /// # Errors
    /// When they are no record.
    fn decode(&self, bytes: &[u8]) -> Result<Record, DecodeError>;

    /// What a store does with the bytes when a session is only touched.
    ///
    /// ```
    /// # use tenure_core::format::{Envelope, RecordFormat, TouchMode};
    /// assert_eq!(Envelope.touch_mode(), TouchMode::Rewrite, "the times are in the bytes");
    /// ```
    fn touch_mode(&self) -> TouchMode;
}

/// A record as bytes.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Encoded {
    /// The bytes.
    pub bytes: Vec<u8>,
    /// When they may be dropped.
    pub expiry: Timestamp,
}

impl Encoded {
    /// Bytes that may be dropped at `expiry`.
    ///
    /// ```
    /// # use tenure_core::{Timestamp, format::Encoded};
    /// let encoded = Encoded::new(b"{}".to_vec(), Timestamp::from_millis(60_000));
    /// assert_eq!((&encoded.bytes[..], encoded.expiry.as_millis()), (&b"{}"[..], 60_000));
    /// ```
    #[must_use]
    pub fn new(bytes: Vec<u8>, expiry: Timestamp) -> Self {
        Self { bytes, expiry }
    }
}

/// What a touch changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum TouchMode {
    /// The times are in the bytes, so these are written again.
    Rewrite,
    /// Only the store's own expiry is moved.
    ExpiryOnly,
    /// Nothing.
    Never,
}

/// Why bytes are no record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum DecodeError {
    /// They do not follow the format.
    Malformed,
    /// They follow a version of the format that is not known.
    UnknownVersion,
    /// They are over the limit of 4 MiB.
    TooLarge,
    /// They are MessagePack, and the feature `messagepack` is off.
    NeedsMessagePack,
}

impl fmt::Display for DecodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Malformed => "the bytes are no session record",
            Self::UnknownVersion => "the session record has a version that is not known",
            Self::TooLarge => "the session record is over 4 MiB",
            Self::NeedsMessagePack => {
                "the session record is MessagePack; to read it, switch on the feature `messagepack` \
                 of the crate `tenure`"
            }
        })
    }
}

impl std::error::Error for DecodeError {}

impl From<DecodeError> for StoreError {
    fn from(error: DecodeError) -> Self {
        let kind = match error {
            DecodeError::UnknownVersion => StoreErrorKind::UnknownVersion,
            // Not `UnknownVersion`, which logs its visitor out: only a setting is wrong.
            DecodeError::Malformed | DecodeError::TooLarge | DecodeError::NeedsMessagePack => {
                StoreErrorKind::Corrupt
            }
        };
        Self::new(kind, error)
    }
}

/// The record that `bytes` hold, in whichever of our formats: each begins with an octet that the
/// others do not begin with.
pub(super) fn read(bytes: &[u8]) -> Result<Record, DecodeError> {
    if bytes.len() > MAX_LEN {
        return Err(DecodeError::TooLarge);
    }
    match bytes.first() {
        Some(&super::packed::MARK) => super::packed::checked(bytes),
        // What is to come: each version of it has a mark of its own, and JSON begins with none of them.
        Some(2..=8) => Err(DecodeError::UnknownVersion),
        Some(0x80..=0x8f | 0xde | 0xdf) => message_pack(bytes),
        _ => envelope::decoded(bytes),
    }
}

#[cfg(feature = "messagepack")]
fn message_pack(bytes: &[u8]) -> Result<Record, DecodeError> {
    super::messagepack::decoded(bytes)
}

#[cfg(not(feature = "messagepack"))]
fn message_pack(_: &[u8]) -> Result<Record, DecodeError> {
    Err(DecodeError::NeedsMessagePack)
}
