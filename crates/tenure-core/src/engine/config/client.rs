//! Setting: sessions that their clients keep.

use std::sync::Arc;

use super::SessionsBuilder;
use crate::engine::manager::commit_ids;
use crate::engine::trace;
use crate::error::{Error, Result};
use crate::store::client::{Carried, Revocations};
use crate::store::{AnyStore, ClientStore};

impl SessionsBuilder {
    /// Keeps sessions with their clients instead of in a store (K5).
    ///
    /// ```
    /// # use tenure_core::{Sessions, store::ClientStore, transform::Keyring};
    /// # let secret = "k7Q2mXv9LrT4wB8nZ1cJ6hY3pD5sF0gA";
    /// let keys = Keyring::from_secrets([secret])?;
    /// let sessions = Sessions::builder().client_store(ClientStore::sealed(keys)).build()?;
    /// assert!(!sessions.merges(), "the last of parallel responses wins");
    /// # Ok::<(), tenure_core::Error>(())
    /// ```
    pub fn client_store(mut self, store: ClientStore) -> Self {
        self.client = Some(store);
        self
    }

    /// Sets up what takes the place of a store, if clients keep the sessions.
    ///
    /// # Errors
    /// For settings that only a store on the server can keep.
    pub(super) fn take_client(&mut self) -> Result<Option<(ClientStore, Option<Revocations>)>> {
        let Some(client) = self.client.take() else { return Ok(None) };
        let refused = [
            (
                self.store.is_some(),
                "store: the clients keep the sessions; leave out the one or the other",
            ),
            (
                self.keyring.is_some() || self.unsigned || self.scheme.is_some(),
                "signing_keys, insecure_unsigned_tokens and token_scheme are for sessions in a \
                 store; the keys of sessions that clients keep are those of `client_store`",
            ),
            (
                self.at_rest.is_some(),
                "seal_at_rest: the clients keep the sessions, sealed with the keys of \
                 `client_store`; leave it out",
            ),
            (
                self.settings.quota.is_some(),
                "max_sessions_per_user: sessions that clients keep cannot be counted; use a store \
                 on the server",
            ),
            (
                self.settings.on_reuse.is_some(),
                "on_reuse: nobody knows which secret a session has that its client keeps; use a \
                 store on the server",
            ),
        ];
        if let Some((_, why)) = refused.into_iter().find(|(refused, _)| *refused) {
            return Err(Error::config(why));
        }
        client.check()?;
        let revocations = match client.remembers() {
            Some(store) => Some(Revocations::new(store, Arc::new(commit_ids(&self.settings)?))?),
            None => None,
        };
        self.store = Some(AnyStore::new(Carried::new(revocations.clone())));
        // The token travels inside of what is protected as a whole, which is made anew each time.
        self.unsigned = true;
        self.settings.renewal_interval = None;
        trace::warn(
            "the clients keep the sessions: parallel responses do not merge, the last one wins",
        );
        if revocations.is_none() {
            trace::warn(
                "no revocations are remembered: a copy of a session is good until it expires, after \
                 a logout too",
            );
        }
        Ok(Some((client, revocations)))
    }
}
