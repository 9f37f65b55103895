use std::fmt;
use std::sync::Arc;

use serde::de::DeserializeOwned;

use super::journal::Found;
use super::key::{AsKey, AsName};
use super::lazy::LazySession;
use super::record::is_reserved;
use crate::engine::{Slot, State};
use crate::error::Result;
use crate::value::{Json, decode};

/// A loaded session: what a handler reads from and writes to.
///
/// It records what the request does and commits it with the response; parallel requests lose
/// nothing. Clones are the same session. Reads see the request's own writes.
///
/// ```
/// use tenure_core::{Key, Sessions};
///
/// const CART: Key<Vec<String>> = Key::new("cart");
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> tenure_core::Result<()> {
/// let sessions = Sessions::in_memory()?;
/// let session = sessions.start().await?;
/// session.update(CART, |cart| cart.push("tea".into()))?;
/// session.increment("clicks", 1)?;
/// assert_eq!(session.get(CART)?.unwrap(), ["tea"]);
/// assert_eq!(session.get::<u32>("clicks")?, Some(1));
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Session {
    pub(super) slot: Arc<Slot>,
    pub(super) read_only: bool,
}

impl Session {
    pub(super) fn new(slot: Arc<Slot>) -> Self {
        Self { slot, read_only: false }
    }

    /// The value under `key`, or none.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> tenure_core::Result<()> {
    /// # let sessions = tenure_core::Sessions::in_memory()?;
    /// # let session = sessions.start().await?;
    /// # use tenure_core::ErrorKind;
    /// session.set("age", 36)?;
    /// assert_eq!(session.get::<u8>("age")?, Some(36));
    /// assert_eq!(session.get::<u8>("height")?, None);
    /// assert_eq!(session.get::<bool>("age").unwrap_err().kind(), ErrorKind::Type);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::Type`](crate::ErrorKind::Type) when there is a value but of another type.
    pub fn get<T: DeserializeOwned>(&self, key: impl AsKey<T>) -> Result<Option<T>> {
        let key = key.as_name();
        match self.slot.find(key)? {
            None => Ok(None),
            Some(found) => found.text(key).map(decode).transpose(),
        }
    }

    /// Whether there is a value under `key`.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> tenure_core::Result<()> {
    /// # let sessions = tenure_core::Sessions::in_memory()?;
    /// # let session = sessions.start().await?;
    /// session.set("consent", false)?;
    /// assert!(session.contains("consent"), "whatever the value");
    /// assert!(!session.contains("theme"));
    /// # Ok(())
    /// # }
    /// ```
    pub fn contains(&self, key: impl AsName) -> bool {
        !matches!(self.slot.find(key.as_name()), Ok(None))
    }

    /// All keys, in order.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> tenure_core::Result<()> {
    /// # let sessions = tenure_core::Sessions::in_memory()?;
    /// # let session = sessions.start().await?;
    /// session.set("theme", "dark")?;
    /// session.set("cart", ["tea"])?;
    /// assert_eq!(session.keys(), ["cart", "theme"]);
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn keys(&self) -> Vec<String> {
        let mut keys = self.slot.readable().journal.keys();
        keys.retain(|key| !is_reserved(key));
        keys
    }

    /// How many keys there are.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> tenure_core::Result<()> {
    /// # let sessions = tenure_core::Sessions::in_memory()?;
    /// # let session = sessions.start().await?;
    /// session.set("theme", "dark")?;
    /// session.set("theme", "light")?;
    /// assert_eq!(session.len(), 1);
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn len(&self) -> usize {
        self.keys().len()
    }

    /// Whether there is no key.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> tenure_core::Result<()> {
    /// # let sessions = tenure_core::Sessions::in_memory()?;
    /// # let session = sessions.start().await?;
    /// session.login("ada")?;
    /// assert!(session.is_empty(), "a user is no key");
    /// session.set("theme", "dark")?;
    /// assert!(!session.is_empty());
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.keys().is_empty()
    }

    /// The JSON text under `key`, as it is stored.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> tenure_core::Result<()> {
    /// # let sessions = tenure_core::Sessions::in_memory()?;
    /// # let session = sessions.start().await?;
    /// session.set("cart", ["tea", "milk"])?;
    /// assert_eq!(session.raw("cart")?.unwrap().as_str(), r#"["tea","milk"]"#);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::Type`](crate::ErrorKind::Type) when a write before the load does not fit the
    /// value.
    pub fn raw(&self, key: impl AsName) -> Result<Option<Json>> {
        let key = key.as_name();
        Ok(self.slot.find(key)?.and_then(|found| match found {
            Found::Written(value) => Some(value),
            Found::Stored(data) => data.get(key).map(Json::trusted),
        }))
    }

    /// The same session for reading only.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> tenure_core::Result<()> {
    /// # let sessions = tenure_core::Sessions::in_memory()?;
    /// # let session = sessions.start().await?;
    /// # use tenure_core::ErrorKind;
    /// session.set("theme", "dark")?;
    /// let view = session.read_only(); // for a template, say
    /// assert_eq!(view.get::<String>("theme")?.as_deref(), Some("dark"));
    /// assert_eq!(view.remove("theme").unwrap_err().kind(), ErrorKind::ReadOnly);
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn read_only(&self) -> Self {
        Self { slot: Arc::clone(&self.slot), read_only: true }
    }

    /// The same session as a handle that need not be loaded.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> tenure_core::Result<()> {
    /// # let sessions = tenure_core::Sessions::in_memory()?;
    /// # let session = sessions.start().await?;
    /// let lazy = session.lazy();
    /// lazy.set("theme", "dark")?;
    /// assert!(session.contains("theme"), "it is the same session");
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn lazy(&self) -> LazySession {
        LazySession::new(Arc::clone(&self.slot))
    }

    pub(super) fn see<T>(&self, look: impl FnOnce(&State) -> T) -> T {
        look(&self.slot.readable())
    }
}

impl fmt::Debug for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Session")
            .field("handle", &self.handle())
            .field("read_only", &self.read_only)
            .finish_non_exhaustive()
    }
}
