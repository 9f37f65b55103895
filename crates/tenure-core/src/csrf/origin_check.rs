use http::header::{AsHeaderName, HOST, ORIGIN, UPGRADE};
use http::request::Parts;
use http::uri::Scheme;
use http::{HeaderMap, HeaderValue, Method};

use super::Refusal;
use super::bypass::Bypass;
use super::origin::{Authority, Claim, Origin};
use crate::engine::Connection;
use crate::error::{Error, Result};

const SEC_FETCH_SITE: &str = "sec-fetch-site";

/// Refuses what a browser sent on behalf of another origin, by what the browser says of it.
///
/// The first of these that fits decides, in the order of Go's `http.CrossOriginProtection`:
///
/// 1. GET, HEAD and OPTIONS pass, and so does what the application [exempts](Self::bypass_path).
/// 2. `Origin`, `Sec-Fetch-Site` twice, or an `Origin` that is none: refused. (Go takes the first.)
/// 3. An [origin that is trusted](Self::trusted_origin) passes.
/// 4. `Sec-Fetch-Site` says `same-origin` or `none` (the user's own doing): it passes. Whatever else
///    it says, `same-site` included: refused.
/// 5. Neither `Sec-Fetch-Site` nor `Origin`: no browser of today sent it, and it passes, unless the
///    check is [strict](Self::strict).
/// 6. The host and port of `Origin` are the request's: it passes if the scheme is, too, or is not
///    known. All else is refused, `null` as well.
///
/// ```
/// use http::Request;
/// use tenure_core::csrf::{OriginCheck, Refusal};
/// use tenure_core::engine::Connection;
///
/// let check = OriginCheck::new();
/// let post = Request::post("/").header("host", "shop.example");
/// let (post, ()) = post.header("origin", "http://shop.example").body(())?.into_parts();
/// assert_eq!(check.check(&post, None), Ok(()));
/// let https = Connection::new().secure(true);
/// assert_eq!(check.check(&post, Some(https)), Err(Refusal::OtherScheme));
/// # Ok::<(), http::Error>(())
/// ```
///
/// # Deployment caveat
/// Browsers send `Sec-Fetch-Site` over HTTPS and to localhost alone. Without it `Origin` is compared
/// with the host that the request names: behind a proxy that changes `Host`, add the public origin
/// by [`trusted_origin`](Self::trusted_origin). A proxy that removes both headers defeats the check,
/// unless it is strict. Over plain HTTP whoever sits on the network can forge anything: redirect to
/// HTTPS, and send `Strict-Transport-Security`.
#[derive(Clone, Debug, Default)]
#[must_use = "a check refuses nothing until it is asked"]
pub struct OriginCheck {
    trusted: Vec<Origin>,
    bypass: Bypass,
    strict: bool,
}

impl OriginCheck {
    /// A check that trusts no other origin and exempts no path.
    pub fn new() -> Self {
        Self::default()
    }

    /// Lets requests from this origin pass: `https://` and a host, and a port where it is not the
    /// scheme's own. Whoever controls it can act for every visitor.
    ///
    /// ```
    /// use tenure_core::csrf::OriginCheck;
    ///
    /// let check = OriginCheck::new().trusted_origin("https://login.example.com:8443")?;
    /// # drop(check);
    /// for wrong in ["login.example.com", "https://*.example.com", "https://example.com/"] {
    ///     assert!(OriginCheck::new().trusted_origin(wrong).is_err());
    /// }
    /// # Ok::<(), tenure_core::Error>(())
    /// ```
    ///
    /// # Deployment caveat
    /// A trusted `http://` origin is whoever sits on the network between it and the visitor.
    ///
    /// # Errors
    /// [`ErrorKind::Config`](crate::ErrorKind::Config) for what is no origin.
    pub fn trusted_origin(mut self, origin: &str) -> Result<Self> {
        match Origin::parse(origin) {
            Ok(origin) => self.trusted.push(origin),
            Err(why) => return Err(Error::config(format!("trusted_origin: {origin:?} {why}"))),
        }
        Ok(self)
    }

    /// Exempts one path, for what other programs than browsers post there and prove by other means,
    /// such as a webhook. The path of the request has to be the same to the letter, percent-encoding
    /// and a slash at its end included, so that no other route is let in.
    ///
    /// ```
    /// use http::Method;
    /// use tenure_core::csrf::OriginCheck;
    ///
    /// let check = OriginCheck::new().bypass_path("/webhook")?;
    /// assert!(!check.applies_to(&Method::POST, "/webhook"));
    /// for other in ["/webhook/", "/webhooks", "/Webhook", "/%77ebhook", "//webhook"] {
    ///     assert!(check.applies_to(&Method::POST, other));
    /// }
    /// # Ok::<(), tenure_core::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::Config`](crate::ErrorKind::Config) for what is no path, patterns included.
    pub fn bypass_path(mut self, path: &str) -> Result<Self> {
        self.bypass.exact(path)?;
        Ok(self)
    }

    /// Exempts all paths below one, given with `/*` at its end. Every route that is ever added there
    /// is unprotected from the start.
    ///
    /// Paths from which something behind might go up again, by `..` or percent-encoding, are checked
    /// all the same.
    ///
    /// ```
    /// use http::Method;
    /// use tenure_core::csrf::OriginCheck;
    ///
    /// let check = OriginCheck::new().insecure_bypass_below("/webhooks/*")?;
    /// assert!(!check.applies_to(&Method::POST, "/webhooks/pay"));
    /// assert!(check.applies_to(&Method::POST, "/webhooks"));
    /// assert!(check.applies_to(&Method::POST, "/webhooks/../admin"));
    /// # Ok::<(), tenure_core::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::Config`](crate::ErrorKind::Config) for what is no path with `/*` at its end.
    pub fn insecure_bypass_below(mut self, pattern: &str) -> Result<Self> {
        self.bypass.beginning(pattern)?;
        Ok(self)
    }

    /// Refuses requests that have neither `Sec-Fetch-Site` nor `Origin`, too: those of programs, of
    /// browsers from before 2020, and through proxies that remove headers.
    ///
    /// ```
    /// use http::Request;
    /// use tenure_core::csrf::{OriginCheck, Refusal};
    ///
    /// let (post, ()) = Request::post("/").body(())?.into_parts();
    /// assert_eq!(OriginCheck::new().check(&post, None), Ok(()));
    /// assert_eq!(OriginCheck::new().strict().check(&post, None), Err(Refusal::NoOrigin));
    /// # Ok::<(), http::Error>(())
    /// ```
    pub fn strict(mut self) -> Self {
        self.strict = true;
        self
    }

    /// Whether requests of this method and path are checked at all, and may be asked for a token. The
    /// handshake of a WebSocket is [checked](Self::check) as well, though it is a GET.
    ///
    /// ```
    /// use http::Method;
    /// use tenure_core::csrf::OriginCheck;
    ///
    /// assert!(OriginCheck::new().applies_to(&Method::DELETE, "/orders/17"));
    /// assert!(!OriginCheck::new().applies_to(&Method::GET, "/orders/17"));
    /// ```
    #[must_use]
    pub fn applies_to(&self, method: &Method, path: &str) -> bool {
        let safe = matches!(*method, Method::GET | Method::HEAD | Method::OPTIONS);
        !safe && !self.bypass.covers(path)
    }

    /// Whether the request may pass: an unsafe one, or one that opens a WebSocket, which browsers let
    /// pages of every origin do, with the cookies of ours (RFC 6455 section 10.2). `connection` is what is known of how it came; without it the
    /// scheme is that of the URI, which is known only where the URI has one.
    ///
    /// ```
    /// use http::Request;
    /// use tenure_core::csrf::{OriginCheck, Refusal};
    ///
    /// let request = Request::post("/").header("sec-fetch-site", "same-site").body(())?;
    /// let refused = OriginCheck::new().check(&request.into_parts().0, None);
    /// assert_eq!(refused, Err(Refusal::CrossOrigin), "another host of one's own is another origin");
    /// # Ok::<(), http::Error>(())
    /// ```
    ///
    /// # Errors
    /// Why it is refused.
    pub fn check(&self, request: &Parts, connection: Option<Connection>) -> Result<(), Refusal> {
        let path = request.uri.path();
        let opens_socket = || opens_socket(&request.headers) && !self.bypass.covers(path);
        if !self.applies_to(&request.method, path) && !opens_socket() {
            return Ok(());
        }
        let site = only(&request.headers, SEC_FETCH_SITE)?.map(HeaderValue::as_bytes);
        let claim = match only(&request.headers, ORIGIN)? {
            Some(value) => Some(Claim::read(value).ok_or(Refusal::Malformed)?),
            None => None,
        };
        match (site, claim) {
            (_, Some(Claim::Origin(origin))) if self.trusted.contains(&origin) => Ok(()),
            (Some(b"same-origin" | b"none"), _) => Ok(()),
            (Some(b"same-site" | b"cross-site"), _) => Err(Refusal::CrossOrigin),
            (Some(_), _) => Err(Refusal::Malformed),
            (None, None) if self.strict => Err(Refusal::NoOrigin),
            (None, None) => Ok(()),
            (None, Some(Claim::Null)) => Err(Refusal::NullOrigin),
            (None, Some(Claim::Origin(origin))) => is_own(&origin, request, connection),
        }
    }
}

/// Whether the request goes to the origin that it says it comes from.
fn is_own(origin: &Origin, request: &Parts, connection: Option<Connection>) -> Result<(), Refusal> {
    let header = match only(&request.headers, HOST)? {
        Some(host) => Some(host.to_str().map_err(|_| Refusal::Malformed)?),
        None => None,
    };
    let place = match (request.uri.authority(), header) {
        // Whoever sends two that differ wants one to be checked and the other to be used.
        (Some(one), Some(other)) if !one.as_str().eq_ignore_ascii_case(other) => None,
        (Some(one), _) => Authority::parse(one.as_str()),
        (None, other) => other.and_then(Authority::parse),
    };
    if !origin.is_at(&place.ok_or(Refusal::Malformed)?) {
        return Err(Refusal::OtherHost);
    }
    let https = match (connection, request.uri.scheme()) {
        (Some(connection), _) => connection.secure,
        (None, Some(scheme)) => *scheme == Scheme::HTTPS,
        (None, None) => return Ok(()),
    };
    if https == (origin.scheme == "https") { Ok(()) } else { Err(Refusal::OtherScheme) }
}

fn opens_socket(headers: &HeaderMap) -> bool {
    let protocols = headers
        .get_all(UPGRADE)
        .iter()
        .flat_map(|value| value.as_bytes().split(|&octet| octet == b','));
    protocols.map(<[u8]>::trim_ascii).any(|protocol| protocol.eq_ignore_ascii_case(b"websocket"))
}

/// The value of a header that may be there once.
fn only(headers: &HeaderMap, name: impl AsHeaderName) -> Result<Option<&HeaderValue>, Refusal> {
    let mut values = headers.get_all(name).iter();
    match (values.next(), values.next()) {
        (value, None) => Ok(value),
        (_, Some(_)) => Err(Refusal::Malformed),
    }
}
