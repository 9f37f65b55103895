//! Setting: whether the application relies on what only a store on the server can do.

use super::SessionsBuilder;
use crate::error::{Error, Result};

impl SessionsBuilder {
    /// Says that the application relies on it that parallel requests to one session
    /// [merge](crate::Sessions::merges), or uses [`consume`](crate::Session::consume),
    /// [`issue_secret`](crate::Session::issue_secret), [`set_secret`](crate::Session::set_secret) or
    /// [`take_once`](crate::Session::take_once): where the sessions are kept in a way that cannot do
    /// that, [`build`](Self::build) refuses, at start instead of at the first request that asks.
    ///
    /// ```
    /// # use tenure_core::{ErrorKind, Sessions, transform::{Keyring, SecretKey}};
    /// # use tenure_core::store::{ClientStore, MemoryStore};
    /// # let keys = Keyring::new([SecretKey::generate()?]);
    /// let sessions = || Sessions::builder().require_merging();
    /// assert!(sessions().store(MemoryStore::new()).build().is_ok());
    /// let error = sessions().client_store(ClientStore::sealed(keys)).build().unwrap_err();
    /// assert_eq!(error.kind(), ErrorKind::Config);
    /// # Ok::<(), tenure_core::Error>(())
    /// ```
    ///
    /// # Deployment caveat
    /// A [`SimpleStore`](crate::store::simple::SimpleStore) is let through: it merges the requests of
    /// one process, and nobody can see here whether there are several.
    pub fn require_merging(mut self) -> Self {
        self.merging = true;
        self
    }

    pub(super) fn check_merging(&self) -> Result<()> {
        if !self.merging || self.client.is_none() {
            return Ok(());
        }
        Err(Error::config(
            "require_merging: the clients keep the sessions (`client_store`), so that of parallel \
             responses the last wins, and nobody can tell which of several requests was first; \
             keep the sessions on the server, in a `store`",
        ))
    }
}
