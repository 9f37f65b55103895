//! The suite on wrappers of the store in memory: whoever wraps a store keeps its laws, and forwards
//! what it does better than the provided methods.

use std::time::Duration;

use tenure_core::id::Proof;
use tenure_core::store::{
    AnyStore, Inspect, MemoryStore, NearCache, Record, Sealed, Store, StoreKey,
};
use tenure_core::transform::{Keyring, SecretKey};
use tenure_core::{Handle, Namespace, Timestamp};
use tenure_testkit::{FaultStore, Provided, Recorder, StoreHarness, store_suite};

struct Wrapped<F>(F);

impl<S: Store, F: Fn(MemoryStore) -> S + Send + Sync + 'static> StoreHarness for Wrapped<F> {
    type Store = S;

    async fn open(&self) -> S {
        (self.0)(MemoryStore::new())
    }
}

store_suite! { recorder, Wrapped(Recorder::new) }
store_suite! { faults, Wrapped(FaultStore::new) }
store_suite! { provided, Wrapped(Provided::new) }
store_suite! { cached, Wrapped(|store| NearCache::new(store).stale_for(NearCache::<MemoryStore>::MAX_AGE)) }
// X8: data that is sealed keeps the laws.
store_suite! { x8_sealed, Wrapped(|store| Sealed::new(store, keys())) }

fn keys() -> Keyring {
    Keyring::new([SecretKey::generate().unwrap()])
}

#[test]
fn wrappers_say_how_the_store_merges() {
    let merges = [
        AnyStore::new(MemoryStore::new()).merges_in_place(),
        Recorder::new(MemoryStore::new()).merges_in_place(),
        FaultStore::new(MemoryStore::new()).merges_in_place(),
        NearCache::new(MemoryStore::new()).merges_in_place(),
    ];
    assert_eq!(merges, [true; 4]);
    assert!(!Sealed::new(MemoryStore::new(), keys()).merges_in_place(), "it cannot read the data");
    assert!(!AnyStore::new(Provided::new(MemoryStore::new())).merges_in_place());
}

/// T-MON-1: a copy that another process has made old does not say which secret a session has.
#[tokio::test]
async fn a_near_cache_inspects_what_the_store_has() {
    let now = Timestamp::from_millis(1_000_000);
    let key = StoreKey::new(Namespace::new("test").unwrap(), Handle::from_bytes([1; 12]));
    let key = key.with_proof(Proof::from_bytes([2; 32]));
    let mut record = Record::new(now, Duration::from_secs(60), Duration::from_secs(90));
    record.proofs.present = key.proof().copied();
    let store = AnyStore::new(MemoryStore::new());
    let cache = NearCache::new(store.clone()).stale_for(NearCache::<MemoryStore>::MAX_AGE);
    cache.create(&key, &record, now).await.unwrap();
    let copy = cache.load(&key, now).await.unwrap().unwrap();
    record.proofs.present = Some(Proof::from_bytes([3; 32]));
    store.swap(&key, &copy.revision, &record, now).await.unwrap();
    assert!(cache.load(&key, now).await.unwrap().is_some(), "it still has the copy");
    let shown = cache.inspect().unwrap().record(&key, now).await.unwrap().unwrap();
    assert_eq!(shown.proofs.present, record.proofs.present);
}
