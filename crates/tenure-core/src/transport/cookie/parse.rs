//! Finding the session's cookie in what the client sent.
//!
//! Octets only: no decoding, no quotes, no `$Version`, and nothing trimmed but spaces and tabs
//! around a pair, so that no other name can pass for ours (rules T-COOK-5 to T-COOK-7).

use std::{fmt, iter, slice, str};

use http::header::{COOKIE, HeaderMap, HeaderValue};
use subtle::ConstantTimeEq;

/// Octets of all `Cookie` lines, joined.
pub(super) const MAX_OCTETS: usize = 16 * 1024;
/// Cookies in all `Cookie` lines.
pub(super) const MAX_COOKIES: usize = 64;
/// Different values under the session's name; each may cost the token scheme a signature.
pub(super) const MAX_CANDIDATES: usize = 3;
/// What joins two lines (RFC 9113 §8.2.3).
const JOINT: usize = "; ".len();

/// The `Cookie` lines of a request, kept but not looked at.
#[derive(Clone, Default)]
pub(crate) struct Presented(Lines);

#[derive(Clone, Default)]
enum Lines {
    #[default]
    None,
    One(HeaderValue),
    Many(Vec<HeaderValue>),
    /// Over a limit that needs no parsing to see; nothing is kept.
    Refused(Refusal),
}

/// Why none of the cookies of a request was considered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// Over [`MAX_COOKIES`].
    TooManyCookies,
    /// Over [`MAX_OCTETS`].
    Oversize,
    /// Over [`MAX_CANDIDATES`].
    TooManyCandidates,
}

impl Refusal {
    /// What a debug log says.
    pub(crate) fn description(self) -> &'static str {
        match self {
            Self::TooManyCookies => "the request has more than 64 cookies",
            Self::Oversize => "the request has more than 16 KiB of cookies",
            Self::TooManyCandidates => "the request has more than 3 values for the session cookie",
        }
    }
}

/// Texts under the session's name that may be a credential, in an order that means nothing.
#[derive(Clone, Copy, Default)]
pub(crate) struct Candidates<'p> {
    values: [&'p str; MAX_CANDIDATES],
    len: usize,
    refusal: Option<Refusal>,
}

impl Presented {
    pub(super) fn capture(headers: &HeaderMap) -> Self {
        let mut lines = headers.get_all(COOKIE).iter();
        let Some(first) = lines.next() else { return Self::default() };
        let (mut octets, mut count) = (first.len(), 1);
        for line in lines {
            octets += JOINT + line.len();
            count += 1;
        }
        Self(if octets > MAX_OCTETS {
            Lines::Refused(Refusal::Oversize)
        } else if count > MAX_COOKIES {
            Lines::Refused(Refusal::TooManyCookies)
        } else if count > 1 {
            Lines::Many(headers.get_all(COOKIE).iter().cloned().collect())
        } else {
            Lines::One(first.clone())
        })
    }

    /// Whether the request had no `Cookie` line at all.
    pub(crate) fn is_empty(&self) -> bool {
        matches!(self.0, Lines::None)
    }

    /// One pass over the octets; allocates nothing.
    pub(super) fn candidates(&self, name: &str) -> Candidates<'_> {
        let lines = match &self.0 {
            Lines::None => &[],
            Lines::One(line) => slice::from_ref(line),
            Lines::Many(lines) => lines.as_slice(),
            Lines::Refused(refusal) => return Candidates::refused(*refusal),
        };
        let mut found = Candidates::default();
        let mut cookies = 0;
        // The end of a line ends a pair, exactly as the joint of two lines would.
        for pair in lines.iter().flat_map(|line| pairs(line.as_bytes())) {
            let pair = trim(pair);
            if pair.is_empty() {
                continue;
            }
            cookies += 1;
            if cookies > MAX_COOKIES {
                return Candidates::refused(Refusal::TooManyCookies);
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
}

impl fmt::Debug for Presented {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Lines::None => f.write_str("Presented(0 lines)"),
            Lines::One(_) => f.write_str("Presented(1 line)"),
            Lines::Many(lines) => write!(f, "Presented({} lines)", lines.len()),
            Lines::Refused(refusal) => write!(f, "Presented({refusal:?})"),
        }
    }
}

impl<'p> Candidates<'p> {
    fn refused(refusal: Refusal) -> Self {
        Self { refusal: Some(refusal), ..Self::default() }
    }

    /// Different values only; none when the request was refused.
    pub(crate) fn as_slice(&self) -> &[&'p str] {
        &self.values[..self.len]
    }

    /// Why nothing was considered, if so.
    pub(crate) fn refusal(&self) -> Option<Refusal> {
        self.refusal
    }

    /// False when there is no room. In constant time, lest someone who plants a second cookie
    /// measure how much of it agrees with the first.
    fn add(&mut self, value: &'p str) -> bool {
        let known = |known: &&str| bool::from(known.as_bytes().ct_eq(value.as_bytes()));
        if self.as_slice().iter().any(known) {
            return true;
        }
        let Some(free) = self.values.get_mut(self.len) else { return false };
        *free = value;
        self.len += 1;
        true
    }
}

impl fmt::Debug for Candidates<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Candidates")
            .field("len", &self.len)
            .field("refusal", &self.refusal)
            .finish_non_exhaustive()
    }
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

/// The octets as text, unless they are empty or not all visible ASCII.
fn visible(octets: &[u8]) -> Option<&str> {
    // Without a branch for each octet, so that many are looked at in one step.
    let visible = octets.iter().fold(true, |all, octet| all & matches!(octet, b'!'..=b'~'));
    if visible && !octets.is_empty() { str::from_utf8(octets).ok() } else { None }
}
