//! What tells that a session has changed, without reading it.
//!
//! A change puts another file in the place of a session's, and the epochs of a namespace are files
//! that are replaced in one folder: so the file and that folder tell of every change. Nothing is
//! proven by equal times within one tick of the kernel's clock, since a number of a file may come
//! back as soon as the file is gone.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use rustix::fs::Stat;
use tenure_core::store::{Stamp, StoreResult};

use crate::files::Files;
use crate::names::{self, Place};

/// Longer than a tick of any kernel's clock, by which files are dated.
const TICK: Duration = Duration::from_millis(100);
/// Longer than a tick of file systems that date by whole seconds, or by every other.
const COARSE_TICK: Duration = Duration::from_millis(2_100);

impl Files {
    /// The stamp of what lies at `place`, unless that changed a moment before `now`.
    pub(crate) fn stamp(&self, place: &Place, now: SystemTime) -> StoreResult<Option<Stamp>> {
        let Some(file) = self.folder.stat(&place.path())? else { return Ok(None) };
        let epochs = self.folder.stat(&names::epochs(&place.space))?;
        let now = Nanos::of(now);
        let mut octets = Vec::with_capacity(96);
        for stat in [Some(&file), epochs.as_ref()].into_iter().flatten() {
            let times = [Nanos::modified(stat), Nanos::changed(stat)];
            if !times.iter().all(|time| time.is_over(now)) {
                return Ok(None);
            }
            let [modified, changed] = times;
            for number in [numbered(stat.st_dev), numbered(stat.st_ino), numbered(stat.st_size)] {
                octets.extend(number.to_be_bytes());
            }
            octets.extend(modified.0.to_be_bytes());
            octets.extend(changed.0.to_be_bytes());
        }
        Ok(Some(Stamp::new(octets)))
    }
}

/// Nanoseconds since 1970.
#[derive(Clone, Copy, Debug)]
struct Nanos(i128);

impl Nanos {
    const IN_SECOND: i128 = 1_000_000_000;

    fn of(time: SystemTime) -> Self {
        let since = time.duration_since(UNIX_EPOCH).unwrap_or_default();
        Self(since.as_nanos().try_into().unwrap_or(i128::MAX))
    }

    fn modified(stat: &Stat) -> Self {
        Self(i128::from(stat.st_mtime) * Self::IN_SECOND + i128::from(stat.st_mtime_nsec))
    }

    fn changed(stat: &Stat) -> Self {
        Self(i128::from(stat.st_ctime) * Self::IN_SECOND + i128::from(stat.st_ctime_nsec))
    }

    /// Whether whatever happens from `now` on is dated later than this.
    fn is_over(self, now: Self) -> bool {
        let coarse = self.0 % Self::IN_SECOND == 0;
        let tick = if coarse { COARSE_TICK } else { TICK };
        now.0 - self.0 > tick.as_nanos().try_into().unwrap_or(i128::MAX)
    }
}

/// These have other types on other systems.
fn numbered(value: impl TryInto<i128>) -> i128 {
    value.try_into().unwrap_or(-1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_dated_within_a_tick_proves_nothing() {
        const MILLI: i128 = 1_000_000;
        let second = 1_700_000_000 * Nanos::IN_SECOND;
        for (dated, now, over) in [
            (second + 1, second + 1, false),
            (second + 1, second + 100 * MILLI, false),
            (second + 1, second + 101 * MILLI, true),
            // The clock was put back.
            (second + 1, second - MILLI, false),
            // It dates by whole seconds, so it seems.
            (second, second + 2_000 * MILLI, false),
            (second, second + 2_101 * MILLI, true),
        ] {
            assert_eq!(Nanos(dated).is_over(Nanos(now)), over, "{dated} at {now}");
        }
    }
}
