use std::borrow::Cow;
use std::{fmt, slice, str};

use http::header::{HeaderMap, HeaderName, HeaderValue};
use subtle::ConstantTimeEq;

/// Octets of all lines of the header, joined.
pub(super) const MAX_OCTETS: usize = 16 * 1024;
/// Lines of the header, and cookies in all of them.
pub(super) const MAX_ITEMS: usize = 64;
/// Different texts; each may cost a signature.
pub(super) const MAX_CANDIDATES: usize = 3;
/// What joins two lines (RFC 9113 §8.2.3).
const JOINT: usize = "; ".len();

/// The lines of one header of a request, kept but not looked at.
///
/// ```
/// use http::HeaderMap;
/// use tenure_core::transport::Presented;
///
/// let mut headers = HeaderMap::new();
/// headers.append("x-session", "abc".parse()?);
/// let presented = Presented::of(&headers, &"x-session".parse()?);
/// assert_eq!(presented.lines().collect::<Vec<_>>(), [b"abc"]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Default)]
pub struct Presented(Lines);

#[derive(Clone, Default)]
enum Lines {
    #[default]
    None,
    One(HeaderValue),
    Many(Vec<HeaderValue>),
    /// Over a limit that needs no parsing to see; nothing is kept.
    Refused(Refusal),
}

/// Why nothing of what a client presented was considered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Refusal {
    /// More than 64 cookies, or lines of the header.
    TooMany,
    /// More than 16 KiB.
    Oversize,
    /// More than three different texts that may be the credential.
    TooManyCandidates,
    /// Several different values for one part of a credential that travels in parts.
    AmbiguousPart,
}

impl Refusal {
    /// What a debug log says.
    pub(crate) fn description(self) -> &'static str {
        match self {
            Self::TooMany => "the request has more than 64 cookies, or lines of its header",
            Self::Oversize => "the request has more than 16 KiB of cookies, or in its header",
            Self::TooManyCandidates => "the request has more than 3 values for the session",
            Self::AmbiguousPart => {
                "the request has several values for a part of the session cookie"
            }
        }
    }
}

impl Presented {
    /// What `headers` have under this name.
    #[must_use]
    pub fn of(headers: &HeaderMap, name: &HeaderName) -> Self {
        let mut lines = headers.get_all(name).iter();
        let Some(first) = lines.next() else { return Self::default() };
        let (mut octets, mut count) = (first.len(), 1);
        for line in lines {
            octets += JOINT + line.len();
            count += 1;
        }
        Self(if octets > MAX_OCTETS {
            Lines::Refused(Refusal::Oversize)
        } else if count > MAX_ITEMS {
            Lines::Refused(Refusal::TooMany)
        } else if count > 1 {
            Lines::Many(headers.get_all(name).iter().cloned().collect())
        } else {
            Lines::One(first.clone())
        })
    }

    /// Whether the request did not have the header at all.
    ///
    /// ```
    /// # use http::{HeaderMap, header::COOKIE};
    /// # use tenure_core::transport::Presented;
    /// assert!(Presented::of(&HeaderMap::new(), &COOKIE).is_empty());
    /// ```
    #[must_use]
    pub fn is_empty(&self) -> bool {
        matches!(self.0, Lines::None)
    }

    /// Why nothing was kept, if so.
    ///
    /// ```
    /// # use http::{HeaderMap, header::COOKIE};
    /// # use tenure_core::transport::{Presented, Refusal};
    /// let mut headers = HeaderMap::new();
    /// headers.append(COOKIE, "a=b; ".repeat(4_000).parse()?);
    /// assert_eq!(Presented::of(&headers, &COOKIE).refusal(), Some(Refusal::Oversize));
    /// # Ok::<(), http::header::InvalidHeaderValue>(())
    /// ```
    #[must_use]
    pub fn refusal(&self) -> Option<Refusal> {
        match &self.0 {
            Lines::Refused(refusal) => Some(*refusal),
            _ => None,
        }
    }

    /// The octets of each line; none where nothing was kept.
    pub fn lines(&self) -> impl Iterator<Item = &[u8]> {
        let lines = match &self.0 {
            Lines::None | Lines::Refused(_) => &[],
            Lines::One(line) => slice::from_ref(line),
            Lines::Many(lines) => lines.as_slice(),
        };
        lines.iter().map(HeaderValue::as_bytes)
    }

    /// What `part` finds in each line, where that is visible ASCII.
    pub(super) fn candidates<'p>(
        &'p self,
        part: impl Fn(&'p [u8]) -> Option<&'p [u8]>,
    ) -> Candidates<'p> {
        let mut found = Candidates { refusal: self.refusal(), ..Candidates::default() };
        for text in self.lines().filter_map(part).filter_map(visible) {
            if !found.add(text) {
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

/// Texts that may be the credential of a request, three at most, in an order that means nothing.
///
/// ```
/// use tenure_core::transport::Candidates;
///
/// let mut candidates = Candidates::default();
/// assert!(["a", "b", "a", "c"].into_iter().all(|text| candidates.add(text)));
/// assert_eq!(candidates.iter().collect::<Vec<_>>(), ["a", "b", "c"]);
/// assert!(!candidates.add("d"), "there are three already");
/// ```
#[derive(Clone, Default)]
pub struct Candidates<'p> {
    texts: [Cow<'p, str>; MAX_CANDIDATES],
    len: usize,
    refusal: Option<Refusal>,
}

impl<'p> Candidates<'p> {
    /// None at all, for this reason.
    ///
    /// ```
    /// # use tenure_core::transport::{Candidates, Refusal};
    /// let refused = Candidates::refused(Refusal::Oversize);
    /// assert_eq!((refused.iter().count(), refused.refusal()), (0, Some(Refusal::Oversize)));
    /// ```
    #[must_use]
    pub fn refused(refusal: Refusal) -> Self {
        Self { refusal: Some(refusal), ..Self::default() }
    }

    /// Different texts only.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        self.texts[..self.len].iter().map(|text| &**text)
    }

    /// Why nothing was considered, if so.
    ///
    /// ```
    /// # use tenure_core::transport::{Candidates, Refusal};
    /// let found = Candidates::refused(Refusal::TooMany);
    /// assert_eq!(found.refusal(), Some(Refusal::TooMany));
    /// assert_eq!(Candidates::default().refusal(), None);
    /// ```
    #[must_use]
    pub fn refusal(&self) -> Option<Refusal> {
        self.refusal
    }

    /// False when there is no room. In constant time, lest someone who plants a second credential
    /// measure how much of it agrees with the first.
    #[must_use = "without room the request is to be refused"]
    pub fn add(&mut self, text: impl Into<Cow<'p, str>>) -> bool {
        let text = text.into();
        let known = |known: &str| bool::from(known.as_bytes().ct_eq(text.as_bytes()));
        if self.iter().any(known) {
            return true;
        }
        let Some(free) = self.texts.get_mut(self.len) else { return false };
        *free = text;
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

/// The octets as text, unless they are empty or not all visible ASCII.
pub(super) fn visible(octets: &[u8]) -> Option<&str> {
    // Without a branch for each octet, so that many are looked at in one step.
    let visible = octets.iter().fold(true, |all, octet| all & matches!(octet, b'!'..=b'~'));
    if visible && !octets.is_empty() { str::from_utf8(octets).ok() } else { None }
}
