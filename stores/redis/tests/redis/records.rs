//! What the scripts do to records.

use std::sync::Arc;
use std::time::Duration;

use tenure_core::store::{Applied, Created, Rejected, Store, StoreErrorKind, StoreKey};
use tenure_core::value::Number;

use crate::support::{
    MINUTE, ONE, apply, ask, begin, begin_as, json, key, keys, load, namespace, now, open, patch,
    record, redis, value,
};

/// A server that has forgotten the scripts gets them again, for every operation.
#[tokio::test]
async fn scripts_that_were_flushed_are_sent_again() {
    let Some(server) = redis() else { return };
    let store = open(&server).await;
    let flush = || ask(&server, &["SCRIPT", "FLUSH"]);
    flush();
    let key = begin_as(&store, "ada").await;
    flush();
    let seen = load(&store, &key).await;
    flush();
    apply(&store, &key, &patch().add("n", ONE).on(Arc::new(seen))).await;
    flush();
    assert!(store.touch(&key, now() + 30 * MINUTE, now()).await.unwrap());
    flush();
    let record = load(&store, &key).await;
    flush();
    store.swap(&key, &record.revision, &record, now()).await.unwrap();
    flush();
    assert_eq!(value(&store, &key, "n").await.as_deref(), Some("1"));
    flush();
    assert!(store.delete(&key, now()).await.unwrap());
    flush();
    store.sweep(10, now() + 24 * 60 * MINUTE).await.unwrap();
}

/// An increment beyond 64 bits is refused with everything beside it, wherever the sum is made.
#[tokio::test]
async fn an_overflow_leaves_nothing_behind() {
    let Some(server) = redis() else { return };
    let store = open(&server).await;
    for (there, by) in [
        ("9223372036854775807", 1),
        ("-9223372036854775808", -1),
        ("1", i64::MAX),
        ("999999999999999999", i64::MAX),
        ("9223372036854775800", 8),
    ] {
        let key = begin(&store, &[("a", "1"), ("n", there), ("z", "1")]).await;
        let before = load(&store, &key).await;
        let patch = patch()
            .add("a", ONE)
            .add("n", Number::Int(by))
            .set("new", json("1"))
            .remove("z")
            .on(Arc::new(before.clone()));
        let applied = store.apply(&key, &patch, now()).await.unwrap();
        let Applied::Refused(refused) = applied else { panic!("{there} + {by}: {applied:?}") };
        assert_eq!(&*refused.key, "n");
        assert_eq!(load(&store, &key).await, before, "{there} + {by}");
    }
    // The very edge still fits.
    let key = begin(&store, &[("n", "9223372036854775800")]).await;
    apply(&store, &key, &patch().add("n", Number::Int(7))).await;
    assert_eq!(value(&store, &key, "n").await.as_deref(), Some("9223372036854775807"));
}

/// A step that does not fit comes last, and the writes before it have not happened.
#[tokio::test]
async fn a_step_that_does_not_fit_undoes_nothing_since_nothing_was_done() {
    let Some(server) = redis() else { return };
    let store = open(&server).await;
    for (kind, step) in [
        ("push", patch().push("zz", json("1"))),
        ("add", patch().add("zz", ONE)),
        ("add", patch().add("zz", Number::Float(0.5))),
    ] {
        let key = begin(&store, &[("zz", "\"text\""), ("n", "1"), ("l", "[]")]).await;
        let before = load(&store, &key).await;
        let patch = step.add("n", ONE).push("l", json("1")).set("a", json("1"));
        for patch in [patch.clone(), patch.on(Arc::new(before.clone()))] {
            let applied = store.apply(&key, &patch, now()).await.unwrap();
            assert!(matches!(applied, Applied::Refused(_)), "{kind}: {applied:?}");
            assert_eq!(load(&store, &key).await, before, "{kind}");
        }
    }
}

/// Numbers that Redis would write otherwise, or not add at all, are added exactly.
#[tokio::test]
async fn sums_are_those_of_the_core() {
    let Some(server) = redis() else { return };
    let store = open(&server).await;
    for there in ["-0", "0", "1.5", "1e3", "-999999999999999999", "1000000000000000000", "0.1"] {
        for by in [ONE, Number::Int(0), Number::Int(-1), Number::Float(0.2), Number::Int(1 << 60)] {
            let key = begin(&store, &[("n", there)]).await;
            let patch = patch().add("n", by);
            let seen = load(&store, &key).await;
            let expected = patch.steps(&seen.data).unwrap().apply(&seen.data);
            match (store.apply(&key, &patch, now()).await.unwrap(), expected) {
                (Applied::Done(_), Ok(data)) => assert_eq!(load(&store, &key).await.data, data),
                (Applied::Refused(_), Err(Rejected::Refused(_))) => {}
                (applied, expected) => panic!("{there} + {by:?}: {applied:?}, not {expected:?}"),
            }
        }
    }
}

/// What lies under a session's key and is no session is an error that says so, and stays.
#[tokio::test]
async fn a_key_of_another_type_is_corrupt_and_stays() {
    let Some(server) = redis() else { return };
    let store = open(&server).await;
    let session = begin(&store, &[]).await;
    let name = keys(&server, "tenure:*:h:*").remove(0);
    ask(&server, &["DEL", &name]);
    ask(&server, &["SET", &name, "mine"]);
    let error = store.load(&session, now()).await.unwrap_err();
    assert_eq!(error.kind(), StoreErrorKind::Corrupt);
    assert!(error.to_string().contains("RedisOptions::prefix"), "{error}");
    assert!(store.apply(&session, &patch(), now()).await.is_err());
    assert!(store.create(&session, &record(&session, &[]), now()).await.is_err());
    assert!(store.delete(&session, now()).await.is_err());
    store.sweep(10, now() + 24 * 60 * MINUTE).await.unwrap();
    assert_eq!(ask(&server, &["GET", &name]).text(), "mine");
}

/// A field that was damaged is `Corrupt` for all but deleting and sweeping; of another version,
/// `UnknownVersion`.
#[tokio::test]
async fn damaged_fields_are_told_and_can_be_cleared_away() {
    let Some(server) = redis() else { return };
    let store = open(&server).await;
    let times = "\x01".to_owned() + &"\0".repeat(55);
    for (field, value, kind) in [
        ("t", "short", StoreErrorKind::UnknownVersion),
        ("t", "\x02", StoreErrorKind::UnknownVersion),
        ("t", times.as_str(), StoreErrorKind::Corrupt),
        ("p", "short", StoreErrorKind::Corrupt),
        ("e", "short", StoreErrorKind::Corrupt),
        ("k", "short", StoreErrorKind::Corrupt),
        ("n", "short", StoreErrorKind::Corrupt),
        ("i", "nowhere", StoreErrorKind::Corrupt),
        ("=n", "{broken", StoreErrorKind::Corrupt),
        ("unknown", "1", StoreErrorKind::Corrupt),
    ] {
        let session = begin(&store, &[("n", "1")]).await;
        let name = keys(&server, "tenure:*:h:*").remove(0);
        ask(&server, &["HSET", &name, field, value]);
        let error = store.load(&session, now()).await.expect_err(field);
        assert_eq!(error.kind(), kind, "{field}: {error}");
        store.sweep(10, now()).await.unwrap();
        let administrative = StoreKey::named(namespace(), session.name().clone());
        assert!(store.delete(&administrative, now()).await.unwrap(), "{field}");
        assert!(keys(&server, "tenure:*:h:*").is_empty(), "{field}");
    }
}

/// A hash without its times is no session, and is not written over.
#[tokio::test]
async fn half_a_hash_is_corrupt() {
    let Some(server) = redis() else { return };
    let store = open(&server).await;
    let session = begin(&store, &[]).await;
    let name = keys(&server, "tenure:*:h:*").remove(0);
    ask(&server, &["HDEL", &name, "t"]);
    for outcome in [
        store.load(&session, now()).await.map(drop),
        store.apply(&session, &patch(), now()).await.map(drop),
        store.create(&session, &record(&session, &[]), now()).await.map(drop),
        store.touch(&session, now(), now()).await.map(drop),
    ] {
        assert_eq!(outcome.unwrap_err().kind(), StoreErrorKind::Corrupt);
    }
    assert!(store.delete(&session, now()).await.unwrap());
}

/// What is over the limit never reaches the server, and a list cannot grow beyond it.
#[tokio::test]
async fn what_is_too_large_is_refused_before_it_is_sent() {
    let Some(server) = redis() else { return };
    let store = open(&server).await;
    let long = format!("\"{}\"", "x".repeat(5 << 20));
    let new = key();
    let error = store.create(&new, &record(&new, &[("a", &long)]), now()).await.unwrap_err();
    assert_eq!(error.kind(), StoreErrorKind::TooLarge);
    let session = begin(&store, &[("l", "[]")]).await;
    let error = store.apply(&session, &patch().set("a", json(&long)), now()).await.unwrap_err();
    assert_eq!(error.kind(), StoreErrorKind::TooLarge);
    let item = json(&format!("\"{}\"", "x".repeat(1 << 20)));
    let mut refused = 0;
    for _ in 0..6 {
        match store.apply(&session, &patch().push("l", item.clone()), now()).await {
            Ok(applied) => assert!(matches!(applied, Applied::Done(_)), "{applied:?}"),
            Err(error) => {
                assert_eq!(error.kind(), StoreErrorKind::TooLarge);
                refused += 1;
            }
        }
    }
    assert!((2..=3).contains(&refused), "{refused} of 6 were refused");
    assert!(load(&store, &session).await.data.size() < 4 << 20);
}

/// Redis removes a session some minutes after its deadline by itself, and its deadline moves with
/// the session.
#[tokio::test]
async fn the_server_expires_sessions_later_than_they_end() {
    let Some(server) = redis() else { return };
    let store = open(&server).await;
    let session = begin(&store, &[]).await;
    let name = keys(&server, "tenure:*:h:*").remove(0);
    let left = || {
        let tenure_test_servers::Reply::Number(left) = ask(&server, &["PTTL", &name]) else {
            panic!("no number")
        };
        Duration::from_millis(left.try_into().unwrap())
    };
    assert!(left() > 39 * MINUTE && left() <= 40 * MINUTE, "{:?}", left());
    apply(&store, &session, &patch().set_idle_timeout(60 * MINUTE)).await;
    assert!(left() > 69 * MINUTE && left() <= 70 * MINUTE, "{:?}", left());
    let record = load(&store, &session).await;
    store.swap(&session, &record.revision, &record, now()).await.unwrap();
    assert!(left() > 69 * MINUTE && left() <= 70 * MINUTE, "{:?}", left());
}

/// What the server has removed by itself leaves the schedule with the next sweep, uncounted.
#[tokio::test]
async fn sweeping_clears_what_the_server_has_removed() {
    let Some(server) = redis() else { return };
    let store = open(&server).await;
    for _ in 0..3 {
        begin(&store, &[]).await;
    }
    let names = keys(&server, "tenure:*:h:*");
    ask(&server, &["DEL", &names[0]]);
    let later = now() + 31 * MINUTE;
    assert_eq!(store.sweep(10, later).await.unwrap(), 2);
    assert_eq!(store.sweep(10, later).await.unwrap(), 0);
    let schedules = keys(&server, "tenure:*:schedule");
    for schedule in schedules {
        let left = ask(&server, &["ZRANGE", &schedule, "0", "-1"]);
        let tenure_test_servers::Reply::List(left) = left else { panic!("{left:?}") };
        assert!(left.iter().all(|name| name.text().is_empty()), "{left:?}");
    }
    assert!(keys(&server, "tenure:*:h:*").is_empty());
}

/// Foreign ids may be anything, and are told apart from handles.
#[tokio::test]
async fn foreign_ids_are_filed_under_their_octets() {
    let Some(server) = redis() else { return };
    let store = open(&server).await;
    for id in ["sess:1", "{tag}", "a b", "é", "*", "x".repeat(5_000).as_str()] {
        let key = StoreKey::foreign(namespace(), id);
        let created = store.create(&key, &record(&key, &[]), now()).await.unwrap();
        assert_eq!(created, Created::Created, "{id:?}");
        assert!(store.load(&key, now()).await.unwrap().is_some(), "{id:?}");
    }
}
