//! Settings: who hears of what happens to sessions.

use std::sync::Arc;

use super::super::events::Event;
use super::SessionsBuilder;

impl SessionsBuilder {
    /// Calls `listener` with everything that happens to sessions: for an audit log, a counter, a
    /// notice to the user. There may be several; they are called in the order in which they were
    /// added, [`on_error`](Self::on_error) before them.
    ///
    /// A listener hears of what has happened and can stop none of it: when it hears of a logout, the
    /// session is gone from the store. If it panics, that is caught, and all goes on, the other
    /// listeners too (unless the program is built to abort on panics). It runs on the request's
    /// task, and the response waits for it, so it should not block: what takes time goes to a
    /// channel. Nobody listening costs nothing.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> tenure_core::Result<()> {
    /// # use tenure_core::{Sessions, engine::Event, store::MemoryStore};
    /// let (mails, to_send) = std::sync::mpsc::channel();
    /// let sessions = Sessions::builder()
    ///     .store(MemoryStore::new())
    ///     .on_event(move |event| {
    ///         if let Event::LoggedIn { user, .. } = event {
    ///             let _ = mails.send(format!("{user}, you have logged in on a new device"));
    ///         }
    ///     })
    ///     .build()?;
    /// let session = sessions.start().await?;
    /// session.login("ada")?;
    /// assert!(to_send.try_recv().is_err(), "it has not happened yet");
    /// session.commit().await?;
    /// assert!(to_send.try_recv().unwrap().starts_with("ada"));
    /// # Ok(())
    /// # }
    /// ```
    pub fn on_event(mut self, listener: impl Fn(&Event<'_>) + Send + Sync + 'static) -> Self {
        self.settings.listeners.push(Arc::new(listener));
        self
    }
}
