use std::sync::MutexGuard;
use std::time::{Duration, SystemTime};

use serde::{Deserialize, Serialize};

use super::auth::{AuthLevel, Proven};
use super::handle::Session;
use super::life::names;
use super::reserved::{AUTH, HALF, LANGUAGE, REMEMBERED};
use crate::clock::Timestamp;
use crate::engine::{Fate, State};
use crate::error::{Error, ErrorKind, Result};
use crate::id::UserId;
use crate::value::Json;

/// A log-in with more to say than [`Session::login`] takes: how well the user has proved who they
/// are, when, and for how long.
///
/// ```
/// use std::time::{Duration, SystemTime};
/// use tenure_core::session::{AuthLevel, Login};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> tenure_core::Result<()> {
/// # let sessions = tenure_core::Sessions::in_memory()?;
/// # let session = sessions.start().await?;
/// let login = Login::new("ada")?
///     .level(AuthLevel::TWO_FACTORS)
///     .until(SystemTime::now() + Duration::from_secs(60 * 60)); // as the identity provider says
/// session.login_as(login)?;
/// session.save().await?;
/// assert!(session.require_level(AuthLevel::TWO_FACTORS).is_ok());
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
#[must_use = "nobody is logged in until `Session::login_as` is called"]
pub struct Login {
    user: UserId,
    keep: Vec<String>,
    level: AuthLevel,
    at: Option<Timestamp>,
    until: Option<Timestamp>,
    external: Option<String>,
}

/// Who has shown some of the proof that a log-in takes.
#[derive(Serialize, Deserialize)]
struct Half {
    #[serde(rename = "u")]
    user: String,
    /// In milliseconds.
    #[serde(rename = "e")]
    until: u64,
}

impl Login {
    /// A log-in of `user`, just now and with one factor.
    ///
    /// # Errors
    /// [`ErrorKind::Misuse`] for an empty user id, [`ErrorKind::TooLarge`] for one over 255
    /// octets.
    pub fn new(user: impl ToString) -> Result<Self> {
        let (keep, level) = (Vec::new(), AuthLevel::ONE_FACTOR);
        Ok(Self { user: UserId::new(user)?, keep, level, at: None, until: None, external: None })
    }

    /// The keys that survive where the session belonged to another user.
    ///
    /// ```
    /// # use tenure_core::session::Login;
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> tenure_core::Result<()> {
    /// # let sessions = tenure_core::Sessions::in_memory()?;
    /// # let session = sessions.start().await?;
    /// # session.login("ada")?;
    /// session.merge([("theme", "dark"), ("address", "of ada")])?;
    /// session.login_as(Login::new("grace")?.keeping(&["theme"]))?;
    /// assert_eq!(session.keys(), ["theme"]);
    /// # Ok(())
    /// # }
    /// ```
    pub fn keeping(mut self, keys: &[&str]) -> Self {
        self.keep = keys.iter().map(|&key| key.to_owned()).collect();
        self
    }

    /// How well the user has proved who they are.
    pub fn level(mut self, level: AuthLevel) -> Self {
        self.level = level;
        self
    }

    /// When the user proved it, where an identity provider did that earlier: its `auth_time`
    /// (OpenID Connect Core 1.0 section 2).
    ///
    /// ```
    /// # use std::time::{Duration, SystemTime};
    /// # use tenure_core::session::Login;
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> tenure_core::Result<()> {
    /// # let sessions = tenure_core::Sessions::in_memory()?;
    /// # let session = sessions.start().await?;
    /// let hour_ago = SystemTime::now() - Duration::from_secs(60 * 60);
    /// session.login_as(Login::new("ada")?.authenticated_at(hour_ago))?;
    /// assert!(session.require_recent_auth(Duration::from_secs(60)).is_err());
    /// # Ok(())
    /// # }
    /// ```
    pub fn authenticated_at(mut self, at: SystemTime) -> Self {
        self.at = Some(at.into());
        self
    }

    /// When the session ends at the latest, where an identity provider bounds it; the absolute
    /// timeout does so too.
    pub fn until(mut self, end: SystemTime) -> Self {
        self.until = Some(end.into());
        self
    }

    /// The session at the identity provider, by which it can be
    /// [ended](crate::Sessions::revoke_external) from there: the `sid` of an ID token (OpenID Connect
    /// Back-Channel Logout 1.0).
    pub fn external_id(mut self, id: impl Into<String>) -> Self {
        self.external = Some(id.into());
        self
    }
}

impl Session {
    /// Logs a user in as [`login`](Self::login) does, in the way that `login` says.
    ///
    /// ```
    /// # use tenure_core::session::{AuthLevel, Login};
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> tenure_core::Result<()> {
    /// # let sessions = tenure_core::Sessions::in_memory()?;
    /// # let session = sessions.start().await?;
    /// session.login_as(Login::new("ada")?.level(AuthLevel::TWO_FACTORS))?;
    /// assert_eq!(session.auth_level(), Some(AuthLevel::TWO_FACTORS));
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As [`regenerate`](Self::regenerate).
    pub fn login_as(&self, login: Login) -> Result<()> {
        let external = login.external.clone();
        let proven = Proven { level: login.level, step: None, external };
        self.enter(login, proven).map(drop)
    }

    /// Raises the level of the user who is logged in for `lifetime`, once they have proved again who
    /// they are: for one act that needs more than the log-in did. The token is rotated at once, and
    /// afterwards the level is the one of the log-in again (OWASP ASVS 7.5.3).
    ///
    /// ```
    /// # use std::time::Duration;
    /// # use tenure_core::session::AuthLevel;
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> tenure_core::Result<()> {
    /// # let sessions = tenure_core::Sessions::in_memory()?;
    /// # let session = sessions.start().await?;
    /// session.login("ada")?;
    /// assert!(session.require_level(AuthLevel::TWO_FACTORS).is_err());
    /// // … asks for the second factor, checks it, and then:
    /// session.step_up(AuthLevel::TWO_FACTORS, Duration::from_secs(5 * 60))?;
    /// assert!(session.require_level(AuthLevel::TWO_FACTORS).is_ok());
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::Unauthenticated`] when nobody is logged in. And as
    /// [`regenerate`](Self::regenerate).
    pub fn step_up(&self, level: AuthLevel, lifetime: Duration) -> Result<()> {
        let login = Login::new(self.require_user()?)?;
        let until = self.slot.manager.settings.clock.now() + lifetime;
        let step = Some((level, until.as_millis()));
        let proven = Proven { step, ..self.proven() };
        let mut state = self.enter(login, proven)?;
        // Only a log-in begins the session anew.
        state.journal.end = state.journal.end.or(state.base().map(|base| base.absolute_deadline));
        Ok(())
    }

    /// Notes that `user` has shown some of the proof, a password say, and has to show the rest
    /// within `lifetime`. Nobody is logged in by that, and what asks for a user still finds none.
    /// The token is rotated at once.
    ///
    /// ```
    /// # use std::time::Duration;
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> tenure_core::Result<()> {
    /// # let sessions = tenure_core::Sessions::in_memory()?;
    /// # let session = sessions.start().await?;
    /// session.begin_login("ada", Duration::from_secs(5 * 60))?;
    /// assert!(session.user().is_none());
    /// // … and when the code is right, in the next request:
    /// let user = session.half_authenticated().unwrap();
    /// session.login(user)?;
    /// assert!(session.half_authenticated().is_none());
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As [`login`](Self::login).
    pub fn begin_login(&self, user: impl ToString, lifetime: Duration) -> Result<()> {
        let login = Login::new(user)?;
        let until = self.slot.manager.settings.clock.now() + lifetime;
        let half = Half { user: login.user.to_string(), until: until.as_millis() };
        let half = Json::of(&half)?;
        let mut state = self.change_privilege("begin_login", &login)?;
        state.journal.user = Some(None);
        state.journal.put(HALF, Some(half));
        Ok(())
    }

    /// Who has [begun a log-in](Self::begin_login) that is still to be completed. It is nobody's
    /// right to anything.
    #[must_use]
    pub fn half_authenticated(&self) -> Option<UserId> {
        let half: Half = self.slot.find_reserved(HALF).ok()??.decode().ok()?;
        let now = self.slot.manager.settings.clock.now();
        (now.as_millis() < half.until).then(|| UserId::new(half.user).ok())?
    }

    /// Makes it the session of the user of `login`.
    fn enter(&self, login: Login, proven: Proven) -> Result<MutexGuard<'_, State>> {
        // What is usual needs no note.
        let proven = (proven != Proven::default()).then(|| Json::of(&proven)).transpose()?;
        let mut state = self.change_privilege("login", &login)?;
        state.journal.put(AUTH, proven);
        state.journal.user = Some(Some(login.user));
        state.journal.authenticated = login.at;
        state.journal.end = login.until;
        Ok(state)
    }

    /// Rotates, drops what was planted, and what belonged to another user.
    fn change_privilege(
        &self,
        operation: &'static str,
        login: &Login,
    ) -> Result<MutexGuard<'_, State>> {
        let mut state = self.writing(operation)?.rotatable(operation)?;
        let before = match &state.journal.user {
            Some(user) => user.clone(),
            None => state.base().and_then(|base| base.user.clone()),
        };
        if before.is_some_and(|before| before != login.user) {
            let mut keep: Vec<_> = login.keep.iter().map(String::as_str).collect();
            // The client is the same, as its address and its user agent are.
            keep.push(LANGUAGE);
            // "Remember me" was the other user's choice, unless this request has just made it.
            let default = self.slot.manager.settings.idle_timeout;
            state.journal.idle_timeout.get_or_insert(default);
            if state.journal.changes.get(REMEMBERED).is_some() {
                keep.push(REMEMBERED);
            }
            state.journal.clear(&names(&keep));
        }
        state.drop_bound(true);
        if state.fate == Fate::Gone {
            // Whoever has just proven who they are gets a session of their own.
            state.fate = Fate::Open;
            state.target = None;
        }
        state.journal.rotates = true;
        state.is_new = true;
        Ok(state)
    }
}

impl Error {
    pub(super) fn unauthenticated(operation: &'static str, why: &'static str) -> Self {
        Self::new(ErrorKind::Unauthenticated, operation, why)
    }
}
