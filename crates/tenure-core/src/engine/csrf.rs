use super::outbox::Work;
use super::slot::State;
use crate::id::Token;
use crate::store::ProofChange;

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
