use std::net::Ipv6Addr;

use http::HeaderValue;

/// A web origin (RFC 6454, section 4): scheme, host and port, in one spelling.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Origin {
    pub(super) scheme: String,
    pub(super) authority: Authority,
}

/// A host and the port that was written behind it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Authority {
    host: String,
    port: Option<u16>,
}

/// What a client says of its origin.
pub(super) enum Claim {
    Null,
    Origin(Origin),
}

impl Claim {
    pub(super) fn read(value: &HeaderValue) -> Option<Self> {
        match value.to_str().ok()? {
            "null" => Some(Self::Null),
            text => Origin::parse(text).ok().map(Self::Origin),
        }
    }
}

impl Origin {
    /// The origin with this text; the error says what is wrong with it.
    pub(super) fn parse(text: &str) -> Result<Self, &'static str> {
        let Some((scheme, authority)) = text.split_once("://") else {
            return Err("has no scheme; write `https://` and the host");
        };
        let mut octets = scheme.bytes();
        let begins = octets.next().is_some_and(|first| first.is_ascii_alphabetic());
        if !begins || !octets.all(|octet| octet.is_ascii_alphanumeric() || b"+-.".contains(&octet))
        {
            return Err("has no scheme; write `https://` and the host");
        }
        if authority.contains('*') {
            return Err("has a wildcard; name every origin");
        }
        if authority.contains(['/', '?', '#']) {
            return Err("has a path or a slash at its end; end it after the host or port");
        }
        if authority.contains('@') {
            return Err("names a user; leave everything to the `@` out");
        }
        if !authority.is_ascii() {
            return Err("has letters beyond ASCII; write the host as `xn--…`");
        }
        let Some(mut authority) = Authority::parse(authority) else {
            return Err("has no usable host, or a port out of range");
        };
        let scheme = scheme.to_ascii_lowercase();
        authority.port = authority.port.filter(|port| Some(*port) != default_port(&scheme));
        Ok(Self { scheme, authority })
    }

    /// Whether a browser would send requests to this host and port from a page of this origin, as
    /// far as the host and port tell.
    pub(super) fn is_at(&self, place: &Authority) -> bool {
        let default = default_port(&self.scheme);
        default.is_some()
            && self.authority.host == place.host
            && self.authority.port.or(default) == place.port.or(default)
    }
}

impl Authority {
    pub(super) fn parse(text: &str) -> Option<Self> {
        let (host, port) = match text.strip_prefix('[') {
            Some(text) => {
                let (address, port) = text.split_once(']')?;
                let address: Ipv6Addr = address.parse().ok()?;
                (address.to_string(), port)
            }
            None => {
                let (host, port) = text.split_at(text.find(':').unwrap_or(text.len()));
                let letter = |octet: u8| octet.is_ascii_alphanumeric() || b"-._".contains(&octet);
                if host.is_empty() || !host.bytes().all(letter) {
                    return None;
                }
                (host.to_ascii_lowercase(), port)
            }
        };
        let port = match port.strip_prefix(':') {
            Some(digits) if digits.bytes().all(|octet| octet.is_ascii_digit()) => {
                Some(digits.parse().ok()?)
            }
            None if port.is_empty() => None,
            _ => return None,
        };
        Some(Self { host, port })
    }
}

fn default_port(scheme: &str) -> Option<u16> {
    match scheme {
        "http" => Some(80),
        "https" => Some(443),
        _ => None,
    }
}
