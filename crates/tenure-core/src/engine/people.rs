//! The sessions of a user: listing and ending them.

use std::net::IpAddr;
use std::time::SystemTime;

use super::events::Event;
use super::manager::Manager;
use super::sessions::Sessions;
use crate::error::{Error, ErrorKind, Result};
use crate::id::{Handle, UserId};
use crate::session::external_id;
use crate::store::{AnyStore, Listed, Store, StoreKey};

/// What a page shows of a session: nothing by which anybody could get into it.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> tenure_core::Result<()> {
/// # let sessions = tenure_core::Sessions::in_memory()?;
/// # let session = sessions.start().await?;
/// # session.login("ada")?;
/// # session.commit().await?;
/// for device in session.devices().await? {
///     let text = device.user_agent.as_deref().unwrap_or("an unknown device");
///     println!("{text}{}", if device.current { ", this one" } else { "" });
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct SessionInfo {
    /// Its public name, by which it is ended.
    pub handle: Handle,
    /// When it began.
    pub created_at: SystemTime,
    /// When it was last used, as exactly as touches are throttled.
    pub last_seen: SystemTime,
    /// When it ends, if it is not used until then.
    pub expires_at: SystemTime,
    /// When its user last proved who they are.
    pub authenticated_at: Option<SystemTime>,
    /// The address that it began from.
    pub ip: Option<IpAddr>,
    /// What its client said of itself.
    pub user_agent: Option<String>,
    /// Whether it is the session that asks.
    pub current: bool,
}

impl SessionInfo {
    fn new(handle: Handle, listed: &Listed, current: Option<&StoreKey>) -> Self {
        let record = &listed.record;
        Self {
            handle,
            created_at: record.created.into(),
            last_seen: record.last_seen.into(),
            expires_at: record.deadline().into(),
            authenticated_at: record.authenticated.map(Into::into),
            ip: record.client.ip,
            user_agent: record.client.user_agent.as_deref().map(str::to_owned),
            current: current.is_some_and(|current| current.same_session(&listed.key)),
        }
    }
}

impl Sessions {
    /// The live sessions of a user, the last used first.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> tenure_core::Result<()> {
    /// # use tenure_core::UserId;
    /// # let sessions = tenure_core::Sessions::in_memory()?;
    /// # let session = sessions.start().await?;
    /// session.login("ada")?;
    /// session.commit().await?;
    /// let devices = sessions.of_user(&UserId::new("ada")?).await?;
    /// assert_eq!(Some(devices[0].handle), session.handle());
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::Misuse`] when the store has no index of users, and when it cannot answer.
    pub async fn of_user(&self, user: &UserId) -> Result<Vec<SessionInfo>> {
        self.manager().of_user(user, None).await
    }

    /// Ends a session, whoever's it is, and tells whether it was there: for administrators. What it
    /// has in flight cannot bring it back.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> tenure_core::Result<()> {
    /// # let sessions = tenure_core::Sessions::in_memory()?;
    /// # let session = sessions.start().await?;
    /// # session.login("ada")?;
    /// # session.commit().await?;
    /// let handle = session.handle().unwrap();
    /// assert!(sessions.revoke(handle).await?);
    /// assert!(!sessions.revoke(handle).await?);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// When the store cannot answer.
    pub async fn revoke(&self, handle: Handle) -> Result<bool> {
        self.manager().revoke(handle).await
    }

    /// Ends all sessions of a user, and tells how many there were.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> tenure_core::Result<()> {
    /// # use tenure_core::UserId;
    /// # let sessions = tenure_core::Sessions::in_memory()?;
    /// # let session = sessions.start().await?;
    /// session.login("ada")?;
    /// session.commit().await?;
    /// assert_eq!(sessions.revoke_user(&UserId::new("ada")?).await?, 1); // her password changed
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::Misuse`] when the store has no index of users, and when it cannot answer.
    pub async fn revoke_user(&self, user: &UserId) -> Result<u32> {
        self.manager().revoke_user(&self.manager().store, user, None).await
    }

    /// Ends all sessions of everybody by one write, however many there are.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> tenure_core::Result<()> {
    /// # let sessions = tenure_core::Sessions::in_memory()?;
    /// # let session = sessions.start().await?;
    /// # session.login("ada")?;
    /// # session.commit().await?;
    /// # let token = session.danger_expose_token().unwrap();
    /// sessions.revoke_everybody().await?; // a key has leaked
    /// assert!(sessions.open_token(&token).await?.is_none());
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::Misuse`] when the store cannot end everybody's sessions, and when it cannot
    /// answer.
    pub async fn revoke_everybody(&self) -> Result<()> {
        let manager = self.manager();
        let epoch = manager.store.epoch().ok_or_else(|| {
            let why = "the store cannot end the sessions of everybody at once";
            Error::new(ErrorKind::Misuse, "revoke_everybody", why)
        })?;
        let now = manager.settings.clock.now();
        let revoke = |now, _| crate::store::Epoch::revoke_everybody(epoch, &manager.namespace, now);
        manager.call("revoke_everybody", now, revoke).await?;
        manager.emit(Event::EverybodyRevoked);
        Ok(())
    }
}

impl Sessions {
    /// Ends the sessions of a user that belong to this session at the identity provider, and tells
    /// how many there were: for its back-channel logout (OpenID Connect Back-Channel Logout 1.0). The
    /// caller has verified the logout token, of which these are `sub` and `sid`.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> tenure_core::Result<()> {
    /// # use tenure_core::{UserId, session::Login};
    /// # let sessions = tenure_core::Sessions::in_memory()?;
    /// # let session = sessions.start().await?;
    /// session.login_as(Login::new("ada")?.external_id("08a5019c"))?;
    /// session.commit().await?;
    /// let ada = UserId::new("ada")?;
    /// assert_eq!(sessions.revoke_external(&ada, "08a5019c").await?, 1);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As [`of_user`](Self::of_user).
    pub async fn revoke_external(&self, user: &UserId, id: &str) -> Result<u32> {
        let manager = self.manager();
        let mut ended = 0;
        for listed in manager.listed(user).await? {
            let external = external_id(&listed.record);
            if external.is_some_and(|external| external == id)
                && manager.end(&listed.key, Some(user)).await?
            {
                ended += 1;
            }
        }
        Ok(ended)
    }
}

impl Manager {
    pub(crate) async fn of_user(
        &self,
        user: &UserId,
        current: Option<&StoreKey>,
    ) -> Result<Vec<SessionInfo>> {
        let listed = self.listed(user).await?;
        // Sessions of foreign formats have no handle; they end with the others.
        let infos = listed
            .iter()
            .filter_map(|listed| Some(SessionInfo::new(listed.key.handle()?, listed, current)));
        let mut infos: Vec<_> = infos.collect();
        infos.sort_by(|a, b| b.last_seen.cmp(&a.last_seen).then(b.created_at.cmp(&a.created_at)));
        Ok(infos)
    }

    pub(super) async fn listed(&self, user: &UserId) -> Result<Vec<Listed>> {
        let users = self.store.users().ok_or_else(|| without_index("of_user"))?;
        let list = |now, _| crate::store::UserIndex::list(users, &self.namespace, user, now);
        self.call("of_user", self.settings.clock.now(), list).await
    }

    pub(crate) async fn revoke(&self, handle: Handle) -> Result<bool> {
        self.end(&StoreKey::new(self.namespace.clone(), handle), None).await
    }

    /// Deletes a session by its key for administration; whose it is, if that is known.
    pub(super) async fn end(&self, key: &StoreKey, user: Option<&UserId>) -> Result<bool> {
        let now = self.settings.clock.now();
        let deleted = self.delete("revoke", &self.store, key, now).await?;
        if deleted {
            self.emit(Event::Destroyed { session: key.handle(), user });
        }
        Ok(deleted)
    }

    pub(crate) async fn revoke_user(
        &self,
        store: &AnyStore,
        user: &UserId,
        keep: Option<&StoreKey>,
    ) -> Result<u32> {
        let users = store.users().ok_or_else(|| without_index("revoke_user"))?;
        let now = self.settings.clock.now();
        let revoke =
            |now, _| crate::store::UserIndex::revoke(users, &self.namespace, user, keep, now);
        let sessions = self.call("revoke_user", now, revoke).await?;
        self.emit(Event::UserRevoked { user, sessions });
        Ok(sessions)
    }
}

fn without_index(operation: &'static str) -> Error {
    let why = "the store has no index of users; take one of the stores that have";
    Error::new(ErrorKind::Misuse, operation, why)
}
