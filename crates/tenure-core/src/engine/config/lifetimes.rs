//! Settings: how long sessions and secrets live, and what counts as a use.

use std::time::Duration;

use super::SessionsBuilder;

impl SessionsBuilder {
    /// How long a session lives without being used; 30 minutes by default.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> tenure_core::Result<()> {
    /// # use std::time::Duration;
    /// # use tenure_core::{Sessions, store::MemoryStore};
    /// let hour = Duration::from_secs(60 * 60);
    /// let sessions = Sessions::builder().store(MemoryStore::new()).idle_timeout(hour).build()?;
    /// assert_eq!(sessions.start().await?.idle_timeout(), hour);
    /// # Ok(())
    /// # }
    /// ```
    pub fn idle_timeout(mut self, timeout: Duration) -> Self {
        self.idle_timeout = Some(timeout);
        self
    }

    /// How long a session lives at all, however much it is used; 12 hours by default. A log-in begins
    /// the session anew, since its user has just proved who they are (NIST SP 800-63B-4 section 5.2).
    ///
    /// ```
    /// # use std::time::Duration;
    /// # use tenure_core::{Sessions, store::MemoryStore};
    /// let shift = Duration::from_secs(8 * 60 * 60);
    /// let builder = Sessions::builder().store(MemoryStore::new()).absolute_timeout(shift);
    /// assert!(builder.idle_timeout(2 * shift).build().is_err(), "it would end every session first");
    /// ```
    pub fn absolute_timeout(mut self, timeout: Duration) -> Self {
        self.absolute_timeout = Some(timeout);
        self
    }

    /// How old a secret grows before a new one takes its place; 60 minutes by default. The old one
    /// works until the new one is first used.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> tenure_core::Result<()> {
    /// # async fn visit(sessions: &Sessions, token: &str) -> tenure_core::Result<http::HeaderMap> {
    /// #     let cookie = format!("__Host-id={token}");
    /// #     let request = http::Request::builder().header("cookie", cookie).body(()).unwrap();
    /// #     let exchange = sessions.open(&request.into_parts().0, Connection::new().secure(true));
    /// #     exchange.session().load().await?;
    /// #     let mut headers = http::HeaderMap::new();
    /// #     exchange.close(http::StatusCode::OK, &mut headers).await?;
    /// #     Ok(headers)
    /// # }
    /// # use std::time::Duration;
    /// # use tenure_core::{Sessions, engine::Connection, store::MemoryStore};
    /// # let clock = tenure_testkit::ManualClock::new();
    /// let minutes = |n: u64| Duration::from_secs(n * 60);
    /// let builder = Sessions::builder().store(MemoryStore::new()).clock(clock.clone());
    /// let sessions = builder.renewal_interval(minutes(10)).build()?;
    /// # let session = sessions.start().await?;
    /// # session.login("ada")?;
    /// # session.save().await?;
    /// # let token = session.danger_expose_token().unwrap();
    /// clock.advance(minutes(9));
    /// assert!(!visit(&sessions, &token).await?.contains_key("set-cookie"));
    /// clock.advance(minutes(1));
    /// assert!(visit(&sessions, &token).await?.contains_key("set-cookie"), "a new secret");
    /// # Ok(())
    /// # }
    /// ```
    pub fn renewal_interval(mut self, interval: Duration) -> Self {
        self.settings.renewal_interval = Some(interval);
        self
    }

    /// Keeps a secret for the whole life of its session, unless privileges change.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> tenure_core::Result<()> {
    /// # async fn visit(sessions: &Sessions, token: &str) -> tenure_core::Result<http::HeaderMap> {
    /// #     let cookie = format!("__Host-id={token}");
    /// #     let request = http::Request::builder().header("cookie", cookie).body(()).unwrap();
    /// #     let exchange = sessions.open(&request.into_parts().0, Connection::new().secure(true));
    /// #     exchange.session().load().await?;
    /// #     let mut headers = http::HeaderMap::new();
    /// #     exchange.close(http::StatusCode::OK, &mut headers).await?;
    /// #     Ok(headers)
    /// # }
    /// # use std::time::Duration;
    /// # use tenure_core::{Sessions, engine::Connection, store::MemoryStore};
    /// # let clock = tenure_testkit::ManualClock::new();
    /// let builder = Sessions::builder().store(MemoryStore::new()).clock(clock.clone());
    /// let builder = builder.idle_timeout(Duration::from_secs(6 * 60 * 60));
    /// let sessions = builder.insecure_never_renew().build()?;
    /// # let session = sessions.start().await?;
    /// # session.login("ada")?;
    /// # session.save().await?;
    /// # let token = session.danger_expose_token().unwrap();
    /// clock.advance(Duration::from_secs(2 * 60 * 60));
    /// assert!(!visit(&sessions, &token).await?.contains_key("set-cookie"), "the same secret");
    /// # Ok(())
    /// # }
    /// ```
    pub fn insecure_never_renew(mut self) -> Self {
        self.settings.renewal_interval = None;
        self
    }

    /// Notes the use of a session at most this often; by default the smaller of 60 seconds and a
    /// tenth of the idle timeout. Zero notes every use.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> tenure_core::Result<()> {
    /// # async fn visit(sessions: &Sessions, token: &str) -> tenure_core::Result<http::HeaderMap> {
    /// #     let cookie = format!("__Host-id={token}");
    /// #     let request = http::Request::builder().header("cookie", cookie).body(()).unwrap();
    /// #     let exchange = sessions.open(&request.into_parts().0, Connection::new().secure(true));
    /// #     exchange.session().load().await?;
    /// #     let mut headers = http::HeaderMap::new();
    /// #     exchange.close(http::StatusCode::OK, &mut headers).await?;
    /// #     Ok(headers)
    /// # }
    /// # use std::time::Duration;
    /// # use tenure_core::{Sessions, engine::Connection, store::MemoryStore};
    /// # let clock = tenure_testkit::ManualClock::new();
    /// let builder = Sessions::builder().store(MemoryStore::new()).clock(clock.clone());
    /// let sessions = builder.touch_interval(Duration::from_secs(10)).build()?;
    /// # let session = sessions.start().await?;
    /// # session.login("ada")?;
    /// # session.save().await?;
    /// # let token = session.danger_expose_token().unwrap();
    /// for _ in 0..4 {
    ///     clock.advance(Duration::from_secs(5)); // a request every five seconds
    ///     visit(&sessions, &token).await?;
    /// }
    /// assert_eq!(sessions.counts().touches, 2);
    /// # Ok(())
    /// # }
    /// ```
    pub fn touch_interval(mut self, interval: Duration) -> Self {
        self.settings.touch_interval = Some(interval);
        self
    }

    /// Counts every request with a credential as a use of its session, those too whose handler
    /// never asks for it: one store call each.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> tenure_core::Result<()> {
    /// # use std::time::Duration;
    /// # use tenure_core::{Sessions, engine::Connection, store::MemoryStore};
    /// # let clock = tenure_testkit::ManualClock::new();
    /// let builder = Sessions::builder().store(MemoryStore::new()).clock(clock.clone());
    /// let sessions = builder.touch_every_request().build()?;
    /// # let session = sessions.start().await?;
    /// # session.login("ada")?;
    /// # session.save().await?;
    /// # let cookie = format!("__Host-id={}", session.danger_expose_token().unwrap());
    /// # let request = http::Request::builder().header("cookie", cookie).body(()).unwrap();
    /// # let (parts, ()) = request.into_parts();
    /// clock.advance(Duration::from_secs(60));
    /// let exchange = sessions.open(&parts, Connection::new().secure(true)); // of a picture, say
    /// exchange.close(http::StatusCode::OK, &mut http::HeaderMap::new()).await?;
    /// assert_eq!(sessions.counts().touches, 1);
    /// # Ok(())
    /// # }
    /// ```
    pub fn touch_every_request(mut self) -> Self {
        self.settings.touch_every_request = true;
        self
    }

    /// Makes a session for every visitor, also for one who stores nothing. Each costs a record and
    /// a cookie, robots included.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> tenure_core::Result<()> {
    /// # async fn visit(sessions: &Sessions, token: &str) -> tenure_core::Result<http::HeaderMap> {
    /// #     let cookie = format!("__Host-id={token}");
    /// #     let request = http::Request::builder().header("cookie", cookie).body(()).unwrap();
    /// #     let exchange = sessions.open(&request.into_parts().0, Connection::new().secure(true));
    /// #     exchange.session().load().await?;
    /// #     let mut headers = http::HeaderMap::new();
    /// #     exchange.close(http::StatusCode::OK, &mut headers).await?;
    /// #     Ok(headers)
    /// # }
    /// # use tenure_core::{Sessions, engine::Connection, store::MemoryStore};
    /// let sessions = Sessions::builder().store(MemoryStore::new()).save_uninitialized().build()?;
    /// assert!(visit(&sessions, "").await?.contains_key("set-cookie"), "who stored nothing");
    /// assert_eq!(sessions.counts().created, 1);
    /// # Ok(())
    /// # }
    /// ```
    pub fn save_uninitialized(mut self) -> Self {
        self.settings.save_uninitialized = true;
        self
    }

    /// Touches the session and sends its cookie again with every response.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> tenure_core::Result<()> {
    /// # async fn visit(sessions: &Sessions, token: &str) -> tenure_core::Result<http::HeaderMap> {
    /// #     let cookie = format!("__Host-id={token}");
    /// #     let request = http::Request::builder().header("cookie", cookie).body(()).unwrap();
    /// #     let exchange = sessions.open(&request.into_parts().0, Connection::new().secure(true));
    /// #     exchange.session().load().await?;
    /// #     let mut headers = http::HeaderMap::new();
    /// #     exchange.close(http::StatusCode::OK, &mut headers).await?;
    /// #     Ok(headers)
    /// # }
    /// # use tenure_core::{Sessions, engine::Connection, store::MemoryStore};
    /// let sessions = Sessions::builder().store(MemoryStore::new()).rolling().build()?;
    /// # let session = sessions.start().await?;
    /// # session.login("ada")?;
    /// # session.save().await?;
    /// # let token = session.danger_expose_token().unwrap();
    /// for _ in 0..2 {
    ///     assert!(visit(&sessions, &token).await?.contains_key("set-cookie"));
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub fn rolling(mut self) -> Self {
        self.settings.rolling = true;
        self
    }

    /// Removes the cookie of a credential that the store does not know. The answer to a request
    /// that began before a login then erases the new cookie, if it comes late.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> tenure_core::Result<()> {
    /// # async fn visit(sessions: &Sessions, token: &str) -> tenure_core::Result<http::HeaderMap> {
    /// #     let cookie = format!("__Host-id={token}");
    /// #     let request = http::Request::builder().header("cookie", cookie).body(()).unwrap();
    /// #     let exchange = sessions.open(&request.into_parts().0, Connection::new().secure(true));
    /// #     exchange.session().load().await?;
    /// #     let mut headers = http::HeaderMap::new();
    /// #     exchange.close(http::StatusCode::OK, &mut headers).await?;
    /// #     Ok(headers)
    /// # }
    /// # use std::time::Duration;
    /// # use tenure_core::{Sessions, engine::Connection, store::MemoryStore};
    /// # let clock = tenure_testkit::ManualClock::new();
    /// let builder = Sessions::builder().store(MemoryStore::new()).clock(clock.clone());
    /// let sessions = builder.clear_unknown().build()?;
    /// # let session = sessions.start().await?;
    /// # session.login("ada")?;
    /// # session.save().await?;
    /// # let token = session.danger_expose_token().unwrap();
    /// clock.advance(Duration::from_secs(30 * 60)); // the session ends
    /// let headers = visit(&sessions, &token).await?;
    /// assert!(headers["set-cookie"].to_str().unwrap().contains("Max-Age=0"));
    /// # Ok(())
    /// # }
    /// ```
    pub fn clear_unknown(mut self) -> Self {
        self.settings.clear_unknown = true;
        self
    }
}
