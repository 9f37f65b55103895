use std::collections::HashMap;
use std::hash::{BuildHasher, BuildHasherDefault, Hasher, RandomState};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::group::Group;
use crate::store::{Record, StoreKey};

type Waiters = Arc<async_lock::Mutex<Option<Left>>>;
type Shard = HashMap<u64, Waiters, BuildHasherDefault<Hashed>>;

const SHARDS: usize = 32;
/// Who holds the waiters of a session when nobody waits: the map and the turn that ends.
const HOLDERS: usize = 2;

/// What a commit leaves to the next one.
pub(super) struct Left {
    key: StoreKey,
    /// The session after it.
    pub(super) record: Arc<Record>,
    /// The commits in it that are still to be saved.
    pub(super) group: Option<Group>,
}

/// Lets commits to one session wait for each other inside this process, so that contention costs
/// waiting and not retries. A session that nobody commits to takes no room. Sessions are told
/// apart by a hash: two with the same one wait for each other, which harms nobody. A clone is the
/// same queue.
#[derive(Clone)]
pub(super) struct Queue {
    shards: Arc<[Mutex<Shard>]>,
    hasher: RandomState,
}

/// One's turn at a session; the next one's begins when it is dropped.
pub(super) struct Turn<'a> {
    queue: &'a Queue,
    session: u64,
    held: Option<async_lock::MutexGuardArc<Option<Left>>>,
    waiters: Option<Waiters>,
}

impl Queue {
    pub(super) fn new() -> Self {
        Self { shards: (0..SHARDS).map(|_| Mutex::default()).collect(), hasher: RandomState::new() }
    }

    /// Waits for one's turn at the session of `key`, and tells whether that took any time. Dropping
    /// the future leaves no trace.
    pub(super) async fn turn(&self, key: &StoreKey) -> (Turn<'_>, bool) {
        let session = self.hasher.hash_one(key.name().as_bytes());
        let waiters = Arc::clone(self.shard(session).entry(session).or_default());
        let mut turn =
            Turn { queue: self, session, held: None, waiters: Some(Arc::clone(&waiters)) };
        turn.held = waiters.try_lock_arc();
        let waits = turn.held.is_none();
        if waits {
            turn.held = Some(waiters.lock_arc().await);
        }
        (turn, waits)
    }

    fn shard(&self, session: u64) -> MutexGuard<'_, Shard> {
        let shard = &self.shards[session as usize % SHARDS];
        shard.lock().unwrap_or_else(PoisonError::into_inner)
    }

    #[cfg(test)]
    pub(super) fn is_empty(&self) -> bool {
        (0..SHARDS as u64).all(|at| self.shard(at).is_empty())
    }
}

impl Turn<'_> {
    /// What the commit before this one has left, if it was to the same session.
    pub(super) fn left(&mut self, key: &StoreKey) -> Option<Left> {
        self.held.as_mut()?.take().filter(|left| left.key.same_session(key))
    }

    /// Whether another one waits for its turn.
    pub(super) fn has_next(&self) -> bool {
        // One more than without others: what the turn holds while it lasts.
        self.waiters.as_ref().is_some_and(|waiters| Arc::strong_count(waiters) > HOLDERS + 1)
    }

    /// Leaves the record to the next one.
    pub(super) fn leave(&mut self, key: &StoreKey, record: Arc<Record>, group: Option<Group>) {
        if let Some(held) = &mut self.held {
            **held = Some(Left { key: key.clone(), record, group });
        }
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        self.held = None;
        let mut shard = self.queue.shard(self.session);
        // Under the shard's lock nobody can join: what the map and this turn hold is all there is.
        if let Some(waiters) = self.waiters.take()
            && Arc::strong_count(&waiters) <= HOLDERS
        {
            shard.remove(&self.session);
        }
    }
}

/// The hasher of what is a hash already.
#[derive(Default)]
struct Hashed(u64);

impl Hasher for Hashed {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, _: &[u8]) {
        unreachable!("only numbers are hashed here");
    }

    fn write_u64(&mut self, hash: u64) {
        self.0 = hash;
    }
}
