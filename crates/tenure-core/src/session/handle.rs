use std::fmt;
use std::sync::Arc;

use super::lazy::LazySession;
use crate::engine::{Slot, State};

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
