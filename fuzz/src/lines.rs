//! Lines of headers in an input, one below the other, and what the rules say of them.

use std::collections::BTreeSet;

use http::HeaderValue;

/// Over what a server lets through.
const MOST_LINES: usize = 100;
/// Over what is looked at.
const MOST_OCTETS: usize = 40_000;

/// The lines of `text`, but for those that no server lets through. The octets from 1 on that have a
/// text in `known` stand for it.
pub fn of(text: &[u8], known: &[&str]) -> Vec<HeaderValue> {
    let mut whole = Vec::with_capacity(text.len());
    for octet in text {
        match usize::from(*octet).checked_sub(1).and_then(|nth| known.get(nth)) {
            Some(known) if whole.len() < MOST_OCTETS => whole.extend(known.as_bytes()),
            Some(_) => {}
            None => whole.push(*octet),
        }
    }
    let lines = whole.split(|octet| *octet == b'\n').take(MOST_LINES);
    lines.filter_map(|line| HeaderValue::from_bytes(line).ok()).collect()
}

/// Whether there are so few of them that they are looked at: 64 lines, 16 KiB.
pub fn are_few(lines: &[HeaderValue]) -> bool {
    let octets: usize = lines.iter().map(|line| line.len() + 2).sum();
    lines.len() <= 64 && octets <= (16 << 10) + 2
}

/// The cookies: what stands between semicolons and line ends.
pub fn pairs(lines: &[HeaderValue]) -> impl Iterator<Item = &[u8]> {
    let pairs = lines.iter().flat_map(|line| line.as_bytes().split(|octet| *octet == b';'));
    let trimmed = pairs.map(|pair| {
        let blank = |octet: &u8| matches!(octet, b' ' | b'\t');
        let begin = pair.iter().take_while(|octet| blank(octet)).count();
        let end = pair[begin..].iter().rev().take_while(|octet| blank(octet)).count();
        &pair[begin..pair.len() - end]
    });
    trimmed.filter(|pair| !pair.is_empty())
}

/// The value of a cookie of this name.
pub fn value<'a>(pair: &'a [u8], name: &str) -> Option<&'a [u8]> {
    let at = pair.iter().position(|octet| *octet == b'=')?;
    (&pair[..at] == name.as_bytes()).then(|| &pair[at + 1..])
}

/// The different values of cookies of this name, of those that a credential may be.
pub fn values<'a>(lines: &'a [HeaderValue], name: &str) -> BTreeSet<&'a str> {
    pairs(lines).filter_map(|pair| value(pair, name)).filter_map(visible).collect()
}

/// The octets as text, if a credential may be that.
pub fn visible(octets: &[u8]) -> Option<&str> {
    let visible = !octets.is_empty() && octets.iter().all(u8::is_ascii_graphic);
    str::from_utf8(octets).ok().filter(|_| visible)
}
