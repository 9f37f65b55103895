use std::borrow::Cow;
use std::fmt::Write;

use base64::Engine;
use base64::prelude::BASE64_STANDARD as BASE64;

/// How a value is spelled in a cookie.
///
/// Our own tokens need no encoding. Others are for cookies that another system reads and writes as
/// well: what is written is octet by octet what that system writes, and what is read may be spelled
/// as any of its versions does.
///
/// ```
/// use tenure_core::transport::CookieEncoding;
///
/// let value = "s:abc.d+e/f";
/// assert_eq!(CookieEncoding::Plain.encode(value), value);
/// assert_eq!(CookieEncoding::PercentIfNeeded.encode(value), value);
/// let wire = CookieEncoding::Percent.encode(value);
/// assert_eq!(wire, "s%3Aabc.d%2Be%2Ff");
/// assert_eq!(CookieEncoding::PercentIfNeeded.decode(&wire).unwrap(), value);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum CookieEncoding {
    /// As it is.
    #[default]
    Plain,
    /// UTF-8 with `%XX` for all but letters, digits and `-_.!~*'()`, as JavaScript's
    /// `encodeURIComponent` (ECMA-262 §19.2.6.4).
    Percent,
    /// As [`Percent`](Self::Percent), but only where the value has a character that a cookie cannot
    /// hold, or a `%`.
    PercentIfNeeded,
    /// UTF-8 with `%XX` for all but letters, digits and `-._~`, and `+` for a space.
    Form,
    /// UTF-8 as standard base64 with padding (RFC 4648 §4).
    Base64,
}

impl CookieEncoding {
    /// `value` as it travels.
    ///
    /// ```
    /// # use tenure_core::transport::CookieEncoding;
    /// assert_eq!(CookieEncoding::Form.encode("a b/é"), "a+b%2F%C3%A9");
    /// assert_eq!(CookieEncoding::Base64.encode("a b/é"), "YSBiL8Op");
    /// ```
    #[must_use]
    pub fn encode<'a>(&self, value: &'a str) -> Cow<'a, str> {
        match self {
            Self::Plain => Cow::Borrowed(value),
            Self::Percent => percent(value, is_component, false),
            Self::PercentIfNeeded if value.bytes().all(needs_none) => Cow::Borrowed(value),
            Self::PercentIfNeeded => percent(value, is_component, false),
            Self::Form => percent(value, is_unreserved, true),
            Self::Base64 => Cow::Owned(BASE64.encode(value)),
        }
    }

    /// The value that travelled as `text`; none for what no value is spelled as.
    ///
    /// ```
    /// # use tenure_core::transport::CookieEncoding;
    /// assert_eq!(CookieEncoding::Form.decode("a+b%2f%C3%A9").unwrap(), "a b/é");
    /// assert!(CookieEncoding::Form.decode("100%").is_none());
    /// assert!(CookieEncoding::Base64.decode("a b").is_none());
    /// ```
    #[must_use]
    pub fn decode<'a>(&self, text: &'a str) -> Option<Cow<'a, str>> {
        match self {
            Self::Plain => Some(Cow::Borrowed(text)),
            Self::Percent | Self::PercentIfNeeded => unescape(text, false),
            Self::Form => unescape(text, true),
            Self::Base64 => String::from_utf8(BASE64.decode(text).ok()?).ok().map(Cow::Owned),
        }
    }
}

/// What `encodeURIComponent` leaves as it is.
fn is_component(octet: u8) -> bool {
    octet.is_ascii_alphanumeric() || b"-_.!~*'()".contains(&octet)
}

/// RFC 3986 §2.3.
fn is_unreserved(octet: u8) -> bool {
    octet.is_ascii_alphanumeric() || b"-._~".contains(&octet)
}

/// What a cookie can hold (RFC 6265 §4.1.1), without the sign that begins an escape.
fn needs_none(octet: u8) -> bool {
    octet.is_ascii_graphic() && !b"\",;\\%".contains(&octet)
}

fn percent(value: &str, bare: fn(u8) -> bool, plus: bool) -> Cow<'_, str> {
    if value.bytes().all(bare) {
        return Cow::Borrowed(value);
    }
    let mut text = String::with_capacity(value.len() + value.len() / 2);
    for octet in value.bytes() {
        if bare(octet) {
            text.push(char::from(octet));
        } else if octet == b' ' && plus {
            text.push('+');
        } else {
            write!(text, "%{octet:02X}").expect("writing to a string does not fail");
        }
    }
    Cow::Owned(text)
}

fn unescape(text: &str, plus: bool) -> Option<Cow<'_, str>> {
    let special = |octet: u8| octet == b'%' || (plus && octet == b'+');
    if !text.bytes().any(special) {
        return Some(Cow::Borrowed(text));
    }
    let mut octets = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&octet, after)) = rest.split_first() {
        rest = after;
        match octet {
            b'%' => {
                let (digits, after) = rest.split_first_chunk::<2>()?;
                octets.push((digit(digits[0])? << 4) | digit(digits[1])?);
                rest = after;
            }
            b'+' if plus => octets.push(b' '),
            octet => octets.push(octet),
        }
    }
    String::from_utf8(octets).ok().map(Cow::Owned)
}

fn digit(digit: u8) -> Option<u8> {
    char::from(digit).to_digit(16).map(|value| value as u8)
}

#[cfg(test)]
mod tests;
