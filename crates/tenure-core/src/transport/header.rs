use http::header::{HeaderMap, HeaderName, HeaderValue};

use super::presented::{Candidates, Presented, visible};
use super::{ResponseContext, Transport};
use crate::error::{Error, ErrorKind, Result};

/// Names with a meaning of their own, which a credential would break. Some of them a browser sends for
/// any site without asking (Fetch, section 2.2.2), so that they could not be told from forged ones.
const TAKEN: [&str; 21] = [
    "accept",
    "accept-encoding",
    "accept-language",
    "authorization",
    "cache-control",
    "connection",
    "content-language",
    "content-length",
    "content-type",
    "cookie",
    "host",
    "if-none-match",
    "origin",
    "proxy-authorization",
    "range",
    "referer",
    "set-cookie",
    "transfer-encoding",
    "upgrade",
    "user-agent",
    "vary",
];

/// The credential in a header of the application's own, in requests and responses alike (K4).
///
/// A client keeps what a response has in the header and sends it with its next request. An empty
/// value says that there is nothing to keep any more; a client that has nothing yet may send one to
/// be answered by the header rather than by another transport of the same sessions.
///
/// ```
/// use tenure_core::{Sessions, engine::Connection, store::MemoryStore, transport::Header};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> tenure_core::Result<()> {
/// let header = Header::named("x-session");
/// let sessions = Sessions::builder().store(MemoryStore::new()).header(header).build()?;
/// # let (parts, ()) = http::Request::new(()).into_parts();
/// # let exchange = sessions.open(&parts, Connection::new());
/// # exchange.session().set("theme", "dark")?;
/// # let mut headers = http::HeaderMap::new();
/// # exchange.close(http::StatusCode::OK, &mut headers).await?;
/// assert_eq!(headers["x-session"].len(), 80);
/// assert_eq!(headers["vary"], "x-session");
/// # Ok(())
/// # }
/// ```
///
/// # Deployment caveat
/// A script must keep the credential, so whoever can run one in the page can take it away: for
/// browsers a cookie is safer. Proxies that log headers log it.
#[derive(Clone, Debug)]
pub struct Header {
    name: String,
    longest: usize,
}

impl Header {
    /// A header of this name.
    #[must_use]
    pub fn named(name: impl Into<String>) -> Self {
        Self { name: name.into(), longest: 4096 }
    }

    /// The octets of the longest value that servers and proxies on the way take: 4096 unless set.
    /// It matters to sessions that the client keeps.
    ///
    /// ```
    /// # use tenure_core::{ErrorKind, Sessions, store::MemoryStore, transport::Header};
    /// let header = Header::named("x-session").longest(100);
    /// let error = Sessions::builder().store(MemoryStore::new()).header(header).build().unwrap_err();
    /// assert_eq!(error.kind(), ErrorKind::Config, "that is not even enough for a token");
    /// ```
    #[must_use]
    pub const fn longest(mut self, octets: usize) -> Self {
        self.longest = octets;
        self
    }

    /// The transport, ready to read and write.
    ///
    /// # Errors
    /// [`ErrorKind::Config`] for a name that no header of one's own can have.
    pub(crate) fn check(self) -> Result<HeaderTransport> {
        let wrong = |why: &str| Error::config(format!("header {:?}: {why}", self.name));
        let name = HeaderName::try_from(self.name.as_str())
            .map_err(|_| wrong("that is no name of a header; use letters, digits and hyphens"))?;
        if TAKEN.contains(&name.as_str()) {
            return Err(wrong("it has a meaning of its own; use one such as `x-session`"));
        }
        check_longest(self.longest).map_err(|why| wrong(&why))?;
        Ok(HeaderTransport { name, longest: self.longest })
    }
}

/// Refuses a limit that no token fits in, or that requests could not keep.
pub(super) fn check_longest(octets: usize) -> Result<(), String> {
    if (128..=super::presented::MAX_OCTETS).contains(&octets) {
        return Ok(());
    }
    Err(format!("`longest` is {octets} octets; it takes between 128 and 16384"))
}

/// A checked [`Header`].
#[derive(Debug)]
pub(crate) struct HeaderTransport {
    name: HeaderName,
    longest: usize,
}

impl Transport for HeaderTransport {
    fn name(&self, _secure: bool) -> &str {
        self.name.as_str()
    }

    fn request_header(&self) -> &HeaderName {
        &self.name
    }

    fn response_header(&self) -> Option<&HeaderName> {
        Some(&self.name)
    }

    fn find<'p>(&self, presented: &'p Presented, _secure: bool) -> Candidates<'p> {
        presented.candidates(Some)
    }

    fn issue(&self, value: &str, _: &ResponseContext<'_>, headers: &mut HeaderMap) -> Result<()> {
        headers.insert(&self.name, line(self.name.as_str(), value, self.longest)?);
        Ok(())
    }

    fn remove(&self, _: &ResponseContext<'_>, headers: &mut HeaderMap) -> Result<()> {
        headers.insert(&self.name, HeaderValue::from_static(""));
        Ok(())
    }

    fn capacity(&self, _secure: bool) -> usize {
        self.longest
    }

    fn is_ambient(&self) -> bool {
        false
    }

    fn matches(&self, presented: &Presented, _secure: bool) -> bool {
        !presented.is_empty()
    }

    fn describe(&self) -> String {
        format!("header: {}", self.name)
    }
}

/// The value of a header that is a credential.
pub(super) fn line(name: &str, value: &str, longest: usize) -> Result<HeaderValue> {
    if value.len() > longest {
        let octets = value.len();
        return Err(Error::new(
            ErrorKind::TooLarge,
            "header",
            format!("`{name}` would have {octets} octets; `longest` allows {longest}"),
        ));
    }
    let line = visible(value.as_bytes()).map(HeaderValue::from_str);
    let Some(Ok(mut line)) = line else {
        return Err(Error::new(
            ErrorKind::Config,
            "header",
            format!("the value for `{name}` is empty or not visible ASCII; encode it as base64url"),
        ));
    };
    // Keeps the credential out of Debug output and out of HPACK's tables.
    line.set_sensitive(true);
    Ok(line)
}
