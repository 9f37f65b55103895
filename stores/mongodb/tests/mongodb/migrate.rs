use mongodb::bson::doc;
use tenure_core::store::{Created, Store, StoreErrorKind};
use tenure_mongodb::MongoOptions;

use crate::support::{MINUTE, NOW, Place, key, loaded, record};

#[tokio::test]
async fn v7_connecting_makes_no_collection_and_says_what_to_call() {
    let Some(place) = Place::new() else { return };
    let store = place.connect().await;
    let errors = [
        store.load(&key(1), NOW).await.unwrap_err(),
        store.create(&key(1), &record(), NOW).await.unwrap_err(),
        store.touch(&key(1), NOW, NOW).await.unwrap_err(),
        store.delete(&key(1), NOW).await.unwrap_err(),
        store.sweep(1, NOW).await.unwrap_err(),
    ];
    for error in errors {
        assert!(error.to_string().contains("call migrate()"), "{error}");
        assert_eq!(error.kind(), StoreErrorKind::Other);
    }
    assert!(!place.is_there(&store).await);
}

#[tokio::test]
async fn v7_migrating_again_changes_nothing() {
    let Some(place) = Place::new() else { return };
    let store = place.store().await;
    store.create(&key(1), &record(), NOW).await.unwrap();
    let documents = place.documents(&store);
    let before = documents.list_index_names().await.unwrap();
    assert_eq!(before.len(), 3, "{before:?}");
    store.migrate().await.unwrap();
    let other = place.connect().await;
    other.migrate().await.unwrap();
    assert_eq!(documents.list_index_names().await.unwrap(), before);
    assert_eq!(documents.count_documents(doc! {}).await.unwrap(), 2);
    loaded(&other, &key(1)).await;
}

#[tokio::test]
async fn v7_many_processes_may_migrate_at_once() {
    let Some(place) = Place::new() else { return };
    let mut tasks = tokio::task::JoinSet::new();
    for _ in 0..8 {
        let store = place.connect().await;
        tasks.spawn(async move { store.migrate().await });
    }
    for outcome in tasks.join_all().await {
        outcome.unwrap();
    }
    let store = place.store().await;
    assert_eq!(store.create(&key(1), &record(), NOW).await.unwrap(), Created::Created);
}

#[tokio::test]
async fn a_collection_of_another_shape_is_refused_and_left_alone() {
    for shape in ["collation", "capped", "documents", "index", "schema"] {
        let Some(place) = Place::new() else { return };
        let store = place.connect().await;
        let database = store.client().default_database().unwrap();
        let documents = place.documents(&store);
        match shape {
            "collation" => {
                let folds =
                    doc! { "create": &place.name, "collation": { "locale": "en", "strength": 2 } };
                database.run_command(folds).await.unwrap();
            }
            "capped" => {
                let ring = doc! { "create": &place.name, "capped": true, "size": 4096 };
                database.run_command(ring).await.unwrap();
            }
            "documents" => drop(documents.insert_one(doc! { "order": 7 }).await.unwrap()),
            "index" => {
                let index = doc! { "key": { "x": 1 }, "name": "tenure_by_deadline" };
                let make = doc! { "createIndexes": &place.name, "indexes": [index] };
                database.run_command(make).await.unwrap();
            }
            _ => drop(documents.insert_one(doc! { "_id": " schema" }).await.unwrap()),
        }
        let before = documents.list_index_names().await.unwrap();
        let error = store.migrate().await.unwrap_err();
        assert_eq!(error.kind(), StoreErrorKind::Other, "{shape}");
        let error = error.to_string();
        assert!(
            error.contains("choose another name by MongoOptions::collection"),
            "{shape}: {error}"
        );
        assert_eq!(documents.list_index_names().await.unwrap(), before, "{shape}");
    }
}

/// A version ahead and one behind are named, before anything is read or written.
#[tokio::test]
async fn another_version_is_refused() {
    for (version, remedy) in [(2_i64, "update tenure-mongodb"), (0, "choose another name")] {
        let Some(place) = Place::new() else { return };
        let store = place.store().await;
        store.create(&key(1), &record(), NOW).await.unwrap();
        let set = doc! { "$set": { "version": version } };
        place.documents(&store).update_one(doc! { "_id": " schema" }, set).await.unwrap();
        let other = place.connect().await;
        let errors = [
            other.migrate().await.unwrap_err(),
            other.load(&key(1), NOW).await.unwrap_err(),
            other.create(&key(2), &record(), NOW).await.unwrap_err(),
        ];
        for error in errors {
            let error = error.to_string();
            assert!(
                error.contains(&format!("version {version}")) && error.contains(remedy),
                "{error}"
            );
        }
        assert_eq!(place.documents(&store).count_documents(doc! {}).await.unwrap(), 2);
    }
}

/// The server's own expiry is hygiene: it comes, an hour late, and never decides.
#[tokio::test]
async fn the_server_deletes_what_nobody_sweeps() {
    let Some(place) = Place::new() else { return };
    let store = place.store().await;
    let mut old = record();
    let long_ago = tenure_core::Timestamp::from_millis(1_700_000_000_000);
    (old.idle_deadline, old.absolute_deadline) = (long_ago, long_ago);
    store.create(&key(1), &old, NOW).await.unwrap();
    let hour_ago = tenure_core::Timestamp::from(std::time::SystemTime::now() - 30 * MINUTE);
    let mut late = record();
    (late.idle_deadline, late.absolute_deadline) = (hour_ago, hour_ago);
    store.create(&key(2), &late, NOW).await.unwrap();
    let documents = place.documents(&store);
    for _ in 0..200 {
        if documents.count_documents(doc! {}).await.unwrap() == 2 {
            break;
        }
        tokio::time::sleep(MINUTE / 600).await;
    }
    let ids = documents.distinct("_id", doc! {}).await.unwrap();
    assert_eq!(ids.len(), 2, "{ids:?}");
    let within = hour_ago.as_millis() - 1;
    let found = store.load(&key(2), tenure_core::Timestamp::from_millis(within)).await.unwrap();
    assert!(found.is_some(), "the clock of the request decides");
}

#[tokio::test]
async fn two_names_in_one_database_are_two_stores() {
    let (Some(one), Some(two)) = (Place::new(), Place::new()) else { return };
    let (first, second) = (one.store().await, two.store().await);
    for store in [&first, &second] {
        assert_eq!(store.create(&key(1), &record(), NOW).await.unwrap(), Created::Created);
    }
    assert!(first.delete(&key(1), NOW).await.unwrap());
    loaded(&second, &key(1)).await;
}

#[test]
fn only_plain_names_are_taken() {
    for name in ["", "a b", "a\"b", "a;b", "a'b", "a.b", "$cmd", "é", &"x".repeat(64)] {
        let error = MongoOptions::new().collection(name).unwrap_err().to_string();
        assert!(error.starts_with("collection: ") && error.contains("choose a name"), "{error}");
        let error = MongoOptions::new().database(name).unwrap_err().to_string();
        assert!(error.starts_with("database: ") && error.contains("choose a name"), "{error}");
    }
}
