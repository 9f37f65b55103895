use std::time::Duration;

use tenure_core::Timestamp;
use tenure_core::store::{Created, Record, Store, StoreErrorKind, StoreKey};
use tenure_core::value::Json;

use crate::support::{
    Kind, MINUTE, NOW, ONE, Place, Wish, applied, data, foreign, foreign_record, key, loaded,
    namespace, on_each, patch, record, user,
};

on_each! {
    what_is_no_record_is_an_error_and_can_be_deleted
    r8_keys_that_look_alike_are_different
    what_is_over_a_limit_never_reaches_the_server
    a_sweep_takes_what_has_ended_and_files_the_rest
    sweepers_take_turns
    a_revoked_user_is_out_however_the_row_comes_back
}

async fn what_is_no_record_is_an_error_and_can_be_deleted<K: Kind>() {
    let Some(place) = Place::<K>::new(Wish::new()).await else { return };
    for (set, kind) in [
        ("record = 'rubbish'", StoreErrorKind::Corrupt),
        ("record = '{\"v\":2}'", StoreErrorKind::UnknownVersion),
        ("proof = '1'", StoreErrorKind::Corrupt),
        ("last_seen = -1", StoreErrorKind::Corrupt),
        ("former = proof", StoreErrorKind::Corrupt),
        ("user_id = ''", StoreErrorKind::Corrupt),
    ] {
        place.store.create(&key(1), &record(), NOW).await.unwrap();
        place.run(&format!("UPDATE sessions SET {set}")).await;
        let error = place.store.load(&key(1), NOW).await.unwrap_err();
        assert_eq!(error.kind(), kind, "{set}: {error}");
        assert!(!error.is_retryable());
        let administrative = StoreKey::new(namespace("shop"), key(1).handle().unwrap());
        assert!(place.store.delete(&administrative, NOW).await.unwrap(), "{set}");
    }
    place.end().await;
}

/// R8: collations, trailing spaces and NULs change nothing.
async fn r8_keys_that_look_alike_are_different<K: Kind>() {
    let Some(place) = Place::<K>::new(Wish::new()).await else { return };
    let ids =
        ["abc", "aBc", "abc ", " abc", "abc\0", "abc\0x", "ab", "ábc", "", "%", "a_c", "ａbc"];
    for id in ids {
        let mut record = foreign_record();
        record.data = data([("id", Json::of(id).unwrap().as_str())]);
        record.user = (!id.is_empty()).then(|| user(id));
        let created = place.store.create(&foreign(id), &record, NOW).await.unwrap();
        assert_eq!(created, Created::Created, "{id:?}");
    }
    for id in ids {
        let there = loaded(&place.store, &foreign(id)).await;
        assert_eq!(there.data.get("id"), Some(Json::of(id).unwrap().as_str()), "{id:?}");
        if !id.is_empty() {
            use tenure_core::store::UserIndex;
            let listed = place.store.list(&namespace("shop"), &user(id), NOW).await.unwrap();
            assert_eq!(listed.len(), 1, "{id:?}");
        }
        assert!(place.store.delete(&foreign(id), NOW).await.unwrap(), "{id:?}");
    }
    assert_eq!(place.number("SELECT count(*) FROM sessions").await, 0);
    place.end().await;
}

async fn what_is_over_a_limit_never_reaches_the_server<K: Kind>() {
    let Some(place) = Place::<K>::new(Wish::new()).await else { return };
    let mut large = record();
    large.data = data([("a", format!("\"{}\"", "x".repeat(4 << 20)).as_str())]);
    let error = place.store.create(&key(1), &large, NOW).await.unwrap_err();
    assert_eq!(error.kind(), StoreErrorKind::TooLarge);
    large.data = data([("a", format!("\"{}\"", "x".repeat(3 << 20)).as_str())]);
    place.store.create(&key(1), &large, NOW).await.unwrap();
    assert_eq!(loaded(&place.store, &key(1)).await.data, large.data);

    let longest = "x".repeat(1_024);
    let too_long = "x".repeat(1_025);
    let created = place.store.create(&foreign(&longest), &foreign_record(), NOW).await.unwrap();
    assert_eq!(created, Created::Created);
    let error = place.store.create(&foreign(&too_long), &foreign_record(), NOW).await.unwrap_err();
    assert_eq!(error.kind(), StoreErrorKind::TooLarge);
    assert_eq!(place.store.load(&foreign(&too_long), NOW).await.unwrap(), None);
    loaded(&place.store, &foreign(&longest)).await;
    place.end().await;
}

/// A row is found by a bound that a touch leaves behind.
async fn a_sweep_takes_what_has_ended_and_files_the_rest<K: Kind>() {
    let Some(place) = Place::<K>::new(Wish::new()).await else { return };
    let store = &place.store;
    for id in 0..603_u64 {
        let mut short = Record::new(NOW, MINUTE, 10 * MINUTE);
        short.idle_deadline = NOW + Duration::from_millis(id % 3);
        store.create(&foreign(&format!("{id}")), &short, NOW).await.unwrap();
    }
    let now = NOW + Duration::from_millis(1);
    assert!(store.touch(&foreign("2"), now + MINUTE, now).await.unwrap());
    assert!(store.touch(&foreign("602"), now + MINUTE, now).await.unwrap());
    assert_eq!(store.sweep(0, now).await.unwrap(), 0);
    assert_eq!(store.sweep(7, now).await.unwrap(), 7);
    assert_eq!(store.sweep(u32::MAX, now).await.unwrap(), 395);
    assert_eq!(store.sweep(u32::MAX, now).await.unwrap(), 0);
    let later = NOW + Duration::from_millis(2);
    assert_eq!(store.sweep(u32::MAX, later).await.unwrap(), 199);
    assert_eq!(place.number("SELECT count(*) FROM sessions").await, 2);
    let filed = "SELECT count(*) FROM sessions WHERE sweep_at = idle_deadline";
    assert_eq!(place.number(filed).await, 2);
    // A commit that makes the life shorter moves the bound with it.
    let shorter = patch().set_idle_timeout(Duration::from_millis(10));
    store.apply(&foreign("2"), &shorter, later).await.unwrap();
    let end: Timestamp = later + Duration::from_millis(10);
    assert_eq!(store.sweep(u32::MAX, end).await.unwrap(), 1);
    place.end().await;
}

/// Sweepers of different processes, with creations and touches meanwhile: what each tells adds up,
/// and no request fails for it.
async fn sweepers_take_turns<K: Kind>() {
    let Some(place) = Place::<K>::new(Wish::new()).await else { return };
    let end = NOW + MINUTE;
    let short = Record::new(NOW, MINUTE, MINUTE);
    for id in 0..300 {
        place.store.create(&foreign(&format!("{id}")), &short, NOW).await.unwrap();
    }
    let mut sweepers = tokio::task::JoinSet::new();
    for _ in 0..4 {
        let store = place.again().await;
        sweepers.spawn(async move {
            let mut all = 0;
            for _ in 0..20 {
                all += store.sweep(10, end).await.unwrap();
            }
            all
        });
    }
    for id in 0..100 {
        let key = foreign(&format!("new {id}"));
        place.store.create(&key, &foreign_record(), end).await.unwrap();
        assert!(place.store.touch(&key, end + MINUTE, end).await.unwrap());
    }
    let swept: u32 = sweepers.join_all().await.into_iter().sum();
    assert_eq!(swept + place.store.sweep(u32::MAX, end).await.unwrap(), 300);
    assert_eq!(place.number("SELECT count(*) FROM sessions").await, 100);
    place.end().await;
}

async fn a_revoked_user_is_out_however_the_row_comes_back<K: Kind>() {
    use tenure_core::store::UserIndex;
    let Some(place) = Place::<K>::new(Wish::new()).await else { return };
    let store = &place.store;
    store.create(&key(1), &record(), NOW).await.unwrap();
    applied(store, &key(1), patch().bind(Some(user("ada")), NOW)).await;
    place.run("CREATE TABLE sessions_copy AS SELECT * FROM sessions").await;
    assert_eq!(store.revoke(&namespace("shop"), &user("ada"), None, NOW).await.unwrap(), 1);
    place.run("INSERT INTO sessions SELECT * FROM sessions_copy").await;
    place.run("DROP TABLE sessions_copy").await;
    assert_eq!(place.number("SELECT count(*) FROM sessions").await, 1);
    assert_eq!(store.load(&key(1), NOW).await.unwrap(), None);
    assert!(!store.touch(&key(1), NOW + MINUTE, NOW).await.unwrap());
    assert!(!store.delete(&key(1), NOW).await.unwrap());
    assert_eq!(store.create(&key(1), &record(), NOW).await.unwrap(), Created::Created);
    let after = applied(store, &key(1), patch().bind(Some(user("ada")), NOW).add("n", ONE)).await;
    assert_eq!(loaded(store, &key(1)).await, after_stamp(after, 1));
    place.end().await;
}

/// The store stamps the epoch, and an answer need not know it.
fn after_stamp(mut record: Record, user: u64) -> Record {
    record.epochs.user = user;
    record
}
