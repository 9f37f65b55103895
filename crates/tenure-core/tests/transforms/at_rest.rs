//! X8: data that is sealed before it reaches the store.

use std::time::Duration;

use tenure_core::id::{CommitId, Proof};
use tenure_core::store::{
    AnyStore, Applied, Created, MemoryStore, Patch, Record, Sealed, Store, StoreErrorKind,
    StoreKey, Swap, UserIndex,
};
use tenure_core::transform::{Keyring, SealAlgorithm, SecretKey};
use tenure_core::value::{Data, Json, Number};
use tenure_core::{Clock, ErrorKind, Handle, Namespace, Sessions, SystemRandom, Timestamp, UserId};
use tenure_testkit::{ManualClock, Operation, Recorder};

use crate::{OTHER_SECRET, SECRET, key as secret_key, ring};

const NOW: Timestamp = Timestamp::from_millis(1_700_000_000_000);

fn ours(namespace: &str, octet: u8) -> StoreKey {
    let key = StoreKey::new(Namespace::new(namespace).unwrap(), Handle::from_bytes([octet; 12]));
    key.with_proof(Proof::from_bytes([7; 32]))
}

fn foreign(id: &str) -> StoreKey {
    StoreKey::foreign(Namespace::new("shop").unwrap(), id)
}

fn record(key: &StoreKey, data: &[(&str, &str)]) -> Record {
    let mut record = Record::new(NOW, Duration::from_secs(60), Duration::from_secs(90));
    record.proofs.present = key.proof().copied();
    record.data = data.iter().copied().collect();
    record
}

/// What a database holds, and the same behind the seal.
fn sealed(keys: &Keyring) -> (AnyStore, Sealed<AnyStore>) {
    let rows = AnyStore::new(MemoryStore::new());
    (rows.clone(), Sealed::new(rows, keys.clone()))
}

async fn row(rows: &AnyStore, key: &StoreKey) -> Record {
    rows.load(key, NOW).await.unwrap().unwrap()
}

/// The text of the sealed entry, which is all there is.
fn entry(data: &Data) -> String {
    assert_eq!(data.keys().collect::<Vec<_>>(), ["\0sealed"]);
    data.get("\0sealed").unwrap().to_owned()
}

async fn put(rows: &AnyStore, key: &StoreKey, data: Data) {
    let before = row(rows, key).await;
    let mut new = before.clone();
    new.data = data;
    assert!(matches!(rows.swap(key, &before.revision, &new, NOW).await, Ok(Swap::Done(_))));
}

fn patch() -> Patch {
    Patch::new(CommitId::random(&SystemRandom).unwrap())
}

/// X8: neither keys nor values are in the database, and all come back.
#[tokio::test]
async fn x8_data_is_sealed_at_rest() {
    let (rows, store) = sealed(&ring(&[SECRET]));
    for (key, data) in [
        (ours("shop", 1), &[("diagnosis", "\"flu\""), ("n", "12345678901234567890.10")][..]),
        (ours("shop", 2), &[]),
        (foreign("PHPSESSID-9f3a"), &[("", "[]"), ("\0flash", "{}")]),
    ] {
        let record = record(&key, data);
        assert_eq!(store.create(&key, &record, NOW).await.unwrap(), Created::Created);
        assert_eq!(store.load(&key, NOW).await.unwrap().unwrap().data, record.data);
        let text = entry(&row(&rows, &key).await.data);
        assert!(Json::parse(&text).is_ok() && !text.contains("flu") && !text.contains("diag"));
    }
}

/// X8: each write is merged, and sealed anew.
#[tokio::test]
async fn x8_commits_merge_behind_the_seal() {
    let (rows, store) = sealed(&ring(&[SECRET]));
    let key = ours("shop", 1);
    store.create(&key, &record(&key, &[("n", "1")]), NOW).await.unwrap();
    let before = entry(&row(&rows, &key).await.data);
    for n in 2..=4 {
        let patch = patch().add("n", Number::Int(1)).set("theme", Json::parse("\"dark\"").unwrap());
        let Applied::Done(Some(after)) = store.apply(&key, &patch, NOW).await.unwrap() else {
            panic!("it is there")
        };
        assert_eq!(after.data.get("n"), Some(n.to_string().as_str()));
    }
    let after = entry(&row(&rows, &key).await.data);
    assert_ne!(before, after);
    let loaded = store.load(&key, NOW).await.unwrap().unwrap();
    assert_eq!(loaded.data, [("n", "4"), ("theme", "\"dark\"")].into_iter().collect());
    let revision = loaded.revision.clone();
    let swap = store.swap(&key, &revision, &record(&key, &[("n", "9")]), NOW).await.unwrap();
    assert!(matches!(swap, Swap::Done(_)));
    let late = store.swap(&key, &revision, &loaded, NOW).await.unwrap();
    assert_eq!(late, Swap::Conflict);
    assert_eq!(store.load(&key, NOW).await.unwrap().unwrap().data.get("n"), Some("9"));
}

/// X8, T-ISO-1: rows swapped between sessions, or between namespaces, or between a handle and a foreign
/// id of the same octets, are noticed.
#[tokio::test]
async fn x8_rows_swapped_between_sessions_are_noticed() {
    let (rows, store) = sealed(&ring(&[SECRET]));
    let text = "abcdefghijkl";
    let same = StoreKey::new(
        Namespace::new("shop").unwrap(),
        Handle::from_bytes(text.as_bytes().try_into().unwrap()),
    );
    let same = same.with_proof(Proof::from_bytes([7; 32]));
    let keys =
        [ours("shop", 1), ours("shop", 2), ours("blog", 1), foreign("a"), foreign(text), same];
    for (n, key) in keys.iter().enumerate() {
        let n = n.to_string();
        store.create(key, &record(key, &[("n", &n)]), NOW).await.unwrap();
    }
    for one in &keys {
        let mine = row(&rows, one).await.data;
        for other in keys.iter().filter(|other| !other.same_session(one)) {
            put(&rows, one, row(&rows, other).await.data).await;
            let error = store.load(one, NOW).await.unwrap_err();
            assert_eq!(error.kind(), StoreErrorKind::Corrupt, "{error}");
            assert!(error.to_string().contains("another session"), "{error}");
            let error = store.apply(one, &patch().add("n", Number::Int(1)), NOW).await.unwrap_err();
            assert_eq!(error.kind(), StoreErrorKind::Corrupt);
        }
        put(&rows, one, mine).await;
        assert!(store.load(one, NOW).await.unwrap().is_some());
    }
}

/// X8: whatever else is changed in the row is noticed, too.
#[tokio::test]
async fn x8_changed_rows_are_noticed() {
    let (rows, store) = sealed(&ring(&[SECRET]));
    let key = ours("shop", 1);
    store.create(&key, &record(&key, &[("role", "\"guest\"")]), NOW).await.unwrap();
    let right = entry(&row(&rows, &key).await.data);
    let broken = |data: Data| {
        let (rows, store, key) = (&rows, &store, &key);
        async move {
            put(rows, key, data.clone()).await;
            let error = store.load(key, NOW).await.expect_err(&format!("{data:?}"));
            assert_eq!(error.kind(), StoreErrorKind::Corrupt, "{data:?}");
        }
    };
    let of = |text: &str| [("\0sealed", text)].into_iter().collect::<Data>();
    for at in 1..right.len() - 1 {
        let mut changed = right.clone().into_bytes();
        changed[at] = if changed[at] == b'A' { b'B' } else { b'A' };
        broken(of(str::from_utf8(&changed).unwrap())).await;
    }
    for text in ["null", "1", "\"\"", "\"AA\"", "[]", &format!("[{right}]"), &right[..20]] {
        broken(of(text)).await;
    }
    broken([("\0sealed", right.as_str()), ("role", "\"admin\"")].into_iter().collect()).await;
    put(&rows, &key, of(&right)).await;
    assert!(store.load(&key, NOW).await.unwrap().is_some());
}

/// X8: a wrong key is an error that names the key and the setting, never an empty session; so it is
/// for writes, and the row stays as it was.
#[tokio::test]
async fn x8_a_wrong_key_is_an_error() {
    let (rows, store) = sealed(&ring(&[SECRET]));
    let key = ours("shop", 1);
    store.create(&key, &record(&key, &[("n", "1")]), NOW).await.unwrap();
    let before = entry(&row(&rows, &key).await.data);
    let wrong = Sealed::new(rows.clone(), ring(&[OTHER_SECRET]));
    let error = wrong.load(&key, NOW).await.unwrap_err();
    assert_eq!(error.kind(), StoreErrorKind::Corrupt);
    let id = secret_key(SECRET).id().to_string();
    for word in [&id, "seal_at_rest", "put its secret back"] {
        assert!(error.to_string().contains(word), "{error}");
    }
    let error = wrong.apply(&key, &patch().add("n", Number::Int(1)), NOW).await.unwrap_err();
    assert_eq!(error.kind(), StoreErrorKind::Corrupt);
    assert_eq!(entry(&row(&rows, &key).await.data), before);
    assert!(wrong.delete(&key, NOW).await.unwrap(), "it can be ended nevertheless");
}

/// X8: a mixed store works: plain rows, those of an old key, those of the new one, and those of another
/// algorithm; each is sealed with the first key at its next write.
#[tokio::test]
async fn x8_a_mixed_store_works_and_rotation_seals_again() {
    let (old, new) = (secret_key(OTHER_SECRET), secret_key(SECRET));
    let keys = Keyring::new([old.clone()]);
    let (rows, store) = sealed(&keys);
    let plain = ours("shop", 1);
    rows.create(&plain, &record(&plain, &[("n", "1")]), NOW).await.unwrap();
    let by_old = ours("shop", 2);
    store.create(&by_old, &record(&by_old, &[("n", "1")]), NOW).await.unwrap();
    keys.add(new.clone());
    let by_new = ours("shop", 3);
    store.create(&by_new, &record(&by_new, &[("n", "1")]), NOW).await.unwrap();
    let mut all = vec![plain, by_old, by_new];
    if let Some(other) = other_algorithm() {
        let key = ours("shop", 4);
        let store = store.clone().algorithm(other);
        store.create(&key, &record(&key, &[("n", "1")]), NOW).await.unwrap();
        all.push(key);
    }
    let sealed_by = async |key: &StoreKey| {
        let text = entry(&row(&rows, key).await.data);
        id_in(&text)
    };
    assert_eq!(sealed_by(&all[1]).await, old.id().to_string());
    for key in &all {
        assert_eq!(store.load(key, NOW).await.unwrap().unwrap().data.get("n"), Some("1"));
        let touched = store.touch(key, NOW + Duration::from_secs(61), NOW).await.unwrap();
        assert!(touched);
    }
    assert_eq!(sealed_by(&all[1]).await, old.id().to_string(), "a touch writes no data");
    for key in &all {
        store.apply(key, &patch().add("n", Number::Int(1)), NOW).await.unwrap();
        assert_eq!(sealed_by(key).await, new.id().to_string());
    }
    assert!(keys.retire(old.id()));
    for key in &all {
        let store = store.clone().sealed_only();
        assert_eq!(store.load(key, NOW).await.unwrap().unwrap().data.get("n"), Some("2"));
    }
}

fn other_algorithm() -> Option<SealAlgorithm> {
    #[cfg(feature = "aes-gcm-siv")]
    return Some(SealAlgorithm::Aes256GcmSiv);
    #[cfg(not(feature = "aes-gcm-siv"))]
    None
}

/// The id of the key, which stands behind the first octet.
fn id_in(text: &str) -> String {
    use base64::Engine;
    let octets = base64::prelude::BASE64_URL_SAFE_NO_PAD.decode(text.trim_matches('"')).unwrap();
    octets[1..5].iter().map(|octet| format!("{octet:02x}")).collect()
}

/// X8: a wrapper forwards what the store does better, and lists what it can.
#[tokio::test]
async fn x8_the_rest_is_forwarded() {
    let recorder = Recorder::new(MemoryStore::new());
    let keys = ring(&[SECRET]);
    let store = Sealed::new(recorder.clone(), keys.clone());
    assert!(!store.merges_in_place());
    let (key, ada) = (ours("shop", 1), UserId::new("ada").unwrap());
    let mut record = record(&key, &[("n", "1")]);
    record.user = Some(ada.clone());
    store.create(&key, &record, NOW).await.unwrap();
    assert!(store.touch(&key, NOW + Duration::from_secs(61), NOW).await.unwrap());
    assert_eq!(recorder.operations(), [Operation::Create, Operation::Touch]);
    let listed = store.users().unwrap().list(key.namespace(), &ada, NOW).await.unwrap();
    assert_eq!(listed[0].record.data, record.data);
    keys.add(secret_key(OTHER_SECRET));
    assert!(keys.retire(secret_key(SECRET).id()));
    let listed = store.users().unwrap().list(key.namespace(), &ada, NOW).await.unwrap();
    assert!(listed[0].record.data.is_empty(), "it is listed, and can be ended");
    assert_eq!(store.users().unwrap().revoke(key.namespace(), &ada, None, NOW).await.unwrap(), 1);
    assert!(store.epoch().is_some() && store.watch().is_none());
}

fn sessions(store: &AnyStore, keys: Option<Keyring>) -> Sessions {
    let builder = Sessions::builder()
        .store(store.clone())
        .clock(ManualClock::new())
        .signing_keys(ring(&[OTHER_SECRET]));
    match keys {
        Some(keys) => builder.seal_at_rest(keys).build().unwrap(),
        None => builder.build().unwrap(),
    }
}

/// X8: as a setting: what lies in the store says nothing, and other keys, or none, are errors.
#[tokio::test]
async fn x8_sealed_by_configuration() {
    let store = AnyStore::new(MemoryStore::new());
    let keys = ring(&[SECRET]);
    let right = sessions(&store, Some(keys.clone()));
    let session = right.start().await.unwrap();
    session.set("diagnosis", "flu").unwrap();
    session.save().await.unwrap();
    let token = session.danger_expose_token().unwrap();
    let loaded = right.open_token(&token).await.unwrap().unwrap();
    assert_eq!(loaded.get::<String>("diagnosis").unwrap().unwrap(), "flu");
    for other in [Some(ring(&[OTHER_SECRET])), None] {
        let error = sessions(&store, other).open_token(&token).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Corrupt);
        let source = std::error::Error::source(&error).unwrap().to_string();
        assert!(source.contains("seal_at_rest"), "{source}");
    }
    assert!(right.open_token(&token).await.unwrap().is_some());

    for (sessions, lines) in [(right, 1), (sessions(&store, None), 0)] {
        let text = sessions.describe().to_string();
        assert_eq!(text.matches("seal_at_rest: yes\n").count(), lines, "{text}");
    }

    let builder = Sessions::builder().store(MemoryStore::new()).seal_at_rest(Keyring::new([]));
    let error = builder.build().unwrap_err();
    assert!(error.to_string().contains("seal_at_rest: the keyring is empty"), "{error}");
    let keys = Keyring::new([SecretKey::generate().unwrap()]);
    let memory = Sessions::builder().store(MemoryStore::new()).seal_at_rest(keys);
    assert!(memory.build().is_ok(), "memory needs no signing keys, sealed or not");
}

/// X8, A18: a store of each request is sealed as well.
#[tokio::test]
async fn x8_the_store_of_a_request_is_sealed() {
    let rows = AnyStore::new(MemoryStore::new());
    let same = rows.clone();
    let store = AnyStore::per_request(rows.clone(), move |_| same.clone());
    let sessions = sessions(&store, Some(ring(&[SECRET])));
    let (parts, ()) = http::Request::new(()).into_parts();
    let exchange = sessions.open(&parts, tenure_core::engine::Connection::new().secure(true));
    let session = exchange.session().load().await.unwrap();
    session.login("ada").unwrap();
    session.set("diagnosis", "flu").unwrap();
    let mut headers = http::HeaderMap::new();
    exchange.close(http::StatusCode::OK, &mut headers).await.unwrap();
    let users = rows.users().unwrap();
    let ada = UserId::new("ada").unwrap();
    let listed = users.list(sessions.namespace(), &ada, ManualClock::new().now()).await.unwrap();
    entry(&listed[0].record.data);
}
