//! The credential of a session in the body of a response.

use std::fmt;
use std::time::Duration;

use serde::ser::SerializeStruct;
use serde::{Serialize, Serializer};
use zeroize::Zeroizing;

use super::handle::Session;
use crate::error::{Error, ErrorKind, Result};
use crate::transport::Bearer;

/// A bearer token for the body of a response, in the form of RFC 6750 §4: `access_token`,
/// `token_type` and `expires_in`, in seconds. It is never printed.
#[derive(Clone)]
pub struct BearerToken {
    text: Zeroizing<String>,
    expires_in: u64,
}

impl BearerToken {
    /// The token: whoever has it, has the session.
    ///
    /// ```
    /// # use tenure_core::{Sessions, engine::Connection, store::MemoryStore, transport::Bearer};
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> tenure_core::Result<()> {
    /// # let builder = Sessions::builder().store(MemoryStore::new()).bearer(Bearer::new());
    /// # let sessions = builder.build()?;
    /// # let (parts, ()) = http::Request::new(()).into_parts();
    /// # let exchange = sessions.open(&parts, Connection::new());
    /// # let session = exchange.session().load().await?;
    /// session.login("ada")?;
    /// let token = session.issue_bearer().await?;
    /// assert!(sessions.open_token(token.danger_expose()).await?.is_some());
    /// assert_eq!(format!("{token:?}"), "BearerToken(…)");
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn danger_expose(&self) -> &str {
        &self.text
    }
}

impl Serialize for BearerToken {
    fn serialize<S: Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        let mut body = serializer.serialize_struct("BearerToken", 3)?;
        body.serialize_field("access_token", self.text.as_str())?;
        body.serialize_field("token_type", "Bearer")?;
        body.serialize_field("expires_in", &self.expires_in)?;
        body.end()
    }
}

impl fmt::Debug for BearerToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("BearerToken(…)")
    }
}

impl Session {
    /// Commits, and gives the session's bearer token for the body of this response (P3), which then
    /// sends no cookie and no header for it. `Cache-Control: no-store` goes with it (RFC 6749 §5.1).
    ///
    /// Call it last: what is written to the session afterwards is committed as ever, but if it
    /// changes the token, as a login does, the newer one is in the response's header.
    ///
    /// Where a cookie has brought the session, the token is for the same session: a logout by one ends
    /// both.
    ///
    /// ```
    /// # use tenure_core::{Sessions, engine::Connection, store::MemoryStore, transport::*};
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> tenure_core::Result<()> {
    /// # let sessions = Sessions::builder()
    /// #     .store(MemoryStore::new()).cookie(Cookie::default()).bearer(Bearer::new()).build()?;
    /// # let (parts, ()) = http::Request::new(()).into_parts();
    /// # let exchange = sessions.open(&parts, Connection::new());
    /// # let session = exchange.session().load().await?;
    /// session.login("ada")?;
    /// let body = serde_json::to_string(&session.issue_bearer().await?).unwrap();
    /// assert!(body.starts_with(r#"{"access_token":""#) && body.ends_with(r#""expires_in":1800}"#));
    /// # let mut headers = http::HeaderMap::new();
    /// # exchange.close(http::StatusCode::OK, &mut headers).await?;
    /// assert!(!headers.contains_key("set-cookie"), "this client is no browser");
    /// assert_eq!(headers["cache-control"], "no-store");
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::Misuse`] without a [`Bearer`] transport, and for a session that is not begun yet;
    /// otherwise as [`save`](Self::save).
    pub async fn issue_bearer(&self) -> Result<BearerToken> {
        let slot = self.writing("issue_bearer")?;
        let misused = |why| Err(Error::new(ErrorKind::Misuse, "issue_bearer", why));
        let Some(index) = slot.manager.transports.position(Bearer::NAME) else {
            return misused(
                "the sessions do not travel as bearer tokens; add `.bearer(Bearer::new())` to them",
            );
        };
        slot.state().answers_by = Some(index);
        self.save().await?;
        let Some(text) = slot.token_text() else {
            return misused("there is no session yet; log in, or write something, before");
        };
        slot.state().give();
        let now = slot.manager.settings.clock.now();
        let deadline = self.see(|state| state.base().map(|base| base.deadline()));
        // To the nearest second: the commit has taken a moment.
        let left = deadline.map_or(Duration::ZERO, |deadline| deadline.since(now));
        let expires_in = (left + Duration::from_millis(500)).as_secs();
        Ok(BearerToken { text: Zeroizing::new(text), expires_in })
    }
}
