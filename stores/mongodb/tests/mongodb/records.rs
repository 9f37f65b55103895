use mongodb::bson::{Bson, doc};
use tenure_core::Timestamp;
use tenure_core::id::{CommitId, Handle, Proof};
use tenure_core::store::{Created, Store, StoreErrorKind, StoreKey, Swap};
use tenure_core::value::Json;

use crate::support::{
    NOW, ONE, Place, applied, data, foreign_record, key, loaded, namespace, patch, record,
};

/// R8: keys that BSON, paths or operators would take for something else.
#[tokio::test]
async fn r8_fields_are_plain_names() {
    let Some(place) = Place::new() else { return };
    let store = place.store().await;
    let keys = ["", ".", "..", "$", "$set", "a.b", "a\0b", "%", "%2E", "a ", "a", "A", "0", "_id"];
    let mut filed = record();
    filed.data = keys.map(|key| (key, "1")).into_iter().collect();
    store.create(&key(1), &filed, NOW).await.unwrap();
    assert_eq!(loaded(&store, &key(1)).await.data, filed.data);
    let add = keys.iter().fold(patch(), |patch, key| patch.add(*key, ONE));
    let after = applied(&store, &key(1), add).await;
    assert!(after.data.iter().all(|(_, value)| value == "2"), "{after:?}");
    assert_eq!(after.data.len(), keys.len());
    let found = place.documents(&store).find_one(doc! { "v": 1 }).await.unwrap().unwrap();
    for (field, value) in found.get_document("data").unwrap() {
        assert!(!field.is_empty() && !field.contains(['.', '$', '\0']), "{field:?}");
        assert_eq!(value, &Bson::String("2".into()), "values are text");
    }
}

/// What lies in the collection and is no record is an error for all but sweep and delete.
#[tokio::test]
async fn a_broken_document_is_an_error_and_stays() {
    let Some(place) = Place::new() else { return };
    let store = place.store().await;
    let broken = [
        ("data", Bson::Null),
        ("data", doc! { "a": 1 }.into()),
        ("data", doc! { "a": "{" }.into()),
        ("data", doc! { "%zz": "1" }.into()),
        ("proof", "text".into()),
        ("revision", "7".into()),
        ("revision", (-1_i64).into()),
        ("commits", doc! { "xyz": 1_i64 }.into()),
        ("idle_timeout", 1.5.into()),
        ("user", "".into()),
        ("ip", "1.2.3".into()),
        ("v", "1".into()),
    ];
    for (of, (field, value)) in (1..).zip(broken) {
        store.create(&key(of), &record(), NOW).await.unwrap();
        let id = doc! { "_id": format!("shop h{}", format!("{of:02x}").repeat(Handle::LEN)) };
        let set = doc! { "$set": { field: &value } };
        let documents = place.documents(&store);
        assert_eq!(documents.update_one(id.clone(), set).await.unwrap().matched_count, 1);
        let errors = [
            store.load(&key(of), NOW).await.unwrap_err(),
            store.apply(&key(of), &patch().add("n", ONE), NOW).await.unwrap_err(),
        ];
        for error in errors {
            assert_eq!(error.kind(), StoreErrorKind::Corrupt, "{field} {value}: {error}");
            assert!(error.to_string().contains(&format!("{field:?}")), "{error}");
        }
        assert!(documents.find_one(id).await.unwrap().is_some(), "nothing is lost");
        if field != "proof" {
            assert!(store.delete(&key(of), NOW).await.unwrap(), "{field} {value}");
        }
    }
    assert_eq!(store.sweep(100, Timestamp::MAX).await.unwrap(), 1);
}

#[tokio::test]
async fn a_document_of_another_version_is_named() {
    let Some(place) = Place::new() else { return };
    let store = place.store().await;
    store.create(&key(1), &record(), NOW).await.unwrap();
    let set = doc! { "$set": { "v": 2 } };
    place.documents(&store).update_one(doc! { "v": 1 }, set).await.unwrap();
    let error = store.load(&key(1), NOW).await.unwrap_err();
    assert_eq!(error.kind(), StoreErrorKind::UnknownVersion);
    assert!(error.to_string().contains("version 2"), "{error}");
}

#[tokio::test]
async fn what_is_too_large_is_never_sent() {
    let Some(place) = Place::new() else { return };
    let (store, commands) = place.watched().await;
    store.create(&key(1), &record(), NOW).await.unwrap();
    let base = std::sync::Arc::new(loaded(&store, &key(1)).await);
    commands.take();
    let long = Json::of(&"x".repeat(4 << 20)).unwrap();
    let mut large = record();
    large.data = data([("a", long.as_str())]);
    let errors = [
        store.create(&key(2), &large, NOW).await.unwrap_err(),
        store.swap(&key(1), &base.revision, &large, NOW).await.unwrap_err(),
        store.apply(&key(1), &patch().set("a", long).on(base), NOW).await.unwrap_err(),
    ];
    for error in errors {
        assert_eq!(error.kind(), StoreErrorKind::TooLarge);
    }
    assert!(commands.take().is_empty());
    assert!(loaded(&store, &key(1)).await.data.is_empty());
}

/// Commits of a process follow each other; the revisions of sessions under one foreign id do not.
#[tokio::test]
async fn no_revision_comes_back() {
    let Some(place) = Place::new() else { return };
    let store = place.store().await;
    let key = StoreKey::foreign(namespace("shop"), "an id that comes back");
    let mut seen = Vec::new();
    for count in 0..10_u8 {
        let mut octets = [7; CommitId::LEN];
        octets[CommitId::LEN - 1] = count;
        let mut record = foreign_record();
        record.commits = vec![(CommitId::from_bytes(octets), NOW)];
        assert_eq!(store.create(&key, &record, NOW).await.unwrap(), Created::Created);
        for _ in 0..3 {
            let now = loaded(&store, &key).await;
            assert!(!seen.contains(&now.revision), "{now:?} has that of an earlier one");
            seen.push(now.revision);
            applied(&store, &key, patch().add("n", ONE)).await;
        }
        let swap = store.swap(&key, &seen[0], &record, NOW).await.unwrap();
        assert!(count == 0 || swap == Swap::Conflict, "{swap:?}");
        assert!(store.delete(&key, NOW).await.unwrap());
    }
}

/// X4: whoever reads the collection learns no token.
#[tokio::test]
async fn x4_the_documents_hold_no_secret() {
    let Some(place) = Place::new() else { return };
    let store = place.store().await;
    let secret = *b"twenty-four secret bytes";
    let handle = Handle::from_bytes(*b"twelve bytes");
    let proof = Proof::of(&namespace("shop"), &handle, &secret);
    let key = StoreKey::new(namespace("shop"), handle).with_proof(proof);
    let mut record = record();
    record.proofs.present = Some(proof);
    store.create(&key, &record, NOW).await.unwrap();
    applied(&store, &key, patch().add("n", ONE)).await;
    let found = place.documents(&store).find_one(doc! { "v": 1 }).await.unwrap().unwrap();
    let mut octets = Vec::new();
    found.to_writer(&mut octets).unwrap();
    let holds = |part: &[u8]| octets.windows(part.len()).any(|window| window == part);
    let hex: String = handle.as_bytes().iter().map(|octet| format!("{octet:02x}")).collect();
    assert!(holds(hex.as_bytes()), "the search finds what is there");
    let hex: String = secret.iter().map(|octet| format!("{octet:02x}")).collect();
    assert!(!holds(&secret[..12]) && !holds(hex.as_bytes()));
    assert!(!holds(b"dHdlbnR5LWZvdXIgc2VjcmV0"), "nor in base64");
}

/// Times that the driver of no language could show as a date.
#[tokio::test]
async fn the_last_of_all_times_is_kept() {
    let Some(place) = Place::new() else { return };
    let store = place.store().await;
    let mut endless = record();
    endless.idle_timeout = std::time::Duration::from_millis(Timestamp::MAX.as_millis());
    (endless.idle_deadline, endless.absolute_deadline) = (Timestamp::MAX, Timestamp::MAX);
    store.create(&key(1), &endless, NOW).await.unwrap();
    assert!(store.touch(&key(1), Timestamp::MAX, NOW).await.unwrap());
    let found = loaded(&store, &key(1)).await;
    assert_eq!((found.idle_deadline, found.absolute_deadline), (Timestamp::MAX, Timestamp::MAX));
    assert_eq!(found.idle_timeout, endless.idle_timeout);
}
