use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::store::StoreKey;

type Waiters = Arc<async_lock::Mutex<()>>;

const SHARDS: usize = 32;

/// Lets commits to one session wait for each other inside this process, so that contention costs
/// waiting and not retries. A session that nobody commits to takes no room.
pub(super) struct Queue {
    shards: Box<[Mutex<HashMap<Box<[u8]>, Waiters>>]>,
    hasher: RandomState,
}

/// One's turn at a session; the next one's begins when it is dropped.
pub(super) struct Turn<'a> {
    queue: &'a Queue,
    name: Box<[u8]>,
    shard: usize,
    held: Option<async_lock::MutexGuardArc<()>>,
    waiters: Option<Waiters>,
}

impl Queue {
    pub(super) fn new() -> Self {
        Self { shards: (0..SHARDS).map(|_| Mutex::default()).collect(), hasher: RandomState::new() }
    }

    /// Waits for one's turn at the session of `key`. Dropping the future leaves no trace.
    pub(super) async fn turn(&self, key: &StoreKey) -> Turn<'_> {
        let name: Box<[u8]> = key.name().as_bytes().into();
        let shard = self.hasher.hash_one(&name) as usize % SHARDS;
        let waiters = Arc::clone(self.shard(shard).entry(name.clone()).or_default());
        let mut turn =
            Turn { queue: self, name, shard, held: None, waiters: Some(Arc::clone(&waiters)) };
        turn.held = Some(match waiters.try_lock_arc() {
            Some(held) => held,
            None => waiters.lock_arc().await,
        });
        turn
    }

    fn shard(&self, at: usize) -> MutexGuard<'_, HashMap<Box<[u8]>, Waiters>> {
        self.shards[at].lock().unwrap_or_else(PoisonError::into_inner)
    }

    #[cfg(test)]
    pub(super) fn is_empty(&self) -> bool {
        (0..SHARDS).all(|at| self.shard(at).is_empty())
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        self.held = None;
        let mut shard = self.queue.shard(self.shard);
        // Under the shard's lock nobody can join: what the map and this turn hold is all there is.
        if let Some(waiters) = self.waiters.take()
            && Arc::strong_count(&waiters) <= 2
        {
            shard.remove(&self.name);
        }
    }
}
