//! Settings: the limits of an authenticator assurance level, as a preset.

use std::fmt;
use std::time::Duration;

use super::{SessionsBuilder, Settings};
use crate::engine::describe::Spoken;
use crate::error::{Error, Result};

const MINUTE: Duration = Duration::from_secs(60);
const HOUR: Duration = Duration::from_secs(60 * 60);
const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// The limits of an authenticator assurance level of NIST SP 800-63B-4 (sections 2.1.3, 2.2.3 and
/// 2.3.3). What it prints is what it limits.
///
/// ```
/// use tenure_core::engine::Profile;
///
/// let text = Profile::Aal3.to_string();
/// assert_eq!(text, "AAL3 of NIST SP 800-63B-4: at most 12 hours in all, 15 minutes idle");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Profile {
    /// One factor: 30 days in all.
    Aal1,
    /// Two factors: 24 hours in all, one hour without use.
    Aal2,
    /// Two factors, one of them hardware that resists phishing: 12 hours in all, 15 minutes without
    /// use.
    Aal3,
}

impl Profile {
    /// The longest absolute timeout.
    ///
    /// ```
    /// # use std::time::Duration;
    /// # use tenure_core::engine::Profile;
    /// let day = Duration::from_secs(24 * 60 * 60);
    /// assert_eq!(Profile::Aal2.longest_absolute_timeout(), day);
    /// ```
    #[must_use]
    pub const fn longest_absolute_timeout(self) -> Duration {
        match self {
            Self::Aal1 => DAY.saturating_mul(30),
            Self::Aal2 => DAY,
            Self::Aal3 => HOUR.saturating_mul(12),
        }
    }

    /// The longest idle timeout; none where the level asks for none.
    ///
    /// ```
    /// # use std::time::Duration;
    /// # use tenure_core::engine::Profile;
    /// assert_eq!(Profile::Aal2.longest_idle_timeout(), Some(Duration::from_secs(60 * 60)));
    /// assert_eq!(Profile::Aal1.longest_idle_timeout(), None);
    /// ```
    #[must_use]
    pub const fn longest_idle_timeout(self) -> Option<Duration> {
        match self {
            Self::Aal1 => None,
            Self::Aal2 => Some(HOUR),
            Self::Aal3 => Some(MINUTE.saturating_mul(15)),
        }
    }

    const fn name(self) -> &'static str {
        match self {
            Self::Aal1 => "AAL1",
            Self::Aal2 => "AAL2",
            Self::Aal3 => "AAL3",
        }
    }
}

impl fmt::Display for Profile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let overall = Spoken(self.longest_absolute_timeout());
        write!(f, "{} of NIST SP 800-63B-4: at most {overall} in all", self.name())?;
        match self.longest_idle_timeout() {
            Some(idle) => write!(f, ", {} idle", Spoken(idle)),
            None => Ok(()),
        }
    }
}

impl SessionsBuilder {
    /// Takes the timeouts from an authenticator assurance level: the longest that it allows, unless
    /// shorter ones are set. Longer ones are refused by [`build`](Self::build) and by
    /// [`set_idle_timeout`](crate::Session::set_idle_timeout).
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> tenure_core::Result<()> {
    /// # use std::time::Duration;
    /// # use tenure_core::{Sessions, engine::Profile, store::MemoryStore};
    /// let builder = || Sessions::builder().store(MemoryStore::new()).profile(Profile::Aal2);
    /// let session = builder().build()?.start().await?;
    /// assert_eq!(session.idle_timeout(), Duration::from_secs(60 * 60));
    ///
    /// let error = builder().idle_timeout(Duration::from_secs(2 * 60 * 60)).build().unwrap_err();
    /// assert!(error.to_string().contains("idle_timeout: 2 hours is more than 1 hour"), "{error}");
    /// # Ok(())
    /// # }
    /// ```
    pub fn profile(mut self, profile: Profile) -> Self {
        self.settings.profile = Some(profile);
        self
    }
}

impl Settings {
    /// Takes over the timeouts that were set, and for the others what the profile says.
    pub(super) fn set_timeouts(&mut self, idle: Option<Duration>, absolute: Option<Duration>) {
        let longest = self.profile.map(Profile::longest_absolute_timeout);
        self.absolute_timeout = absolute.or(longest).unwrap_or(self.absolute_timeout);
        let longest = self.profile.and_then(Profile::longest_idle_timeout);
        let preset = longest.map(|longest| longest.min(self.absolute_timeout));
        self.idle_timeout = idle.or(preset).unwrap_or(self.idle_timeout);
    }

    pub(super) fn check_profile(&self) -> Result<()> {
        let Some(profile) = self.profile else { return Ok(()) };
        let longest = Some(profile.longest_absolute_timeout());
        for (setting, timeout, longest) in [
            ("absolute_timeout", self.absolute_timeout, longest),
            ("idle_timeout", self.idle_timeout, profile.longest_idle_timeout()),
        ] {
            if let Some(longest) = longest.filter(|longest| timeout > *longest) {
                return Err(Error::config(format!(
                    "{setting}: {} is more than {}, the limit of the profile {}; shorten it, or \
                     take another profile",
                    Spoken(timeout),
                    Spoken(longest),
                    profile.name()
                )));
            }
        }
        Ok(())
    }

    /// The longest idle timeout that a session may give itself.
    pub(crate) fn longest_idle_timeout(&self) -> Duration {
        let longest = self.profile.and_then(Profile::longest_idle_timeout);
        longest.unwrap_or(self.absolute_timeout).min(self.absolute_timeout)
    }
}
