//! A key and its record in one piece of memory, small: what 100,000 sessions cost is this form.

use std::ops::Deref;
use std::sync::Arc;

use crate::id::{Handle, Namespace};
use crate::store::packed::{self, read_part, write_part};
use crate::store::{KeyName, Record, Revision, StoreKey};
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

/// Packs a record by way of `scratch`, which keeps its room from one record to the next.
pub(super) fn pack(key: &[u8], record: &Record, scratch: &mut Vec<u8>) -> Arc<[u8]> {
    scratch.clear();
    scratch.extend_from_slice(key);
    write_number(scratch, record.revision.as_number().unwrap_or_default());
    packed::write(record, scratch);
    let packed = scratch.as_slice().into();
    scratch.shrink_to(MAX_SCRATCH);
    packed
}

/// The record whose key takes the first `key_len` octets. Its data stays where it is.
pub(super) fn unpack(packed: &Arc<[u8]>, key_len: usize) -> Option<Record> {
    let from = &mut packed.get(key_len..)?;
    let revision = Revision::number(read_number(from)?);
    let mut record = packed::read(from)?;
    record.revision = revision;
    record.data = Data::shared(Arc::clone(packed), packed.len() - from.len());
    Some(record)
}

fn read_octet(from: &mut &[u8]) -> Option<u8> {
    let (&octet, rest) = from.split_first()?;
    *from = rest;
    Some(octet)
}
