//! The library's own keys in a session's data. They begin with NUL, as no key of an application
//! may, so that no handler can forge what they say.

use std::sync::Arc;

use crate::engine::{Slot, State};
use crate::error::Result;
use crate::value::Json;

/// Messages for the next request that reads them.
pub(super) const FLASH: &str = "\0flash";
/// What request forgery tokens are made from.
pub(super) const CSRF: &str = "\0csrf";
/// Where a visitor was going before the log-in got in the way.
pub(super) const INTENDED: &str = "\0intended";
/// The page before this one.
pub(super) const PREVIOUS: &str = "\0previous";
/// How the user proved who they are.
pub(super) const AUTH: &str = "\0auth";
/// Who has shown some of the proof that a log-in takes.
pub(super) const HALF: &str = "\0half";
/// That the session outlives the browser.
pub(super) const REMEMBERED: &str = "\0remembered";
/// The language that the client asked for when the session began.
pub(crate) const LANGUAGE: &str = "\0language";
/// The beginning of the names of secrets that are good for one use.
pub(super) const ONE_SHOT: &str = "\0once:";

/// Those that an application's `clear` leaves alone.
pub(super) fn all() -> [Arc<str>; 8] {
    [FLASH, CSRF, INTENDED, PREVIOUS, AUTH, HALF, REMEMBERED, LANGUAGE].map(Into::into)
}

pub(crate) fn is_reserved(key: &str) -> bool {
    key.starts_with('\0')
}

impl State {
    /// Drops what was bound to the secret, or planted, before it was replaced. With a change of
    /// privilege that is all but the messages.
    pub(super) fn drop_bound(&mut self, privilege: bool) {
        self.journal.put(CSRF, None);
        if !privilege {
            return;
        }
        for key in [INTENDED, PREVIOUS, AUTH, HALF] {
            self.journal.put(key, None);
        }
        for key in self.journal.keys() {
            if key.starts_with(ONE_SHOT) {
                self.journal.put(&key, None);
            }
        }
    }
}

impl Slot {
    /// The value under one of the library's own keys, as this request sees it.
    pub(super) fn find_reserved(&self, key: &str) -> Result<Option<Json>> {
        self.readable().journal.view(key)
    }
}
