//! Settings: how long sessions and secrets live, and what counts as a use.

use std::time::Duration;

use super::SessionsBuilder;

impl SessionsBuilder {
    /// How long a session lives without being used; 30 minutes by default.
    pub fn idle_timeout(mut self, timeout: Duration) -> Self {
        self.settings.idle_timeout = timeout;
        self
    }

    /// How long a session lives at all; 12 hours by default.
    pub fn absolute_timeout(mut self, timeout: Duration) -> Self {
        self.settings.absolute_timeout = timeout;
        self
    }

    /// How old a secret grows before a new one takes its place; 60 minutes by default. The old one
    /// works until the new one is first used.
    pub fn renewal_interval(mut self, interval: Duration) -> Self {
        self.settings.renewal_interval = Some(interval);
        self
    }

    /// Keeps a secret for the whole life of its session, unless privileges change.
    pub fn insecure_never_renew(mut self) -> Self {
        self.settings.renewal_interval = None;
        self
    }

    /// Notes the use of a session at most this often; by default the smaller of 60 seconds and a
    /// tenth of the idle timeout. Zero notes every use.
    pub fn touch_interval(mut self, interval: Duration) -> Self {
        self.settings.touch_interval = Some(interval);
        self
    }

    /// Counts every request with a credential as a use of its session, those too whose handler
    /// never asks for it: one store call each.
    pub fn touch_every_request(mut self) -> Self {
        self.settings.touch_every_request = true;
        self
    }

    /// Makes a session for every visitor, also for one who stores nothing. Each costs a record and
    /// a cookie, robots included.
    pub fn save_uninitialized(mut self) -> Self {
        self.settings.save_uninitialized = true;
        self
    }

    /// Touches the session and sends its cookie again with every response.
    pub fn rolling(mut self) -> Self {
        self.settings.rolling = true;
        self
    }

    /// Removes the cookie of a credential that the store does not know. The answer to a request
    /// that began before a login then erases the new cookie, if it comes late.
    pub fn clear_unknown(mut self) -> Self {
        self.settings.clear_unknown = true;
        self
    }
}
