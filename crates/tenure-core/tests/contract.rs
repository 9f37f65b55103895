//! What becomes of commits on the memory store, by its own `apply` and by the provided one.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use tenure_core::id::{CommitId, Handle, Namespace, Proof};
use tenure_core::store::{Applied, Created, MemoryStore, Patch, Record, Store, StoreKey};
use tenure_core::value::{Json, Number};
use tenure_core::{SystemRandom, Timestamp};
use tenure_testkit::Provided;

const NOW: Timestamp = Timestamp::from_millis(1_000_000);
const IDLE: Duration = Duration::from_secs(60);

fn patch() -> Patch {
    Patch::new(CommitId::random(&SystemRandom).unwrap())
}

fn json(text: &str) -> Json {
    Json::parse(text).unwrap()
}

/// A patch whose closure takes numbers alone.
fn count() -> Patch {
    patch().update("n", |seen| {
        let number: i64 = seen.map_or(Ok(0), Json::decode)?;
        Ok(Some(Json::of(&(number + 1))?))
    })
}

async fn begin(store: &impl Store, data: &[(&str, &str)]) -> StoreKey {
    let proof = Proof::from_bytes([1; 32]);
    let key = StoreKey::new(Namespace::new("test").unwrap(), Handle::from_bytes([7; 12]));
    let key = key.with_proof(proof);
    let mut record = Record::new(NOW, IDLE, 10 * IDLE);
    record.proofs.present = Some(proof);
    record.data = data.iter().copied().collect();
    assert_eq!(store.create(&key, &record, NOW).await.unwrap(), Created::Created);
    key
}

async fn value(store: &impl Store, key: &StoreKey, now: Timestamp) -> Option<String> {
    store.load(key, now).await.unwrap()?.data.get("n").map(ToOwned::to_owned)
}

async fn repeat_is_done_when_its_closure_no_longer_fits(store: impl Store) {
    let key = begin(&store, &[]).await;
    let base = store.load(&key, NOW).await.unwrap().unwrap();
    let count = count();
    for commit in
        [count.clone(), patch().set("n", json("\"text\"")), count.clone(), count.on(base.into())]
    {
        let applied = store.apply(&key, &commit, NOW).await.unwrap();
        assert!(matches!(applied, Applied::Done(_)), "{applied:?}");
    }
    assert_eq!(value(&store, &key, NOW).await.as_deref(), Some("\"text\""));
}

async fn seen_record_refuses_nothing(store: impl Store) {
    let key = begin(&store, &[("n", "\"text\"")]).await;
    let base = Arc::new(store.load(&key, NOW).await.unwrap().unwrap());
    let refused = store.apply(&key, &count().on(Arc::clone(&base)), NOW).await.unwrap();
    assert!(matches!(refused, Applied::Refused(_)), "{refused:?}");
    store.apply(&key, &patch().set("n", json("1")), NOW).await.unwrap();
    let applied = store.apply(&key, &count().on(Arc::clone(&base)), NOW).await.unwrap();
    assert!(matches!(applied, Applied::Done(_)), "{applied:?}");
    assert_eq!(value(&store, &key, NOW).await.as_deref(), Some("2"));
    store.delete(&key, NOW).await.unwrap();
    let applied = store.apply(&key, &count().on(base), NOW).await.unwrap();
    assert!(matches!(applied, Applied::Gone), "{applied:?}");
}

async fn seen_record_ends_nothing(store: impl Store) {
    let key = begin(&store, &[]).await;
    let base = store.load(&key, NOW).await.unwrap().unwrap();
    assert!(store.touch(&key, NOW + 2 * IDLE, NOW + IDLE / 2).await.unwrap());
    let late = count().on(base.into());
    let applied = store.apply(&key, &late, NOW + IDLE).await.unwrap();
    assert!(matches!(applied, Applied::Done(_)), "{applied:?}");
}

async fn closure_of_a_stranger_sees_nothing(store: impl Store) {
    let key = begin(&store, &[("n", "1")]).await.with_proof(Proof::from_bytes([2; 32]));
    let runs = Arc::new(AtomicU32::new(0));
    let counted = Arc::clone(&runs);
    let spy = patch().update("n", move |seen| {
        counted.fetch_add(1, Ordering::Relaxed);
        Ok(seen.cloned())
    });
    let applied = store.apply(&key, &spy, NOW).await.unwrap();
    assert!(matches!(applied, Applied::Gone), "{applied:?}");
    assert_eq!(runs.load(Ordering::Relaxed), 0);
}

async fn sums_of_both_kinds_are_taken_in_order(store: impl Store) {
    let key = begin(&store, &[("n", "9007199254740993")]).await;
    let sums = patch().add("n", Number::Int(-1)).add("n", Number::Float(0.0));
    let applied = store.apply(&key, &sums, NOW).await.unwrap();
    assert!(matches!(applied, Applied::Done(_)), "{applied:?}");
    assert_eq!(value(&store, &key, NOW).await.as_deref(), Some("9007199254740992.0"));
}

async fn clock_behind_does_not_move_last_seen_back(store: impl Store) {
    let key = begin(&store, &[]).await;
    let later = NOW + IDLE / 2;
    assert!(store.touch(&key, later + IDLE, later).await.unwrap());
    store.apply(&key, &patch().set_idle_timeout(2 * IDLE), NOW).await.unwrap();
    assert_eq!(store.load(&key, NOW).await.unwrap().unwrap().last_seen, later);
}

macro_rules! on_both {
    ($($test:ident)*) => {
        mod memory {
            $(#[tokio::test]
            async fn $test() {
                super::$test(super::MemoryStore::new()).await;
            })*
        }
        mod provided {
            $(#[tokio::test]
            async fn $test() {
                super::$test(super::Provided::new(super::MemoryStore::new())).await;
            })*
        }
    };
}
on_both! {
    repeat_is_done_when_its_closure_no_longer_fits
    seen_record_refuses_nothing
    seen_record_ends_nothing
    closure_of_a_stranger_sees_nothing
    sums_of_both_kinds_are_taken_in_order
    clock_behind_does_not_move_last_seen_back
}
