//! The other sessions of the user.

use super::handle::Session;
use crate::engine::SessionInfo;
use crate::error::Result;
use crate::id::{Handle, UserId};
use crate::store::StoreKey;

impl Session {
    /// The live sessions of the user who is logged in, this one among them, the last used first;
    /// none if nobody is. The page that lists them shows handles, which open nothing (OWASP ASVS
    /// 7.5.2).
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> tenure_core::Result<()> {
    /// # let sessions = tenure_core::Sessions::in_memory()?;
    /// # let session = sessions.start().await?;
    /// # let phone = sessions.start().await?;
    /// session.login("ada")?;
    /// session.commit().await?;
    /// phone.login("ada")?;
    /// phone.commit().await?;
    /// let devices = session.devices().await?;
    /// assert_eq!(devices.len(), 2);
    /// assert_eq!(devices.iter().filter(|device| device.current).count(), 1);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::Misuse`](crate::ErrorKind::Misuse) when the store has no index of users, and
    /// when it cannot answer.
    pub async fn devices(&self) -> Result<Vec<SessionInfo>> {
        match self.whose() {
            None => Ok(Vec::new()),
            Some((user, key)) => self.slot.manager.of_user(&user, Some(&key)).await,
        }
    }

    /// Ends another session of the same user, and tells whether it was there. Those of other users
    /// stay, and so does this one: `logout` ends it.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> tenure_core::Result<()> {
    /// # let sessions = tenure_core::Sessions::in_memory()?;
    /// # let [session, phone, eve] = [sessions.start().await?, sessions.start().await?, sessions.start().await?];
    /// for (session, user) in [(&session, "ada"), (&phone, "ada"), (&eve, "eve")] {
    ///     session.login(user)?;
    ///     session.commit().await?;
    /// }
    /// assert!(session.revoke(phone.handle().unwrap()).await?);
    /// assert!(!session.revoke(eve.handle().unwrap()).await?, "it is not hers");
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As [`devices`](Self::devices).
    pub async fn revoke(&self, handle: Handle) -> Result<bool> {
        self.writing("revoke")?;
        let theirs = self.devices().await?;
        let another = theirs.iter().any(|device| device.handle == handle && !device.current);
        if !another {
            return Ok(false);
        }
        self.slot.manager.revoke(handle).await
    }

    /// Ends all other sessions of the user, and tells how many there were: after a change of the
    /// password, say.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> tenure_core::Result<()> {
    /// # let sessions = tenure_core::Sessions::in_memory()?;
    /// # let [session, phone] = [sessions.start().await?, sessions.start().await?];
    /// for session in [&session, &phone] {
    ///     session.login("ada")?;
    ///     session.commit().await?;
    /// }
    /// assert_eq!(session.revoke_others().await?, 1);
    /// assert!(session.devices().await?[0].current);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As [`devices`](Self::devices).
    pub async fn revoke_others(&self) -> Result<u32> {
        self.writing("revoke_others")?;
        match self.whose() {
            None => Ok(0),
            Some((user, key)) => {
                let slot = &self.slot;
                let ended = slot.manager.revoke_user(slot.store(), &user, Some(&key)).await?;
                slot.keep();
                Ok(ended)
            }
        }
    }

    /// Ends every session of the user, this one with the response.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> tenure_core::Result<()> {
    /// # let sessions = tenure_core::Sessions::in_memory()?;
    /// # let [session, phone] = [sessions.start().await?, sessions.start().await?];
    /// for session in [&session, &phone] {
    ///     session.login("ada")?;
    ///     session.commit().await?;
    /// }
    /// # let token = phone.danger_expose_token().unwrap();
    /// session.logout_everywhere().await?;
    /// assert!(session.user().is_none());
    /// assert!(sessions.open_token(&token).await?.is_none());
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As [`devices`](Self::devices) and [`logout`](Self::logout).
    pub async fn logout_everywhere(&self) -> Result<()> {
        self.writing("logout_everywhere")?;
        if let Some((user, _)) = self.whose() {
            self.slot.manager.revoke_user(self.slot.store(), &user, None).await?;
        }
        self.logout()
    }

    /// The user who is logged in, and the session, as the store knows it.
    fn whose(&self) -> Option<(UserId, StoreKey)> {
        let user = self.user()?;
        let key = self.see(|state| state.target.as_ref().map(|target| target.key.clone()))?;
        Some((user, key))
    }
}
