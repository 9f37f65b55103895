use super::SessionsBuilder;
use crate::error::{Error, Result};

/// How much one session may hold, and one request write to it.
#[derive(Clone, Debug)]
pub(crate) struct Limits {
    pub(crate) bytes: usize,
    pub(crate) keys: usize,
    pub(crate) operations: usize,
    pub(crate) flash: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { bytes: 64 << 10, keys: 128, operations: 256, flash: 16 << 10 }
    }
}

impl Limits {
    const MOST_BYTES: usize = 1 << 20;
    const MOST: usize = 1 << 16;

    pub(super) fn check(&self) -> Result<()> {
        if !(1..=Self::MOST_BYTES).contains(&self.bytes) {
            return Err(Error::config(format!(
                "max_session_bytes: {} is not between 1 and 1 MiB; keep large data elsewhere and \
                 its key in the session",
                self.bytes
            )));
        }
        for (setting, number) in [
            ("max_session_keys", self.keys),
            ("max_operations", self.operations),
            ("max_flash_bytes", self.flash),
        ] {
            if !(1..=Self::MOST).contains(&number) {
                return Err(Error::config(format!(
                    "{setting}: {number} is not between 1 and {}",
                    Self::MOST
                )));
            }
        }
        Ok(())
    }
}

impl SessionsBuilder {
    /// How many octets the keys and values of a session may take; 64 KiB by default, at most 1 MiB.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> tenure_core::Result<()> {
    /// # use tenure_core::{ErrorKind, Sessions, store::MemoryStore};
    /// let sessions = Sessions::builder().store(MemoryStore::new()).max_session_bytes(256).build()?;
    /// let session = sessions.start().await?;
    /// let error = session.set("essay", "x".repeat(300)).unwrap_err();
    /// assert_eq!(error.kind(), ErrorKind::TooLarge);
    /// # Ok(())
    /// # }
    /// ```
    pub fn max_session_bytes(mut self, bytes: usize) -> Self {
        self.settings.limits.bytes = bytes;
        self
    }

    /// How many keys a session may have; 128 by default, at most 65,536.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> tenure_core::Result<()> {
    /// # use tenure_core::{ErrorKind, Sessions, store::MemoryStore};
    /// let sessions = Sessions::builder().store(MemoryStore::new()).max_session_keys(1).build()?;
    /// let session = sessions.start().await?;
    /// session.set("theme", "dark")?;
    /// assert_eq!(session.set("size", 12).unwrap_err().kind(), ErrorKind::TooLarge);
    /// # Ok(())
    /// # }
    /// ```
    pub fn max_session_keys(mut self, keys: usize) -> Self {
        self.settings.limits.keys = keys;
        self
    }

    /// How many operations one request may record between two commits; 256 by default, at most
    /// 65,536. Those that take each other's place, such as two `set` of one key or two sums, are
    /// one.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> tenure_core::Result<()> {
    /// # use tenure_core::{ErrorKind, Sessions, store::MemoryStore};
    /// let sessions = Sessions::builder().store(MemoryStore::new()).max_operations(2).build()?;
    /// let session = sessions.start().await?;
    /// session.push("notes", "welcome")?;
    /// session.push("notes", "order received")?;
    /// assert_eq!(session.push("notes", "paid").unwrap_err().kind(), ErrorKind::TooLarge);
    /// # Ok(())
    /// # }
    /// ```
    pub fn max_operations(mut self, operations: usize) -> Self {
        self.settings.limits.operations = operations;
        self
    }

    /// How many octets the messages may take that wait to be shown; 16 KiB by default, at most
    /// 65,536.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> tenure_core::Result<()> {
    /// # use tenure_core::{ErrorKind, Sessions, store::MemoryStore};
    /// let sessions = Sessions::builder().store(MemoryStore::new()).max_flash_bytes(256).build()?;
    /// let session = sessions.start().await?;
    /// let error = session.flash("essay", "x".repeat(300)).unwrap_err();
    /// assert_eq!(error.kind(), ErrorKind::TooLarge);
    /// # Ok(())
    /// # }
    /// ```
    pub fn max_flash_bytes(mut self, bytes: usize) -> Self {
        self.settings.limits.flash = bytes;
        self
    }
}
