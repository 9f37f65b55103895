//! The near cache before the store.

use std::time::Duration;

use tenure_core::Result;
use tenure_core::store::cache::Watcher;
use tenure_core::store::{AnyStore, NearCache as Cache, Store};

use super::reader::Reader;
use super::refused;

/// Runs the task that hears of changes.
pub(super) type RunWatcher = Box<dyn FnOnce(Watcher<AnyStore>) + Send + Sync>;

/// What was set, if there is to be a cache.
pub(super) struct NearCache {
    max_sessions: Option<usize>,
    stale_for: Option<Duration>,
}

const FIELDS: [&str; 2] = ["near_cache.max_sessions", "near_cache.stale_for"];

pub(super) fn near_cache(reader: &mut Reader) -> Option<NearCache> {
    if !reader.has("near_cache.enabled") {
        for field in FIELDS.into_iter().filter(|field| reader.has(field)).collect::<Vec<_>>() {
            reader
                .problem(format!("{field}: there is no cache yet; set `near_cache.enabled`, too"));
        }
    }
    let enabled = reader.is_on("near_cache.enabled");
    let max_sessions = reader.read(FIELDS[0], |entry| {
        let most = entry.as_number().filter(|most| *most > 0);
        most.ok_or_else(|| "write how many sessions may be in memory, at least 1".to_owned())
    });
    let stale_for = reader.read(FIELDS[1], |entry| {
        let longest = Cache::<AnyStore>::MAX_AGE;
        let age = entry.as_duration().filter(|age| !age.is_zero() && *age <= longest);
        age.ok_or_else(|| format!("write a time such as \"1s\", at most {longest:?}"))
    });
    enabled.then_some(NearCache { max_sessions, stale_for })
}

impl NearCache {
    /// The store behind the cache, whose watcher runs by then. What is in memory anyway needs none.
    pub(super) fn before(self, store: AnyStore, run: Option<RunWatcher>) -> Result<AnyStore> {
        if store.is_volatile() {
            return Ok(store);
        }
        if store.is_per_request() {
            return Err(refused(
                "near_cache: this store is another one for each request, and not all of them need to \
                 have the same sessions; leave `near_cache` out, and if they have, put the cache there \
                 in code, by `NearCache::with_inner`",
            ));
        }
        let (watches, validates) = (store.watch().is_some(), store.validate().is_some());
        if self.stale_for.is_none() && !validates {
            if !watches {
                return Err(refused(
                    "near_cache.stale_for: none was given, and nobody tells this store what has \
                     changed; say for how long a logout elsewhere may go unseen, such as \"1s\", or \
                     leave `near_cache` out",
                ));
            }
            if run.is_none() {
                return Err(refused(
                    "near_cache: it has to hear what changes in the store; let it, by \
                     `SessionConfig::run_watcher`, or set `near_cache.stale_for`",
                ));
            }
        }
        let mut cache = Cache::new(store);
        if let Some(most) = self.max_sessions {
            cache = cache.max_sessions(most);
        }
        if let Some(age) = self.stale_for {
            cache = cache.stale_for(age);
        }
        if let Some(run) = run.filter(|_| watches) {
            run(cache.watcher());
        }
        Ok(AnyStore::new(cache))
    }
}
