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

    pub(super) fn contains(&self, id: CommitId) -> bool {
        let tag = tag(id);
        self.slot(tag).load(Ordering::Relaxed) == tag
    }

    fn slot(&self, tag: u64) -> &AtomicU64 {
        &self.0[tag as usize % SLOTS]
    }
}

/// Ids of one process differ in their second half, those of several in their first.
fn tag(id: CommitId) -> u64 {
    let number = |octets: &[u8]| octets.iter().fold(0, |n, &octet| n << 8 | u64::from(octet));
    let (start, count) = id.as_bytes().split_at(8);
    number(start) ^ number(count)
}
