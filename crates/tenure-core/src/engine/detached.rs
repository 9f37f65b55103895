//! Sessions outside a request: of a token, of headers, and new ones.

use std::sync::Arc;

use http::HeaderMap;

use super::events::Event;
use super::sessions::Sessions;
use super::slot::{Slot, UNVERIFIED};
use crate::error::Result;
use crate::session::{Detached, LazySession, Session};

impl Sessions {
    /// The session of a raw token outside a request, if it is alive; for WebSockets, jobs and tests.
    /// Take [`Session::read_only`] of it to be sure that nothing is written.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> tenure_core::Result<()> {
    /// # let sessions = tenure_core::Sessions::in_memory()?;
    /// # let session = sessions.start().await?;
    /// # session.login("ada")?;
    /// # session.commit().await?;
    /// # let token = session.danger_expose_token().unwrap();
    /// let session = sessions.open_token(&token).await?.unwrap();
    /// assert_eq!(session.user().unwrap().as_str(), "ada");
    /// assert!(sessions.open_token("forged").await?.is_none());
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// When the store cannot answer.
    pub async fn open_token(&self, token: &str) -> Result<Option<Detached>> {
        let manager = self.shared();
        let read = manager.transports.iter().enumerate().find_map(|(index, transport)| {
            let mut names = [true, false].into_iter().map(|secure| transport.name(secure));
            let read = |name| manager.read(token, &manager.token_context(name, None));
            Some((index, names.find_map(read)?))
        });
        let Some((index, credential)) = read else {
            manager.emit(Event::Rejected { reason: UNVERIFIED });
            return Ok(None);
        };
        self.detached(Slot::of_credential(Arc::clone(&manager), credential, index)).await
    }

    /// The session of a request's headers outside a request, if it is alive. `secure` says whether
    /// they came by HTTPS.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> tenure_core::Result<()> {
    /// # let sessions = tenure_core::Sessions::in_memory()?;
    /// # let session = sessions.start().await?;
    /// # session.login("ada")?;
    /// # session.commit().await?;
    /// # let token = session.danger_expose_token().unwrap();
    /// let mut headers = http::HeaderMap::new(); // of a WebSocket's handshake, say
    /// headers.insert("cookie", format!("theme=dark; __Host-id={token}").parse().unwrap());
    /// let session = sessions.open_headers(&headers, true).await?.unwrap();
    /// assert_eq!(session.user().unwrap().as_str(), "ada");
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// When the store cannot answer.
    pub async fn open_headers(
        &self,
        headers: &HeaderMap,
        secure: bool,
    ) -> Result<Option<Detached>> {
        self.detached(Slot::of_headers(self.shared(), headers, secure)).await
    }

    /// A new session outside a request, without any I/O; it exists once something is saved.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> tenure_core::Result<()> {
    /// # let sessions = tenure_core::Sessions::in_memory()?;
    /// let session = sessions.start().await?; // for the next page of a test, say
    /// session.login("ada")?;
    /// assert!(!session.exists());
    /// session.commit().await?;
    /// assert!(session.exists());
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// Not yet: the store is asked, and the token made, by the first commit. It is fallible
    /// as its siblings are, so that this may change.
    pub async fn start(&self) -> Result<Detached> {
        let slot = Slot::of_headers(self.shared(), &HeaderMap::new(), true);
        Ok(Detached::new(LazySession::new(Arc::new(slot)).load().await?))
    }

    async fn detached(&self, slot: Slot) -> Result<Option<Detached>> {
        let session: Session = LazySession::new(Arc::new(slot)).load().await?;
        Ok(session.exists().then(|| Detached::new(session)))
    }
}
