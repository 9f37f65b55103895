//! How well and how recently the user has proved who they are.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::handle::Session;
use super::reserved::AUTH;
use crate::clock::Timestamp;
use crate::error::{Error, Result};
use crate::id::UserId;
use crate::store::Record;
use crate::value::decode;

/// How well a user has proved who they are: the higher, the better. The numbers between and above
/// the named ones are the application's own.
///
/// ```
/// use tenure_core::session::AuthLevel;
///
/// const BY_LETTER: AuthLevel = AuthLevel::new(30);
/// assert!(AuthLevel::ONE_FACTOR < AuthLevel::TWO_FACTORS && AuthLevel::TWO_FACTORS < BY_LETTER);
/// assert_eq!(BY_LETTER.number(), 30);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct AuthLevel(u8);

impl AuthLevel {
    /// A password, or whatever else [`Session::login`] was called for: 10.
    pub const ONE_FACTOR: Self = Self(10);
    /// Two factors: 20.
    pub const TWO_FACTORS: Self = Self(20);

    /// A level of this number.
    #[must_use]
    pub const fn new(number: u8) -> Self {
        Self(number)
    }

    /// Its number.
    #[must_use]
    pub const fn number(self) -> u8 {
        self.0
    }
}

/// What a log-in leaves in the session, beside user and time.
#[derive(PartialEq, Serialize, Deserialize)]
pub(super) struct Proven {
    #[serde(rename = "l")]
    pub(super) level: AuthLevel,
    /// A higher level, and when it ends, in milliseconds.
    #[serde(rename = "s", default, skip_serializing_if = "Option::is_none")]
    pub(super) step: Option<(AuthLevel, u64)>,
    /// The session at the identity provider.
    #[serde(rename = "x", default, skip_serializing_if = "Option::is_none")]
    pub(super) external: Option<String>,
}

/// The session at the identity provider that a record belongs to.
pub(crate) fn external_id(record: &Record) -> Option<String> {
    decode::<Proven>(record.data.get(AUTH)?).ok()?.external
}

impl Default for Proven {
    fn default() -> Self {
        Self { level: AuthLevel::ONE_FACTOR, step: None, external: None }
    }
}

impl Session {
    /// How well the user who is logged in has proved who they are; none if nobody is. It lies where
    /// ordinary keys do not reach, and no half-finished log-in gives one (OWASP ASVS 4.0.3 section
    /// 3.7, "half-open" attack).
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> tenure_core::Result<()> {
    /// # use tenure_core::session::AuthLevel;
    /// # let sessions = tenure_core::Sessions::in_memory()?;
    /// # let session = sessions.start().await?;
    /// assert_eq!(session.auth_level(), None);
    /// session.login("ada")?;
    /// assert_eq!(session.auth_level(), Some(AuthLevel::ONE_FACTOR));
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn auth_level(&self) -> Option<AuthLevel> {
        self.user()?;
        let now = self.slot.manager.settings.clock.now();
        let proven = self.proven();
        let step = proven.step.filter(|(_, until)| now.as_millis() < *until);
        Some(step.map_or(proven.level, |(level, _)| level.max(proven.level)))
    }

    /// The user who is logged in.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> tenure_core::Result<()> {
    /// # use tenure_core::ErrorKind;
    /// # let sessions = tenure_core::Sessions::in_memory()?;
    /// # let session = sessions.start().await?;
    /// let error = session.require_user().unwrap_err();
    /// assert_eq!(error.kind(), ErrorKind::Unauthenticated); // answered with 401
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::Unauthenticated`](crate::ErrorKind::Unauthenticated) when nobody is.
    pub fn require_user(&self) -> Result<UserId> {
        self.user().ok_or_else(|| Error::unauthenticated("require_user", "nobody is logged in"))
    }

    /// The user who is logged in, if by this level at least.
    ///
    /// See the example of [`step_up`](Self::step_up).
    ///
    /// # Errors
    /// [`ErrorKind::Unauthenticated`](crate::ErrorKind::Unauthenticated) when nobody is, or by
    /// less.
    pub fn require_level(&self, level: AuthLevel) -> Result<UserId> {
        let user = self.require_user()?;
        if self.auth_level().is_some_and(|own| own >= level) {
            return Ok(user);
        }
        let why = "a stronger proof is needed; ask for it and call `step_up`";
        Err(Error::unauthenticated("require_level", why))
    }

    /// The user who is logged in, if they proved who they are within `age`: before a change of the
    /// password or of the second factor, say (OWASP ASVS 7.5.1).
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> tenure_core::Result<()> {
    /// # use std::time::Duration;
    /// # use tenure_core::{ErrorKind, Sessions, store::MemoryStore};
    /// # let clock = tenure_testkit::ManualClock::new();
    /// # let sessions = Sessions::builder().store(MemoryStore::new()).clock(clock.clone()).build()?;
    /// # let session = sessions.start().await?;
    /// session.login("ada")?;
    /// session.save().await?;
    /// let minutes = Duration::from_secs(5 * 60);
    /// assert!(session.require_recent_auth(minutes).is_ok());
    /// clock.advance(minutes);
    /// let error = session.require_recent_auth(minutes).unwrap_err();
    /// assert_eq!(error.kind(), ErrorKind::Unauthenticated);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::Unauthenticated`](crate::ErrorKind::Unauthenticated) when nobody is, or it was
    /// longer ago.
    pub fn require_recent_auth(&self, age: Duration) -> Result<UserId> {
        let user = self.require_user()?;
        let now = self.slot.manager.settings.clock.now();
        let recent = |at| now < Timestamp::from(at) + age;
        if self.authenticated_at().is_some_and(recent) {
            return Ok(user);
        }
        let why = "the user logged in too long ago; ask for the password again and call `login`";
        Err(Error::unauthenticated("require_recent_auth", why))
    }

    /// What the log-in has left; one that left nothing was with one factor.
    pub(super) fn proven(&self) -> Proven {
        let kept = self.slot.find_reserved(AUTH).ok().flatten();
        kept.and_then(|kept| kept.decode().ok()).unwrap_or_default()
    }
}
