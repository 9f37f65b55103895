use super::SessionsBuilder;
use crate::error::{Error, Result};
use crate::store::{AnyStore, Store};

/// How many sessions a user may have.
#[derive(Clone, Debug)]
pub(crate) struct Quota {
    pub(crate) most: usize,
    pub(crate) at_limit: AtLimit,
}

/// What happens when a user logs in who has as many sessions as are allowed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum AtLimit {
    /// The log-in is refused with [`ErrorKind::TooManySessions`](crate::ErrorKind::TooManySessions)
    /// when it is committed, and with it what the request wrote; the session is as before. Of
    /// several at the same time that are too many together, all may be refused.
    RejectNew,
    /// The sessions end that were not used for longest. Of some that were last used in the same
    /// millisecond any may be taken.
    EvictOldest,
    /// All other sessions of the user end.
    EvictAll,
}

impl SessionsBuilder {
    /// How many sessions a user may have, and what happens to one more; as many as they like by
    /// default (OWASP ASVS 7.1.2). It takes a look into the index of users at each log-in.
    ///
    /// ```
    /// use tenure_core::{Sessions, engine::AtLimit, store::MemoryStore};
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> tenure_core::Result<()> {
    /// # let clock = tenure_testkit::ManualClock::new();
    /// let sessions = Sessions::builder()
    ///     .store(MemoryStore::new())
    /// #   .clock(clock.clone())
    ///     .max_sessions_per_user(1, AtLimit::EvictOldest)
    ///     .build()?;
    /// let [phone, laptop] = [sessions.start().await?, sessions.start().await?];
    /// for session in [&phone, &laptop] {
    ///     session.login("ada")?;
    ///     session.commit().await?;
    /// #   clock.advance(std::time::Duration::from_secs(1));
    /// }
    /// assert_eq!(laptop.devices().await?.len(), 1);
    /// assert!(phone.reload().await.is_err(), "it has ended");
    /// # Ok(())
    /// # }
    /// ```
    pub fn max_sessions_per_user(mut self, most: usize, at_limit: AtLimit) -> Self {
        self.settings.quota = Some(Quota { most, at_limit });
        self
    }
}

impl Quota {
    pub(super) fn check(&self, store: &AnyStore) -> Result<()> {
        if self.most == 0 {
            return Err(Error::config(
                "max_sessions_per_user: with none, nobody could log in; allow one at least",
            ));
        }
        if store.users().is_none() {
            return Err(Error::config(
                "max_sessions_per_user: the store has no index of users, so they cannot be \
                 counted; take one of the stores that have",
            ));
        }
        Ok(())
    }
}
