use std::time::Duration;

use super::MemoryStore;
use crate::clock::Timestamp;
use crate::id::{Handle, Namespace, Proof, UserId};
use crate::store::{Created, Record, Store, StoreKey};

const NOW: Timestamp = Timestamp::from_millis(1_700_000_000_000);
const HOUR: Duration = Duration::from_secs(3_600);

fn key(number: u32) -> StoreKey {
    let mut handle = [0; Handle::LEN];
    handle[..4].copy_from_slice(&number.to_be_bytes());
    let key = StoreKey::new(Namespace::new("test").unwrap(), Handle::from_bytes(handle));
    key.with_proof(Proof::from_bytes([1; Proof::LEN]))
}

async fn begin(store: &MemoryStore, number: u32, lasts: Duration, user: bool) {
    let mut record = Record::new(NOW, lasts, 24 * HOUR);
    record.proofs.present = key(number).proof().copied();
    record.user = user.then(|| UserId::new(number).unwrap());
    assert_eq!(store.create(&key(number), &record, NOW).await.unwrap(), Created::Created);
}

async fn is_there(store: &MemoryStore, number: u32) -> bool {
    store.load(&key(number), NOW).await.unwrap().is_some()
}

#[tokio::test]
async fn the_newest_session_never_gives_way_to_itself() {
    for limit in [1, 3, 10, 100] {
        let store = MemoryStore::new().max_sessions(limit);
        for number in 0..300 {
            begin(&store, number, HOUR, false).await;
            assert!(is_there(&store, number).await, "{number} of at most {limit}");
            assert!(store.len() <= limit, "{} of at most {limit}", store.len());
        }
        assert_eq!(store.evicted(), 300 - limit as u64);
    }
}

#[tokio::test]
async fn anonymous_sessions_give_way_before_those_of_users() {
    let store = MemoryStore::new().max_sessions(100);
    for number in 0..50 {
        begin(&store, number, HOUR, true).await;
    }
    for number in 50..500 {
        begin(&store, number, 12 * HOUR, false).await;
    }
    for number in 0..50 {
        assert!(is_there(&store, number).await, "a user's session gave way to an anonymous one");
    }
    for number in 500..560 {
        begin(&store, number, HOUR, true).await;
    }
    let mut users = 0;
    for number in (0..50).chain(500..560) {
        users += u32::from(is_there(&store, number).await);
    }
    assert_eq!((users, store.len()), (100, 100), "all anonymous ones are gone, and ten of users");
}

#[tokio::test]
async fn octets_are_limited_and_given_back() {
    let store = MemoryStore::new().max_bytes(100_000);
    for number in 0..1_000 {
        let mut record = Record::new(NOW, HOUR, 24 * HOUR);
        record.proofs.present = key(number).proof().copied();
        record.data = [("blob", format!("\"{}\"", "x".repeat(1_000)))].into_iter().collect();
        store.create(&key(number), &record, NOW).await.unwrap();
        assert!(store.bytes() <= 100_000, "{}", store.bytes());
        assert!(is_there(&store, number).await);
    }
    for number in 0..1_000 {
        store.delete(&key(number), NOW).await.unwrap();
    }
    assert_eq!((store.len(), store.bytes()), (0, 0));
}

#[tokio::test]
async fn expired_sessions_are_cleared_away_by_new_ones() {
    let store = MemoryStore::new();
    for number in 0..1_000 {
        begin(&store, number, HOUR, false).await;
    }
    let later = NOW + 2 * HOUR;
    for number in 1_000..2_000 {
        let mut record = Record::new(later, HOUR, 24 * HOUR);
        record.proofs.present = key(number).proof().copied();
        store.create(&key(number), &record, later).await.unwrap();
    }
    assert!(store.len() < 1_100, "{} sessions, 1,000 of them expired", store.len());
    assert_eq!(store.evicted(), 0);
}
