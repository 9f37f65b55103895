//! Where in the folder things lie. Every name is lower-case hex or a word of ours, so no id becomes
//! a path, and a file system that folds case tells all of them apart.

use sha2::{Digest, Sha256};
use tenure_core::store::{KeyName, StoreKey};
use tenure_core::{Handle, Namespace, UserId};

/// The name of the file in each folder that processes lock.
pub(crate) const LOCK: &str = "lock";
/// How the names of files begin that are not in place yet.
pub(crate) const TEMPORARY: &str = "new-";
/// The epoch of a whole namespace; those of users are named by hashes.
pub(crate) const EVERYBODY: &str = "everybody";

const HANDLES: &str = "handles";
const FOREIGN: &str = "foreign";
const USERS: &str = "users";
const EPOCHS: &str = "epochs";

/// Which of the two kinds of names a session has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Handle,
    Foreign,
}

impl Kind {
    pub(crate) const BOTH: [Self; 2] = [Self::Handle, Self::Foreign];

    pub(crate) const fn folder(self) -> &'static str {
        match self {
            Self::Handle => HANDLES,
            Self::Foreign => FOREIGN,
        }
    }

    /// How entries of users begin that stand for a session of this kind.
    const fn letter(self) -> char {
        match self {
            Self::Handle => 'h',
            Self::Foreign => 'f',
        }
    }
}

/// The place of one session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    /// The folder of its namespace.
    pub(crate) space: String,
    pub(crate) kind: Kind,
    /// The name of its file.
    pub(crate) file: String,
}

impl Place {
    pub(crate) fn of(key: &StoreKey) -> Self {
        let (kind, file) = match key.name() {
            KeyName::Handle(handle) => (Kind::Handle, hex(handle.as_bytes())),
            KeyName::Foreign(_) => (Kind::Foreign, foreign(key.name().as_bytes())),
        };
        Self { space: space(key.namespace()), kind, file }
    }

    /// One of 256 folders.
    pub(crate) fn shelf(&self) -> String {
        format!("{}/{}/{}", self.space, self.kind.folder(), &self.file[..2])
    }

    pub(crate) fn path(&self) -> String {
        format!("{}/{}", self.shelf(), self.file)
    }

    /// The entry that stands for the session under its user.
    pub(crate) fn entry(&self) -> String {
        format!("{}{}", self.kind.letter(), self.file)
    }

    /// The session that an entry stands for.
    pub(crate) fn of_entry(space: &str, entry: &str) -> Option<Self> {
        let (kind, length) = match entry.chars().next()? {
            'h' => (Kind::Handle, 2 * Handle::LEN),
            'f' => (Kind::Foreign, 64),
            _ => return None,
        };
        let file = entry.get(1..).filter(|file| file.len() == length && is_hex(file))?;
        Some(Self { space: space.to_owned(), kind, file: file.to_owned() })
    }

    /// The handle, if it is the name of a session of ours.
    pub(crate) fn handle(&self) -> Option<Handle> {
        let octet = |at: usize| u8::from_str_radix(self.file.get(2 * at..2 * at + 2)?, 16).ok();
        let mut handle = [0; Handle::LEN];
        for (at, to) in handle.iter_mut().enumerate() {
            *to = octet(at)?;
        }
        (self.kind == Kind::Handle).then(|| Handle::from_bytes(handle))
    }

    /// One of 256: sessions of the same number wait for each other.
    pub(crate) fn stripe(&self) -> usize {
        stripe(&self.file)
    }
}

/// The number of a folder or of a file in it.
pub(crate) fn stripe(name: &str) -> usize {
    name.get(..2).and_then(|start| usize::from_str_radix(start, 16).ok()).unwrap_or_default()
}

pub(crate) fn space(namespace: &Namespace) -> String {
    hex(namespace.as_str().as_bytes())
}

/// The file name of a foreign id, which is a secret and of any length.
pub(crate) fn foreign(id: &[u8]) -> String {
    hex(&Sha256::digest(id))
}

/// The name of a user: ids may be longer than a file name.
pub(crate) fn person(user: &UserId) -> String {
    hex(&Sha256::digest(user.as_str()))
}

/// The folder of a user's entries.
pub(crate) fn entries(space: &str, person: &str) -> String {
    format!("{space}/{USERS}/{}/{person}", &person[..2])
}

pub(crate) fn users(space: &str) -> String {
    format!("{space}/{USERS}")
}

pub(crate) fn epochs(space: &str) -> String {
    format!("{space}/{EPOCHS}")
}

pub(crate) fn is_hex(name: &str) -> bool {
    name.bytes().all(|octet| matches!(octet, b'0'..=b'9' | b'a'..=b'f'))
}

pub(crate) fn hex(octets: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let mut text = String::with_capacity(2 * octets.len());
    for octet in octets {
        text.push(DIGITS[usize::from(octet >> 4)].into());
        text.push(DIGITS[usize::from(octet & 15)].into());
    }
    text
}

pub(crate) fn unhex(text: &str) -> Option<Vec<u8>> {
    let pairs = text.as_bytes().chunks(2);
    (text.len().is_multiple_of(2) && is_hex(text))
        .then(|| {
            let pair =
                |pair| str::from_utf8(pair).ok().and_then(|p| u8::from_str_radix(p, 16).ok());
            pairs.map(pair).collect()
        })
        .flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn handle(of: u8) -> StoreKey {
        StoreKey::new(Namespace::new("shop").unwrap(), Handle::from_bytes([of; 12]))
    }

    #[test]
    fn a_session_is_named_by_its_handle_in_hex() {
        let place = Place::of(&handle(0xAB));
        assert_eq!(place.path(), "73686f70/handles/ab/abababababababababababab");
        assert_eq!((place.stripe(), place.handle()), (0xAB, handle(0xAB).handle()));
        assert_eq!(Place::of_entry("73686f70", &place.entry()), Some(place));
    }

    /// R17, T-FILE-1: what an application, or a client, says never becomes a path.
    #[test]
    fn r17_no_id_becomes_a_path() {
        let long = "x".repeat(4 << 10);
        let namespace = Namespace::new("../..").unwrap();
        for id in ["", ".", "..", "../../etc/passwd", "..\\", "a\0b", "CON", "/", "~", &long] {
            let place = Place::of(&StoreKey::foreign(namespace.clone(), id));
            assert!(is_hex(&place.space) && is_hex(&place.file), "{place:?}");
            assert_eq!(place.file.len(), 64);
            let entry = Place::of_entry(&place.space, &place.entry());
            assert_eq!((entry, place.handle()), (Some(place.clone()), None));
        }
        for entry in
            ["", "h", "hab", "x00", "h../../../../../../../../..", "hÄbababababababababababab"]
        {
            assert_eq!(Place::of_entry("73", entry), None, "{entry:?}");
        }
    }

    #[test]
    fn names_differ_where_ids_do_whatever_the_case() {
        let foreign =
            |id: &str| Place::of(&StoreKey::foreign(Namespace::new("shop").unwrap(), id)).path();
        let shout = Place::of(&StoreKey::new(
            Namespace::new("SHOP").unwrap(),
            Handle::from_bytes(*b"twelve bytes"),
        ));
        let names = [foreign("a"), foreign("A"), foreign("twelve bytes"), shout.path()];
        for (at, name) in names.iter().enumerate() {
            assert_eq!(name, &name.to_lowercase());
            assert!(!names[at + 1..].contains(name));
        }
    }

    #[test]
    fn hex_is_read_back() {
        assert_eq!(unhex("00ff7f"), Some(vec![0, 255, 127]));
        for wrong in ["0", "0F", "0g", "é"] {
            assert_eq!(unhex(wrong), None, "{wrong:?}");
        }
    }
}
