//! The session as its client keeps it.

use super::slot::Slot;
use super::state::Written;
use crate::error::{Error, ErrorKind, Result};
use crate::id::Token;
use crate::store::client::Carried;
use crate::transform::TransformContext;
use crate::transport::Transport;
use crate::value::Data;

/// So many keys are named where a session is too large.
const NAMED: usize = 3;

impl Slot {
    /// The text that travels by `transport` for this token, or in place of the whole session.
    ///
    /// # Errors
    /// [`ErrorKind::TooLarge`] for a session that does not fit.
    pub(super) fn credential(&self, token: &Token, transport: &dyn Transport) -> Result<String> {
        let context = self.token_context(transport);
        let Some(sealer) = &self.manager.sealer else {
            return Ok(self.manager.scheme.write(token, &context));
        };
        let written = self.state().written.take();
        if let Some(written) = written.filter(|written| written.name == context.name) {
            return Ok(written.text);
        }
        let Some(record) = self.carried().and_then(Carried::record) else {
            return Err(Error::new(ErrorKind::Gone, "client", "the session has ended"));
        };
        let data = record.data.clone();
        let bound = TransformContext::new(context.name, sealer.purpose(), context.random);
        let text = sealer.write(token, record, &bound)?;
        let room = transport.capacity(self.secure);
        if text.len() > room {
            return Err(too_large(&data, text.len(), context.name, room));
        }
        Ok(text)
    }

    /// Sends the session again to the client that keeps it, since its record has changed without a
    /// commit.
    pub(crate) fn keep(&self) {
        if self.manager.sealer.is_some() {
            self.extended(true);
        }
    }

    /// Writes the session for its client after a commit, so that the commit fails if it does not
    /// fit, before anything is sent.
    pub(super) fn pack(&self) -> Result<()> {
        if self.manager.sealer.is_none() {
            return Ok(());
        }
        let (token, transport) = {
            let mut state = self.state();
            state.written = None;
            let Some(target) = &state.target else { return Ok(()) };
            (target.token.clone(), self.answering(&state))
        };
        let text = self.credential(&token, transport)?;
        let name = transport.name(self.secure).to_owned();
        self.state().written = Some(Written { name, text });
        Ok(())
    }
}

fn too_large(data: &Data, octets: usize, name: &str, room: usize) -> Error {
    let mut keys: Vec<_> = data.iter().map(|(key, value)| (value.len(), key)).collect();
    keys.sort_unstable_by(|a, b| b.cmp(a));
    let named = keys.iter().take(NAMED).map(|(len, key)| format!("{key:?} ({len} octets)"));
    let named = named.collect::<Vec<_>>().join(", ");
    Error::new(
        ErrorKind::TooLarge,
        "client",
        format!(
            "the session has {octets} octets as its client would keep it, and `{name}` holds {room}; \
             the biggest keys are {named}: keep them elsewhere, or the session in a store"
        ),
    )
}
