use std::sync::Arc;

use http::HeaderMap;

use super::cidr::Cidr;
use super::forwarded::{Hop, forwarded, x_forwarded};
use crate::engine::Connection;
use crate::error::{Error, Result};

/// As many proxies are looked at, in front of each other.
const MOST_HOPS: usize = 64;

/// The proxies that are believed when they say where a request comes from, and by which scheme.
///
/// ```
/// use http::{HeaderMap, HeaderValue};
/// use tenure_core::{engine::Connection, guard::TrustedProxies};
///
/// let proxies = TrustedProxies::cidrs(["10.0.0.0/8", "2001:db8::/32"])?;
/// let mut headers = HeaderMap::new();
/// headers.append("x-forwarded-for", HeaderValue::from_static("192.0.2.1, 198.51.100.7, 10.0.0.9"));
/// headers.append("x-forwarded-proto", HeaderValue::from_static("https"));
///
/// let proxy = Connection::new().peer("10.0.0.2".parse().unwrap());
/// let found = proxies.resolve(&headers, proxy);
/// assert_eq!(found.ip(), Some("198.51.100.7".parse().unwrap()), "what is left of it is a claim");
/// assert!(found.is_secure());
///
/// let stranger = Connection::new().peer("203.0.113.5".parse().unwrap());
/// assert_eq!(proxies.resolve(&headers, stranger).ip(), stranger.ip());
/// # Ok::<(), tenure_core::Error>(())
/// ```
///
/// # Deployment caveat
/// Every trusted proxy must append to the chosen header, or overwrite it, and must set the scheme:
/// what it passes on untouched is the client's own word. The other header is not looked at. What
/// is no address, such as `unknown` or `_hidden`, ends the search at the last address that is one:
/// a proxy that hides its clients makes them all one. A Unix socket has no address, so behind one
/// only [`hops`](Self::hops) trusts anybody.
#[derive(Clone, Debug)]
pub struct TrustedProxies {
    trust: Trust,
    headers: ProxyHeaders,
}

#[derive(Clone, Debug)]
enum Trust {
    Nobody,
    Ranges(Arc<[Cidr]>),
    Hops(usize),
}

/// Which headers proxies write.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum ProxyHeaders {
    /// `X-Forwarded-For`, with `X-Forwarded-Proto` for the scheme.
    #[default]
    XForwarded,
    /// `Forwarded` (RFC 7239), with the scheme in its parameter `proto`.
    Forwarded,
}

impl TrustedProxies {
    /// Believes nobody: the client is the peer of the connection.
    ///
    /// ```
    /// # use tenure_core::{engine::Connection, guard::TrustedProxies};
    /// let mut headers = http::HeaderMap::new();
    /// headers.insert("x-forwarded-for", http::HeaderValue::from_static("192.0.2.1"));
    /// let direct = Connection::new().peer("10.0.0.2".parse().unwrap());
    /// assert_eq!(TrustedProxies::none().resolve(&headers, direct).ip(), direct.ip());
    /// ```
    #[must_use]
    pub const fn none() -> Self {
        Self { trust: Trust::Nobody, headers: ProxyHeaders::XForwarded }
    }

    /// Believes the proxies with these addresses or in these ranges, as far as one of them says
    /// that it got the request from another: the first address from the right that is none of
    /// theirs is the client's.
    ///
    /// ```
    /// # use tenure_core::guard::TrustedProxies;
    /// let proxies = TrustedProxies::cidrs(["10.0.0.0/8", "192.0.2.1", "2001:db8::/32"])?;
    /// let error = TrustedProxies::cidrs(["10.0.0.1/8"]).unwrap_err();
    /// assert!(error.to_string().contains("bits behind the prefix"));
    /// # Ok::<(), tenure_core::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::Config`](crate::ErrorKind::Config) for what is no range, and for ranges of all
    /// addresses.
    pub fn cidrs<R: AsRef<str>>(ranges: impl IntoIterator<Item = R>) -> Result<Self> {
        let ranges = ranges.into_iter().map(|range| {
            let range: Cidr = range.as_ref().parse()?;
            if range.is_everything() {
                return Err(Error::config(format!(
                    "trusted_proxies: {range:?} believes everybody, so that any client could say \
                     that it is another; name the proxies, or count them with \
                     `TrustedProxies::hops`"
                )));
            }
            Ok(range)
        });
        let ranges = ranges.collect::<Result<_>>()?;
        Ok(Self { trust: Trust::Ranges(ranges), headers: ProxyHeaders::XForwarded })
    }

    /// Believes as many proxies as stand in front of the application, at most 64, whatever their
    /// addresses: with one, the last entry is the client.
    ///
    /// ```
    /// # use tenure_core::{engine::Connection, guard::TrustedProxies};
    /// let mut headers = http::HeaderMap::new();
    /// let line = http::HeaderValue::from_static("192.0.2.1, 198.51.100.7");
    /// headers.insert("x-forwarded-for", line);
    /// let found = TrustedProxies::hops(1).resolve(&headers, Connection::new());
    /// assert_eq!(found.ip(), Some("198.51.100.7".parse().unwrap()));
    /// ```
    ///
    /// # Deployment caveat
    /// Whoever reaches the application past the proxies can say anything, and so can everybody if
    /// the number is too large. Prefer [`cidrs`](Self::cidrs) where the addresses are known.
    #[must_use]
    pub const fn hops(proxies: u8) -> Self {
        Self { trust: Trust::Hops(proxies as usize), headers: ProxyHeaders::XForwarded }
    }

    /// Reads these headers, and no others; `X-Forwarded-For` and `X-Forwarded-Proto` by default.
    ///
    /// ```
    /// # use tenure_core::engine::Connection;
    /// use tenure_core::guard::{ProxyHeaders, TrustedProxies};
    ///
    /// let mut headers = http::HeaderMap::new();
    /// let line = r#"for=192.0.2.1, for="[2001:db8::7]:4711";proto=https"#;
    /// headers.insert("forwarded", http::HeaderValue::from_static(line));
    /// let proxies = TrustedProxies::hops(1).headers(ProxyHeaders::Forwarded);
    /// let found = proxies.resolve(&headers, Connection::new());
    /// assert_eq!(found.ip(), Some("2001:db8::7".parse().unwrap()));
    /// assert!(found.is_secure());
    /// ```
    #[must_use]
    pub const fn headers(mut self, headers: ProxyHeaders) -> Self {
        self.headers = headers;
        self
    }

    /// Where a request with these headers comes from, and by which scheme, when this is the
    /// connection that it came by. Whatever the headers say, the time that it takes grows no faster
    /// than they do. See the example of [`TrustedProxies`].
    #[must_use]
    pub fn resolve(&self, headers: &HeaderMap, direct: Connection) -> Connection {
        match (&self.trust, self.headers) {
            (Trust::Nobody, _) => direct,
            (_, ProxyHeaders::XForwarded) => self.walk(direct, x_forwarded(headers)),
            (_, ProxyHeaders::Forwarded) => self.walk(direct, forwarded(headers)),
        }
    }

    fn walk(&self, direct: Connection, hops: impl Iterator<Item = Hop>) -> Connection {
        let mut found = direct;
        for (nth, hop) in hops.take(MOST_HOPS).enumerate() {
            if !self.believes(nth, found) {
                break;
            }
            found.secure = hop.secure.unwrap_or(found.secure);
            let Some(address) = hop.address else { break };
            found.peer = Some(address);
        }
        found
    }

    /// Whether what stands at the `nth` place from the right was written by a trusted proxy, if
    /// `writer` is where the request came from before.
    fn believes(&self, nth: usize, writer: Connection) -> bool {
        match &self.trust {
            Trust::Nobody => false,
            Trust::Hops(proxies) => nth < *proxies,
            Trust::Ranges(ranges) => {
                writer.peer.is_some_and(|peer| ranges.iter().any(|range| range.contains(peer)))
            }
        }
    }
}
