use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use super::changes::{Chain, Changes, Entry, Op};
use super::{Record, Refused, Steps};
use crate::clock::Timestamp;
use crate::id::{CommitId, Proof, UserId};
use crate::value::{Data, Json, Number};

/// What one commit does to a record: the normal form of a request's journal, at most one entry a
/// key.
///
/// ```
/// use tenure_core::{SystemRandom, id::CommitId, store::Patch};
/// use tenure_core::value::{Data, Json, Number};
///
/// let id = CommitId::random(&SystemRandom)?;
/// let patch = Patch::new(id)
///     .set("theme", Json::of("dark")?)
///     .add("n", Number::Int(2))
///     .add("n", Number::Int(3));
/// let data: Data = [("n", "1")].into_iter().collect();
/// let after = patch.steps(&data).unwrap().apply(&data).unwrap();
/// assert_eq!(after, [("n", "6"), ("theme", "\"dark\"")].into_iter().collect());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct Patch {
    id: CommitId,
    base: Option<Arc<Record>>,
    settled: Vec<CommitId>,
    until: Option<Timestamp>,
    idle_timeout: Option<Duration>,
    user: Option<(Option<UserId>, Timestamp)>,
    proof: Option<ProofChange>,
    changes: Changes,
}

/// How a patch changes the proofs of a record.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub enum ProofChange {
    /// A change of privilege: this proof is the only one from now on; the one before may only
    /// delete, for two minutes.
    Replace(Proof),
    /// Periodic renewal, first phase: this proof is accepted beside the present one, unless
    /// another one that was prepared in the last minute waits for its first use.
    Prepare(Proof),
    /// Second phase: the pending proof was used and takes the place of the present one.
    Confirm(Proof),
}

impl Patch {
    /// A patch that does nothing yet.
    #[must_use]
    pub fn new(id: CommitId) -> Self {
        Self {
            id,
            base: None,
            settled: Vec::new(),
            until: None,
            idle_timeout: None,
            user: None,
            proof: None,
            changes: Changes::default(),
        }
    }

    /// Puts `value` under `key`.
    #[must_use]
    pub fn set(mut self, key: impl Into<Arc<str>>, value: Json) -> Self {
        self.changes.put(key.into(), Entry::Set(value));
        self
    }

    /// Removes `key`.
    #[must_use]
    pub fn remove(mut self, key: impl Into<Arc<str>>) -> Self {
        self.changes.put(key.into(), Entry::Remove);
        self
    }

    /// Adds a number to the one under `key`; an absent one counts as zero.
    #[must_use]
    pub fn add(self, key: impl Into<Arc<str>>, by: Number) -> Self {
        self.chained(key.into(), Op::Add(by))
    }

    /// Appends `item` to the list under `key`; an absent one counts as empty.
    #[must_use]
    pub fn push(self, key: impl Into<Arc<str>>, item: Json) -> Self {
        self.chained(key.into(), Op::Push(item))
    }

    /// Replaces the value under `key` by what `update` makes of it. It runs again when the value
    /// has changed underneath, and never under a lock.
    #[must_use]
    pub fn update(
        self,
        key: impl Into<Arc<str>>,
        update: impl Fn(Option<&Json>) -> crate::error::Result<Option<Json>> + Send + Sync + 'static,
    ) -> Self {
        self.chained(key.into(), Op::Call(Arc::new(update)))
    }

    /// An operation that does not fit what was set before it is left for the commit to refuse.
    fn chained(mut self, key: Arc<str>, op: Op) -> Self {
        if self.changes.chain(Arc::clone(&key), op.clone()).is_err() {
            let before = match self.changes.get(&key) {
                Some(Entry::Set(value)) => Some(value.clone()),
                _ => None,
            };
            let set = Op::Call(Arc::new(move |_| Ok(before.clone())));
            self.changes.put(key, Entry::Chain(Chain { ops: vec![set, op], ran: None }));
        }
        self
    }

    /// Drops every key that the record has, those of parallel requests included.
    #[must_use]
    pub fn clear(mut self) -> Self {
        self.changes.clear(&[]);
        self
    }

    /// Extends the idle deadline to `until`, as [`Record::touched`] allows.
    #[must_use]
    pub fn extend(mut self, until: Timestamp) -> Self {
        self.until = Some(until);
        self
    }

    /// Gives the session an idle timeout of its own, counted from the commit.
    #[must_use]
    pub fn set_idle_timeout(mut self, timeout: Duration) -> Self {
        self.idle_timeout = Some(timeout);
        self
    }

    /// Makes it the session of `user`, who has proven who they are at `at`; or of nobody.
    #[must_use]
    pub fn bind(mut self, user: Option<UserId>, at: Timestamp) -> Self {
        self.user = Some((user, at));
        self
    }

    /// Changes the proofs.
    #[must_use]
    pub fn change_proof(mut self, change: ProofChange) -> Self {
        self.proof = Some(change);
        self
    }

    /// Says which record the request has seen, which may spare the store a look-up.
    #[must_use]
    pub fn on(mut self, base: Arc<Record>) -> Self {
        self.base = Some(base);
        self
    }

    /// Names commits whose senders have heard the answer, so that the record may forget them.
    #[must_use]
    pub fn settle(mut self, settled: Vec<CommitId>) -> Self {
        self.settled = settled;
        self
    }

    pub(crate) fn changes(&self) -> &Changes {
        &self.changes
    }

    pub(crate) fn with_changes(mut self, changes: Changes) -> Self {
        self.changes = changes;
        self
    }

    /// The id of this commit.
    #[must_use]
    pub fn id(&self) -> CommitId {
        self.id
    }

    /// The record that the request has seen; by now there may be a newer one.
    #[must_use]
    pub fn base(&self) -> Option<&Record> {
        self.base.as_deref()
    }

    /// Commits that the record may forget.
    #[must_use]
    pub fn settled(&self) -> &[CommitId] {
        &self.settled
    }

    /// To when the idle deadline is extended.
    #[must_use]
    pub fn until(&self) -> Option<Timestamp> {
        self.until
    }

    /// The session's own idle timeout from now on.
    #[must_use]
    pub fn idle_timeout(&self) -> Option<Duration> {
        self.idle_timeout
    }

    /// The change of user, if there is one: who it is, or nobody, and since when.
    #[must_use]
    pub fn user(&self) -> Option<(Option<&UserId>, Timestamp)> {
        self.user.as_ref().map(|(user, at)| (user.as_ref(), *at))
    }

    /// The change of proofs, if there is one.
    #[must_use]
    pub fn proof(&self) -> Option<&ProofChange> {
        self.proof.as_ref()
    }

    /// The changes of keys, free of closures: those have run on the values of `data`, unless they
    /// had already run on the same ones.
    ///
    /// # Errors
    /// When an operation does not fit the value that it meets.
    pub fn steps(&self, data: &Data) -> Result<Steps, Refused> {
        Steps::new(&self.changes, data)
    }
}

impl fmt::Debug for Patch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Patch")
            .field("id", &self.id)
            .field("clear", &self.changes.clear.is_some())
            .field("keys", &self.changes.entries.len())
            .field("until", &self.until)
            .field("user", &self.user)
            .field("proof", &self.proof)
            .finish_non_exhaustive()
    }
}
