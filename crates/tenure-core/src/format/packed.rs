use super::record::{MAX_LEN, read};
use super::{DecodeError, Encoded, RecordFormat, TouchMode};
use crate::store::packed;
use crate::store::{Record, StoreError, StoreErrorKind};
use crate::value::{Data, Json};

/// The first octet, which no other format begins with; also the version.
pub(super) const MARK: u8 = 1;
/// Octets of the length of what follows, lest a record that was cut off be taken for a shorter one.
const LENGTH: usize = 4;
const HEADER: usize = 1 + LENGTH;

/// Records in as few octets as possible, and read without parsing: what travels with the client is
/// packed like this before it is sealed. Values are JSON text in it, byte for byte; they are not
/// looked at before somebody asks for one, so this is for octets that nobody else can have written.
/// The other formats, which read it as well, do look.
///
/// ```
/// use std::time::Duration;
/// use tenure_core::{Timestamp, format::{Envelope, Packed, RecordFormat}, store::Record};
///
/// let mut record =
///     Record::new(Timestamp::from_millis(5), Duration::from_secs(60), Duration::from_secs(90));
/// record.data = [("n", "1.50")].into_iter().collect();
/// let bytes = Packed.encode(&record)?.bytes;
/// assert!(bytes.len() * 3 < Envelope.encode(&record)?.bytes.len());
/// assert_eq!(Packed.decode(&bytes)?, record);
/// assert_eq!(Envelope.decode(&bytes)?, record, "each reads what the others wrote");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct Packed;

impl RecordFormat for Packed {
    fn encode(&self, record: &Record) -> Result<Encoded, StoreError> {
        let mut bytes = Vec::with_capacity(128 + record.data.as_packed().len());
        bytes.push(MARK);
        // How much follows is known when it is there.
        bytes.extend([0; LENGTH]);
        packed::write(record, &mut bytes);
        if bytes.len() > MAX_LEN {
            return Err(StoreError::new(StoreErrorKind::TooLarge, DecodeError::TooLarge));
        }
        let length = ((bytes.len() - HEADER) as u32).to_be_bytes();
        bytes[1..HEADER].copy_from_slice(&length);
        Ok(Encoded::new(bytes, record.deadline()))
    }

    fn decode(&self, bytes: &[u8]) -> Result<Record, DecodeError> {
        match bytes.first() {
            Some(&MARK) if bytes.len() <= MAX_LEN => decoded(bytes),
            _ => read(bytes),
        }
    }

    fn touch_mode(&self) -> TouchMode {
        TouchMode::Rewrite
    }
}

/// The record of octets that begin with the [mark](MARK), if its values are what those of the other
/// formats can be.
pub(super) fn checked(bytes: &[u8]) -> Result<Record, DecodeError> {
    let record = decoded(bytes)?;
    let is_value = |text: &str| Json::parse(text).is_ok_and(|json| json.as_str() == text);
    if record.data.iter().all(|(_, text)| is_value(text)) {
        Ok(record)
    } else {
        Err(DecodeError::Malformed)
    }
}

fn decoded(bytes: &[u8]) -> Result<Record, DecodeError> {
    let read = || {
        let (length, mut rest) = bytes[1..].split_first_chunk::<LENGTH>()?;
        if u32::from_be_bytes(*length) as usize != rest.len() {
            return None;
        }
        let record = packed::read(&mut rest)?;
        Some(Record { data: Data::from_packed(rest.to_vec())?, ..record })
    };
    read().ok_or(DecodeError::Malformed)
}
