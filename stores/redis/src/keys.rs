//! Under which keys things are filed.
//!
//! The sessions are spread over buckets. All that is in a bucket lies in one slot of a cluster, so
//! that a script reaches a session, the epochs that may have ended it and the schedule of the sweep
//! together.

use std::sync::LazyLock;

use tenure_core::id::{Handle, Namespace};
use tenure_core::store::{Change, KeyName, StoreError, StoreErrorKind, StoreKey, StoreResult};

const HANDLE: &str = "h:";
const FOREIGN: &str = "f:";
/// When each session of a bucket may have expired.
pub(crate) const SCHEDULE: &str = "schedule";
/// The epochs that have moved, as far as they concern a bucket.
pub(crate) const EPOCHS: &str = "epochs";
pub(crate) const BUCKETS: u32 = 256;
/// The slots of every cluster.
const SLOTS: u16 = 16_384;

/// What stands before every key of a store.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Prefix(Box<str>);

impl Prefix {
    pub(crate) const DEFAULT: &'static str = "tenure:";
    const MAX_LEN: usize = 64;

    pub(crate) fn new(prefix: &str) -> StoreResult<Self> {
        let fits = (1..=Self::MAX_LEN).contains(&prefix.len())
            && prefix.bytes().all(|octet| octet.is_ascii_graphic() && !b"{}".contains(&octet));
        if fits {
            return Ok(Self(prefix.into()));
        }
        Err(StoreError::new(
            StoreErrorKind::Other,
            format!(
                "prefix: {prefix:?} is not 1 to {} visible ASCII characters without braces; choose \
                 one such as {:?}",
                Self::MAX_LEN,
                Self::DEFAULT
            ),
        ))
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }

    /// What the keys of a bucket begin with, in two parts. They end with the [`Name`] of a session,
    /// with [`EPOCHS`] or with [`SCHEDULE`].
    pub(crate) fn bucket(&self, bucket: Bucket) -> [&str; 2] {
        [&self.0, bucket.tag()]
    }

    /// What all keys of all buckets begin with, and no user's index.
    pub(crate) fn buckets(&self) -> String {
        format!("{}{{", self.0)
    }

    /// What it means for sessions that this key of a bucket has changed, if anything.
    pub(crate) fn change(&self, key: &[u8]) -> Option<Change> {
        let key = str::from_utf8(key).ok();
        let key = key.and_then(|key| key.strip_prefix(self.as_str())?.split_once("}:"));
        match key {
            Some((_, SCHEDULE)) => None,
            Some((_, name)) => Some(full_named(name).map_or(Change::Any, Change::Session)),
            None => Some(Change::Any),
        }
    }

    /// The sessions of a user.
    pub(crate) fn index(&self, namespace: &Namespace, user: &str) -> String {
        format!("{}u:{{{}}}:{}", self.0, escaped(user), namespace.as_str())
    }
}

impl Default for Prefix {
    fn default() -> Self {
        Self(Self::DEFAULT.into())
    }
}

/// A part of the sessions that lies in one slot.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Bucket(u8);

impl Bucket {
    pub(crate) fn of(key: &StoreKey) -> Self {
        match key.name() {
            KeyName::Handle(handle) => Self(handle.as_bytes()[0]),
            KeyName::Foreign(_) => Self(crc16(key.name().as_bytes()).to_be_bytes()[1]),
        }
    }

    pub(crate) fn all() -> impl Iterator<Item = Self> {
        (0..=u8::MAX).map(Self)
    }

    pub(crate) fn index(self) -> usize {
        self.0.into()
    }

    /// A number in braces whose slot is the bucket's, and a colon. The buckets divide the slots
    /// evenly, so that masters with equal shares of slots have equal shares of sessions.
    fn tag(self) -> &'static str {
        static TAGS: LazyLock<[String; 256]> = LazyLock::new(|| {
            let mut tags = [None; 256];
            for number in 0..=u16::MAX {
                let slot = crc16(number.to_string().as_bytes()) % SLOTS;
                tags[usize::from(slot / (SLOTS / 256))].get_or_insert(number);
            }
            tags.map(|number| format!("{{{}}}:", number.unwrap_or_default()))
        });
        &TAGS[usize::from(self.0)]
    }
}

/// The name of a session in the schedule of its bucket.
pub(crate) struct Name<'a> {
    id: Id,
    namespace: &'a str,
}

enum Id {
    Handle([u8; Handle::TEXT_LEN]),
    Foreign(String),
}

impl<'a> Name<'a> {
    pub(crate) fn of(key: &'a StoreKey) -> Self {
        let id = match key.name() {
            KeyName::Handle(handle) => Id::Handle(handle.to_ascii()),
            // It is text; the contract gives its octets.
            KeyName::Foreign(_) => {
                Id::Foreign(escaped(&String::from_utf8_lossy(key.name().as_bytes())))
            }
        };
        Self { id, namespace: key.namespace().as_str() }
    }

    /// What the name consists of. The first two are its name among those of its namespace.
    pub(crate) fn parts(&self) -> [&[u8]; 4] {
        let (kind, id) = match &self.id {
            Id::Handle(text) => (HANDLE, &text[..]),
            Id::Foreign(text) => (FOREIGN, text.as_bytes()),
        };
        [kind.as_bytes(), id, b":", self.namespace.as_bytes()]
    }
}

/// The name of a session among those of its namespace.
pub(crate) fn short_name(key: &StoreKey) -> Vec<u8> {
    Name::of(key).parts()[..2].concat()
}

/// The key with this short name, without a proof.
pub(crate) fn named(namespace: &Namespace, short_name: &str) -> Option<StoreKey> {
    if let Some(handle) = short_name.strip_prefix(HANDLE) {
        let handle: Handle = handle.parse().ok()?;
        return Some(StoreKey::new(namespace.clone(), handle));
    }
    let id = unescaped(short_name.strip_prefix(FOREIGN)?)?;
    Some(StoreKey::foreign(namespace.clone(), id))
}

/// The key with this name in the schedule of its bucket, without a proof.
fn full_named(name: &str) -> Option<StoreKey> {
    let (kind, rest) = name.split_at_checked(HANDLE.len())?;
    let (id, namespace) = rest.split_once(':')?;
    named(&Namespace::new(namespace).ok()?, &name[..kind.len() + id.len()])
}

/// The text with all but letters, digits and a few signs as `%` and two hexadecimal digits.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for octet in text.bytes() {
        if octet.is_ascii_alphanumeric() || b"-_.~@".contains(&octet) {
            escaped.push(char::from(octet));
        } else {
            escaped += &format!("%{octet:02X}");
        }
    }
    escaped
}

fn unescaped(text: &str) -> Option<String> {
    let mut octets = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&octet, after)) = rest.split_first() {
        if octet == b'%' {
            let (digits, after) = after.split_at_checked(2)?;
            octets.push(u8::from_str_radix(str::from_utf8(digits).ok()?, 16).ok()?);
            rest = after;
        } else {
            octets.push(octet);
            rest = after;
        }
    }
    String::from_utf8(octets).ok()
}

/// CRC-16/XMODEM, by which a cluster assigns keys to slots.
fn crc16(octets: &[u8]) -> u16 {
    octets.iter().fold(0, |crc, &octet| {
        (0..8).fold(crc ^ (u16::from(octet) << 8), |crc, _| {
            if crc & 0x8000 == 0 { crc << 1 } else { (crc << 1) ^ 0x1021 }
        })
    })
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn crc16_is_that_of_the_cluster_specification() {
        assert_eq!(crc16(b"123456789"), 0x31C3);
    }

    #[test]
    fn buckets_divide_the_slots_evenly() {
        let parts: Vec<_> = Bucket::all()
            .map(|bucket| bucket.tag().trim_start_matches('{').trim_end_matches("}:"))
            .map(|number| crc16(number.as_bytes()) % SLOTS / 64)
            .collect();
        assert_eq!(parts, (0..256).collect::<Vec<_>>());
    }

    #[test]
    fn names_come_back_and_are_different() {
        let namespace = Namespace::new("shop{}").unwrap();
        let ids = ["", "a", "A", "%41", "a:b", "é", "\0", "{x}", "ÿ"];
        let mut names = HashSet::new();
        for id in ids {
            let key = StoreKey::foreign(namespace.clone(), id);
            let name = text(short_name(&key));
            assert!(named(&namespace, &name).unwrap().same_session(&key), "{id:?} as {name}");
            assert!(names.insert(name));
        }
        let key = StoreKey::new(namespace.clone(), Handle::from_bytes([255; 12]));
        assert!(named(&namespace, &text(short_name(&key))).unwrap().same_session(&key));
        for name in ["", "h:", "h:short", "f:%", "f:%4", "f:%zz", "f:%FF", "x:a"] {
            assert!(named(&namespace, name).is_none(), "{name:?}");
        }
    }

    /// X10: what the server tells of a key.
    #[test]
    fn a_changed_key_says_which_session_has_changed() {
        let prefix = Prefix::default();
        let namespace = Namespace::new("shop:{2}").unwrap();
        let ours = StoreKey::new(namespace.clone(), Handle::from_bytes([7; 12]));
        for key in [ours, StoreKey::foreign(namespace, "a:}b"), StoreKey::foreign(other(), "")] {
            let bucket = Bucket::of(&key);
            let stem = prefix.bucket(bucket).concat();
            assert!(stem.starts_with(&prefix.buckets()));
            let changed = [stem.as_bytes(), &Name::of(&key).parts().concat()].concat();
            assert_eq!(prefix.change(&changed), Some(Change::Session(key)));
            assert_eq!(prefix.change((stem.clone() + EPOCHS).as_bytes()), Some(Change::Any));
            assert_eq!(prefix.change((stem + SCHEDULE).as_bytes()), None);
        }
        for odd in ["tenure:{1}:h:short:shop", "tenure:{1}:é", "tenure:{1", "other:{1}:schedule"] {
            assert_eq!(prefix.change(odd.as_bytes()), Some(Change::Any), "{odd}");
        }
        assert_eq!(prefix.change(b"\xFF"), Some(Change::Any));
        let index = prefix.index(&other(), "ada");
        assert!(!index.starts_with(&prefix.buckets()), "nobody asks for what happens to it");
    }

    fn text(octets: Vec<u8>) -> String {
        String::from_utf8(octets).unwrap()
    }

    fn other() -> Namespace {
        Namespace::new("other").unwrap()
    }

    #[test]
    fn a_prefix_with_braces_would_move_the_slot() {
        for prefix in ["", "a{b", "a}b", "a b", "é", &"p".repeat(65)] {
            let error = Prefix::new(prefix).unwrap_err().to_string();
            assert!(error.starts_with("prefix: "), "{error}");
        }
        assert_eq!(Prefix::new("shop:").unwrap().as_str(), "shop:");
    }
}
