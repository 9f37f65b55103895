//! What is known of a session beside its keys.

use std::net::IpAddr;
use std::time::{Duration, SystemTime};

use super::handle::Session;
use crate::id::{Handle, UserId};
use crate::store::Record;

impl Session {
    /// The public name of the session, if it exists: the same for its whole life.
    #[must_use]
    pub fn handle(&self) -> Option<Handle> {
        self.see(|state| state.target.as_ref()?.key.handle())
    }

    /// Who is logged in.
    #[must_use]
    pub fn user(&self) -> Option<UserId> {
        self.see(|state| match &state.journal.user {
            Some(user) => user.clone(),
            None => state.base()?.user.clone(),
        })
    }

    /// Whether the store has this session.
    #[must_use]
    pub fn exists(&self) -> bool {
        self.see(|state| state.base().is_some())
    }

    /// Whether the token is of this request: the session is a new one, or was regenerated.
    #[must_use]
    pub fn is_new(&self) -> bool {
        self.see(|state| state.is_new)
    }

    /// Whether there is something to commit.
    #[must_use]
    pub fn is_modified(&self) -> bool {
        self.see(|state| !state.journal.is_empty() || state.doomed.is_some())
    }

    /// Whether the store has everything that this request did.
    #[must_use]
    pub fn is_saved(&self) -> bool {
        self.exists() && !self.is_modified() && self.slot.is_acknowledged()
    }

    /// When the session began.
    #[must_use]
    pub fn created_at(&self) -> Option<SystemTime> {
        self.known(|record| record.created.into())
    }

    /// When it was last used, to the precision of the touch interval.
    #[must_use]
    pub fn last_seen(&self) -> Option<SystemTime> {
        self.known(|record| record.last_seen.into())
    }

    /// When it ends if it is not used before.
    #[must_use]
    pub fn expires_at(&self) -> Option<SystemTime> {
        self.known(|record| record.deadline().into())
    }

    /// When the user last proved who they are.
    #[must_use]
    pub fn authenticated_at(&self) -> Option<SystemTime> {
        self.known(|record| record.authenticated).flatten().map(Into::into)
    }

    /// How long the session lives without being used.
    #[must_use]
    pub fn idle_timeout(&self) -> Duration {
        let default = self.slot.manager.settings.idle_timeout;
        self.see(|state| {
            let own = state.base().map(|base| base.idle_timeout);
            state.journal.idle_timeout.or(own).unwrap_or(default)
        })
    }

    /// The address that the session began from.
    #[must_use]
    pub fn ip(&self) -> Option<IpAddr> {
        self.known(|record| record.client.ip).flatten()
    }

    /// What the client that began the session said of itself, at most 512 octets of it.
    #[must_use]
    pub fn user_agent(&self) -> Option<String> {
        self.known(|record| record.client.user_agent.as_deref().map(str::to_owned)).flatten()
    }

    /// The token as it travels. Whoever sees it has the session: never log it, never put it in a
    /// page or a URL.
    #[must_use]
    pub fn danger_expose_token(&self) -> Option<String> {
        self.slot.token_text()
    }

    fn known<T>(&self, look: impl FnOnce(&Record) -> T) -> Option<T> {
        self.see(|state| state.base().map(|base| look(base)))
    }
}
