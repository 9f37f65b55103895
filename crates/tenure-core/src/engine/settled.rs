use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::id::CommitId;

const SLOTS: usize = 8_192;

/// The latest commits of this process whose outcome is known, so that records may forget them.
///
/// It is a hint of fixed size: a commit that is pushed out stays in its record for the retry
/// horizon, and one that is taken for another (64 bits) is forgotten early. A clone shares them.
#[derive(Clone)]
pub(super) struct Settled(Arc<[AtomicU64]>);

impl Settled {
    pub(super) fn new() -> Self {
        Self((0..SLOTS).map(|_| AtomicU64::new(0)).collect())
    }

    pub(super) fn add(&self, id: CommitId) {
        let tag = tag(id);
        self.slot(tag).store(tag, Ordering::Relaxed);
    }

    /// Whether it is one of them, and none of them from now on: one patch tells the record to forget
    /// it. If that patch never takes effect, the retry horizon has the same end.
    pub(super) fn take(&self, id: CommitId) -> bool {
        let tag = tag(id);
        let slot = self.slot(tag);
        // Most are none of them, and to look costs less than to try.
        slot.load(Ordering::Relaxed) == tag
            && slot.compare_exchange(tag, 0, Ordering::Relaxed, Ordering::Relaxed).is_ok()
    }

    fn slot(&self, tag: u64) -> &AtomicU64 {
        &self.0[tag as usize % SLOTS]
    }
}

/// Ids of one process differ in their second half, those of several in their first.
fn tag(id: CommitId) -> u64 {
    let number = u128::from_be_bytes(*id.as_bytes());
    (number >> 64) as u64 ^ number as u64
}
