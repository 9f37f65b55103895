use std::time::Duration;

use tenure_core::id::{CommitId, Handle, Proof};
use tenure_core::store::{
    Applied, Client, Created, Former, Pending, ProofChange, Record, Store, StoreErrorKind,
    StoreKey, Swap,
};
use tenure_core::value::Json;
use tenure_core::{Timestamp, store::Revision};

use crate::support::{
    Database, MINUTE, NOW, ONE, applied, commit, data, foreign, foreign_record, key, loaded,
    namespace, number, patch, proof, record, run, user,
};

#[tokio::test]
async fn every_field_comes_back() {
    let store = Database::new();
    let store = store.store().await;
    let mut full = record();
    full.created = NOW + MINUTE;
    full.last_seen = NOW + 2 * MINUTE;
    full.renewed = NOW + 3 * MINUTE;
    full.idle_timeout = Duration::from_millis(1_234_567);
    full.idle_deadline = NOW + 5 * MINUTE;
    full.absolute_deadline = Timestamp::MAX;
    full.proofs.pending = Some(Pending { proof: proof(2), since: NOW + 6 * MINUTE });
    full.proofs.former = Some(Former { proof: proof(3), until: NOW + 7 * MINUTE });
    full.user = Some(user("Ada \"x\"\0'; DROP TABLE tenure_sessions; --"));
    full.authenticated = Some(NOW + 8 * MINUTE);
    full.client = Client::new(Some("2001:db8::1".parse().unwrap()), Some("agent\n\u{1F980}"));
    full.commits = vec![(commit(), NOW), (commit(), NOW + MINUTE)];
    full.data = data([
        ("", "null"),
        ("\0", "\"\\u0000\""),
        ("$.a\"'", "9007199254740993.50"),
        ("A ", "[]"),
        ("a", "{\"b\": {} }"),
    ]);
    store.create(&key(1), &full, NOW).await.unwrap();
    let back = loaded(&store, &key(1)).await;
    full.revision = back.revision.clone();
    assert_eq!(back, full);

    let mut endless = Record::new(NOW, Duration::MAX, Duration::MAX);
    endless.proofs.present = Some(proof(1));
    store.create(&key(2), &endless, NOW).await.unwrap();
    assert!(store.touch(&key(2), Timestamp::MAX, NOW).await.unwrap());
    assert_eq!(loaded(&store, &key(2)).await.deadline(), Timestamp::MAX);
}

#[tokio::test]
async fn what_is_no_record_is_an_error_and_can_be_deleted() {
    let database = Database::new();
    let store = database.store().await;
    for (sql, kind) in [
        ("UPDATE tenure_sessions SET record = 'rubbish'", StoreErrorKind::Corrupt),
        ("UPDATE tenure_sessions SET record = '{\"v\":2}'", StoreErrorKind::UnknownVersion),
        ("UPDATE tenure_sessions SET proof = x'00'", StoreErrorKind::Corrupt),
        ("UPDATE tenure_sessions SET last_seen = -1", StoreErrorKind::Corrupt),
        ("UPDATE tenure_sessions SET former = proof", StoreErrorKind::Corrupt),
        ("UPDATE tenure_sessions SET user_id = ''", StoreErrorKind::Corrupt),
    ] {
        store.create(&key(1), &record(), NOW).await.unwrap();
        run(&store, sql).await;
        let error = store.load(&key(1), NOW).await.unwrap_err();
        assert_eq!(error.kind(), kind, "{sql}: {error}");
        assert!(!error.is_retryable());
        let administrative = StoreKey::new(namespace("shop"), key(1).handle().unwrap());
        assert!(store.delete(&administrative, NOW).await.unwrap(), "{sql}");
    }
}

/// R8: the database alters no key.
#[tokio::test]
async fn r8_keys_that_look_alike_are_different() {
    let database = Database::new();
    let store = database.store().await;
    let ids = ["abc", "aBc", "abc ", " abc", "abc\0", "abc\0x", "ab", "ábc", "", "%", "a_c"];
    for id in ids {
        let mut record = foreign_record();
        record.data = data([("id", Json::of(id).unwrap().as_str())]);
        assert_eq!(store.create(&foreign(id), &record, NOW).await.unwrap(), Created::Created);
    }
    for id in ids {
        let there = loaded(&store, &foreign(id)).await;
        assert_eq!(there.data.get("id"), Some(Json::of(id).unwrap().as_str()), "{id:?}");
        assert!(store.delete(&foreign(id), NOW).await.unwrap(), "{id:?}");
    }
    assert_eq!(number(&store, "SELECT count(*) FROM tenure_sessions").await, 0);

    let handle = StoreKey::new(namespace("shop"), Handle::from_bytes(*b"twelve bytes"));
    let handle = handle.with_proof(proof(1));
    store.create(&handle, &record(), NOW).await.unwrap();
    let twin = foreign("twelve bytes");
    assert_eq!(store.create(&twin, &foreign_record(), NOW).await.unwrap(), Created::Created);
    assert!(store.delete(&twin, NOW).await.unwrap());
    loaded(&store, &handle).await;
    let elsewhere = StoreKey::new(namespace("Shop"), handle.handle().unwrap()).with_proof(proof(1));
    assert_eq!(store.load(&elsewhere, NOW).await.unwrap(), None);
}

/// R14: a key that is taken stays as it is.
#[tokio::test]
async fn creating_never_overwrites() {
    let database = Database::new();
    let store = database.store().await;
    let mut first = record();
    first.data = data([("a", "1")]);
    store.create(&key(1), &first, NOW).await.unwrap();
    let before = loaded(&store, &key(1)).await;
    let mut second = record();
    second.proofs.present = Some(proof(9));
    second.user = Some(user("mallory"));
    assert_eq!(store.create(&key(1), &second, NOW).await.unwrap(), Created::Collision);
    assert_eq!(loaded(&store, &key(1)).await, before);
    assert_eq!(store.create(&key(1), &first, NOW).await.unwrap(), Created::Created, "a repeat");
    assert_eq!(loaded(&store, &key(1)).await, before);

    let end = before.deadline();
    let just_before = Timestamp::from_millis(end.as_millis() - 1);
    assert_eq!(store.create(&key(1), &second, just_before).await.unwrap(), Created::Collision);
    assert!(store.load(&key(1), just_before).await.unwrap().is_some());
    assert!(store.load(&key(1), end).await.unwrap().is_none());
    let mut later = Record::new(end, MINUTE, MINUTE);
    later.proofs.present = Some(proof(9));
    assert_eq!(store.create(&key(1), &later, end).await.unwrap(), Created::Created);
    assert!(store.load(&key(1), end).await.unwrap().is_none(), "another proof");
    let there = store.load(&key(1).with_proof(proof(9)), end).await.unwrap().unwrap();
    assert!(there.data.is_empty() && there.user.is_none());
}

#[tokio::test]
async fn expiry_is_decided_to_the_millisecond_in_every_operation() {
    let database = Database::new();
    let store = database.store().await;
    store.create(&key(1), &record(), NOW).await.unwrap();
    let there = loaded(&store, &key(1)).await;
    let end = there.deadline();
    assert!(store.load(&key(1), end).await.unwrap().is_none());
    assert!(!store.touch(&key(1), end + MINUTE, end).await.unwrap());
    assert_eq!(store.swap(&key(1), &there.revision, &there, end).await.unwrap(), Swap::Gone);
    let patch = patch().set("a", Json::of(&1).unwrap());
    assert!(matches!(store.apply(&key(1), &patch, end).await.unwrap(), Applied::Gone));
    assert!(!store.delete(&key(1), end).await.unwrap());
    let just_before = Timestamp::from_millis(end.as_millis() - 1);
    assert_eq!(store.sweep(10, just_before).await.unwrap(), 0);
    assert_eq!(store.sweep(10, end).await.unwrap(), 1);
}

#[tokio::test]
async fn sweeping_takes_what_is_expired_up_to_the_limit() {
    let database = Database::new();
    let store = database.store().await;
    for id in 0..1_203 {
        let mut short = Record::new(NOW, MINUTE, MINUTE);
        short.idle_deadline = NOW + Duration::from_millis(id % 3);
        store.create(&foreign(&format!("{id}")), &short, NOW).await.unwrap();
    }
    let now = NOW + Duration::from_millis(1);
    assert_eq!(store.sweep(0, now).await.unwrap(), 0);
    assert_eq!(store.sweep(7, now).await.unwrap(), 7);
    assert_eq!(store.sweep(501, now).await.unwrap(), 501);
    assert_eq!(store.sweep(u32::MAX, now).await.unwrap(), 294);
    assert_eq!(store.sweep(u32::MAX, now).await.unwrap(), 0);
    assert_eq!(number(&store, "SELECT count(*) FROM tenure_sessions").await, 401);
}

#[tokio::test]
async fn swapping_tells_done_conflict_and_gone_apart() {
    let database = Database::new();
    let store = database.store().await;
    store.create(&key(1), &record(), NOW).await.unwrap();
    let mut there = loaded(&store, &key(1)).await;
    there.data = data([("a", "1")]);
    let Swap::Done(next) = store.swap(&key(1), &there.revision, &there, NOW).await.unwrap() else {
        panic!("not done")
    };
    assert_eq!(loaded(&store, &key(1)).await.revision, next);
    for stale in [there.revision.clone(), Revision::text("x"), Revision::number(u64::MAX)] {
        assert_eq!(store.swap(&key(1), &stale, &there, NOW).await.unwrap(), Swap::Conflict);
    }
    let wrong = key(1).with_proof(proof(9));
    assert_eq!(store.swap(&wrong, &next, &there, NOW).await.unwrap(), Swap::Gone);
    let unproven = StoreKey::new(namespace("shop"), key(1).handle().unwrap());
    assert_eq!(store.swap(&unproven, &next, &there, NOW).await.unwrap(), Swap::Gone);
    assert_eq!(store.load(&unproven, NOW).await.unwrap(), None);
    assert!(!store.touch(&unproven, NOW + MINUTE, NOW).await.unwrap());
    assert!(store.delete(&key(1), NOW).await.unwrap());
    assert_eq!(store.swap(&key(1), &next, &there, NOW).await.unwrap(), Swap::Gone);
    assert_eq!(number(&store, "SELECT count(*) FROM tenure_sessions").await, 0);
}

#[tokio::test]
async fn a_write_for_an_earlier_session_of_the_same_foreign_id_conflicts() {
    let database = Database::new();
    let store = database.store().await;
    store.create(&foreign("a"), &foreign_record(), NOW).await.unwrap();
    let earlier = loaded(&store, &foreign("a")).await;
    store.delete(&foreign("a"), NOW).await.unwrap();
    store.create(&foreign("a"), &foreign_record(), NOW).await.unwrap();
    let swap = store.swap(&foreign("a"), &earlier.revision, &earlier, NOW).await.unwrap();
    assert_eq!(swap, Swap::Conflict);
}

#[tokio::test]
async fn the_proofs_of_a_rotation_mean_the_same_in_every_statement() {
    let database = Database::new();
    let store = database.store().await;
    let (old, new) = (key(1), key(1).with_proof(proof(2)));
    store.create(&old, &record(), NOW).await.unwrap();
    let prepared = patch().change_proof(ProofChange::Prepare(proof(2)));
    applied(&store, &old, prepared).await;
    for key in [&old, &new] {
        assert!(store.touch(key, NOW + MINUTE, NOW).await.unwrap());
        applied(&store, key, patch().add("n", ONE)).await;
    }
    applied(&store, &new, patch().change_proof(ProofChange::Confirm(proof(2)))).await;
    assert_eq!(store.load(&old, NOW).await.unwrap(), None);

    let newest = key(1).with_proof(proof(3));
    let login = patch().change_proof(ProofChange::Replace(proof(3))).bind(Some(user("ada")), NOW);
    applied(&store, &new, login.clone()).await;
    applied(&store, &new, login).await;
    let late = patch().add("n", ONE);
    assert!(matches!(store.apply(&new, &late, NOW).await.unwrap(), Applied::Gone));
    assert!(!store.touch(&new, NOW + MINUTE, NOW).await.unwrap());
    let former = loaded(&store, &newest).await.proofs.former.unwrap();
    assert!(!store.delete(&new, former.until).await.unwrap(), "the grace is over");
    let just_before = Timestamp::from_millis(former.until.as_millis() - 1);
    assert!(store.delete(&new, just_before).await.unwrap(), "the former proof may delete");
    assert_eq!(store.load(&newest, NOW).await.unwrap(), None);
}

#[tokio::test]
async fn touching_does_what_the_record_says() {
    let database = Database::new();
    let store = database.store().await;
    let mut random = 1_u64;
    let mut below = move |limit: u64| {
        random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        (random >> 33) % limit
    };
    for of in 0..200 {
        let mut record = record();
        record.idle_timeout = Duration::from_millis(below(100));
        record.idle_deadline = NOW + Duration::from_millis(50 + below(100));
        record.absolute_deadline = NOW + Duration::from_millis(50 + below(100));
        record.last_seen = NOW + Duration::from_millis(below(100));
        let now = NOW + Duration::from_millis(below(100));
        let until = NOW + Duration::from_millis(below(250));
        store.create(&key(of), &record, NOW).await.unwrap();
        let touched = store.touch(&key(of), until, now).await.unwrap();
        assert_eq!(touched, record.is_alive(now));
        if touched {
            record.idle_deadline = record.touched(until, now);
            record.last_seen = record.last_seen.max(now);
        }
        let Some(mut there) = store.load(&key(of), NOW).await.unwrap() else {
            panic!("{record:?} is gone")
        };
        there.revision = record.revision.clone();
        assert_eq!(there, record);
    }
}

/// X4: whoever reads the files learns no token.
#[tokio::test]
async fn x4_the_files_hold_no_secret() {
    let database = Database::new();
    let store = database.store().await;
    let secret = *b"twenty-four secret bytes";
    let handle = Handle::from_bytes(*b"twelve bytes");
    let proof = Proof::of(&namespace("shop"), &handle, &secret);
    let key = StoreKey::new(namespace("shop"), handle).with_proof(proof);
    let mut record = record();
    record.proofs.present = Some(proof);
    record.commits = vec![(CommitId::from_bytes(*b"sixteen  octets!"), NOW)];
    store.create(&key, &record, NOW).await.unwrap();
    let next = *b"other twenty-four bytes!";
    let next_proof = Proof::of(&namespace("shop"), &handle, &next);
    applied(&store, &key, patch().change_proof(ProofChange::Replace(next_proof))).await;
    let mut files = Vec::new();
    for file in std::fs::read_dir(database.folder()).unwrap() {
        files.extend(std::fs::read(file.unwrap().path()).unwrap());
    }
    let holds = |part: &[u8]| files.windows(part.len()).any(|window| window == part);
    assert!(holds(handle.as_bytes()), "the search finds what is there");
    for secret in [&secret, &next] {
        assert!(!holds(secret) && !holds(&secret[..12]));
        let octets: Vec<_> = secret.iter().map(|octet| format!("{octet:02x}")).collect();
        assert!(!holds(octets.concat().as_bytes()));
    }
    // In base64, as tokens are written.
    assert!(!holds(b"dHdlbnR5LWZvdXIgc2VjcmV0") && !holds(b"b3RoZXIgdHdlbnR5LWZvdXIg"));
}
