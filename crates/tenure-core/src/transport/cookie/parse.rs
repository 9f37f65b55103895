//! Finding cookies in what the client sent.
//!
//! Octets only: no decoding, no quotes, no `$Version`, and nothing trimmed but spaces and tabs
//! around a pair, so that no other name can pass for ours (rules T-COOK-5 to T-COOK-7).

use std::iter;

use crate::transport::presented::{Candidates, MAX_ITEMS, Presented, Refusal, visible};

/// The values under `name`: one pass over the octets, which allocates nothing.
pub(super) fn candidates<'p>(presented: &'p Presented, name: &str) -> Candidates<'p> {
    if let Some(refusal) = presented.refusal() {
        return Candidates::refused(refusal);
    }
    let mut found = Candidates::default();
    let mut cookies = 0;
    // The end of a line ends a pair, exactly as the joint of two lines would.
    for pair in presented.lines().flat_map(pairs).map(trim).filter(|pair| !pair.is_empty()) {
        cookies += 1;
        if cookies > MAX_ITEMS {
            return Candidates::refused(Refusal::TooMany);
        }
        // A name has no `=`, so this one is the pair's first.
        let value = pair.strip_prefix(name.as_bytes()).and_then(|rest| rest.strip_prefix(b"="));
        if let Some(value) = value.and_then(visible)
            && !found.add(value)
        {
            return Candidates::refused(Refusal::TooManyCandidates);
        }
    }
    found
}

/// Whether there may be a cookie whose name is `name`, then `next`, and more.
pub(super) fn may_have(presented: &Presented, name: &str, next: u8) -> bool {
    presented.refusal().is_some()
        || presented.lines().flat_map(pairs).map(trim).any(|pair| {
            pair.strip_prefix(name.as_bytes()).is_some_and(|rest| rest.first() == Some(&next))
        })
}

/// What stands between the semicolons of a line.
fn pairs(line: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut rest = Some(line);
    iter::from_fn(move || {
        let line = rest?;
        let (pair, after) = match memchr::memchr(b';', line) {
            Some(end) => (&line[..end], Some(&line[end + 1..])),
            None => (line, None),
        };
        rest = after;
        Some(pair)
    })
}

fn trim(mut octets: &[u8]) -> &[u8] {
    while let [b' ' | b'\t', rest @ ..] | [rest @ .., b' ' | b'\t'] = octets {
        octets = rest;
    }
    octets
}
