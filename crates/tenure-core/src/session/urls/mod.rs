//! Where a visitor was going, and where they came from: paths of the own origin alone.

mod local_path;
#[cfg(test)]
mod tests;

pub use self::local_path::LocalPath;
use super::handle::Session;
use super::reserved::{INTENDED, PREVIOUS};
use crate::error::Result;
use crate::value::Json;

impl Session {
    /// Notes where the visitor was going before a log-in got in the way.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> tenure_core::Result<()> {
    /// # let sessions = tenure_core::Sessions::in_memory()?;
    /// # let session = sessions.start().await?;
    /// use tenure_core::session::LocalPath;
    ///
    /// session.set_intended_url(&LocalPath::parse("/orders?page=2")?)?;
    /// // When they have logged in:
    /// let to = session.login_intended("ada")?.unwrap_or(LocalPath::ROOT);
    /// assert_eq!(to.as_str(), "/orders?page=2");
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As [`set`](Self::set).
    pub fn set_intended_url(&self, to: &LocalPath) -> Result<()> {
        self.put_path("set_intended_url", INTENDED, Some(to))
    }

    /// Where the visitor was going before a log-in got in the way. A [login](Self::login) forgets
    /// it, since it may have been planted before: use [`login_intended`](Self::login_intended), or
    /// [`keep_intended_url`](Self::keep_intended_url).
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> tenure_core::Result<()> {
    /// # let sessions = tenure_core::Sessions::in_memory()?;
    /// # let session = sessions.start().await?;
    /// # use tenure_core::session::LocalPath;
    /// session.set_intended_url(&LocalPath::parse("/orders")?)?;
    /// assert_eq!(session.intended_url()?.unwrap().as_str(), "/orders");
    /// session.login("ada")?;
    /// assert_eq!(session.intended_url()?, None);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As [`raw`](Self::raw).
    pub fn intended_url(&self) -> Result<Option<LocalPath>> {
        self.find_path(INTENDED)
    }

    /// Where the visitor was going, which is forgotten.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> tenure_core::Result<()> {
    /// # let sessions = tenure_core::Sessions::in_memory()?;
    /// # let session = sessions.start().await?;
    /// # use tenure_core::session::LocalPath;
    /// session.set_intended_url(&LocalPath::parse("/orders")?)?;
    /// assert_eq!(session.take_intended_url()?.unwrap().as_str(), "/orders");
    /// assert_eq!(session.take_intended_url()?, None);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As [`remove`](Self::remove).
    pub fn take_intended_url(&self) -> Result<Option<LocalPath>> {
        let path = self.intended_url()?;
        if path.is_some() {
            self.clear_intended_url()?;
        }
        Ok(path)
    }

    /// Forgets where the visitor was going.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> tenure_core::Result<()> {
    /// # let sessions = tenure_core::Sessions::in_memory()?;
    /// # let session = sessions.start().await?;
    /// # use tenure_core::session::LocalPath;
    /// session.set_intended_url(&LocalPath::parse("/orders")?)?;
    /// session.clear_intended_url()?; // they have gone elsewhere
    /// assert_eq!(session.intended_url()?, None);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As [`remove`](Self::remove).
    pub fn clear_intended_url(&self) -> Result<()> {
        self.put_path("clear_intended_url", INTENDED, None)
    }

    /// Logs `user` in, as [`login`](Self::login), and says where they were going before. It is
    /// asked for first, since the login forgets it.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> tenure_core::Result<()> {
    /// # let sessions = tenure_core::Sessions::in_memory()?;
    /// # let session = sessions.start().await?;
    /// # use tenure_core::session::LocalPath;
    /// session.set_intended_url(&LocalPath::parse("/orders")?)?;
    /// let to = session.login_intended("ada")?.unwrap_or(LocalPath::ROOT);
    /// assert_eq!((to.as_str(), session.intended_url()?), ("/orders", None));
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As [`login`](Self::login).
    pub fn login_intended(&self, user: impl ToString) -> Result<Option<LocalPath>> {
        let path = self.intended_url()?;
        self.login(user)?;
        Ok(path)
    }

    /// Keeps where the visitor was going through what forgets it: a log-in of which more is to come,
    /// or one with more to say.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> tenure_core::Result<()> {
    /// # let sessions = tenure_core::Sessions::in_memory()?;
    /// # let session = sessions.start().await?;
    /// # use std::time::Duration;
    /// # use tenure_core::session::LocalPath;
    /// session.set_intended_url(&LocalPath::parse("/orders")?)?;
    /// // The password was right, and the code has to follow:
    /// let lifetime = Duration::from_secs(5 * 60);
    /// session.keep_intended_url(|session| session.begin_login("ada", lifetime))?;
    /// // The code was right, too:
    /// let to = session.login_intended("ada")?;
    /// assert_eq!(to.unwrap().as_str(), "/orders");
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// Those of `change`. And as [`set`](Self::set).
    pub fn keep_intended_url<T>(&self, change: impl FnOnce(&Self) -> Result<T>) -> Result<T> {
        let path = self.intended_url()?;
        let changed = change(self)?;
        if let Some(path) = path {
            self.set_intended_url(&path)?;
        }
        Ok(changed)
    }

    /// Notes the page that the visitor is on, to which a form goes back.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> tenure_core::Result<()> {
    /// # let sessions = tenure_core::Sessions::in_memory()?;
    /// # let session = sessions.start().await?;
    /// # use tenure_core::session::LocalPath;
    /// session.set_previous_url(&LocalPath::parse("/cart")?)?; // by the page of the cart
    /// assert_eq!(session.previous_url()?.unwrap().as_str(), "/cart");
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As [`set`](Self::set).
    pub fn set_previous_url(&self, page: &LocalPath) -> Result<()> {
        self.put_path("set_previous_url", PREVIOUS, Some(page))
    }

    /// The page that the visitor was on, as far as it was noted since the log-in.
    ///
    /// See the example of [`set_previous_url`](Self::set_previous_url).
    ///
    /// # Errors
    /// As [`raw`](Self::raw).
    pub fn previous_url(&self) -> Result<Option<LocalPath>> {
        self.find_path(PREVIOUS)
    }

    /// The page that the visitor was on, which is forgotten.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> tenure_core::Result<()> {
    /// # let sessions = tenure_core::Sessions::in_memory()?;
    /// # let session = sessions.start().await?;
    /// # use tenure_core::session::LocalPath;
    /// session.set_previous_url(&LocalPath::parse("/cart")?)?;
    /// assert_eq!(session.take_previous_url()?.unwrap().as_str(), "/cart");
    /// assert_eq!(session.previous_url()?, None);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As [`remove`](Self::remove).
    pub fn take_previous_url(&self) -> Result<Option<LocalPath>> {
        let path = self.previous_url()?;
        if path.is_some() {
            self.clear_previous_url()?;
        }
        Ok(path)
    }

    /// Forgets the page that the visitor was on.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> tenure_core::Result<()> {
    /// # let sessions = tenure_core::Sessions::in_memory()?;
    /// # let session = sessions.start().await?;
    /// # use tenure_core::session::LocalPath;
    /// session.set_previous_url(&LocalPath::parse("/cart/17")?)?;
    /// session.clear_previous_url()?; // it is no more
    /// assert_eq!(session.previous_url()?, None);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As [`remove`](Self::remove).
    pub fn clear_previous_url(&self) -> Result<()> {
        self.put_path("clear_previous_url", PREVIOUS, None)
    }

    fn put_path(
        &self,
        operation: &'static str,
        key: &'static str,
        path: Option<&LocalPath>,
    ) -> Result<()> {
        self.writing(operation)?.put_reserved(key, path.map(Json::of).transpose()?)
    }

    /// What is no such path, because another program has written it, is not there.
    fn find_path(&self, key: &str) -> Result<Option<LocalPath>> {
        Ok(self.slot.find_reserved(key)?.and_then(|value| value.decode().ok()))
    }
}
