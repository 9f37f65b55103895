use crate::store::{KeyName, StoreKey};

/// The id under which a driver keeps the session of `key`: namespace, kind and name, of which the
/// colon and whatever a file system, a URL or a folding of case would change are escaped.
pub(super) fn id(key: &StoreKey) -> String {
    let name = key.name().as_bytes();
    let mut id = String::with_capacity(key.namespace().as_str().len() + 2 * name.len() + 8);
    escape(&mut id, key.namespace().as_str().as_bytes());
    match key.name() {
        KeyName::Handle(_) => {
            id.push_str(":handle:");
            name.iter().for_each(|octet| hex(&mut id, *octet));
        }
        KeyName::Foreign(_) => {
            id.push_str(":id:");
            escape(&mut id, name);
        }
    }
    id
}

fn escape(id: &mut String, octets: &[u8]) {
    for octet in octets {
        match octet {
            b'a'..=b'z' | b'0'..=b'9' | b'.' | b'_' | b'-' => id.push((*octet).into()),
            _ => {
                id.push('%');
                hex(id, *octet);
            }
        }
    }
}

fn hex(id: &mut String, octet: u8) {
    for digit in [octet >> 4, octet & 15] {
        id.extend(char::from_digit(digit.into(), 16));
    }
}
