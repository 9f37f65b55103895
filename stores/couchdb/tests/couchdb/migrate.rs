use tenure_core::store::{Created, Store, StoreErrorKind};
use tenure_couchdb::CouchOptions;

use crate::support::{NOW, Place, key, loaded, record};

#[tokio::test]
async fn v7_connecting_makes_no_database_and_says_what_to_call() {
    let Some(place) = Place::new() else { return };
    let store = place.connect().await;
    let errors = [
        store.load(&key(1), NOW).await.unwrap_err(),
        store.create(&key(1), &record(), NOW).await.unwrap_err(),
        store.delete(&key(1), NOW).await.unwrap_err(),
        store.sweep(1, NOW).await.unwrap_err(),
    ];
    for error in errors {
        assert!(error.to_string().contains("call migrate()"), "{error}");
        assert_eq!(error.kind(), StoreErrorKind::Other);
    }
    assert_eq!(place.ask("GET", "", "").await.0, 404);
    assert_eq!(place.ask("PUT", "", "").await.0, 201);
    let error = store.load(&key(1), NOW).await.unwrap_err().to_string();
    assert!(error.contains("is not prepared") && error.contains("call migrate()"), "{error}");
}

#[tokio::test]
async fn v7_migrating_again_and_at_once_changes_nothing() {
    let Some(place) = Place::new() else { return };
    let mut tasks = tokio::task::JoinSet::new();
    for _ in 0..6 {
        let store = place.connect().await;
        tasks.spawn(async move { store.migrate().await });
    }
    for outcome in tasks.join_all().await {
        outcome.unwrap();
    }
    let store = place.store().await;
    assert_eq!(store.create(&key(1), &record(), NOW).await.unwrap(), Created::Created);
    let (_, before) = place.ask("GET", "/_all_docs", "").await;
    store.migrate().await.unwrap();
    assert_eq!(place.ask("GET", "/_all_docs", "").await.1, before);
    loaded(&store, &key(1)).await;
}

/// A sweep would delete documents of somebody else that have an `exp`, so none may be there.
#[tokio::test]
async fn a_database_of_somebody_else_is_refused_and_left_alone() {
    for (document, body) in [("/order", "{\"exp\":7}"), ("/tenure-schema", "{}")] {
        let Some(place) = Place::new() else { return };
        place.ask("PUT", "", "").await;
        assert_eq!(place.ask("PUT", document, body).await.0, 201);
        let (_, before) = place.ask("GET", "/_all_docs", "").await;
        let error = place.connect().await.migrate().await.unwrap_err();
        assert_eq!(error.kind(), StoreErrorKind::Other);
        assert!(error.to_string().contains("choose another name by the URL"), "{error}");
        assert_eq!(place.ask("GET", "/_all_docs", "").await.1, before);
    }
}

/// A version ahead and one behind are named, before anything is read or written.
#[tokio::test]
async fn another_version_is_refused() {
    for (version, remedy) in [(2, "update tenure-couchdb"), (0, "choose another name")] {
        let Some(place) = Place::new() else { return };
        place.ask("PUT", "", "").await;
        let body = format!("{{\"version\":{version}}}");
        assert_eq!(place.ask("PUT", "/tenure-schema", &body).await.0, 201);
        let store = place.connect().await;
        let errors = [
            store.migrate().await.unwrap_err(),
            store.load(&key(1), NOW).await.unwrap_err(),
            store.create(&key(1), &record(), NOW).await.unwrap_err(),
        ];
        for error in errors {
            let error = error.to_string();
            assert!(error.contains(&format!("version {version}")), "{error}");
            assert!(error.contains(remedy), "{error}");
        }
    }
}

#[test]
fn only_plain_names_are_taken() {
    for name in ["", "Shop", "a b", "a/b", "_users", "1a", "é"] {
        let error = CouchOptions::new().database(name).unwrap_err().to_string();
        assert!(error.starts_with("database: ") && error.contains("choose a name"), "{error}");
    }
}
