//! The language that a client asks for: noted where a hook wants to know whether it changes, and
//! nowhere else. Record formats have no field for it, so it lies in the session's data.

use super::slot::{Reach, Slot};
use crate::error::Result;
use crate::guard::ClientChange;
use crate::session::LANGUAGE;
use crate::store::Record;
use crate::value::Json;

impl Slot {
    /// What the client asks for, cut to what is kept; empty if it asks for nothing, in whatever
    /// way.
    pub(super) fn language(&self) -> &str {
        let text = self.accept_language.as_ref().and_then(|value| value.to_str().ok());
        let text = text.unwrap_or_default();
        &text[..text.floor_char_boundary(ClientChange::MAX_LANGUAGE)]
    }

    /// Notes it in the record of a session that begins, also that the client asks for nothing.
    /// Outside a request nobody knows.
    pub(super) fn note_language(&self, record: &mut Record) -> Result<()> {
        if self.reach != Reach::Client || !self.manager.settings.guards.compares_languages() {
            return Ok(());
        }
        let language = Json::of(self.language())?;
        record.data = record.data.iter().chain([(LANGUAGE, language.as_str())]).collect();
        Ok(())
    }
}
