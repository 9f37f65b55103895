use super::{FORMER_GRACE, PENDING_GRACE, ProofChange};
use crate::clock::Timestamp;
use crate::id::Proof;

/// The proofs that a record accepts.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct Proofs {
    /// That of the present secret.
    pub present: Option<Proof>,
    /// That of the secret which will take its place with its first use.
    pub pending: Option<Pending>,
    /// That of the secret before the last change of privilege: it may only delete.
    pub former: Option<Former>,
}

/// A proof that takes the place of the present one with its first use.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Pending {
    /// The proof.
    pub proof: Proof,
    /// When it was made.
    pub since: Timestamp,
}

/// A proof that may only delete.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Former {
    /// The proof.
    pub proof: Proof,
    /// When it stops to do even that.
    pub until: Timestamp,
}

impl Proofs {
    pub(crate) fn accepts(&self, proof: &Proof) -> bool {
        self.present == Some(*proof) || self.pending.is_some_and(|pending| pending.proof == *proof)
    }

    pub(super) fn change(
        &mut self,
        change: Option<&ProofChange>,
        now: Timestamp,
        renewed: &mut Timestamp,
    ) {
        match change {
            None => {}
            Some(ProofChange::Replace(proof)) => {
                self.former = self.present.map(|proof| Former { proof, until: now + FORMER_GRACE });
                self.present = Some(*proof);
                self.pending = None;
                *renewed = now;
            }
            Some(ProofChange::Prepare(proof)) => {
                let waits = |pending: Pending| now.since(pending.since) < PENDING_GRACE;
                let kept = self.pending.filter(|pending| waits(*pending));
                self.pending = kept.or(Some(Pending { proof: *proof, since: now }));
            }
            Some(ProofChange::Confirm(proof)) => {
                if let Some(pending) = self.pending.take_if(|pending| pending.proof == *proof) {
                    self.present = Some(pending.proof);
                    *renewed = now;
                }
            }
        }
    }
}
