//! What browsers would refuse or cut off is refused here, at build and at every response alike.

use std::borrow::Cow;
use std::net::IpAddr;
use std::time::{Duration, SystemTime};

use super::attributes::{Attributes, SameSite, Secure};

/// Browsers cut lifetimes off there (RFC 6265bis §5.5).
const MAX_LIFETIME: Duration = Duration::from_secs(400 * 24 * 60 * 60);
/// Dates and `Max-Age` count in these.
const SECOND: Duration = Duration::from_secs(1);
/// Browsers ignore an attribute with a longer value (RFC 6265bis §5.6).
const MAX_ATTRIBUTE: usize = 1024;
/// Leaves three quarters of what a browser stores to the value.
const MAX_NAME: usize = 1024;

/// The setting that is wrong, and the remedy.
pub(super) type Fault = Cow<'static, str>;

/// A beginning of the name that binds browsers to rules (RFC 6265bis §4.1.3, layered cookies).
struct Prefix {
    text: &'static str,
    host: bool,
    http_only: bool,
}

/// The longer one of two with the same beginning comes first.
const PREFIXES: [Prefix; 4] = [
    Prefix { text: "__Host-Http-", host: true, http_only: true },
    Prefix { text: "__Host-", host: true, http_only: false },
    Prefix { text: "__Secure-", host: false, http_only: false },
    Prefix { text: "__Http-", host: false, http_only: true },
];

/// Attributes that have a setting of their own.
const KNOWN: [&str; 9] = [
    "path",
    "domain",
    "expires",
    "max-age",
    "secure",
    "httponly",
    "samesite",
    "partitioned",
    "priority",
];

/// The name on plain HTTP, where browsers refuse the prefixes.
pub(super) fn without_prefix(name: &str) -> &str {
    split(name).map_or(name, |(_, rest)| rest)
}

/// Checks attributes that were [settled](Attributes::settle).
pub(super) fn cookie(name: &str, attributes: &Attributes, now: SystemTime) -> Result<(), Fault> {
    check_name(name)?;
    check_path(&attributes.path)?;
    if let Some(domain) = &attributes.domain {
        check_domain(domain)?;
    }
    for (name, value) in &attributes.extensions {
        check_extension(name, value.as_deref())?;
    }
    check_prefix(name, attributes)?;
    let secure = attributes.secure == Secure::Always;
    if attributes.same_site == SameSite::None && !secure {
        return Err("`same_site(SameSite::None)` needs `Secure`; use `secure(Secure::Always)` or \
                    `SameSite::Lax`"
            .into());
    }
    if attributes.partitioned && !secure {
        return Err("`partitioned` needs `Secure`; use `secure(Secure::Always)`".into());
    }
    if attributes.partitioned && attributes.same_site != SameSite::None {
        return Err("`partitioned` needs `same_site(SameSite::None)`, since the cookie is for \
                    pages embedded in other sites; set it, or remove `partitioned`"
            .into());
    }
    match (attributes.lifetime, attributes.expires) {
        (Some(lifetime), _) => check_lifetime(lifetime),
        (None, Some(date)) => check_expires(date, now),
        (None, None) => Ok(()),
    }
}

/// Checks a date, also one that a lifetime overrides.
pub(super) fn check_expires(date: SystemTime, now: SystemTime) -> Result<(), Fault> {
    match date.duration_since(now) {
        Ok(ahead) if ahead > MAX_LIFETIME => Err("`expires` is more than 400 days ahead, where \
                                                  browsers cut it off; set an earlier date"
            .into()),
        Ok(ahead) if ahead >= SECOND => Ok(()),
        _ => Err("`expires` is in the past, so that browsers would drop the cookie; set a later \
                  date, or use `lifetime`"
            .into()),
    }
}

fn check_lifetime(lifetime: Duration) -> Result<(), Fault> {
    if lifetime < SECOND {
        return Err("`lifetime` is less than a second, so that browsers would drop the cookie; \
                    set a longer one, or none for a cookie that ends with the browser session"
            .into());
    }
    if lifetime > MAX_LIFETIME {
        return Err(
            "`lifetime` is over 400 days, where browsers cut it off; set a shorter one".into()
        );
    }
    Ok(())
}

fn check_name(name: &str) -> Result<(), Fault> {
    if name.is_empty() {
        return Err("the name is empty; use one such as `__Host-id`".into());
    }
    let is_token = |sign: &char| u8::try_from(*sign).is_ok_and(is_token);
    if let Some(sign) = name.chars().find(|sign| !is_token(sign)) {
        return Err(format!(
            "the name contains {sign:?}; use only letters, digits and `!#$%&'*+-.^_`|~` (RFC 6265 \
             §4.1.1)"
        )
        .into());
    }
    if name.len() > MAX_NAME {
        return Err("the name is over 1024 octets; use a shorter one".into());
    }
    if let Some((prefix, "")) = split(name) {
        return Err(
            format!("the name is nothing but `{}`; add a name after it", prefix.text).into()
        );
    }
    Ok(())
}

fn check_prefix(name: &str, attributes: &Attributes) -> Result<(), Fault> {
    let Some((prefix, _)) = split(name) else { return Ok(()) };
    let text = prefix.text;
    if attributes.secure != Secure::Always {
        return Err(format!(
            "a name with `{text}` needs `Secure`; use `secure(Secure::Always)`, or `Secure::Auto`, \
             which takes one prefix off on plain HTTP, or a name without `{text}`"
        )
        .into());
    }
    if prefix.http_only && !attributes.http_only {
        return Err(format!(
            "a name with `{text}` needs `HttpOnly`; remove `insecure_allow_scripts`, or use a \
             name without `{text}`"
        )
        .into());
    }
    if prefix.host && attributes.domain.is_some() {
        return Err(format!(
            "a name with `{text}` forbids `domain`; remove it, or use a name with `__Secure-` to \
             share the cookie between hosts"
        )
        .into());
    }
    if prefix.host && attributes.path != "/" {
        return Err(format!(
            "a name with `{text}` needs `path(\"/\")`; use that, or a name with `__Secure-`"
        )
        .into());
    }
    Ok(())
}

fn check_path(path: &str) -> Result<(), Fault> {
    if !path.starts_with('/') {
        return Err("`path` does not begin with `/`, so that browsers would ignore it; begin it \
                    with one"
            .into());
    }
    if path.contains(['?', '#']) {
        return Err("`path` contains `?` or `#`, which no path has, so that the cookie would \
                    never be sent; end it before"
            .into());
    }
    check_text("path", path)
}

fn check_domain(domain: &str) -> Result<(), Fault> {
    check_text("domain", domain)?;
    if domain.is_empty() {
        return Err("`domain` is empty; remove it for a cookie of the host alone".into());
    }
    if domain.starts_with('.') {
        return Err("`domain` begins with a dot; remove the dot: hosts below the domain are \
                    included without it"
            .into());
    }
    let bare = domain.trim_start_matches('[').trim_end_matches(']');
    if bare.parse::<IpAddr>().is_ok() {
        return Err("`domain` is an IP address; remove it: without a domain the cookie already \
                    belongs to the address"
            .into());
    }
    if domain.contains([':', '/']) {
        return Err("`domain` has a scheme, a port or a path; give only the host's name, such as \
                    `example.com`"
            .into());
    }
    let label = |label: &str| {
        (1..=63).contains(&label.len())
            && label.bytes().all(|octet| octet.is_ascii_alphanumeric() || b"-_".contains(&octet))
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    if domain.len() > 253 || !domain.split('.').all(label) {
        return Err("`domain` is no host name; give one such as `example.com`, without a dot at \
                    the end, an international one in its `xn--` form"
            .into());
    }
    Ok(())
}

fn check_extension(name: &str, value: Option<&str>) -> Result<(), Fault> {
    if name.is_empty() || !name.bytes().all(is_token) || name.len() > MAX_ATTRIBUTE {
        return Err(format!(
            "the name of `extension` {name:?} is no RFC 6265 token of at most 1024 octets; use \
             letters, digits and hyphens"
        )
        .into());
    }
    if KNOWN.iter().any(|known| known.eq_ignore_ascii_case(name)) {
        return Err(format!(
            "`extension` {name:?} is an attribute with a setting of its own; use that setting"
        )
        .into());
    }
    check_text("extension", value.unwrap_or_default())
}

/// Invariant: what passes is one attribute value to every browser, and no two lines.
fn check_text(setting: &str, text: &str) -> Result<(), Fault> {
    if text.len() > MAX_ATTRIBUTE {
        return Err(format!(
            "`{setting}` is over 1024 octets, where browsers ignore it; use a shorter one"
        )
        .into());
    }
    let fits = |octet: u8| matches!(octet, b' '..=b'~') && octet != b';';
    if !text.bytes().all(fits) || text.starts_with(' ') || text.ends_with(' ') {
        return Err(format!(
            "`{setting}` contains `;`, a control character, a character beyond ASCII, or a space \
             at an end; remove it, or encode it as `%XX`"
        )
        .into());
    }
    Ok(())
}

fn split(name: &str) -> Option<(&'static Prefix, &str)> {
    PREFIXES.iter().find_map(|prefix| {
        let (start, rest) = name.split_at_checked(prefix.text.len())?;
        start.eq_ignore_ascii_case(prefix.text).then_some((prefix, rest))
    })
}

/// RFC 6265 §4.1.1, by way of RFC 2616 §2.2.
fn is_token(octet: u8) -> bool {
    octet.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&octet)
}
