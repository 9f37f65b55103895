//! One `Set-Cookie` line, octet by octet.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use http::HeaderValue;
use httpdate::HttpDate;

use super::attributes::{Attributes, Priority, SameSite, Secure};
use crate::error::{Error, ErrorKind, Result};

/// What every browser stores of name and value together (RFC 6265bis §5.7).
pub(super) const MAX_PAIR: usize = 4096;
/// Ends the life of a cookie, for browsers that know only one of the two as well.
pub(super) const REMOVED: &str = "; Max-Age=0; Expires=Thu, 01 Jan 1970 00:00:00 GMT";
/// The last second that has an HTTP date, in the year 9999.
const LAST_DATE: u64 = 253_402_300_799;

/// All attributes but the dates, which depend on the time; they must have been settled.
pub(super) fn suffix(attributes: &Attributes) -> String {
    let mut text = format!("; Path={}", attributes.path);
    if let Some(domain) = &attributes.domain {
        text.push_str("; Domain=");
        text.push_str(domain);
    }
    if attributes.secure == Secure::Always {
        text.push_str("; Secure");
    }
    if attributes.http_only {
        text.push_str("; HttpOnly");
    }
    text.push_str(match attributes.same_site {
        SameSite::Strict => "; SameSite=Strict",
        SameSite::Lax => "; SameSite=Lax",
        SameSite::None => "; SameSite=None",
    });
    if attributes.partitioned {
        text.push_str("; Partitioned");
    }
    text.push_str(match attributes.priority {
        None => "",
        Some(Priority::Low) => "; Priority=Low",
        Some(Priority::Medium) => "; Priority=Medium",
        Some(Priority::High) => "; Priority=High",
    });
    for (name, value) in &attributes.extensions {
        text.push_str("; ");
        text.push_str(name);
        if let Some(value) = value {
            text.push('=');
            text.push_str(value);
        }
    }
    text
}

/// `Max-Age` and `Expires`; empty for a cookie that ends with the browser session.
pub(super) fn dates(attributes: &Attributes, now: SystemTime) -> String {
    match (attributes.lifetime, attributes.expires) {
        (Some(lifetime), _) => lasting(lifetime, now),
        (None, Some(expires)) => format!("; Expires={}", date(expires)),
        (None, None) => String::new(),
    }
}

/// The attributes that keep a cookie for `lifetime`.
pub(super) fn lasting(lifetime: Duration, now: SystemTime) -> String {
    format!("; Max-Age={}; Expires={}", lifetime.as_secs(), date(now + lifetime))
}

/// The whole line, if a browser would take it.
pub(super) fn line(name: &str, value: &str, suffix: &str, dates: &str) -> Result<HeaderValue> {
    let octets = name.len() + value.len();
    if octets > MAX_PAIR {
        return Err(Error::new(
            ErrorKind::TooLarge,
            "cookie",
            format!("`{name}` has {octets} octets of name and value; browsers store 4096"),
        ));
    }
    // All of them, whatever the first ones are: that takes many at a time.
    if !value.bytes().fold(true, |all, octet| all & is_cookie_octet(octet)) {
        return Err(Error::new(
            ErrorKind::Config,
            "cookie",
            format!(
                "the value for `{name}` has an octet that RFC 6265 §4.1.1 forbids; encode it as \
                 base64url"
            ),
        ));
    }
    let mut line = String::with_capacity(octets + 1 + suffix.len() + dates.len());
    for part in [name, "=", value, suffix, dates] {
        line.push_str(part);
    }
    let mut line = HeaderValue::try_from(line).map_err(|error| {
        Error::new(ErrorKind::Config, "cookie", "the line is no header value").with_source(error)
    })?;
    // Keeps the credential out of Debug output and out of HPACK's tables.
    line.set_sensitive(true);
    Ok(line)
}

/// An HTTP date; later ones than the format has become its last, since httpdate panics on them.
fn date(time: SystemTime) -> HttpDate {
    time.min(UNIX_EPOCH + Duration::from_secs(LAST_DATE)).into()
}

fn is_cookie_octet(octet: u8) -> bool {
    matches!(octet, b'!' | b'#'..=b'+' | b'-'..=b':' | b'<'..=b'[' | b']'..=b'~')
}
