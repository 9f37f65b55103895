use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

use http::Uri;
use serde::{Deserialize, Deserializer, Serialize};

use crate::error::{Error, ErrorKind, Result};

/// A path of the application's own origin, with a query perhaps, to which one may redirect whoever
/// gave it (OWASP, "Unvalidated Redirects and Forwards").
///
/// Whatever a browser takes for another origin is refused: URLs with a scheme, `//host`, `/\host`,
/// and what becomes one of them when tabs and line feeds are dropped. So are backslashes, control
/// characters and others that do not belong into a URL, and what browsers, proxies and routers do
/// not all read alike: `.` and `..` between slashes, and encoded control characters in the path.
///
/// In forms it is read as text: `next: Option<LocalPath>`.
///
/// ```
/// use tenure_core::session::LocalPath;
///
/// assert_eq!(LocalPath::parse("/orders?page=2")?.as_str(), "/orders?page=2");
/// for elsewhere in ["https://evil.test", "//evil.test", "/\\evil.test", "/\t/evil.test", "orders"] {
///     assert!(LocalPath::parse(elsewhere).is_err(), "{elsewhere}");
/// }
/// # Ok::<(), tenure_core::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LocalPath(Cow<'static, str>);

impl LocalPath {
    /// The longest path, in octets.
    pub const MAX_LEN: usize = 2048;

    /// The application's first page, `/`.
    pub const ROOT: Self = Self::from_static("/");

    /// The path that `text` is.
    ///
    /// # Errors
    /// [`ErrorKind::Misuse`] for anything that is no path of the own origin.
    pub fn parse(text: &str) -> Result<Self> {
        match problem(text.as_bytes()) {
            None => Ok(Self(Cow::Owned(text.to_owned()))),
            Some(problem) => Err(Error::new(ErrorKind::Misuse, "path", problem)),
        }
    }

    /// The path that the program says, best as a constant.
    ///
    /// ```
    /// use tenure_core::session::LocalPath;
    ///
    /// const CART: LocalPath = LocalPath::from_static("/cart");
    /// assert_eq!(CART.to_string(), "/cart");
    /// ```
    ///
    /// # Panics
    /// When it is no path of the own origin; as a constant it does not compile then.
    #[must_use]
    pub const fn from_static(text: &'static str) -> Self {
        match problem(text.as_bytes()) {
            None => Self(Cow::Borrowed(text)),
            Some(problem) => panic!("{}", problem),
        }
    }

    /// The path and query that a request asked for, if one may redirect there.
    ///
    /// ```
    /// use tenure_core::session::LocalPath;
    ///
    /// let asked = "https://shop.test/orders?page=2".parse()?;
    /// assert_eq!(LocalPath::of_request(&asked).unwrap().as_str(), "/orders?page=2");
    /// assert_eq!(LocalPath::of_request(&"https://shop.test//evil.test".parse()?), None);
    /// # Ok::<(), http::uri::InvalidUri>(())
    /// ```
    #[must_use]
    pub fn of_request(uri: &Uri) -> Option<Self> {
        Self::parse(uri.path_and_query()?.as_str()).ok()
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// What is wrong with a path, if anything is.
const fn problem(text: &[u8]) -> Option<&'static str> {
    if text.is_empty() || text[0] != b'/' {
        return Some("a path of the own origin begins with `/`");
    }
    if text.len() > LocalPath::MAX_LEN {
        return Some("the path is over the limit of 2048 octets");
    }
    let mut at = 0;
    while at < text.len() {
        if !text[at].is_ascii_graphic() || text[at] == b'\\' {
            return Some("the path has characters that no URL has: encode them with percent signs");
        }
        at += 1;
    }
    if is(text, 1, b'/') || is(text, 1, b'\\') {
        return Some("the path begins with two slashes, by which browsers mean another host");
    }
    at = 1;
    while at < text.len() && !matches!(text[at], b'?' | b'#') {
        let (mut dots, mut others) = (0, 0);
        while at < text.len() && !matches!(text[at], b'/' | b'?' | b'#') {
            match encoded(text, at) {
                Some(..0x20 | 0x7f) => return Some("the path has encoded control characters"),
                _ if is(text, at, b'.') => dots += 1,
                _ => others += 1,
            }
            at += if text[at] == b'%' && encoded(text, at).is_some() { 3 } else { 1 };
        }
        if others == 0 && (dots == 1 || dots == 2) {
            return Some("the path has `.` or `..` between slashes: write where it leads to");
        }
        if at < text.len() && text[at] == b'/' {
            at += 1;
        }
    }
    None
}

/// Whether there is this character, encoded or not.
const fn is(text: &[u8], at: usize, wanted: u8) -> bool {
    at < text.len()
        && (text[at] == wanted || matches!(encoded(text, at), Some(octet) if octet == wanted))
}

/// The octet that is encoded with a percent sign at this place.
const fn encoded(text: &[u8], at: usize) -> Option<u8> {
    if at + 2 >= text.len() || text[at] != b'%' {
        return None;
    }
    match (digit(text[at + 1]), digit(text[at + 2])) {
        (Some(high), Some(low)) => Some(high * 16 + low),
        _ => None,
    }
}

const fn digit(octet: u8) -> Option<u8> {
    match octet {
        b'0'..=b'9' => Some(octet - b'0'),
        b'a'..=b'f' => Some(octet - b'a' + 10),
        b'A'..=b'F' => Some(octet - b'A' + 10),
        _ => None,
    }
}

impl FromStr for LocalPath {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        Self::parse(text)
    }
}

impl AsRef<str> for LocalPath {
    fn as_ref(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for LocalPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Serialize for LocalPath {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for LocalPath {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = Cow::<str>::deserialize(deserializer)?;
        Self::parse(&text).map_err(serde::de::Error::custom)
    }
}
