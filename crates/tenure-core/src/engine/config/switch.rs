//! Setting: whether there are sessions at all.

use super::SessionsBuilder;

impl SessionsBuilder {
    /// Switches sessions off. Handlers get an empty session for reading only; no store is asked, no
    /// cookie read or sent. It needs neither store nor keys.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> tenure_core::Result<()> {
    /// # use tenure_core::{ErrorKind, Sessions, engine::Connection};
    /// # let (parts, ()) = http::Request::new(()).into_parts();
    /// let sessions = Sessions::builder().disabled().build()?;
    /// let session = sessions.open(&parts, Connection::new()).session().load().await?;
    /// assert_eq!(session.get::<String>("theme")?, None);
    /// assert_eq!(session.set("theme", "dark").unwrap_err().kind(), ErrorKind::ReadOnly);
    /// # Ok(())
    /// # }
    /// ```
    pub fn disabled(mut self) -> Self {
        self.settings.disabled = true;
        self
    }
}
