//! What proxies add to a request, read from the right: from the nearest one to the farthest.
//!
//! Only the right end is written by proxies that are trusted. What a client has put in front of it
//! may be anything, so nothing is looked at before what stands right of it was believed, and a
//! quotation mark that a client leaves open hides nothing.

use std::iter::from_fn;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use http::header::{FORWARDED, HeaderMap, HeaderName};

static FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
static PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");

/// The longest text that can be an address with a port.
const LONGEST_NODE: usize = 64;

/// What one proxy says of whom it got the request from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Hop {
    /// None if it says nothing that can be read.
    pub(super) address: Option<IpAddr>,
    /// Whether the request came by HTTPS.
    pub(super) secure: Option<bool>,
}

/// The hops in `X-Forwarded-For`, each with its entry of `X-Forwarded-Proto`, if there is one.
pub(super) fn x_forwarded(headers: &HeaderMap) -> impl Iterator<Item = Hop> {
    let entries = |name| {
        let lines = headers.get_all(name).iter().rev();
        let entries = lines.flat_map(|line| line.as_bytes().rsplit(|sign| *sign == b','));
        entries.map(<[u8]>::trim_ascii).filter(|entry| !entry.is_empty())
    };
    let (mut addresses, mut schemes, mut first) = (entries(&FOR), entries(&PROTO), true);
    from_fn(move || {
        let (address, scheme) = (addresses.next(), schemes.next());
        // A scheme that has no address beside it is the nearest proxy's, or nobody's.
        let ends = address.is_none() && !(first && scheme.is_some());
        first = false;
        let read = |text| std::str::from_utf8(text).ok();
        (!ends).then(|| Hop {
            address: address.and_then(read).and_then(node),
            secure: scheme.and_then(read).and_then(is_https),
        })
    })
}

/// The hops in `Forwarded` (RFC 7239).
pub(super) fn forwarded(headers: &HeaderMap) -> impl Iterator<Item = Hop> {
    let lines = headers.get_all(FORWARDED).iter().rev();
    let elements = lines.flat_map(|line| {
        let mut rest = Some(line.as_bytes());
        from_fn(move || {
            let line = rest.take()?;
            let (before, element) = split_last(line);
            rest = before;
            Some(element.trim_ascii())
        })
    });
    elements.filter(|element| !element.is_empty()).map(hop)
}

/// Takes the last element off a list.
fn split_last(line: &[u8]) -> (Option<&[u8]>, &[u8]) {
    let mut quoted = false;
    for (at, sign) in line.iter().enumerate().rev() {
        match sign {
            b'"' => {
                let slashes = line[..at].iter().rev().take_while(|sign| **sign == b'\\').count();
                quoted = !quoted || slashes % 2 == 1;
            }
            b',' if !quoted => return (Some(&line[..at]), &line[at + 1..]),
            _ => {}
        }
    }
    (None, line)
}

/// Reads one element. One that names the same thing twice says nothing.
fn hop(element: &[u8]) -> Hop {
    let (mut address, mut secure) = (None, None);
    for pair in pairs(element) {
        let Some(at) = pair.iter().position(|sign| *sign == b'=') else { continue };
        let (name, value) = (&pair[..at], unquoted(&pair[at + 1..]));
        let again = if name.eq_ignore_ascii_case(b"for") {
            address.replace(value.and_then(node)).is_some()
        } else if name.eq_ignore_ascii_case(b"proto") {
            secure.replace(value.and_then(is_https)).is_some()
        } else {
            false
        };
        if again {
            return Hop::default();
        }
    }
    Hop { address: address.flatten(), secure: secure.flatten() }
}

/// The parts of an element between semicolons that are not quoted.
fn pairs(element: &[u8]) -> impl Iterator<Item = &[u8]> {
    let (mut quoted, mut escaped) = (false, false);
    let separates = move |sign: &u8| {
        let literal = std::mem::replace(&mut escaped, false);
        match sign {
            _ if literal => false,
            b'\\' => {
                escaped = quoted;
                false
            }
            b'"' => {
                quoted = !quoted;
                false
            }
            _ => *sign == b';' && !quoted,
        }
    };
    element.split(separates).map(<[u8]>::trim_ascii)
}

/// A value without its quotation marks. One that escapes anything is no address and no scheme.
fn unquoted(value: &[u8]) -> Option<&str> {
    let value = std::str::from_utf8(value).ok()?;
    let bare = match value.strip_prefix('"') {
        Some(rest) => rest.strip_suffix('"')?,
        None => value,
    };
    (!bare.contains(['"', '\\'])).then_some(bare)
}

/// An address, with or without brackets and port; not `unknown` or a name that hides it.
fn node(text: &str) -> Option<IpAddr> {
    if text.len() > LONGEST_NODE {
        return None;
    }
    let address = if let Some(rest) = text.strip_prefix('[') {
        let (address, rest) = rest.split_once(']')?;
        let has_port = rest.strip_prefix(':').map_or(rest.is_empty(), is_port);
        IpAddr::V6(address.parse::<Ipv6Addr>().ok().filter(|_| has_port)?)
    } else {
        match text.split_once(':') {
            Some((address, port)) if !port.contains(':') => {
                IpAddr::V4(address.parse::<Ipv4Addr>().ok().filter(|_| is_port(port))?)
            }
            _ => text.parse().ok()?,
        }
    };
    Some(address.to_canonical())
}

/// A number, or a name that hides it.
fn is_port(text: &str) -> bool {
    let number = text.len() <= 5 && !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    number || (text.starts_with('_') && text.len() > 1)
}

fn is_https(scheme: &str) -> Option<bool> {
    let is = |name: &str| scheme.eq_ignore_ascii_case(name);
    match () {
        () if is("https") || is("wss") => Some(true),
        () if is("http") || is("ws") => Some(false),
        () => None,
    }
}
