//! The tools that tests of sessions use.

use std::sync::Arc;
use std::time::Duration;

use tenure_core::id::{CommitId, Proof};
use tenure_core::store::{
    AnyStore, Applied, Created, Epoch, Inspect, MemoryStore, NearCache, Patch, Record, Revision,
    Store, StoreErrorKind, StoreKey, UserIndex,
};
use tenure_core::value::Json;
use tenure_core::{Clock, Handle, Namespace, Timestamp, UserId};
use tenure_testkit::{Bare, Fault, FaultStore, ManualClock, Operation, Provided, Recorder};

const NOW: Timestamp = Timestamp::from_millis(1_000_000);

fn key() -> StoreKey {
    StoreKey::new(Namespace::new("test").unwrap(), Handle::from_bytes([1; 12]))
        .with_proof(Proof::from_bytes([2; 32]))
}

fn record() -> Record {
    let mut record = Record::new(NOW, Duration::from_secs(60), Duration::from_secs(90));
    record.proofs.present = key().proof().copied();
    record
}

fn patch(id: u8) -> Patch {
    Patch::new(CommitId::from_bytes([id; 16])).push("l", Json::of(&id).unwrap())
}

/// Calls everything that a store can do, once and in the order of [`Operation`]'s variants.
async fn everything(store: &impl Store) {
    let (key, ada) = (key(), UserId::new("ada").unwrap());
    let _ = store.load(&key, NOW).await;
    let _ = store.create(&key, &record(), NOW).await;
    let _ = store.swap(&key, &Revision::number(9), &record(), NOW).await;
    let _ = store.delete(&key, NOW).await;
    let _ = store.sweep(1, NOW).await;
    let _ = store.apply(&key, &patch(1), NOW).await;
    let _ = store.touch(&key, NOW, NOW).await;
    let users = store.users().expect("the store in memory has an index");
    let _ = users.list(key.namespace(), &ada, NOW).await;
    let _ = users.revoke(key.namespace(), &ada, Some(&key), NOW).await;
    let epoch = store.epoch().expect("the store in memory has an epoch");
    let _ = epoch.revoke_everybody(key.namespace(), NOW).await;
    let inspect = store.inspect().expect("the store in memory can inspect");
    let _ = inspect.record(&key, NOW).await;
    store.close().await;
}

const EVERYTHING: [Operation; 12] = [
    Operation::Load,
    Operation::Create,
    Operation::Swap,
    Operation::Delete,
    Operation::Sweep,
    Operation::Apply,
    Operation::Touch,
    Operation::List,
    Operation::Revoke,
    Operation::RevokeEverybody,
    Operation::Inspect,
    Operation::Close,
];

#[tokio::test]
async fn every_wrapper_forwards_every_operation_as_itself() {
    let recorder = Recorder::new(MemoryStore::new());
    everything(&recorder).await;
    assert_eq!(recorder.operations(), EVERYTHING);
    recorder.clear();
    everything(&AnyStore::new(recorder.clone())).await;
    assert_eq!(recorder.operations(), EVERYTHING, "through AnyStore");
    recorder.clear();
    everything(&FaultStore::new(recorder.clone())).await;
    assert_eq!(recorder.operations(), EVERYTHING, "through FaultStore");
    let outer = Recorder::new(recorder.clone());
    recorder.clear();
    everything(&outer).await;
    assert_eq!(recorder.calls(), outer.calls(), "through Recorder");
    assert_eq!(outer.calls()[0].handle, key().handle());
    assert_eq!(outer.calls()[4].handle, None, "a sweep is of no session");
}

#[tokio::test]
async fn wrappers_share_what_the_store_shares() {
    async fn shares(store: &impl Store) -> bool {
        let one = store.load_shared(&key(), NOW).await.unwrap().unwrap();
        let other = store.load_shared(&key(), NOW).await.unwrap().unwrap();
        assert_eq!(one, other);
        Arc::ptr_eq(&one, &other)
    }
    let cache = NearCache::new(MemoryStore::new()).stale_for(Duration::from_secs(60));
    cache.create(&key(), &record(), NOW).await.unwrap();
    assert!(!shares(cache.inner()).await);
    assert!(shares(&cache).await);
    assert!(shares(&AnyStore::new(cache.clone())).await);
    assert!(shares(&FaultStore::new(cache.clone())).await);
    assert!(shares(&Recorder::new(cache)).await);
}

#[tokio::test]
async fn provided_hides_apply_and_touch_alone() {
    let recorder = Recorder::new(MemoryStore::new());
    let store = Provided::new(recorder.clone());
    store.create(&key(), &record(), NOW).await.unwrap();
    recorder.clear();
    store.apply(&key(), &patch(1), NOW).await.unwrap();
    store.touch(&key(), NOW, NOW).await.unwrap();
    use Operation::{Load, Swap as Swapped};
    assert_eq!(recorder.operations(), [Load, Swapped, Load, Swapped]);
    recorder.clear();
    let base = store.load(&key(), NOW).await.unwrap().unwrap();
    store.apply(&key(), &patch(2).on(Arc::new(base)), NOW).await.unwrap();
    assert_eq!(recorder.operations(), [Load, Swapped], "what the request saw spares a load");
    recorder.clear();
    store.close().await;
    assert_eq!(recorder.operations(), [Operation::Close]);
}

#[tokio::test]
async fn wrappers_of_what_has_no_capability_have_none() {
    let bare = || Bare::new(MemoryStore::new());
    let recorder = Recorder::new(bare());
    assert!(recorder.users().is_none() && recorder.epoch().is_none());
    let faults = FaultStore::new(bare());
    assert!(faults.users().is_none() && faults.epoch().is_none());
    let provided = Provided::new(bare());
    assert!(provided.users().is_none() && provided.epoch().is_none());
    let any = AnyStore::new(bare());
    assert!(any.users().is_none() && any.epoch().is_none());
    let ada = UserId::new("ada").unwrap();
    let inspects = [
        recorder.inspect().is_some(),
        faults.inspect().is_some(),
        provided.inspect().is_some(),
        any.inspect().is_some(),
        NearCache::new(bare()).inspect().is_some(),
    ];
    assert_eq!(inspects, [false; 5]);
    let asked = recorder.record(&key(), NOW).await;
    assert_eq!(asked.unwrap_err().kind(), StoreErrorKind::Other);
    let asked = recorder.list(key().namespace(), &ada, NOW).await;
    assert_eq!(asked.unwrap_err().kind(), StoreErrorKind::Other);
}

#[tokio::test]
async fn a_fault_before_the_call_has_no_effect() {
    let store = FaultStore::new(MemoryStore::new());
    store.inject_times(Operation::Create, Fault::unavailable(), 2);
    for _ in 0..2 {
        let error = store.create(&key(), &record(), NOW).await.unwrap_err();
        assert_eq!(error.kind(), StoreErrorKind::Unavailable);
        assert!(store.load(&key(), NOW).await.unwrap().is_none());
    }
    assert_eq!(store.create(&key(), &record(), NOW).await.unwrap(), Created::Created);
    assert_eq!((store.count(Operation::Create), store.struck()), (3, 2));
}

#[tokio::test]
async fn a_lost_answer_leaves_its_effect() {
    let store = FaultStore::new(MemoryStore::new());
    store.create(&key(), &record(), NOW).await.unwrap();
    store.inject(Operation::Apply, Fault::answer_lost(StoreErrorKind::Timeout));
    let error = store.apply(&key(), &patch(1), NOW).await.unwrap_err();
    assert_eq!(error.kind(), StoreErrorKind::Timeout);
    let again = store.apply(&key(), &patch(1), NOW).await.unwrap();
    assert!(matches!(again, Applied::Done(_)), "{again:?}");
    let record = store.load(&key(), NOW).await.unwrap().unwrap();
    assert_eq!(record.data.get("l"), Some("[1]"));
}

#[tokio::test]
async fn faults_strike_in_order_and_heal() {
    let store = FaultStore::new(MemoryStore::new());
    store.inject(Operation::Load, Fault::error(StoreErrorKind::Corrupt));
    store.inject(Operation::Load, Fault::error(StoreErrorKind::TooLarge));
    store.inject_everywhere(Fault::unavailable());
    for kind in [StoreErrorKind::Corrupt, StoreErrorKind::TooLarge, StoreErrorKind::Unavailable] {
        assert_eq!(store.load(&key(), NOW).await.unwrap_err().kind(), kind);
    }
    store.inject_times(Operation::Load, Fault::unavailable(), 0);
    store.heal();
    assert!(store.load(&key(), NOW).await.unwrap().is_none());
}

#[tokio::test]
async fn hanging_calls_hang_before_or_after_their_effect() {
    for (fault, takes_effect) in [(Fault::hang(), false), (Fault::hang_after(), true)] {
        let store = FaultStore::new(MemoryStore::new());
        store.inject(Operation::Create, fault);
        let hanging = tokio::spawn({
            let store = store.clone();
            async move { store.create(&key(), &record(), NOW).await }
        });
        while store.struck() == 0 {
            tokio::task::yield_now().await;
        }
        store.heal();
        let found = store.load(&key(), NOW).await.unwrap();
        assert_eq!(found.is_some(), takes_effect);
        assert!(!hanging.is_finished());
        hanging.abort();
    }
}

#[tokio::test]
async fn a_delay_ends_when_the_test_says_so() {
    let (store, clock) = (FaultStore::new(MemoryStore::new()), ManualClock::new());
    let slow = clock.clone();
    store.inject(Operation::Create, Fault::delay(move || slow.sleep(Duration::from_secs(3))));
    let creating = tokio::spawn({
        let store = store.clone();
        async move { store.create(&key(), &record(), NOW).await }
    });
    while clock.sleepers() == 0 {
        tokio::task::yield_now().await;
    }
    assert!(store.load(&key(), NOW).await.unwrap().is_none());
    clock.advance(Duration::from_secs(3));
    assert_eq!(creating.await.unwrap().unwrap(), Created::Created);
    assert!(store.load(&key(), NOW).await.unwrap().is_some());
}
