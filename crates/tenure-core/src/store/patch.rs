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
    absolute_deadline: Option<Timestamp>,
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
            absolute_deadline: None,
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
    ///
    /// ```
    /// # use tenure_core::{id::CommitId, store::{Patch, Rejected}, value::{Data, Json, Number}};
    /// # let id = CommitId::from_bytes([1; 16]);
    /// let data: Data = [("draft", "\"Dear …\""), ("n", "1")].into_iter().collect();
    /// let patch = Patch::new(id).remove("draft");
    /// let after = patch.steps(&data).unwrap().apply(&data).unwrap();
    /// assert_eq!(after, [("n", "1")].into_iter().collect());
    /// # Ok::<(), tenure_core::Error>(())
    /// ```
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
    ///
    /// ```
    /// # use tenure_core::{id::CommitId, store::{Patch, Rejected}, value::{Data, Json, Number}};
    /// # let id = CommitId::from_bytes([1; 16]);
    /// let data: Data = [("seen", "[1]")].into_iter().collect();
    /// let patch = Patch::new(id).push("seen", Json::of(&2)?).push("seen", Json::of(&3)?);
    /// let after = patch.steps(&data).unwrap().apply(&data).unwrap();
    /// assert_eq!(after.get("seen"), Some("[1,2,3]"));
    /// # Ok::<(), tenure_core::Error>(())
    /// ```
    #[must_use]
    pub fn push(self, key: impl Into<Arc<str>>, item: Json) -> Self {
        self.chained(key.into(), Op::Push(item))
    }

    /// Replaces the value under `key` by what `update` makes of it. It runs again when the value
    /// has changed underneath, and never under a lock.
    ///
    /// ```
    /// # use tenure_core::{id::CommitId, store::{Patch, Rejected}, value::{Data, Json, Number}};
    /// # let id = CommitId::from_bytes([1; 16]);
    /// let data: Data = [("n", "20")].into_iter().collect();
    /// let half = |n: Option<&Json>| n.map(|n| Json::of(&(n.decode::<u32>()? / 2))).transpose();
    /// let patch = Patch::new(id).update("n", half);
    /// let after = patch.steps(&data).unwrap().apply(&data).unwrap();
    /// assert_eq!(after.get("n"), Some("10"));
    /// # Ok::<(), tenure_core::Error>(())
    /// ```
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
            self.changes
                .put(key, Entry::Chain(Chain { ops: vec![set, op], ran: None, check: None }));
        }
        self
    }

    /// Drops every key that the record has, those of parallel requests included.
    ///
    /// ```
    /// # use tenure_core::{id::CommitId, store::{Patch, Rejected}, value::{Data, Json, Number}};
    /// # let id = CommitId::from_bytes([1; 16]);
    /// let data: Data = [("old", "1")].into_iter().collect();
    /// let patch = Patch::new(id).set("dropped", Json::of(&1)?).clear().set("new", Json::of(&2)?);
    /// let after = patch.steps(&data).unwrap().apply(&data).unwrap();
    /// assert_eq!(after, [("new", "2")].into_iter().collect());
    /// # Ok::<(), tenure_core::Error>(())
    /// ```
    #[must_use]
    pub fn clear(mut self) -> Self {
        self.changes.clear(&[]);
        self
    }

    /// Extends the idle deadline to `until`, as [`Record::touched`] allows.
    ///
    /// ```
    /// # use tenure_core::{Timestamp, id::CommitId, store::Patch};
    /// # let id = CommitId::from_bytes([1; 16]);
    /// let until = Timestamp::from_millis(60_000);
    /// assert_eq!(Patch::new(id).extend(until).until(), Some(until));
    /// ```
    #[must_use]
    pub fn extend(mut self, until: Timestamp) -> Self {
        self.until = Some(until);
        self
    }

    /// Gives the session an idle timeout of its own, counted from the commit.
    ///
    /// ```
    /// # use std::time::Duration;
    /// # use tenure_core::{id::CommitId, store::Patch};
    /// # let id = CommitId::from_bytes([1; 16]);
    /// let week = Duration::from_secs(7 * 24 * 60 * 60); // "remember me"
    /// assert_eq!(Patch::new(id).set_idle_timeout(week).idle_timeout(), Some(week));
    /// ```
    #[must_use]
    pub fn set_idle_timeout(mut self, timeout: Duration) -> Self {
        self.idle_timeout = Some(timeout);
        self
    }

    /// Moves the end of the session, in either direction: who proves again who they are begins anew
    /// (NIST SP 800-63B-4 section 5.2).
    ///
    /// ```
    /// # use tenure_core::{Timestamp, id::CommitId, store::Patch};
    /// # let id = CommitId::from_bytes([1; 16]);
    /// let end = Timestamp::from_millis(90_000);
    /// let patch = Patch::new(id).set_absolute_deadline(end);
    /// assert_eq!(patch.absolute_deadline(), Some(end));
    /// ```
    #[must_use]
    pub fn set_absolute_deadline(mut self, end: Timestamp) -> Self {
        self.absolute_deadline = Some(end);
        self
    }

    /// Makes it the session of `user`, who has proven who they are at `at`; or of nobody.
    ///
    /// ```
    /// # use tenure_core::{Timestamp, UserId, id::CommitId, store::Patch};
    /// # let id = CommitId::from_bytes([1; 16]);
    /// let (ada, now) = (UserId::new("ada")?, Timestamp::from_millis(1_000));
    /// assert_eq!(Patch::new(id).bind(Some(ada.clone()), now).user(), Some((Some(&ada), now)));
    /// assert_eq!(Patch::new(id).user(), None, "it stays whose it is");
    /// # Ok::<(), tenure_core::Error>(())
    /// ```
    #[must_use]
    pub fn bind(mut self, user: Option<UserId>, at: Timestamp) -> Self {
        self.user = Some((user, at));
        self
    }

    /// Changes the proofs.
    ///
    /// ```
    /// # use tenure_core::{id::{CommitId, Proof}, store::{Patch, ProofChange}};
    /// # let id = CommitId::from_bytes([1; 16]);
    /// let change = ProofChange::Replace(Proof::from_bytes([2; 32]));
    /// assert_eq!(Patch::new(id).change_proof(change).proof(), Some(&change));
    /// ```
    #[must_use]
    pub fn change_proof(mut self, change: ProofChange) -> Self {
        self.proof = Some(change);
        self
    }

    /// Says which record the request has seen, which may spare the store a look-up.
    ///
    /// ```
    /// # use std::{sync::Arc, time::Duration};
    /// # use tenure_core::{Timestamp, id::CommitId, store::{Patch, Record}};
    /// # let id = CommitId::from_bytes([1; 16]);
    /// # let now = Timestamp::from_millis(1_000);
    /// let seen = Record::new(now, Duration::from_secs(60), Duration::from_secs(90));
    /// let patch = Patch::new(id).on(Arc::new(seen.clone()));
    /// assert_eq!(patch.base(), Some(&seen));
    /// ```
    #[must_use]
    pub fn on(mut self, base: Arc<Record>) -> Self {
        self.base = Some(base);
        self
    }

    /// Names commits whose senders have heard the answer, so that the record may forget them.
    ///
    /// ```
    /// # use tenure_core::{id::CommitId, store::Patch};
    /// let (first, second) = (CommitId::from_bytes([1; 16]), CommitId::from_bytes([2; 16]));
    /// let patch = Patch::new(second).settle(vec![first]);
    /// assert_eq!((patch.id(), patch.settled()), (second, &[first][..]));
    /// ```
    #[must_use]
    pub fn settle(mut self, settled: Vec<CommitId>) -> Self {
        self.settled = settled;
        self
    }

    /// Whether a closure of the application has a say in it.
    pub(crate) fn has_closures(&self) -> bool {
        self.changes.has_closures()
    }

    pub(crate) fn changes(&self) -> &Changes {
        &self.changes
    }

    pub(crate) fn with_changes(mut self, changes: Changes) -> Self {
        self.changes = changes;
        self
    }

    /// The id of this commit.
    ///
    /// See the example of [`settle`](Self::settle).
    #[must_use]
    pub fn id(&self) -> CommitId {
        self.id
    }

    /// The record that the request has seen; by now there may be a newer one.
    ///
    /// See the example of [`on`](Self::on).
    #[must_use]
    pub fn base(&self) -> Option<&Record> {
        self.base.as_deref()
    }

    /// Commits that the record may forget.
    ///
    /// See the example of [`settle`](Self::settle).
    #[must_use]
    pub fn settled(&self) -> &[CommitId] {
        &self.settled
    }

    /// To when the idle deadline is extended.
    ///
    /// See the example of [`extend`](Self::extend).
    #[must_use]
    pub fn until(&self) -> Option<Timestamp> {
        self.until
    }

    /// When the session ends in any case, from now on.
    ///
    /// See the example of [`set_absolute_deadline`](Self::set_absolute_deadline).
    #[must_use]
    pub fn absolute_deadline(&self) -> Option<Timestamp> {
        self.absolute_deadline
    }

    /// The session's own idle timeout from now on.
    ///
    /// See the example of [`set_idle_timeout`](Self::set_idle_timeout).
    #[must_use]
    pub fn idle_timeout(&self) -> Option<Duration> {
        self.idle_timeout
    }

    /// The change of user, if there is one: who it is, or nobody, and since when.
    ///
    /// See the example of [`bind`](Self::bind).
    #[must_use]
    pub fn user(&self) -> Option<(Option<&UserId>, Timestamp)> {
        self.user.as_ref().map(|(user, at)| (user.as_ref(), *at))
    }

    /// The change of proofs, if there is one.
    ///
    /// See the example of [`change_proof`](Self::change_proof).
    #[must_use]
    pub fn proof(&self) -> Option<&ProofChange> {
        self.proof.as_ref()
    }

    /// The changes of keys, free of closures: those have run on the values of `data`, unless they
    /// had already run on the same ones.
    ///
    /// ```
    /// # use tenure_core::{id::CommitId, store::{Patch, Rejected}, value::{Data, Json, Number}};
    /// # let id = CommitId::from_bytes([1; 16]);
    /// let data: Data = [("n", "\"many\"")].into_iter().collect();
    /// let patch = Patch::new(id).update("n", |n| Json::of(&n.is_some()).map(Some));
    /// let steps = patch.steps(&data).unwrap(); // the closure has run
    /// assert_eq!(steps.apply(&data).unwrap().get("n"), Some("true"));
    /// # Ok::<(), tenure_core::Error>(())
    /// ```
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
