use std::fmt;

use crate::clock::Timestamp;
use crate::store::{Record, StoreError, StoreErrorKind};

/// How a record becomes the bytes that a store keeps, and back.
///
/// Ours is [`Envelope`](super::Envelope). A store that keeps some of a record in columns or fields
/// of its own overrides what the bytes say about those.
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
}

impl fmt::Display for DecodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Malformed => "the bytes are no session record",
            Self::UnknownVersion => "the session record has a version that is not known",
            Self::TooLarge => "the session record is over 4 MiB",
        })
    }
}

impl std::error::Error for DecodeError {}

impl From<DecodeError> for StoreError {
    fn from(error: DecodeError) -> Self {
        let kind = match error {
            DecodeError::UnknownVersion => StoreErrorKind::UnknownVersion,
            DecodeError::Malformed | DecodeError::TooLarge => StoreErrorKind::Corrupt,
        };
        Self::new(kind, error)
    }
}
