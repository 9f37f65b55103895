//! A session as a file: a line by which a damaged or misplaced file is known, a line with what the
//! store itself keeps, then the record in its format.
//!
//! ```text
//! tenure-file 1 <digest>
//! <revision> <deadline> <epoch> <epoch of the user> <foreign id in hex, or ->
//! {"v":1,…}
//! ```

use sha2::{Digest, Sha256};
use tenure_core::Timestamp;
use tenure_core::store::Epochs;

use crate::names::{Place, hex, unhex};

const MAGIC: &str = "tenure-file";
const VERSION: &str = "1";
/// Octets of the digest: against accidents, not against who may write the folder.
const DIGEST: usize = 16;
/// Enough of a file to read its deadline.
pub(crate) const START: usize = 160;
/// The longest foreign id, in octets.
pub(crate) const MAX_ID: usize = 64 << 10;
/// The longest file: 4 MiB of record, the longest id in hex, and the numbers.
pub(crate) const MAX_FILE: usize = (4 << 20) + 2 * MAX_ID + START;

/// What the store keeps beside the record.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Head {
    pub(crate) revision: u64,
    pub(crate) deadline: Timestamp,
    pub(crate) epochs: Epochs,
    /// The id of a session of a foreign format: its file name does not tell it.
    pub(crate) foreign: Option<String>,
}

/// Why a file is no session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Broken {
    /// Another version of this crate wrote it.
    Version,
    /// It is something else.
    Foreign,
    /// A part is missing or changed, or it is the file of another session.
    Damaged,
}

/// The octets of a file at `place`.
pub(crate) fn write(place: &Place, head: &Head, body: &[u8]) -> Vec<u8> {
    let Head { revision, deadline, epochs, foreign } = head;
    let id = foreign.as_ref().map_or_else(|| "-".to_owned(), |id| hex(id.as_bytes()));
    let (millis, Epochs { everybody, user }) = (deadline.as_millis(), epochs);
    let line = format!("{revision} {millis} {everybody} {user} {id}\n");
    let digest = digest(place, &[line.as_bytes(), body]);
    let mut file = format!("{MAGIC} {VERSION} {digest}\n{line}").into_bytes();
    file.extend_from_slice(body);
    file
}

/// The head and the body of the file at `place`.
pub(crate) fn read<'a>(place: &Place, file: &'a [u8]) -> Result<(Head, &'a [u8]), Broken> {
    let (written, rest) = opened(file)?;
    if written != digest(place, &[rest]) {
        return Err(Broken::Damaged);
    }
    let (line, body) = split(rest).ok_or(Broken::Damaged)?;
    Ok((head(line).ok_or(Broken::Damaged)?, body))
}

/// The deadline in the beginning of a file, unchecked.
pub(crate) fn deadline(start: &[u8]) -> Option<Timestamp> {
    let (_, rest) = opened(start).ok()?;
    let mut numbers = rest.split(|octet| *octet == b' ');
    number(str::from_utf8(numbers.nth(1)?).ok()?).map(Timestamp::from_millis)
}

/// The digest that is written in a file, and what comes after it.
fn opened(file: &[u8]) -> Result<(&str, &[u8]), Broken> {
    if file.is_empty() {
        return Err(Broken::Damaged);
    }
    let (line, rest) = split(file).ok_or(Broken::Foreign)?;
    let mut words = line.split(' ');
    match (words.next(), words.next(), words.next(), words.next()) {
        (Some(MAGIC), Some(VERSION), Some(digest), None) => Ok((digest, rest)),
        (Some(MAGIC), Some(version), ..) if number(version).is_some() => Err(Broken::Version),
        _ => Err(Broken::Foreign),
    }
}

fn head(line: &str) -> Option<Head> {
    let mut words = line.split(' ');
    let mut next = || words.next();
    let head = Head {
        revision: number(next()?)?,
        deadline: Timestamp::from_millis(number(next()?)?),
        epochs: Epochs { everybody: number(next()?)?, user: number(next()?)? },
        foreign: match next()? {
            "-" => None,
            id => Some(String::from_utf8(unhex(id)?).ok()?),
        },
    };
    words.next().is_none().then_some(head)
}

fn split(octets: &[u8]) -> Option<(&str, &[u8])> {
    let end = octets.iter().position(|octet| *octet == b'\n')?;
    Some((str::from_utf8(&octets[..end]).ok()?, &octets[end + 1..]))
}

fn number(text: &str) -> Option<u64> {
    text.bytes().all(|octet| octet.is_ascii_digit()).then(|| text.parse().ok()).flatten()
}

fn digest(place: &Place, parts: &[&[u8]]) -> String {
    let mut hash = Sha256::new();
    // No path has an octet of zero.
    hash.update(place.path());
    hash.update([0]);
    for part in parts {
        hash.update(part);
    }
    hex(&hash.finalize()[..DIGEST])
}

#[cfg(test)]
mod tests {
    use super::*;
    use tenure_core::store::StoreKey;
    use tenure_core::{Handle, Namespace};

    fn place(of: u8) -> Place {
        let namespace = Namespace::new("shop").unwrap();
        Place::of(&StoreKey::new(namespace, Handle::from_bytes([of; 12])))
    }

    fn some_head() -> Head {
        Head {
            revision: u64::MAX,
            deadline: Timestamp::MAX,
            epochs: Epochs { everybody: 3, user: u64::MAX },
            foreign: Some("a\n b\0é".to_owned()),
        }
    }

    #[test]
    fn what_is_written_is_read() {
        let body = b"{}\n\xff";
        for foreign in [None, Some(String::new()), some_head().foreign] {
            let head = Head { foreign, ..some_head() };
            let file = write(&place(1), &head, body);
            assert_eq!(read(&place(1), &file), Ok((head.clone(), &body[..])));
            assert_eq!(deadline(&file[..START.min(file.len())]), Some(head.deadline));
        }
    }

    /// A file that was cut, changed anywhere or put under another name is no session.
    #[test]
    fn every_octet_of_a_file_counts() {
        let file = write(&place(1), &some_head(), b"{\"a\":1}");
        for end in 0..file.len() {
            assert!(read(&place(1), &file[..end]).is_err(), "cut at {end}");
        }
        for at in 0..file.len() {
            let mut changed = file.clone();
            changed[at] ^= 1;
            assert!(read(&place(1), &changed).is_err(), "changed at {at}");
        }
        assert_eq!(read(&place(2), &file), Err(Broken::Damaged));
        assert_eq!(read(&place(1), b""), Err(Broken::Damaged));
        assert_eq!(read(&place(1), b"hello"), Err(Broken::Foreign));
        assert_eq!(read(&place(1), b"tenure-file 2 x\n"), Err(Broken::Version));
        assert_eq!(deadline(b"tenure-file 1 x\n7"), None);
    }
}
