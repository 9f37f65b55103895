use super::manager::Manager;
use super::outbox::Work;
use super::sessions::Sessions;
use super::slot::Slot;
use super::state::State;
use crate::csrf::FIELD;
use crate::id::Token;
use crate::store::ProofChange;

impl Sessions {
    /// The name of the field of a form that carries the token, as
    /// [`csrf_field`](crate::SessionsBuilder::csrf_field) of the builder says; `_csrf` by default.
    ///
    /// ```
    /// # use tenure_core::Sessions;
    /// assert_eq!(Sessions::in_memory()?.csrf_field(), "_csrf");
    /// # Ok::<(), tenure_core::Error>(())
    /// ```
    #[must_use]
    pub fn csrf_field(&self) -> &str {
        self.manager().csrf_field()
    }
}

impl Manager {
    pub(crate) fn csrf_field(&self) -> &str {
        self.settings.guards.csrf_field.as_deref().unwrap_or(FIELD)
    }
}

impl State {
    /// The token whose secret stays in force until the request ends, periodic renewal aside: none
    /// while there is no session, or another secret is on its way.
    pub(crate) fn lasting_token(&self) -> Option<&Token> {
        let replaces = |work: &Work| match work {
            Work::Apply { patch, .. } => matches!(patch.proof(), Some(ProofChange::Replace(_))),
            Work::Create { .. } => true,
            Work::Delete { .. } | Work::Touch { .. } => false,
        };
        let rotates = self.journal.rotates || self.outbox.iter().any(|work| replaces(work));
        let target = self.target.as_ref().filter(|target| target.base.is_some() && !rotates)?;
        Some(&target.token)
    }
}

impl Slot {
    /// Whether a browser may have sent the credential by itself; so also where none was sent.
    pub(crate) fn is_ambient(&self) -> bool {
        let (transport, presented) = (self.transport(), &self.arrived.presented);
        let came = !presented.is_empty() && transport.matches(presented, self.secure);
        !came || transport.is_ambient()
    }
}
