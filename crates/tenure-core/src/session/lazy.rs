use std::fmt;
use std::sync::Arc;

use serde::Serialize;

use super::handle::Session;
use super::key::{AsKey, AsName, CounterKey};
use crate::engine::{Sessions, Slot};
use crate::error::Result;
use crate::value::{By, Json};

/// A session that is not loaded: it costs nothing until it is.
///
/// Blind writes need no load. One that meets a session which has ended makes a fresh one; a type
/// that does not fit is seen only at the commit.
///
/// ```
/// use tenure_core::Sessions;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> tenure_core::Result<()> {
/// let sessions = Sessions::in_memory()?;
/// let session = sessions.start().await?.lazy();
/// session.increment("hits", 1)?;
/// assert_eq!(session.load().await?.get::<u32>("hits")?, Some(1));
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct LazySession {
    slot: Arc<Slot>,
}

impl LazySession {
    pub(crate) fn new(slot: Arc<Slot>) -> Self {
        Self { slot }
    }

    /// Loads the session, with one store call a request; without a credential with none.
    ///
    /// # Errors
    /// When the store cannot answer.
    pub async fn load(&self) -> Result<Session> {
        self.slot.load().await?;
        Ok(Session::new(Arc::clone(&self.slot)))
    }

    /// The manager that the session belongs to.
    #[must_use]
    pub fn sessions(&self) -> Sessions {
        Sessions::from_shared(Arc::clone(&self.slot.manager))
    }

    /// Puts `value` under `key`.
    ///
    /// # Errors
    /// As [`Session::set`].
    pub fn set<T: Serialize>(&self, key: impl AsKey<T>, value: T) -> Result<()> {
        self.slot.put(key.as_name(), Some(Json::of(&value)?))
    }

    /// Removes `key`.
    ///
    /// # Errors
    /// As every write.
    pub fn remove(&self, key: impl AsName) -> Result<()> {
        self.slot.put(key.as_name(), None)
    }

    /// Adds to the number under `key`.
    ///
    /// # Errors
    /// As every write.
    pub fn increment(&self, key: impl CounterKey, by: impl Into<By>) -> Result<()> {
        self.slot.add(key.as_name(), by.into().into())
    }

    /// Appends `item` to the list under `key`.
    ///
    /// # Errors
    /// As every write.
    pub fn push<T: Serialize>(&self, key: impl AsKey<Vec<T>>, item: T) -> Result<()> {
        self.slot.push(key.as_name(), Json::of(&item)?)
    }

    /// Ends the session, as [`Session::logout`].
    ///
    /// # Errors
    /// As every write.
    pub fn logout(&self) -> Result<()> {
        self.slot.log_out()
    }
}

impl fmt::Debug for LazySession {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("LazySession")
    }
}
