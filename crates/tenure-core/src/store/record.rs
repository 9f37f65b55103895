use std::net::IpAddr;
use std::time::Duration;

use super::{Patch, Proofs, RETRY_HORIZON, Rejected, Revision, Steps, StoreKey};
use crate::clock::Timestamp;
use crate::id::{CommitId, Proof, UserId};
use crate::value::Data;

/// What a store holds under one key.
///
/// A store keeps every field and gives each back as it was; what a record means is decided by its
/// methods, never by the store.
///
/// ```
/// use std::time::Duration;
/// use tenure_core::{Timestamp, store::Record};
///
/// let now = Timestamp::from_millis(1_000);
/// let record = Record::new(now, Duration::from_secs(60), Duration::from_secs(90));
/// assert!(record.is_alive(now + Duration::from_millis(59_999)));
/// assert!(!record.is_alive(now + Duration::from_secs(60)), "the deadline itself is expired");
/// ```
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Record {
    /// The proofs that the session accepts. All are absent in a foreign format.
    pub proofs: Proofs,
    /// When the session began.
    pub created: Timestamp,
    /// When it was last used, to the precision of the touch interval.
    pub last_seen: Timestamp,
    /// When the present secret was made.
    pub renewed: Timestamp,
    /// How long the session lives without being used.
    pub idle_timeout: Duration,
    /// When it ends unless it is used before.
    pub idle_deadline: Timestamp,
    /// When it ends in any case.
    pub absolute_deadline: Timestamp,
    /// Whose session it is.
    pub user: Option<UserId>,
    /// When the user last proved who they are.
    pub authenticated: Option<Timestamp>,
    /// Where the session began.
    pub client: Client,
    /// What of the epochs the session has seen; stamped by the store.
    pub epochs: Epochs,
    /// Recent commits whose senders may not have heard the answer.
    pub commits: Vec<(CommitId, Timestamp)>,
    /// The keys and values.
    pub data: Data,
    /// Which version of the record this is; made by the store.
    pub revision: Revision,
}

/// Where a session began.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Client {
    /// The client's address.
    pub ip: Option<IpAddr>,
    /// What it said of itself, at most 512 octets of it.
    pub user_agent: Option<Box<str>>,
}

/// How many revocations a record has seen: it is dead as soon as its store has counted more.
///
/// A store with the capability [`Epoch`](super::Epoch) or [`UserIndex`](super::UserIndex) stamps
/// `everybody` when it creates a record, and `user` whenever it binds another user.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Epochs {
    /// Revocations of everybody.
    pub everybody: u64,
    /// Revocations of the record's user.
    pub user: u64,
}

impl Record {
    /// An empty record that begins `now`.
    #[must_use]
    pub fn new(now: Timestamp, idle_timeout: Duration, absolute_timeout: Duration) -> Self {
        let absolute_deadline = now + absolute_timeout;
        Self {
            proofs: Proofs::default(),
            created: now,
            last_seen: now,
            renewed: now,
            idle_timeout,
            idle_deadline: absolute_deadline.min(now + idle_timeout),
            absolute_deadline,
            user: None,
            authenticated: None,
            client: Client::default(),
            epochs: Epochs::default(),
            commits: Vec::new(),
            data: Data::default(),
            revision: Revision::number(0),
        }
    }

    /// The earlier of both deadlines.
    ///
    /// ```
    /// # use std::time::Duration;
    /// # use tenure_core::{Handle, Namespace, Timestamp, UserId, id::{CommitId, Proof}};
    /// # use tenure_core::{store::*, value::Number};
    /// # let now = Timestamp::from_millis(1_000);
    /// # let key = StoreKey::new(Namespace::new("shop")?, Handle::from_bytes([1; 12]));
    /// # let key = key.with_proof(Proof::from_bytes([2; 32]));
    /// # let mut record = Record::new(now, Duration::from_secs(60), Duration::from_secs(90));
    /// # record.proofs.present = key.proof().copied();
    /// let (idle, absolute) = (Duration::from_secs(60), Duration::from_secs(90));
    /// let record = Record::new(now, idle, absolute);
    /// assert_eq!(record.deadline(), now + idle);
    /// # Ok::<(), tenure_core::Error>(())
    /// ```
    #[must_use]
    pub fn deadline(&self) -> Timestamp {
        self.idle_deadline.min(self.absolute_deadline)
    }

    /// Whether the session has not ended at `now`.
    #[must_use]
    pub fn is_alive(&self, now: Timestamp) -> bool {
        now < self.deadline()
    }

    /// Whether a request with `key` may read and write at `now`: the session is alive and accepts
    /// the proof. Every operation but `create` and `delete` asks this.
    ///
    /// ```
    /// # use std::time::Duration;
    /// # use tenure_core::{Handle, Namespace, Timestamp, UserId, id::{CommitId, Proof}};
    /// # use tenure_core::{store::*, value::Number};
    /// # let now = Timestamp::from_millis(1_000);
    /// # let key = StoreKey::new(Namespace::new("shop")?, Handle::from_bytes([1; 12]));
    /// # let key = key.with_proof(Proof::from_bytes([2; 32]));
    /// # let mut record = Record::new(now, Duration::from_secs(60), Duration::from_secs(90));
    /// # record.proofs.present = key.proof().copied();
    /// assert!(record.admits(&key, now));
    /// assert!(!record.admits(&key, record.deadline()), "too late");
    /// assert!(!record.admits(&key.clone().with_proof(Proof::from_bytes([9; 32])), now));
    /// # Ok::<(), tenure_core::Error>(())
    /// ```
    #[must_use]
    pub fn admits(&self, key: &StoreKey, now: Timestamp) -> bool {
        self.is_alive(now)
            && match (key.proof(), key.handle()) {
                (Some(proof), _) => self.proofs.accepts(proof),
                (None, Some(_)) => false,
                (None, None) => self.proofs.present.is_none(),
            }
    }

    /// Whether a request with `key` may delete the session at `now`: as [`admits`](Self::admits),
    /// and also with the former proof, or with a key for administration.
    ///
    /// ```
    /// # use std::time::Duration;
    /// # use tenure_core::{Handle, Namespace, Timestamp, UserId, id::{CommitId, Proof}};
    /// # use tenure_core::{store::*, value::Number};
    /// # let now = Timestamp::from_millis(1_000);
    /// # let key = StoreKey::new(Namespace::new("shop")?, Handle::from_bytes([1; 12]));
    /// # let key = key.with_proof(Proof::from_bytes([2; 32]));
    /// # let mut record = Record::new(now, Duration::from_secs(60), Duration::from_secs(90));
    /// # record.proofs.present = key.proof().copied();
    /// let by_handle = StoreKey::new(key.namespace().clone(), key.handle().unwrap());
    /// assert!(record.admits_delete(&by_handle, now), "good for administration");
    /// assert!(!record.admits(&by_handle, now));
    /// # Ok::<(), tenure_core::Error>(())
    /// ```
    #[must_use]
    pub fn admits_delete(&self, key: &StoreKey, now: Timestamp) -> bool {
        let former = |proof: &Proof| {
            self.proofs.former.is_some_and(|former| now < former.until && former.proof == *proof)
        };
        self.is_alive(now) && (key.proof().is_none_or(former) || self.admits(key, now))
    }

    /// The idle deadline after a touch until `until`: only forward, never past the record's own
    /// idle timeout or its absolute deadline.
    ///
    /// ```
    /// # use std::time::Duration;
    /// # use tenure_core::{Handle, Namespace, Timestamp, UserId, id::{CommitId, Proof}};
    /// # use tenure_core::{store::*, value::Number};
    /// # let now = Timestamp::from_millis(1_000);
    /// # let key = StoreKey::new(Namespace::new("shop")?, Handle::from_bytes([1; 12]));
    /// # let key = key.with_proof(Proof::from_bytes([2; 32]));
    /// # let mut record = Record::new(now, Duration::from_secs(60), Duration::from_secs(90));
    /// # record.proofs.present = key.proof().copied();
    /// let later = now + Duration::from_secs(50);
    /// let next = record.touched(later + record.idle_timeout, later);
    /// assert_eq!(next, record.absolute_deadline, "60 seconds more would be past it");
    /// # Ok::<(), tenure_core::Error>(())
    /// ```
    #[must_use]
    pub fn touched(&self, until: Timestamp, now: Timestamp) -> Timestamp {
        let latest = self.absolute_deadline.min(now + self.idle_timeout);
        self.idle_deadline.max(until.min(latest)).min(self.absolute_deadline)
    }

    /// What can be said of a commit before its closures run: it has taken effect before, or the
    /// session is gone for it. None if it may go on.
    ///
    /// A store asks this before [`Patch::steps`], which a closure that does not fit the newest
    /// value makes fail: a repeat is done nevertheless, and no closure sees the data of a session
    /// that does not accept the proof.
    ///
    /// ```
    /// # use std::time::Duration;
    /// # use tenure_core::{Handle, Namespace, Timestamp, UserId, id::{CommitId, Proof}};
    /// # use tenure_core::{store::*, value::Number};
    /// # let now = Timestamp::from_millis(1_000);
    /// # let key = StoreKey::new(Namespace::new("shop")?, Handle::from_bytes([1; 12]));
    /// # let key = key.with_proof(Proof::from_bytes([2; 32]));
    /// # let mut record = Record::new(now, Duration::from_secs(60), Duration::from_secs(90));
    /// # record.proofs.present = key.proof().copied();
    /// # let patch = Patch::new(CommitId::from_bytes([1; 16]));
    /// assert!(record.answered(&key, &patch, now).is_none(), "it may go on");
    /// record.commits.push((patch.id(), now));
    /// assert!(matches!(record.answered(&key, &patch, now), Some(Verdict::AlreadyDone)));
    /// # Ok::<(), tenure_core::Error>(())
    /// ```
    #[must_use]
    pub fn answered(&self, key: &StoreKey, patch: &Patch, now: Timestamp) -> Option<Verdict> {
        if self.commits.iter().any(|(id, _)| *id == patch.id()) {
            return Some(if self.is_alive(now) { Verdict::AlreadyDone } else { Verdict::Gone });
        }
        (!self.admits(key, now)).then_some(Verdict::Gone)
    }

    /// What becomes of this record by a commit: the whole law in one place, without I/O and
    /// without running an application's code.
    ///
    /// A store calls it between reading and conditionally writing, or under its lock. `steps` are
    /// those of `patch`.
    ///
    /// ```
    /// # use std::time::Duration;
    /// # use tenure_core::{Handle, Namespace, Timestamp, UserId, id::{CommitId, Proof}};
    /// # use tenure_core::{store::*, value::Number};
    /// # let now = Timestamp::from_millis(1_000);
    /// # let key = StoreKey::new(Namespace::new("shop")?, Handle::from_bytes([1; 12]));
    /// # let key = key.with_proof(Proof::from_bytes([2; 32]));
    /// # let mut record = Record::new(now, Duration::from_secs(60), Duration::from_secs(90));
    /// # record.proofs.present = key.proof().copied();
    /// let patch = Patch::new(CommitId::from_bytes([1; 16])).add("n", Number::Int(1));
    /// let steps = patch.steps(&record.data).unwrap();
    /// let Verdict::Done(next) = record.commit(&key, &patch, &steps, now) else { panic!() };
    /// assert_eq!(next.data.get("n"), Some("1"));
    /// let again = next.commit(&key, &patch, &steps, now);
    /// assert!(matches!(again, Verdict::AlreadyDone), "each commit takes effect once");
    /// # Ok::<(), tenure_core::Error>(())
    /// ```
    #[must_use]
    pub fn commit(&self, key: &StoreKey, patch: &Patch, steps: &Steps, now: Timestamp) -> Verdict {
        if let Some(verdict) = self.answered(key, patch, now) {
            return verdict;
        }
        let data = match steps.apply(&self.data) {
            Ok(data) => data,
            Err(rejected) => return Verdict::Rejected(rejected),
        };
        let mut commits = Vec::with_capacity(self.commits.len() + 1);
        commits.extend(
            self.commits
                .iter()
                .filter(|(id, at)| now.since(*at) < RETRY_HORIZON && !patch.settled().contains(id)),
        );
        commits.push((patch.id(), now));
        let mut next = Box::new(Self {
            proofs: self.proofs.clone(),
            user: self.user.clone(),
            client: self.client.clone(),
            revision: self.revision.clone(),
            commits,
            data,
            ..*self
        });
        if let Some((user, at)) = patch.user() {
            next.user = user.cloned();
            next.authenticated = user.is_some().then_some(at);
        }
        next.proofs.change(patch.proof(), now, &mut next.renewed);
        if let Some(end) = patch.absolute_deadline() {
            next.absolute_deadline = end;
            next.idle_deadline = next.idle_deadline.min(end);
        }
        if let Some(timeout) = patch.idle_timeout() {
            next.idle_timeout = timeout;
            next.idle_deadline = next.absolute_deadline.min(now + timeout);
            next.last_seen = next.last_seen.max(now);
        }
        if let Some(until) = patch.until() {
            next.idle_deadline = next.touched(until, now);
            next.last_seen = next.last_seen.max(now);
        }
        Verdict::Done(next)
    }

    /// The record after the patch, closures run, if it certainly takes effect on this one.
    pub(crate) fn after(&self, key: &StoreKey, patch: &Patch, now: Timestamp) -> Option<Box<Self>> {
        if self.answered(key, patch, now).is_some() {
            return None;
        }
        match self.commit(key, patch, &patch.steps(&self.data).ok()?, now) {
            Verdict::Done(record) => Some(record),
            _ => None,
        }
    }
}

/// What [`Record::commit`] decided.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Verdict {
    /// The record to write in place of this one.
    Done(Box<Record>),
    /// This commit has taken effect before.
    AlreadyDone,
    /// The session has ended, or does not accept the proof.
    Gone,
    /// A step does not fit the value that it meets; nothing changes.
    Rejected(Rejected),
}

impl Client {
    /// The longest user agent that is kept, in octets.
    pub const MAX_USER_AGENT: usize = 512;

    /// A client of this address that says this of itself.
    ///
    /// ```
    /// # use tenure_core::store::Client;
    /// let client = Client::new(Some("::ffff:192.0.2.7".parse()?), Some(&"x".repeat(1_000)));
    /// assert_eq!(client.ip, Some("192.0.2.7".parse()?), "an IPv4 address is one however it came");
    /// assert_eq!(client.user_agent.unwrap().len(), 512);
    /// # Ok::<(), std::net::AddrParseError>(())
    /// ```
    #[must_use]
    pub fn new(ip: Option<IpAddr>, user_agent: Option<&str>) -> Self {
        let cut = |text: &str| {
            let end = text.floor_char_boundary(Self::MAX_USER_AGENT);
            text[..end].into()
        };
        Self { ip: ip.map(|ip| ip.to_canonical()), user_agent: user_agent.map(cut) }
    }
}
