//! "Remember me".

use std::time::Duration;

use super::handle::Session;
use super::reserved::REMEMBERED;
use crate::clock::Timestamp;
use crate::engine::State;
use crate::error::Result;
use crate::value::Json;

impl Session {
    /// Keeps the session for `timeout` without being used, and its cookie with it, whether or not
    /// the browser is closed meanwhile: "remember me". Each use that prolongs the session sends the
    /// cookie with its new date. The absolute timeout stays what it is, so it has to leave room.
    ///
    /// Whoever gets hold of the device has the session for so long: ask again before what matters,
    /// by [`require_recent_auth`](Self::require_recent_auth).
    ///
    /// ```
    /// # use std::time::Duration;
    /// # use tenure_core::{Sessions, engine::Connection, store::MemoryStore};
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> tenure_core::Result<()> {
    /// let month = Duration::from_secs(30 * 24 * 60 * 60);
    /// let sessions = Sessions::builder().store(MemoryStore::new()).absolute_timeout(month).build()?;
    /// # let (parts, ()) = http::Request::new(()).into_parts();
    /// # let exchange = sessions.open(&parts, Connection::new().secure(true));
    /// # let session = exchange.session().load().await?;
    /// session.login("ada")?;
    /// session.remember(month / 2)?; // if the box was ticked
    /// # let mut response = http::Response::new(());
    /// # exchange.close(response.status(), response.headers_mut()).await?;
    /// let cookie = response.headers()["set-cookie"].to_str().unwrap();
    /// assert!(cookie.contains("Max-Age=1296000"));
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As [`set_idle_timeout`](Self::set_idle_timeout).
    pub fn remember(&self, timeout: Duration) -> Result<()> {
        self.set_idle_timeout(timeout)?;
        self.writing("remember")?.put_reserved(REMEMBERED, Some(Json::of(&true)?))
    }

    /// Whether the session outlives the browser, by [`remember`](Self::remember).
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> tenure_core::Result<()> {
    /// # let sessions = tenure_core::Sessions::in_memory()?;
    /// # let session = sessions.start().await?;
    /// assert!(!session.is_remembered());
    /// session.remember(std::time::Duration::from_secs(60 * 60))?;
    /// assert!(session.is_remembered());
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn is_remembered(&self) -> bool {
        self.slot.find_reserved(REMEMBERED).is_ok_and(|kept| kept.is_some())
    }
}

impl State {
    /// How long the cookie of a session that is remembered is kept.
    pub(crate) fn cookie_lifetime(&self, now: Timestamp) -> Option<Duration> {
        let base = self.base().filter(|base| base.data.get(REMEMBERED).is_some())?;
        let left = base.absolute_deadline.since(now);
        // A cookie of less than a second would be a removal.
        Some(base.idle_timeout.min(left).max(Duration::from_secs(1)))
    }
}
