//! The suite on wrappers of the store in memory: whoever wraps a store keeps its laws, and forwards
//! what it does better than the provided methods.

use tenure_core::store::{AnyStore, MemoryStore, NearCache, Store};
use tenure_testkit::{FaultStore, Provided, Recorder, StoreHarness, store_suite};

struct Wrapped<F>(F);

impl<S: Store, F: Fn(MemoryStore) -> S + Send + Sync + 'static> StoreHarness for Wrapped<F> {
    type Store = S;

    async fn open(&self) -> S {
        (self.0)(MemoryStore::new())
    }
}

store_suite! { any, Wrapped(AnyStore::new) }
store_suite! { recorder, Wrapped(Recorder::new) }
store_suite! { faults, Wrapped(FaultStore::new) }
store_suite! { provided, Wrapped(Provided::new) }
store_suite! { cached, Wrapped(|store| NearCache::new(store).stale_for(NearCache::<MemoryStore>::MAX_AGE)) }

#[test]
fn wrappers_say_how_the_store_merges() {
    let merges = [
        AnyStore::new(MemoryStore::new()).merges_in_place(),
        Recorder::new(MemoryStore::new()).merges_in_place(),
        FaultStore::new(MemoryStore::new()).merges_in_place(),
        NearCache::new(MemoryStore::new()).merges_in_place(),
    ];
    assert_eq!(merges, [true; 4]);
    assert!(!AnyStore::new(Provided::new(MemoryStore::new())).merges_in_place());
}
