use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use sha2::{Digest, Sha256};

use crate::clock::Timestamp;
use crate::id::{CommitIds, Handle, Namespace, Proof, UserId};
use crate::store::{
    AnyStore, Applied, Created, Patch, Record, Store, StoreError, StoreErrorKind, StoreKey,
    StoreResult,
};
use crate::value::Json;

/// No session lives longer.
const LONGEST: Duration = Duration::from_secs(400 * 24 * 60 * 60);
/// The one value of an entry.
const MARK: &str = "mark";
/// Which entry another process made in the meantime is found out that often.
const ATTEMPTS: u32 = 8;

/// What has ended of the sessions that clients keep, in a store on the server.
///
/// An entry is a number that only grows, filed under a hash of what it is about:
/// - of a session, the time of the first secret that is good; the largest number ends it;
/// - of a user and of everybody, the epoch that a session must have seen. It grows with the clock, so
///   that a number which was forgotten with its entry is never met again.
#[derive(Clone)]
pub(crate) struct Revocations {
    store: AnyStore,
    namespace: Namespace,
    commit_ids: Arc<CommitIds>,
}

impl Revocations {
    /// Where the entries are filed, apart from the sessions of the same store.
    const NAMESPACE: &'static str = "tenure-ended";

    pub(crate) fn new(store: AnyStore, commit_ids: Arc<CommitIds>) -> crate::Result<Self> {
        Ok(Self { store, namespace: Namespace::new(Self::NAMESPACE)?, commit_ids })
    }

    /// Whether the store answers at once.
    pub(crate) fn is_volatile(&self) -> bool {
        self.store.is_volatile()
    }

    /// Whether the session has ended, for one of three reasons that are looked up at once.
    pub(super) async fn refuse(
        &self,
        key: &StoreKey,
        record: &Record,
        now: Timestamp,
    ) -> StoreResult<bool> {
        let namespace = key.namespace();
        let user = async {
            match &record.user {
                Some(user) => self.of_user(namespace, user, now).await,
                None => Ok(record.epochs.user),
            }
        };
        let session = self.mark(session(key), now);
        let (session, user, everybody) = join(session, user, self.everybody(namespace, now)).await;
        Ok(session? > record.renewed.as_millis()
            || user? > record.epochs.user
            || everybody? > record.epochs.everybody)
    }

    pub(super) async fn everybody(&self, of: &Namespace, now: Timestamp) -> StoreResult<u64> {
        self.mark(name(of, "everybody", b""), now).await
    }

    pub(super) async fn of_user(
        &self,
        of: &Namespace,
        user: &UserId,
        now: Timestamp,
    ) -> StoreResult<u64> {
        self.mark(name(of, "user", user.as_str().as_bytes()), now).await
    }

    /// Ends whatever the session had for a secret before that of `record`.
    pub(super) async fn supersede(
        &self,
        key: &StoreKey,
        record: &Record,
        now: Timestamp,
    ) -> StoreResult<()> {
        let first = record.renewed.as_millis();
        self.raise(session(key), record.absolute_deadline, now, move |_| first).await.map(drop)
    }

    /// Ends a session, with its last secret too.
    pub(super) async fn end(
        &self,
        key: &StoreKey,
        record: Option<&Record>,
        now: Timestamp,
    ) -> StoreResult<()> {
        let until = record.map_or(now + LONGEST, |record| record.absolute_deadline);
        self.raise(session(key), until, now, |_| u64::MAX).await.map(drop)
    }

    /// Ends the sessions of a user, and tells what a later one must have seen.
    pub(super) async fn end_user(
        &self,
        of: &Namespace,
        user: &UserId,
        now: Timestamp,
    ) -> StoreResult<u64> {
        let name = name(of, "user", user.as_str().as_bytes());
        self.raise(name, now + LONGEST, now, move |epoch| next(epoch, now)).await
    }

    pub(super) async fn end_everybody(&self, of: &Namespace, now: Timestamp) -> StoreResult<()> {
        let name = name(of, "everybody", b"");
        self.raise(name, now + LONGEST, now, move |epoch| next(epoch, now)).await.map(drop)
    }

    pub(super) async fn sweep(&self, limit: u32, now: Timestamp) -> StoreResult<u32> {
        self.store.sweep(limit, now).await
    }

    fn key(&self, name: Handle) -> StoreKey {
        // The entry is no secret, and a store asks for a proof.
        let proof = Proof::of(&self.namespace, &name, &[0; 24]);
        StoreKey::new(self.namespace.clone(), name).with_proof(proof)
    }

    /// The number of an entry; zero if there is none.
    async fn mark(&self, name: Handle, now: Timestamp) -> StoreResult<u64> {
        match self.store.load(&self.key(name), now).await? {
            Some(record) => number(record.data.get(MARK)),
            None => Ok(0),
        }
    }

    /// Raises an entry to what `to` makes of it, unless it is higher, and keeps it `until` then.
    async fn raise(
        &self,
        name: Handle,
        until: Timestamp,
        now: Timestamp,
        to: impl Fn(u64) -> u64 + Copy + Send + Sync + 'static,
    ) -> StoreResult<u64> {
        let key = self.key(name);
        let lifetime = until.since(now).max(Duration::from_secs(1));
        for _ in 0..ATTEMPTS {
            let patch = Patch::new(self.commit_ids.next())
                .set_idle_timeout(lifetime)
                .set_absolute_deadline(now + LONGEST)
                .extend(until)
                .update(MARK, move |json| {
                    let present = number(json.map(Json::as_str)).unwrap_or_default();
                    Json::of(&present.max(to(present))).map(Some)
                });
            if let Applied::Done(done) = self.store.apply(&key, &patch, now).await? {
                return match done {
                    Some(record) => number(record.data.get(MARK)),
                    None => self.mark(name, now).await,
                };
            }
            let mut record = Record::new(now, lifetime, LONGEST);
            record.proofs.present = key.proof().copied();
            record.commits.push((self.commit_ids.next(), now));
            record.data = [(MARK, to(0).to_string().as_str())].into_iter().collect();
            if self.store.create(&key, &record, now).await? == Created::Created {
                return Ok(to(0));
            }
        }
        Err(StoreError::new(
            StoreErrorKind::Unavailable,
            "the entry of a revocation keeps changing",
        ))
    }
}

/// The next epoch.
fn next(epoch: u64, now: Timestamp) -> u64 {
    now.as_millis().max(epoch + 1)
}

fn session(key: &StoreKey) -> Handle {
    name(key.namespace(), "session", key.name().as_bytes())
}

/// What an entry is filed under.
fn name(of: &Namespace, kind: &str, what: &[u8]) -> Handle {
    let mut hash = Sha256::new();
    for part in [b"tenure v1 ended", of.as_str().as_bytes(), kind.as_bytes(), what] {
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part);
    }
    let hash: [u8; 32] = hash.finalize().into();
    let mut handle = [0; Handle::LEN];
    handle.copy_from_slice(&hash[..Handle::LEN]);
    Handle::from_bytes(handle)
}

fn number(text: Option<&str>) -> StoreResult<u64> {
    let Some(text) = text else { return Ok(0) };
    text.parse().map_err(|_| {
        StoreError::new(StoreErrorKind::Corrupt, "the entry of a revocation is no number")
    })
}

/// All three at once.
async fn join<A, B, C>(
    a: impl Future<Output = A>,
    b: impl Future<Output = B>,
    c: impl Future<Output = C>,
) -> (A, B, C) {
    let (mut a, mut b, mut c) = (pin!(a), pin!(b), pin!(c));
    let (mut first, mut second, mut third) = (None, None, None);
    std::future::poll_fn(move |cx| {
        if first.is_none()
            && let Poll::Ready(done) = a.as_mut().poll(cx)
        {
            first = Some(done);
        }
        if second.is_none()
            && let Poll::Ready(done) = b.as_mut().poll(cx)
        {
            second = Some(done);
        }
        if third.is_none()
            && let Poll::Ready(done) = c.as_mut().poll(cx)
        {
            third = Some(done);
        }
        match (first.take(), second.take(), third.take()) {
            (Some(a), Some(b), Some(c)) => Poll::Ready((a, b, c)),
            (a, b, c) => {
                (first, second, third) = (a, b, c);
                Poll::Pending
            }
        }
    })
    .await
}
