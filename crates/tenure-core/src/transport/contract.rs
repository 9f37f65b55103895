use std::fmt;

use http::{HeaderMap, HeaderName};

use super::{Candidates, Presented, ResponseContext};
use crate::error::Result;

/// A way for the credential to travel.
///
/// A transport finds what *may* be a credential in one header of a request; whether it is one, the
/// keys and the store decide. It gives the client a credential with a response, or takes it away.
///
/// ```
/// use http::{HeaderMap, HeaderName};
/// use tenure_core::transport::{Candidates, Presented, ResponseContext, Transport};
/// use tenure_core::{Result, Sessions, store::MemoryStore};
///
/// /// In a header of requests and another one of responses.
/// #[derive(Debug)]
/// struct TwoHeaders(HeaderName, HeaderName);
///
/// impl Transport for TwoHeaders {
///     fn name(&self, _secure: bool) -> &str {
///         self.0.as_str()
///     }
///     fn request_header(&self) -> &HeaderName {
///         &self.0
///     }
///     fn response_header(&self) -> Option<&HeaderName> {
///         Some(&self.1)
///     }
///     fn find<'p>(&self, presented: &'p Presented, _secure: bool) -> Candidates<'p> {
///         let mut found = Candidates::default();
///         for text in presented.lines().filter_map(|line| std::str::from_utf8(line).ok()) {
///             let _ = found.add(text);
///         }
///         found
///     }
///     fn issue(&self, value: &str, _: &ResponseContext<'_>, headers: &mut HeaderMap) -> Result<()> {
///         headers.insert(&self.1, value.parse().expect("base64url"));
///         Ok(())
///     }
///     fn remove(&self, _: &ResponseContext<'_>, headers: &mut HeaderMap) -> Result<()> {
///         headers.insert(&self.1, "none".parse().expect("text"));
///         Ok(())
///     }
///     fn capacity(&self, _secure: bool) -> usize {
///         4096
///     }
///     fn is_ambient(&self) -> bool {
///         false
///     }
/// }
///
/// let names = TwoHeaders(HeaderName::from_static("x-in"), HeaderName::from_static("x-out"));
/// let sessions = Sessions::builder().store(MemoryStore::new()).transport(names).build()?;
/// assert_eq!(sessions.name(), "x-in");
/// # Ok::<(), tenure_core::Error>(())
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no transport of credentials",
    note = "`Cookie`, `Header` and `Bearer` have settings of their own: `cookie`, `header`, `bearer`"
)]
pub trait Transport: fmt::Debug + Send + Sync + 'static {
    /// The name that credentials are bound to, on HTTPS or on plain HTTP: what travels under another
    /// one is none.
    fn name(&self, secure: bool) -> &str;

    /// The header of requests that carries the credential; responses vary on it.
    fn request_header(&self) -> &HeaderName;

    /// The header of responses that carries it; none if it is set by no script's doing, as cookies
    /// are, or given in a body.
    fn response_header(&self) -> Option<&HeaderName>;

    /// What may be a credential.
    ///
    /// ```
    /// # use http::{HeaderMap, header::AUTHORIZATION};
    /// use tenure_core::transport::{Bearer, Presented, Transport};
    ///
    /// let mut headers = HeaderMap::new();
    /// headers.insert(AUTHORIZATION, "Bearer abc".parse()?);
    /// let presented = Presented::of(&headers, &AUTHORIZATION);
    /// assert_eq!(Bearer::new().find(&presented, true).iter().next(), Some("abc"));
    /// # Ok::<(), http::header::InvalidHeaderValue>(())
    /// ```
    fn find<'p>(&self, presented: &'p Presented, secure: bool) -> Candidates<'p>;

    /// Gives the client this credential.
    ///
    /// # Errors
    /// When it does not fit.
    fn issue(&self, value: &str, cx: &ResponseContext<'_>, headers: &mut HeaderMap) -> Result<()>;

    /// Takes the credential away from the client.
    ///
    /// # Errors
    /// When that cannot be said.
    fn remove(&self, cx: &ResponseContext<'_>, headers: &mut HeaderMap) -> Result<()>;

    /// The octets of the longest credential that fits.
    fn capacity(&self, secure: bool) -> usize;

    /// Whether clients send the credential by themselves, also with requests that another site made
    /// them send, as browsers do with cookies.
    fn is_ambient(&self) -> bool;

    /// Whether a request came this way, with whatever credential: then it is answered this way, and
    /// other transports are not considered.
    ///
    /// ```
    /// # use http::{HeaderMap, header::AUTHORIZATION};
    /// use tenure_core::transport::{Bearer, Presented, Transport};
    ///
    /// let bearer = Bearer::new();
    /// let mut headers = HeaderMap::new();
    /// headers.insert(AUTHORIZATION, "Bearer expired".parse()?);
    /// assert!(bearer.matches(&Presented::of(&headers, &AUTHORIZATION), true));
    /// headers.insert(AUTHORIZATION, "Basic QWRhOmFkYQ".parse()?);
    /// assert!(!bearer.matches(&Presented::of(&headers, &AUTHORIZATION), true));
    /// # Ok::<(), http::header::InvalidHeaderValue>(())
    /// ```
    fn matches(&self, presented: &Presented, secure: bool) -> bool {
        let found = self.find(presented, secure);
        found.refusal().is_some() || found.iter().next().is_some()
    }

    /// Whether the client's copy has a date of its own, so that it is sent again when the session's
    /// end has moved.
    ///
    /// ```
    /// # use tenure_core::transport::{Bearer, Transport};
    /// assert!(!Bearer::new().is_dated(), "that is for cookies alone");
    /// ```
    fn is_dated(&self) -> bool {
        false
    }

    /// Whether clients send the credential to this path, which is as they see it, without the query.
    ///
    /// ```
    /// # use tenure_core::transport::{Bearer, Transport};
    /// assert!(Bearer::new().covers("/api/cart"));
    /// ```
    fn covers(&self, path: &str) -> bool {
        let _ = path;
        true
    }

    /// What those who run the application read of it, in one line without secrets.
    ///
    /// ```
    /// # use tenure_core::transport::{Bearer, Transport};
    /// assert_eq!(Bearer::new().describe(), "bearer: authorization");
    /// ```
    fn describe(&self) -> String {
        format!("transport: {}", self.name(true))
    }
}
