//! Names: of the database, of documents, of users.

use std::fmt::Write;

use tenure_core::id::{Handle, Namespace, UserId};
use tenure_core::store::{KeyName, StoreError, StoreErrorKind, StoreKey, StoreResult};

/// The document with the version of the database. No session's has a name without a colon.
pub(crate) const SCHEMA: &str = "tenure-schema";

/// Stands between a namespace and what follows; escaped in a namespace.
const END: char = ':';
/// The character after [`END`].
const AFTER: char = ';';
const HANDLE: char = 'h';
const FOREIGN: char = 'f';
/// The longest name of a database, in octets.
const DATABASE_LEN: usize = 128;
/// The longest id of a document, in octets: it is a part of URLs, of which servers take 8 KiB.
const ID_LEN: usize = 6_000;

/// A name of a database that needs no escapes.
pub(crate) fn checked(name: &str) -> StoreResult<String> {
    let fits = (1..=DATABASE_LEN).contains(&name.len())
        && name.starts_with(|first: char| first.is_ascii_lowercase())
        && name.bytes().all(|octet| matches!(octet, b'a'..=b'z' | b'0'..=b'9' | b'_' | b'-'));
    if fits {
        return Ok(name.to_owned());
    }
    Err(StoreError::new(
        StoreErrorKind::Other,
        format!(
            "database: {name:?} is not 1 to {DATABASE_LEN} small ASCII letters, digits, \
             underscores and hyphens that begin with a letter; choose a name such as \"sessions\""
        ),
    ))
}

/// The id of a session's document: namespace, kind, and the octets of the name in hex. It needs no
/// escape in a URL.
pub(crate) fn id(key: &StoreKey) -> StoreResult<String> {
    let kind = match key.name() {
        KeyName::Handle(_) => HANDLE,
        KeyName::Foreign(_) => FOREIGN,
    };
    let id = format!("{}{kind}{}", prefix(key.namespace()), hex(key.name().as_bytes()));
    if id.len() <= ID_LEN {
        return Ok(id);
    }
    Err(StoreError::new(
        StoreErrorKind::TooLarge,
        "the session's id is too long for CouchDB, which takes it as a part of a URL",
    ))
}

/// The key of a document's id, without a proof.
pub(crate) fn key(namespace: &Namespace, id: &str) -> Option<StoreKey> {
    let name = id.strip_prefix(&prefix(namespace))?;
    if let Some(name) = name.strip_prefix(FOREIGN) {
        let id = String::from_utf8(octets(name)?).ok()?;
        return Some(StoreKey::foreign(namespace.clone(), id));
    }
    let handle: [u8; Handle::LEN] = octets(name.strip_prefix(HANDLE)?)?.try_into().ok()?;
    Some(StoreKey::new(namespace.clone(), Handle::from_bytes(handle)))
}

/// Whether a document with this id may be a session of ours.
pub(crate) fn is_session(id: &str) -> bool {
    id.split_once(END).is_some_and(|(_, name)| name.starts_with([HANDLE, FOREIGN]))
}

/// What the ids of all sessions of a namespace begin with, and those of no others.
pub(crate) fn prefix(namespace: &Namespace) -> String {
    let mut prefix = escaped(namespace);
    prefix.push(END);
    prefix
}

/// The end of the ids of a namespace.
pub(crate) fn end(namespace: &Namespace) -> String {
    let mut end = escaped(namespace);
    end.push(AFTER);
    end
}

/// Letters and digits as they are, all else as a dot and two hex digits.
fn escaped(namespace: &Namespace) -> String {
    namespace.as_str().bytes().fold(String::new(), |mut text, octet| {
        if octet.is_ascii_alphanumeric() {
            text.push(char::from(octet));
        } else {
            let _ = write!(text, ".{octet:02x}");
        }
        text
    })
}

/// A user within a namespace, in letters that no collation takes for each other.
pub(crate) fn owner(namespace: &Namespace, user: &UserId) -> String {
    format!("{}:{}", hex(namespace.as_str().as_bytes()), hex(user.as_str().as_bytes()))
}

fn hex(octets: &[u8]) -> String {
    octets.iter().fold(String::with_capacity(2 * octets.len()), |mut text, octet| {
        let _ = write!(text, "{octet:02x}");
        text
    })
}

fn octets(text: &str) -> Option<Vec<u8>> {
    if !text.len().is_multiple_of(2) || !text.bytes().all(|octet| octet.is_ascii_hexdigit()) {
        return None;
    }
    (0..text.len()).step_by(2).map(|at| u8::from_str_radix(&text[at..at + 2], 16).ok()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn namespace(name: &str) -> Namespace {
        Namespace::new(name).unwrap()
    }

    #[test]
    fn only_plain_names_are_taken() {
        for name in ["", "A", "1a", "_a", "a.b", "a/b", "a b", "é", "a%2f", &"x".repeat(129)] {
            let error = checked(name).unwrap_err().to_string();
            assert!(error.starts_with("database: ") && error.contains("choose a name"), "{error}");
        }
        for name in ["a", "a_1-b", &"x".repeat(128)] {
            assert_eq!(checked(name).unwrap(), name);
        }
    }

    #[test]
    fn ids_bring_their_keys_back_and_need_no_escapes() {
        let names = ["shop", "shop:", "shop;", "Shop", "_design/a", "a/../b", "$a.b", ".", "a%2f"];
        let mut ids = Vec::new();
        for name in names.map(namespace) {
            let handle = StoreKey::new(name.clone(), Handle::from_bytes(*b"twelve bytes"));
            let foreign = ["", "a/b", "é", "\0", "twelve bytes"];
            let foreign = foreign.map(|id| StoreKey::foreign(name.clone(), id));
            for key in foreign.into_iter().chain([handle]) {
                let id = id(&key).unwrap();
                assert!(super::key(&name, &id).unwrap().same_session(&key), "{id}");
                assert!(is_session(&id) && !id.starts_with('_'));
                assert!((prefix(&name)..end(&name)).contains(&id));
                let plain = |octet: u8| octet.is_ascii_alphanumeric() || b".:".contains(&octet);
                assert!(id.bytes().all(plain), "{id}");
                ids.push(id);
            }
        }
        let all = ids.len();
        ids.sort_unstable();
        ids.dedup();
        assert_eq!(ids.len(), all);
        for id in ["shop:", "shop:h", "shop:h0", "shop:fzz", "shop:f+1", "shop", SCHEMA] {
            assert!(key(&namespace("shop"), id).is_none(), "{id}");
        }
        assert!(!is_session(SCHEMA) && !is_session("_design/tenure"));
    }

    #[test]
    fn what_is_too_long_for_a_url_is_not_cut() {
        let long = StoreKey::foreign(namespace("shop"), "x".repeat(4_000));
        assert_eq!(id(&long).unwrap_err().kind(), StoreErrorKind::TooLarge);
    }
}
