//! What a manager goes by, in words, for those who run it.

use std::fmt;
use std::time::Duration;

use super::config::{AtLimit, Settings};
use super::sessions::Sessions;
use crate::guard::IpLock;

impl Sessions {
    /// The settings in force, one a line, without secrets: for a log at start, and for the
    /// documentation of timeouts that OWASP ASVS 7.1.1 asks for.
    ///
    /// ```
    /// # use tenure_core::{Sessions, engine::Profile, store::MemoryStore};
    /// let builder = Sessions::builder().store(MemoryStore::new()).profile(Profile::Aal3);
    /// let text = builder.build()?.describe().to_string();
    /// assert!(text.contains("idle_timeout: 15 minutes\n"), "{text}");
    /// assert!(text.contains("cookie: __Host-id=…; Path=/; Secure; HttpOnly; SameSite=Lax\n"));
    /// # Ok::<(), tenure_core::Error>(())
    /// ```
    #[must_use]
    pub fn describe(&self) -> impl fmt::Display + '_ {
        Description(self)
    }
}

struct Description<'a>(&'a Sessions);

impl fmt::Display for Description<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let manager = self.0.manager();
        let settings = &manager.settings;
        if settings.disabled {
            return writeln!(f, "enabled: no");
        }
        writeln!(f, "namespace: {}", manager.namespace.as_str())?;
        for transport in manager.transports.iter() {
            writeln!(f, "{}", transport.describe())?;
        }
        lifetimes(f, settings)?;
        let limits = &settings.limits;
        writeln!(f, "store_timeout: {}", Spoken(settings.store_timeout))?;
        if settings.seals_at_rest {
            writeln!(f, "seal_at_rest: yes")?;
        }
        if let Some(quota) = &settings.quota {
            let then = match quota.at_limit {
                AtLimit::RejectNew => "reject_new",
                AtLimit::EvictOldest => "evict_oldest",
                AtLimit::EvictAll => "evict_all",
            };
            writeln!(f, "max_sessions_per_user: {}, then {then}", quota.most)?;
        }
        match settings.guards.ip {
            Some(IpLock::Exact) => writeln!(f, "lock_ip: exact")?,
            Some(IpLock::Prefix { v4, v6 }) => writeln!(f, "lock_ip: /{v4} /{v6}")?,
            None => {}
        }
        if settings.guards.user_agent {
            writeln!(f, "lock_user_agent: yes")?;
        }
        if let Some(name) = &settings.guards.csrf_field {
            writeln!(f, "csrf_field: {name}")?;
        }
        writeln!(f, "max_session_bytes: {}", limits.bytes)?;
        writeln!(f, "max_session_keys: {}", limits.keys)?;
        writeln!(f, "max_operations: {}", limits.operations)?;
        writeln!(f, "max_flash_bytes: {}", limits.flash)
    }
}

fn lifetimes(f: &mut fmt::Formatter<'_>, settings: &Settings) -> fmt::Result {
    if let Some(profile) = settings.profile {
        writeln!(f, "profile: {profile}")?;
    }
    writeln!(f, "idle_timeout: {}", Spoken(settings.idle_timeout))?;
    writeln!(f, "absolute_timeout: {}", Spoken(settings.absolute_timeout))?;
    match settings.renewal_interval {
        Some(interval) => writeln!(f, "renewal_interval: {}", Spoken(interval))?,
        None => writeln!(f, "renewal_interval: never")?,
    }
    writeln!(f, "touch_interval: {}", Spoken(settings.touch_interval(settings.idle_timeout)))?;
    for (setting, is_on) in [
        ("touch_every_request", settings.touch_every_request),
        ("rolling", settings.rolling),
        ("save_uninitialized", settings.save_uninitialized),
        ("clear_unknown", settings.clear_unknown),
    ] {
        if is_on {
            writeln!(f, "{setting}: yes")?;
        }
    }
    Ok(())
}

/// A time as one says it, in the largest unit that leaves no rest.
pub(crate) struct Spoken(pub(crate) Duration);

impl fmt::Display for Spoken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seconds = self.0.as_secs();
        if self.0.subsec_nanos() != 0 || seconds == 0 {
            return write!(f, "{:?}", self.0);
        }
        let units = [(24 * 60 * 60, "day"), (60 * 60, "hour"), (60, "minute"), (1, "second")];
        let fits = units.into_iter().find(|(unit, _)| seconds.is_multiple_of(*unit));
        let (unit, name) = fits.unwrap_or((1, "second"));
        let count = seconds / unit;
        // Below two days hours are the common way to say it.
        let (count, name) = if (count, name) == (1, "day") { (24, "hour") } else { (count, name) };
        write!(f, "{count} {name}{}", if count == 1 { "" } else { "s" })
    }
}
