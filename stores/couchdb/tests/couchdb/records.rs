use std::sync::Arc;

use tenure_core::store::{Store, StoreErrorKind};
use tenure_core::value::Json;

use crate::support::{NOW, ONE, Place, id, key, loaded, patch, record};

/// What lies in the database and is no record is an error for all but sweep and delete.
#[tokio::test]
async fn a_broken_document_is_an_error_and_stays() {
    let Some(place) = Place::new() else { return };
    let store = place.store().await;
    let broken = [
        "{}",
        "{\"v\":1}",
        "{\"v\":\"1\",\"record\":\"{}\"}",
        "{\"v\":1,\"exp\":5,\"record\":{}}",
        "{\"v\":1,\"exp\":5,\"record\":\"{\"}",
    ];
    for (of, body) in (1..).zip(broken) {
        let document = format!("/{}", id(of));
        assert_eq!(place.ask("PUT", &document, body).await.0, 201);
        let errors = [
            store.load(&key(of), NOW).await.unwrap_err(),
            store.apply(&key(of), &patch().add("n", ONE), NOW).await.unwrap_err(),
            store.touch(&key(of), NOW, NOW).await.unwrap_err(),
        ];
        for error in errors {
            assert_eq!(error.kind(), StoreErrorKind::Corrupt, "{body}: {error}");
        }
        assert!(!store.delete(&key(of), NOW).await.unwrap(), "{body}");
        assert_eq!(place.ask("GET", &document, "").await.0, 200, "nothing is lost");
    }
    assert_eq!(store.sweep(100, NOW).await.unwrap(), 2);
}

#[tokio::test]
async fn a_document_of_another_version_is_named() {
    let Some(place) = Place::new() else { return };
    let store = place.store().await;
    let body = "{\"v\":2,\"exp\":5,\"record\":\"{}\"}";
    assert_eq!(place.ask("PUT", &format!("/{}", id(1)), body).await.0, 201);
    let error = store.load(&key(1), NOW).await.unwrap_err();
    assert_eq!(error.kind(), StoreErrorKind::UnknownVersion);
    assert!(error.to_string().contains("version 2"), "{error}");
}

#[tokio::test]
async fn what_is_too_large_is_never_sent() {
    let Some(place) = Place::new() else { return };
    let (store, relay) = place.watched().await;
    store.create(&key(1), &record(), NOW).await.unwrap();
    let base = Arc::new(loaded(&store, &key(1)).await);
    relay.take();
    let long = Json::of(&"x".repeat(4 << 20)).unwrap();
    let mut large = record();
    large.data = [("a", long.as_str())].into_iter().collect();
    let errors = [
        store.create(&key(2), &large, NOW).await.unwrap_err(),
        store.swap(&key(1), &base.revision, &large, NOW).await.unwrap_err(),
        store.apply(&key(1), &patch().set("a", long).on(base), NOW).await.unwrap_err(),
    ];
    for error in errors {
        assert_eq!(error.kind(), StoreErrorKind::TooLarge);
    }
    assert!(relay.take().is_empty());
    assert!(loaded(&store, &key(1)).await.data.is_empty());
}

/// A database that takes no changes refuses them, and nothing is lost.
#[tokio::test]
async fn a_database_that_takes_no_changes_is_named() {
    let Some(place) = Place::new() else { return };
    let store = place.store().await;
    store.create(&key(1), &record(), NOW).await.unwrap();
    let guard = "{\"validate_doc_update\":\"function () { throw({forbidden: 'read only'}); }\"}";
    assert_eq!(place.ask("PUT", "/_design/guard", guard).await.0, 201);
    let errors = [
        store.create(&key(2), &record(), NOW).await.unwrap_err(),
        store.apply(&key(1), &patch().add("n", ONE), NOW).await.unwrap_err(),
        store.delete(&key(1), NOW).await.unwrap_err(),
    ];
    for error in errors {
        assert_eq!(error.kind(), StoreErrorKind::Other);
        let error = error.to_string();
        assert!(error.contains("validate_doc_update") && error.contains("read only"), "{error}");
    }
    loaded(&store, &key(1)).await;
}
