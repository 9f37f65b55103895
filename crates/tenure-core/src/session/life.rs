//! The life of a session: login, logout, rotation and saving.

use std::sync::Arc;
use std::time::Duration;

use super::detached::Detached;
use super::handle::Session;
use super::login::Login;
use super::reserved;
use crate::engine::Fate;
use crate::error::{Error, ErrorKind, Result};

impl Session {
    /// Logs `user` in: the session gets a new secret at once, the old one is dead, and the user is
    /// kept in a slot that ordinary keys cannot reach (OWASP session management, "Renew the
    /// Session ID After Any Privilege Level Change").
    ///
    /// Data and [an idle timeout of the session's own](Self::set_idle_timeout) are kept, unless the
    /// session belonged to another user: then only an idle timeout stays that this request has set
    /// and not saved yet.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> tenure_core::Result<()> {
    /// let sessions = tenure_core::Sessions::in_memory()?;
    /// let session = sessions.start().await?;
    /// session.login(42)?;
    /// session.save().await?;
    /// assert_eq!(session.user().unwrap().as_str(), "42");
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::Misuse`] for an empty user id, [`ErrorKind::TooLarge`] for one over 255
    /// octets. And as [`regenerate`](Self::regenerate).
    pub fn login(&self, user: impl ToString) -> Result<()> {
        self.login_keeping(user, &[])
    }

    /// Logs `user` in; if the session belonged to another user, these keys survive.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> tenure_core::Result<()> {
    /// # let sessions = tenure_core::Sessions::in_memory()?;
    /// # let session = sessions.start().await?;
    /// # session.login("ada")?;
    /// session.merge([("cart", "tea"), ("address", "of ada")])?;
    /// session.login_keeping("grace", &["cart"])?;
    /// assert_eq!(session.keys(), ["cart"]);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As [`login`](Self::login).
    pub fn login_keeping(&self, user: impl ToString, keep: &[&str]) -> Result<()> {
        self.login_as(Login::new(user)?.keeping(keep))
    }

    /// Logs out: the session ends with the response, for every request in flight too. What is
    /// written afterwards goes to a fresh session with a new handle.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> tenure_core::Result<()> {
    /// # let sessions = tenure_core::Sessions::in_memory()?;
    /// # let session = sessions.start().await?;
    /// # session.login("ada")?;
    /// # session.save().await?;
    /// # let token = session.danger_expose_token().unwrap();
    /// session.logout()?;
    /// session.set("notice", "You are logged out.")?;
    /// session.save().await?;
    /// assert!(sessions.open_token(&token).await?.is_none(), "the old session has ended");
    /// assert_eq!((session.len(), session.user()), (1, None));
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As every write.
    pub fn logout(&self) -> Result<()> {
        self.writing("logout")?.log_out()
    }

    /// Logs out as [`logout`](Self::logout) does, and asks the browser to drop all that it keeps for
    /// the origin: pages in its cache, cookies, storage (W3C Clear Site Data; OWASP session
    /// management, "Web Content Caching"). Where something is written afterwards, cookies stay,
    /// since a new one goes out with the same response.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> tenure_core::Result<()> {
    /// # use tenure_core::{Sessions, engine::Connection};
    /// # let sessions = Sessions::in_memory()?;
    /// # let session = sessions.start().await?;
    /// # session.login("ada")?;
    /// # session.commit().await?;
    /// # let cookie = format!("__Host-id={}", session.danger_expose_token().unwrap());
    /// # let (parts, ()) = http::Request::get("/").header("cookie", cookie).body(()).unwrap().into_parts();
    /// # let exchange = sessions.open(&parts, Connection::new().secure(true));
    /// # let session = exchange.session().load().await?;
    /// session.logout_and_clear_site_data()?;
    /// # let mut response = http::Response::new(());
    /// # exchange.close(response.status(), response.headers_mut()).await?;
    /// assert_eq!(response.headers()["clear-site-data"], r#""cache", "cookies", "storage""#);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As every write.
    ///
    /// # Deployment caveat
    /// Browsers heed it on HTTPS alone, and drop the cookies of all hosts of the site, those of
    /// other applications on sibling domains included.
    pub fn logout_and_clear_site_data(&self) -> Result<()> {
        let slot = self.writing("logout")?;
        slot.log_out()?;
        slot.state().clears_site = true;
        Ok(())
    }

    /// Ends the session for good: a later write in this request is an error.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> tenure_core::Result<()> {
    /// # let sessions = tenure_core::Sessions::in_memory()?;
    /// # let session = sessions.start().await?;
    /// # use tenure_core::ErrorKind;
    /// # session.set("theme", "dark")?;
    /// # session.save().await?;
    /// session.destroy()?;
    /// assert_eq!(session.set("theme", "light").unwrap_err().kind(), ErrorKind::Destroyed);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As every write.
    pub fn destroy(&self) -> Result<()> {
        let mut state = self.writing("destroy")?.writable("destroy")?;
        state.doom();
        state.fate = Fate::Destroyed;
        Ok(())
    }

    /// Gives the session a new secret with the same data and the same handle; the old secret is
    /// dead as soon as this is committed.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> tenure_core::Result<()> {
    /// # let sessions = tenure_core::Sessions::in_memory()?;
    /// # let session = sessions.start().await?;
    /// # session.set("theme", "dark")?;
    /// # session.save().await?;
    /// # let (handle, old) = (session.handle(), session.danger_expose_token().unwrap());
    /// session.regenerate()?; // a role was granted, say
    /// session.save().await?;
    /// assert!(sessions.open_token(&old).await?.is_none());
    /// assert!(session.contains("theme"));
    /// assert_eq!(session.handle(), handle);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::Misuse`] by a [detached](Self::detach) handle, which cannot give the client
    /// the new token: do it in a request, before the response head is sent. And as every write.
    pub fn regenerate(&self) -> Result<()> {
        let mut state = self.writing("regenerate")?.rotatable("regenerate")?;
        state.drop_bound(false);
        state.journal.rotates = true;
        state.is_new = true;
        Ok(())
    }

    /// Gives the session a new secret and drops every key but these.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> tenure_core::Result<()> {
    /// # let sessions = tenure_core::Sessions::in_memory()?;
    /// # let session = sessions.start().await?;
    /// session.merge([("theme", "dark"), ("search", "tea")])?;
    /// session.regenerate_keeping(&["theme"])?;
    /// assert_eq!(session.keys(), ["theme"]);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As [`regenerate`](Self::regenerate).
    pub fn regenerate_keeping(&self, keep: &[&str]) -> Result<()> {
        let mut state = self.writing("regenerate")?.rotatable("regenerate")?;
        let mut keep = names(keep);
        keep.extend(reserved::all());
        state.journal.clear(&keep);
        state.drop_bound(false);
        state.journal.rotates = true;
        state.is_new = true;
        Ok(())
    }

    /// Notes with the response that the session was used, however recently that was noted.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> tenure_core::Result<()> {
    /// # use std::time::Duration;
    /// # use tenure_core::{Sessions, store::MemoryStore};
    /// # let clock = tenure_testkit::ManualClock::new();
    /// # let sessions = Sessions::builder().store(MemoryStore::new()).clock(clock.clone()).build()?;
    /// # let session = sessions.start().await?;
    /// # session.set("theme", "dark")?;
    /// # session.save().await?;
    /// let before = session.last_seen();
    /// clock.advance(Duration::from_secs(1)); // by itself that would be too soon to be noted
    /// session.touch()?;
    /// session.save().await?;
    /// assert!(session.last_seen() > before);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As every write.
    pub fn touch(&self) -> Result<()> {
        self.writing("touch")?.writable("touch")?.journal.touches = true;
        Ok(())
    }

    /// Gives this session an idle timeout of its own, "remember me" for example, counted from the
    /// commit on.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> tenure_core::Result<()> {
    /// # let sessions = tenure_core::Sessions::in_memory()?;
    /// # let session = sessions.start().await?;
    /// # use std::time::Duration;
    /// # session.set("theme", "dark")?;
    /// # session.save().await?;
    /// let before = session.expires_at();
    /// session.set_idle_timeout(Duration::from_secs(6 * 60 * 60))?;
    /// session.save().await?;
    /// assert!(session.expires_at() > before);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::Config`] when it is under a second, or over the absolute timeout or the limit of
    /// the [profile](crate::SessionsBuilder::profile). And as every write.
    pub fn set_idle_timeout(&self, timeout: Duration) -> Result<()> {
        let slot = self.writing("set_idle_timeout")?;
        let longest = slot.manager.settings.longest_idle_timeout();
        if !(Duration::from_secs(1)..=longest).contains(&timeout) {
            return Err(Error::new(
                ErrorKind::Config,
                "set_idle_timeout",
                format!(
                    "{timeout:?} is not between one second and {longest:?}, the absolute timeout \
                     or the limit of the profile"
                ),
            ));
        }
        slot.writable("set_idle_timeout")?.journal.idle_timeout = Some(timeout);
        Ok(())
    }

    /// Commits now what was recorded so far, and sends a cookie that has a date again. Dropped
    /// before its end it loses nothing; the response commits what is left.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> tenure_core::Result<()> {
    /// # let sessions = tenure_core::Sessions::in_memory()?;
    /// # let session = sessions.start().await?;
    /// session.set("order", 17)?;
    /// session.save().await?; // before a payment, of which nothing may be lost
    /// assert!(session.is_saved());
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// When the store cannot answer; [`ErrorKind::Gone`] when the session has ended meanwhile.
    pub async fn save(&self) -> Result<()> {
        match self.writing("save")?.writable("save").map(drop) {
            // That it was destroyed is to be saved, too.
            Err(error) if error.kind() == ErrorKind::Destroyed => {}
            writable => writable?,
        }
        self.slot.commit().await?;
        self.slot.saved();
        if self.see(|state| state.fate == Fate::Gone) {
            return Err(Error::new(ErrorKind::Gone, "save", "the session has ended meanwhile"));
        }
        Ok(())
    }

    /// Loads the session again; what this request recorded and did not save is dropped.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> tenure_core::Result<()> {
    /// # let sessions = tenure_core::Sessions::in_memory()?;
    /// # let session = sessions.start().await?;
    /// # session.set("step", 1)?;
    /// # session.save().await?;
    /// # let parallel = sessions.open_token(&session.danger_expose_token().unwrap()).await?.unwrap();
    /// parallel.set("step", 2)?; // another request
    /// parallel.save().await?;
    /// assert_eq!(session.get("step")?, Some(1));
    /// session.reload().await?;
    /// assert_eq!(session.get("step")?, Some(2));
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// When the store cannot answer; [`ErrorKind::Gone`] when the session has ended.
    pub async fn reload(&self) -> Result<()> {
        if self.slot.reload().await? {
            return Ok(());
        }
        Err(Error::new(ErrorKind::Gone, "reload", "there is no session to load"))
    }

    /// A handle that goes on after the response was sent, for streams and WebSockets. It commits
    /// when told to, and cannot send a cookie: `login` and `regenerate` are refused, and `logout`
    /// leaves no fresh session to write to.
    ///
    /// ```
    /// use http::{Request, StatusCode};
    /// use tenure_core::{ErrorKind, Sessions, engine::Connection};
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> tenure_core::Result<()> {
    /// let sessions = Sessions::in_memory()?;
    /// let (parts, ()) = Request::new(()).into_parts();
    /// let exchange = sessions.open(&parts, Connection::new().secure(true));
    /// let session = exchange.session().load().await?;
    /// session.set("room", "lobby")?;
    /// session.save().await?;
    /// let socket = session.detach()?;
    /// exchange.close(StatusCode::SWITCHING_PROTOCOLS, &mut http::HeaderMap::new()).await?;
    ///
    /// socket.set("room", "kitchen")?; // `session.set` would be refused now
    /// socket.commit().await?;
    /// assert_eq!(socket.login(42).unwrap_err().kind(), ErrorKind::Misuse);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> tenure_core::Result<()> {
    /// # use tenure_core::engine::Connection;
    /// # let sessions = tenure_core::Sessions::in_memory()?;
    /// # let exchange = sessions.open(&http::Request::new(()).into_parts().0, Connection::new());
    /// # let mut response = http::Response::new(());
    /// # let session = exchange.session().load().await?;
    /// session.set("room", "lobby")?;
    /// session.save().await?;
    /// let stream = session.detach()?;
    ///
    /// exchange.close(response.status(), response.headers_mut()).await?; // the response is sent
    /// stream.set("room", "garden")?;
    /// stream.commit().await?;
    /// assert!(session.set("room", "cellar").is_err(), "too late for the request's own handle");
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::Misuse`] when the session does not exist yet, or has changes that are not
    /// saved; call [`save`](Self::save) before.
    pub fn detach(&self) -> Result<Detached> {
        let unsaved = self.is_modified();
        match self.slot.detach() {
            Some(slot) if !unsaved => Ok(Detached::new(Self::new(Arc::new(slot)))),
            _ => Err(Error::new(
                ErrorKind::Misuse,
                "detach",
                "the session does not exist yet, or has unsaved changes; call `save().await` first",
            )),
        }
    }
}

pub(super) fn names(keys: &[&str]) -> Vec<Arc<str>> {
    keys.iter().map(|&key| key.into()).collect()
}
