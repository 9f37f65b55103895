//! What is known of a session beside its keys.

use std::net::IpAddr;
use std::time::{Duration, SystemTime};

use super::handle::Session;
use crate::id::{Handle, UserId};
use crate::store::Record;

impl Session {
    /// The public name of the session, if it exists: the same for its whole life.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> tenure_core::Result<()> {
    /// # let sessions = tenure_core::Sessions::in_memory()?;
    /// # let session = sessions.start().await?;
    /// assert_eq!(session.handle(), None);
    /// session.set("theme", "dark")?;
    /// session.save().await?;
    /// let handle = session.handle();
    /// session.regenerate()?;
    /// session.save().await?;
    /// assert!(handle.is_some() && session.handle() == handle);
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn handle(&self) -> Option<Handle> {
        self.see(|state| state.target.as_ref()?.key.handle())
    }

    /// Who is logged in.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> tenure_core::Result<()> {
    /// # let sessions = tenure_core::Sessions::in_memory()?;
    /// # let session = sessions.start().await?;
    /// assert_eq!(session.user(), None);
    /// session.login("ada")?;
    /// assert_eq!(session.user().unwrap().as_str(), "ada");
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn user(&self) -> Option<UserId> {
        self.see(|state| match &state.journal.user {
            Some(user) => user.clone(),
            None => state.base()?.user.clone(),
        })
    }

    /// Whether the store has this session.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> tenure_core::Result<()> {
    /// # let sessions = tenure_core::Sessions::in_memory()?;
    /// # let session = sessions.start().await?;
    /// session.set("theme", "dark")?;
    /// assert!(!session.exists());
    /// session.save().await?;
    /// assert!(session.exists());
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn exists(&self) -> bool {
        self.see(|state| state.base().is_some())
    }

    /// Whether the token is of this request: the session is a new one, or was regenerated.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> tenure_core::Result<()> {
    /// # let sessions = tenure_core::Sessions::in_memory()?;
    /// # let session = sessions.start().await?;
    /// session.set("theme", "dark")?;
    /// session.save().await?;
    /// let token = session.danger_expose_token().unwrap();
    /// let next = sessions.open_token(&token).await?.unwrap(); // the next request
    /// assert!(session.is_new() && !next.is_new());
    /// next.regenerate()?;
    /// assert!(next.is_new());
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn is_new(&self) -> bool {
        self.see(|state| state.is_new)
    }

    /// Whether there is something to commit.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> tenure_core::Result<()> {
    /// # let sessions = tenure_core::Sessions::in_memory()?;
    /// # let session = sessions.start().await?;
    /// assert!(!session.is_modified());
    /// session.set("theme", "dark")?;
    /// assert!(session.is_modified());
    /// session.save().await?;
    /// assert!(!session.is_modified());
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn is_modified(&self) -> bool {
        self.see(|state| !state.journal.is_empty() || state.doomed.is_some())
    }

    /// Whether the store has everything that this request did.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> tenure_core::Result<()> {
    /// # let sessions = tenure_core::Sessions::in_memory()?;
    /// # let session = sessions.start().await?;
    /// session.set("order", 17)?;
    /// assert!(!session.is_saved());
    /// session.save().await?;
    /// assert!(session.is_saved());
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn is_saved(&self) -> bool {
        self.exists() && !self.is_modified() && self.slot.is_acknowledged()
    }

    /// When the session began.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> tenure_core::Result<()> {
    /// # use std::time::{Duration, SystemTime};
    /// # use tenure_core::{Clock, Sessions, store::MemoryStore};
    /// # let clock = tenure_testkit::ManualClock::new();
    /// # let sessions = Sessions::builder().store(MemoryStore::new()).clock(clock.clone()).build()?;
    /// # let session = sessions.start().await?;
    /// let began = clock.now();
    /// session.login("ada")?;
    /// session.save().await?;
    /// clock.advance(Duration::from_secs(90));
    /// session.regenerate()?;
    /// session.save().await?;
    /// assert_eq!(session.created_at(), Some(SystemTime::from(began)));
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn created_at(&self) -> Option<SystemTime> {
        self.known(|record| record.created.into())
    }

    /// When it was last used, to the precision of the touch interval.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> tenure_core::Result<()> {
    /// # use std::time::{Duration, SystemTime};
    /// # use tenure_core::{Clock, Sessions, store::MemoryStore};
    /// # let clock = tenure_testkit::ManualClock::new();
    /// # let sessions = Sessions::builder().store(MemoryStore::new()).clock(clock.clone()).build()?;
    /// # let session = sessions.start().await?;
    /// session.login("ada")?;
    /// session.save().await?;
    /// clock.advance(Duration::from_secs(90));
    /// session.touch()?;
    /// session.save().await?;
    /// assert_eq!(session.last_seen(), Some(SystemTime::from(clock.now())));
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn last_seen(&self) -> Option<SystemTime> {
        self.known(|record| record.last_seen.into())
    }

    /// When it ends if it is not used before.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> tenure_core::Result<()> {
    /// # use std::time::{Duration, SystemTime};
    /// # use tenure_core::{Clock, Sessions, store::MemoryStore};
    /// # let clock = tenure_testkit::ManualClock::new();
    /// # let sessions = Sessions::builder().store(MemoryStore::new()).clock(clock.clone()).build()?;
    /// # let session = sessions.start().await?;
    /// session.set("theme", "dark")?;
    /// session.save().await?;
    /// let idle = Duration::from_secs(30 * 60); // the default
    /// assert_eq!(session.expires_at(), Some(SystemTime::from(clock.now() + idle)));
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn expires_at(&self) -> Option<SystemTime> {
        self.known(|record| record.deadline().into())
    }

    /// When the user last proved who they are.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> tenure_core::Result<()> {
    /// # use std::time::Duration;
    /// # use tenure_core::{Clock, Sessions, store::MemoryStore};
    /// # let clock = tenure_testkit::ManualClock::new();
    /// # let sessions = Sessions::builder().store(MemoryStore::new()).clock(clock.clone()).build()?;
    /// # let session = sessions.start().await?;
    /// session.login("ada")?;
    /// session.save().await?;
    /// clock.advance(Duration::from_secs(10 * 60));
    /// let proven = session.authenticated_at().unwrap();
    /// let ask_again = clock.now().since(proven.into()) > Duration::from_secs(5 * 60);
    /// assert!(ask_again, "before the password is changed, say");
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn authenticated_at(&self) -> Option<SystemTime> {
        let now = || self.slot.manager.settings.clock.now();
        self.see(|state| match &state.journal.user {
            Some(None) => None,
            Some(Some(_)) => Some(state.journal.authenticated.unwrap_or_else(now)),
            None => state.base()?.authenticated,
        })
        .map(Into::into)
    }

    /// How long the session lives without being used.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> tenure_core::Result<()> {
    /// # let sessions = tenure_core::Sessions::in_memory()?;
    /// # let session = sessions.start().await?;
    /// # use std::time::Duration;
    /// assert_eq!(session.idle_timeout(), Duration::from_secs(30 * 60));
    /// session.set_idle_timeout(Duration::from_secs(60))?;
    /// assert_eq!(session.idle_timeout(), Duration::from_secs(60));
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn idle_timeout(&self) -> Duration {
        let default = self.slot.manager.settings.idle_timeout;
        self.see(|state| {
            let own = state.base().map(|base| base.idle_timeout);
            state.journal.idle_timeout.or(own).unwrap_or(default)
        })
    }

    /// The address that the session began from.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # use tenure_core::engine::Connection;
    /// # let sessions = tenure_core::Sessions::in_memory()?;
    /// # let (parts, ()) = http::Request::new(()).into_parts();
    /// let connection = Connection::new().peer("192.0.2.7".parse()?);
    /// let session = sessions.open(&parts, connection).session().load().await?;
    /// session.login("ada")?;
    /// session.save().await?;
    /// assert_eq!(session.ip(), Some("192.0.2.7".parse()?));
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn ip(&self) -> Option<IpAddr> {
        self.known(|record| record.client.ip).flatten()
    }

    /// What the client that began the session said of itself, at most 512 octets of it.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # use tenure_core::engine::Connection;
    /// # let sessions = tenure_core::Sessions::in_memory()?;
    /// let request = http::Request::builder().header("user-agent", "Lynx/2.9").body(())?;
    /// let (parts, ()) = request.into_parts();
    /// let session = sessions.open(&parts, Connection::new()).session().load().await?;
    /// session.login("ada")?;
    /// session.save().await?;
    /// assert_eq!(session.user_agent().as_deref(), Some("Lynx/2.9"));
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn user_agent(&self) -> Option<String> {
        self.known(|record| record.client.user_agent.as_deref().map(str::to_owned)).flatten()
    }

    /// The token as it travels. Whoever sees it has the session: never log it, never put it in a
    /// page or a URL.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> tenure_core::Result<()> {
    /// # let sessions = tenure_core::Sessions::in_memory()?;
    /// # let session = sessions.start().await?;
    /// session.login("ada")?;
    /// session.save().await?;
    /// let token = session.danger_expose_token().unwrap(); // for a client without cookies
    /// let again = sessions.open_token(&token).await?.unwrap();
    /// assert_eq!(again.user(), session.user());
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn danger_expose_token(&self) -> Option<String> {
        self.slot.token_text()
    }

    fn known<T>(&self, look: impl FnOnce(&Record) -> T) -> Option<T> {
        self.see(|state| state.base().map(|base| look(base)))
    }
}
