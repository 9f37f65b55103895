//! Names: of databases and collections, of documents, and of the keys of a session.

use std::fmt::Write;
use std::ops::Range;

use mongodb::bson::{Document, doc};
use tenure_core::id::{Handle, Namespace};
use tenure_core::store::{KeyName, StoreError, StoreErrorKind, StoreKey, StoreResult};

/// The document with the version of the collection. No namespace is empty.
pub(crate) const SCHEMA: &str = " schema";

/// Stands between a namespace and what follows: a namespace has visible characters alone.
const END: char = ' ';
/// The character after [`END`].
const AFTER: char = '!';
const HANDLE: char = 'h';
const FOREIGN: char = 'f';

/// The longest name of a database, in octets.
const DATABASE_LEN: usize = 63;
/// The longest name of a collection, in octets; with that of the database it stays below the 120
/// octets that some servers allow for both.
const COLLECTION_LEN: usize = 48;

/// What is escaped in a key: MongoDB takes a dot for a path and a dollar for an operator.
const ESCAPED: [char; 4] = ['%', '.', '$', '\0'];
/// The empty key. No other key is written like this, since two digits follow each other `%`.
const EMPTY: &str = "%";

/// A name of a database or a collection that means the same everywhere.
pub(crate) fn checked(setting: &str, name: &str) -> StoreResult<String> {
    let longest = if setting == "database" { DATABASE_LEN } else { COLLECTION_LEN };
    let fits = (1..=longest).contains(&name.len())
        && name.bytes().all(|octet| octet.is_ascii_alphanumeric() || matches!(octet, b'_' | b'-'));
    if fits {
        return Ok(name.to_owned());
    }
    Err(StoreError::new(
        StoreErrorKind::Other,
        format!(
            "{setting}: {name:?} is not 1 to {longest} ASCII letters, digits, underscores and \
             hyphens; choose a name such as \"tenure_sessions\""
        ),
    ))
}

/// The `_id` that a session is filed under: namespace, kind, and the handle in hex or the foreign id.
pub(crate) fn id(key: &StoreKey) -> String {
    let namespace = key.namespace().as_str();
    match key.name() {
        KeyName::Handle(handle) => format!("{namespace}{END}{HANDLE}{}", hex(handle.as_bytes())),
        name @ KeyName::Foreign(_) => {
            let id = String::from_utf8_lossy(name.as_bytes());
            format!("{namespace}{END}{FOREIGN}{id}")
        }
    }
}

/// The key that is filed under `id`, without a proof.
pub(crate) fn key(namespace: &Namespace, id: &str) -> Option<StoreKey> {
    let name = id.strip_prefix(namespace.as_str())?.strip_prefix(END)?;
    if let Some(id) = name.strip_prefix(FOREIGN) {
        return Some(StoreKey::foreign(namespace.clone(), id));
    }
    let handle: [u8; Handle::LEN] = octets(name.strip_prefix(HANDLE)?)?;
    Some(StoreKey::new(namespace.clone(), Handle::from_bytes(handle)))
}

/// The condition for `_id` that all sessions of a namespace fulfil, and no others.
pub(crate) fn all(namespace: &Namespace) -> Document {
    let Range { start, end } = range(namespace);
    doc! { "$gte": start, "$lt": end }
}

fn range(namespace: &Namespace) -> Range<String> {
    let namespace = namespace.as_str();
    format!("{namespace}{END}")..format!("{namespace}{AFTER}")
}

/// The field of a session's key.
pub(crate) fn field(key: &str) -> String {
    if key.is_empty() {
        return EMPTY.to_owned();
    }
    let mut field = String::with_capacity(key.len());
    for character in key.chars() {
        if ESCAPED.contains(&character) {
            field.push('%');
            field.push_str(&escape(character));
        } else {
            field.push(character);
        }
    }
    field
}

fn escape(character: char) -> String {
    format!("{:02X}", u32::from(character))
}

/// The key of a field, if it is one.
pub(crate) fn key_of(field: &str) -> Option<String> {
    if field == EMPTY {
        return Some(String::new());
    }
    let mut pieces = field.split('%');
    let mut key = pieces.next().unwrap_or_default().to_owned();
    for piece in pieces {
        let (code, rest) = piece.split_at_checked(2)?;
        key.push(*ESCAPED.iter().find(|character| escape(**character) == code)?);
        key.push_str(rest);
    }
    Some(key)
}

/// Octets in hex.
pub(crate) fn hex(octets: &[u8]) -> String {
    octets.iter().fold(String::with_capacity(2 * octets.len()), |mut text, octet| {
        let _ = write!(text, "{octet:02x}");
        text
    })
}

/// The octets that are written in hex.
pub(crate) fn octets<const N: usize>(text: &str) -> Option<[u8; N]> {
    let mut octets = [0; N];
    if text.len() != 2 * N || !text.bytes().all(|octet| octet.is_ascii_hexdigit()) {
        return None;
    }
    for (at, octet) in octets.iter_mut().enumerate() {
        *octet = u8::from_str_radix(&text[2 * at..2 * at + 2], 16).ok()?;
    }
    Some(octets)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shop() -> Namespace {
        Namespace::new("shop").unwrap()
    }

    #[test]
    fn only_plain_names_are_taken() {
        for name in ["", "a.b", "$a", "a b", "a/b", "a\\b", "a\"b", "é", "a\0", &"x".repeat(64)] {
            for setting in ["database", "collection"] {
                let error = checked(setting, name).unwrap_err().to_string();
                assert!(error.starts_with(setting) && error.contains("choose a name"), "{error}");
            }
        }
        for name in ["a", "_1", "1-b", &"x".repeat(48)] {
            assert_eq!(checked("collection", name).unwrap(), name);
        }
    }

    #[test]
    fn fields_bring_their_keys_back() {
        for key in
            ["", ".", "$", "\0", "%", "%2E", "a.b$c", "$set", "a ", " a", "A", "0", "é\u{1f980}"]
        {
            let field = field(key);
            assert!(!field.is_empty() && !field.contains(['.', '$', '\0']), "{field:?}");
            assert_eq!(key_of(&field).as_deref(), Some(key));
        }
        for field in ["%2", "%%", "a%", "%41", "%zz", "%2é", "%+0"] {
            assert_eq!(key_of(field), None, "{field:?}");
        }
    }

    #[test]
    fn ids_bring_their_keys_back_and_lie_within_their_namespace() {
        let handle = StoreKey::new(shop(), Handle::from_bytes(*b"twelve bytes"));
        assert_eq!(id(&handle), "shop h7477656c7665206279746573");
        let foreign = ["", "h7477656c7665206279746573", "a b", "\0", "../é"];
        let foreign = foreign.map(|id| StoreKey::foreign(shop(), id));
        for key in foreign.iter().chain([&handle]) {
            let id = id(key);
            assert!(super::key(&shop(), &id).unwrap().same_session(key), "{id:?}");
            assert!(range(&shop()).contains(&id));
            for other in ["sho", "shop!", "shopp", "Shop", "shop:"] {
                let other = Namespace::new(other).unwrap();
                assert!(!range(&other).contains(&id) && super::key(&other, &id).is_none());
            }
        }
        for id in
            ["shop h", "shop h+1", "shop x00", "shop", SCHEMA, &format!("shop h{}", "é".repeat(12))]
        {
            assert!(super::key(&shop(), id).is_none(), "{id:?}");
        }
    }
}
