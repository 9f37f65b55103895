use http::header::{AUTHORIZATION, HeaderMap, HeaderName, HeaderValue};

use super::header::{check_longest, line};
use super::presented::{Candidates, Presented};
use super::{ResponseContext, Transport};
use crate::error::{Error, Result};

/// The credential as a bearer token, `Authorization: Bearer …` (RFC 6750), for clients that are no
/// browsers (P3).
///
/// A client gets its token in the body of a response, by
/// [`Session::issue_bearer`](crate::Session::issue_bearer). When a login or a renewal changes it, or
/// no handler gave it, the response has the new one in its header `Authorization`, in the same form
/// as requests; an empty one says that the token is good for nothing any more.
///
/// ```
/// use tenure_core::{Sessions, engine::Connection, store::MemoryStore, transport::Bearer};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> tenure_core::Result<()> {
/// let sessions = Sessions::builder().store(MemoryStore::new()).bearer(Bearer::new()).build()?;
/// # let (parts, ()) = http::Request::new(()).into_parts();
/// # let exchange = sessions.open(&parts, Connection::new());
/// let session = exchange.session().load().await?;
/// session.login("ada")?;
/// let token = session.issue_bearer().await?; // for the body of the response
/// let body = serde_json::to_value(&token).unwrap();
/// assert_eq!(body["token_type"], "Bearer");
/// # let text = body["access_token"].as_str().unwrap();
///
/// let request = http::Request::builder().header("authorization", format!("Bearer {text}"));
/// # let (parts, ()) = request.body(()).unwrap().into_parts();
/// # let exchange = sessions.open(&parts, Connection::new());
/// let session = exchange.session().load().await?;
/// assert_eq!(session.user().unwrap().as_str(), "ada");
/// # Ok(())
/// # }
/// ```
///
/// # Deployment caveat
/// A proxy that checks `Authorization` itself, such as for basic authentication, takes the header
/// away or refuses it; some drop it unless told otherwise.
#[derive(Clone, Debug)]
pub struct Bearer {
    response: HeaderName,
    longest: usize,
    taken: Option<String>,
}

impl Bearer {
    /// The name that the tokens are bound to.
    pub(crate) const NAME: &'static str = "bearer";
    const SCHEME: &'static [u8] = b"bearer";

    /// Bearer tokens, which responses carry in `Authorization` too.
    #[must_use]
    pub const fn new() -> Self {
        Self { response: AUTHORIZATION, longest: 4096, taken: None }
    }

    /// Writes new tokens into this header of responses instead, and there without the word `Bearer`.
    ///
    /// ```
    /// # use tenure_core::{Sessions, engine::Connection, store::MemoryStore, transport::Bearer};
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> tenure_core::Result<()> {
    /// let bearer = Bearer::new().response_header("x-new-token");
    /// let sessions = Sessions::builder().store(MemoryStore::new()).bearer(bearer).build()?;
    /// # let (parts, ()) = http::Request::new(()).into_parts();
    /// # let exchange = sessions.open(&parts, Connection::new());
    /// # exchange.session().set("theme", "dark")?;
    /// # let mut headers = http::HeaderMap::new();
    /// # exchange.close(http::StatusCode::OK, &mut headers).await?;
    /// assert_eq!(headers["x-new-token"].len(), 80);
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn response_header(mut self, name: impl AsRef<str>) -> Self {
        match HeaderName::try_from(name.as_ref()) {
            Ok(name) => (self.response, self.taken) = (name, None),
            Err(_) => self.taken = Some(name.as_ref().to_owned()),
        }
        self
    }

    /// As [`Header::longest`](super::Header::longest).
    #[must_use]
    pub const fn longest(mut self, octets: usize) -> Self {
        self.longest = octets;
        self
    }

    pub(crate) fn check(self) -> Result<Self> {
        if let Some(name) = &self.taken {
            return Err(Error::config(format!(
                "bearer: `response_header` {name:?} is no name of a header; use letters, digits and \
                 hyphens"
            )));
        }
        check_longest(self.longest).map_err(|why| Error::config(format!("bearer: {why}")))?;
        Ok(self)
    }

    /// The token in a line, if it is of this scheme (RFC 9110 §11.1: in any case of letters).
    fn token(line: &[u8]) -> Option<&[u8]> {
        let (scheme, token) = line.split_at_checked(Self::SCHEME.len())?;
        if !scheme.eq_ignore_ascii_case(Self::SCHEME) {
            return None;
        }
        match token {
            [] => Some(token),
            [b' ', ..] => Some(token.trim_ascii()),
            _ => None,
        }
    }
}

impl Default for Bearer {
    fn default() -> Self {
        Self::new()
    }
}

impl Transport for Bearer {
    fn name(&self, _secure: bool) -> &str {
        Self::NAME
    }

    fn request_header(&self) -> &HeaderName {
        static NAME: HeaderName = AUTHORIZATION;
        &NAME
    }

    fn response_header(&self) -> Option<&HeaderName> {
        Some(&self.response)
    }

    fn find<'p>(&self, presented: &'p Presented, _secure: bool) -> Candidates<'p> {
        presented.candidates(Self::token)
    }

    fn issue(&self, value: &str, _: &ResponseContext<'_>, headers: &mut HeaderMap) -> Result<()> {
        let bare = line(self.response.as_str(), value, self.longest)?;
        let value = if self.response == AUTHORIZATION {
            let mut line = HeaderValue::try_from(format!("Bearer {value}")).unwrap_or(bare);
            line.set_sensitive(true);
            line
        } else {
            bare
        };
        headers.insert(&self.response, value);
        Ok(())
    }

    fn remove(&self, _: &ResponseContext<'_>, headers: &mut HeaderMap) -> Result<()> {
        headers.insert(&self.response, HeaderValue::from_static(""));
        Ok(())
    }

    fn capacity(&self, _secure: bool) -> usize {
        self.longest
    }

    fn is_ambient(&self) -> bool {
        false
    }

    fn matches(&self, presented: &Presented, _secure: bool) -> bool {
        presented.lines().any(|line| Self::token(line).is_some())
    }

    fn describe(&self) -> String {
        format!("bearer: {}", self.response)
    }
}
