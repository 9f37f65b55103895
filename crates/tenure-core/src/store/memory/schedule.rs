use std::collections::BTreeMap;

use crate::clock::Timestamp;

/// Whether a session belongs to a user: such sessions are evicted last.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Anonymous,
    User,
}

/// Which sessions of a shard to look at when: by the second of their deadline, so that expiry
/// never scans everything. A session is not moved when its deadline moves on; it is looked at in
/// its old second and then put where it belongs.
#[derive(Default)]
pub(super) struct Schedule([BTreeMap<u32, Vec<u64>>; 2]);

impl Schedule {
    pub(super) fn add(&mut self, kind: Kind, second: u32, hash: u64) {
        self.0[kind as usize].entry(second).or_default().push(hash);
    }

    /// Takes one session from the earliest second that is not after `latest`.
    pub(super) fn pop(&mut self, kind: Kind, latest: u32) -> Option<(u32, u64)> {
        let mut first = self.0[kind as usize].first_entry()?;
        let second = *first.key();
        if second > latest {
            return None;
        }
        let hash = first.get_mut().pop();
        if first.get().is_empty() {
            first.remove();
        }
        hash.map(|hash| (second, hash))
    }
}

/// The second of a deadline, in 32 bits: good until the year 2106.
pub(super) fn second_of(deadline: Timestamp) -> u32 {
    (deadline.as_millis() / 1_000).try_into().unwrap_or(u32::MAX)
}
