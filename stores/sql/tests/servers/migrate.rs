use tenure_core::store::{Created, Store, StoreErrorKind};
use tokio::task::JoinSet;

use crate::support::{Kind, NOW, Place, Wish, key, loaded, on_each, record};

on_each! {
    connecting_makes_no_table_and_says_what_to_call
    v7_migrating_again_changes_nothing
    v7_all_may_migrate_at_once
    v7_printed_statements_make_tables_that_work
    another_version_is_refused
    a_table_of_another_shape_is_refused_and_nothing_is_made
    two_names_in_one_database_are_two_stores
}

async fn connecting_makes_no_table_and_says_what_to_call<K: Kind>() {
    let Some(place) = Place::<K>::bare(Wish::new()).await else { return };
    let errors = [
        place.store.load(&key(1), NOW).await.unwrap_err(),
        place.store.create(&key(1), &record(), NOW).await.unwrap_err(),
        place.store.sweep(1, NOW).await.unwrap_err(),
    ];
    for error in errors {
        assert!(error.to_string().contains("call migrate()"), "{error}");
        assert_eq!(error.kind(), StoreErrorKind::Other);
    }
    assert_eq!(place.tables().await, 0);
}

async fn v7_migrating_again_changes_nothing<K: Kind>() {
    let Some(place) = Place::<K>::new(Wish::new()).await else { return };
    place.store.create(&key(1), &record(), NOW).await.unwrap();
    K::migrate(&place.store).await.unwrap();
    K::migrate(&place.again().await).await.unwrap();
    assert_eq!(place.tables().await, 3);
    assert_eq!(place.number("SELECT count(*) FROM sessions_meta").await, 1);
    loaded(&place.store, &key(1)).await;
    place.end().await;
}

/// Each has connections of its own, which is all that processes have.
async fn v7_all_may_migrate_at_once<K: Kind>() {
    let Some(place) = Place::<K>::bare(Wish::new().connections(1)).await else { return };
    let mut all = JoinSet::new();
    for of in 0..8 {
        let store = place.again().await;
        all.spawn(async move {
            K::migrate(&store).await.unwrap();
            store.create(&key(of), &record(), NOW).await.unwrap()
        });
    }
    assert_eq!(all.join_all().await, [Created::Created; 8]);
    assert_eq!(place.number("SELECT count(*) FROM sessions_meta").await, 1);
    place.end().await;
}

async fn v7_printed_statements_make_tables_that_work<K: Kind>() {
    let Some(place) = Place::<K>::bare(Wish::new()).await else { return };
    for _ in 0..2 {
        K::run(&place.store, K::printed(&place.store)).await;
    }
    let created = place.store.create(&key(1), &record(), NOW).await.unwrap();
    assert_eq!(created, Created::Created);
    K::migrate(&place.store).await.unwrap();
    assert_eq!(place.tables().await, 3);
    loaded(&place.store, &key(1)).await;
    place.end().await;
}

async fn another_version_is_refused<K: Kind>() {
    let Some(place) = Place::<K>::new(Wish::new()).await else { return };
    for (version, remedy) in [(2, "update tenure-sql"), (0, "remove them")] {
        place.run(&format!("UPDATE sessions_meta SET version = {version}")).await;
        let error = K::migrate(&place.store).await.unwrap_err();
        assert!(error.to_string().contains(&format!("version {version}")), "{error}");
        assert!(error.to_string().contains(remedy), "{error}");
        assert_eq!(error.kind(), StoreErrorKind::Other);
    }
    place.end().await;
}

async fn a_table_of_another_shape_is_refused_and_nothing_is_made<K: Kind>() {
    let text = K::TEXT;
    for (table, sql) in [
        (0, format!("CREATE TABLE sessions (id {text} PRIMARY KEY, data {text})")),
        (1, "CREATE TABLE sessions_epochs (id bigint)".to_owned()),
        (2, format!("CREATE TABLE sessions_meta (name {text})")),
    ] {
        let Some(place) = Place::<K>::bare(Wish::new()).await else { return };
        place.run(&sql).await;
        let error = K::migrate(&place.store).await.unwrap_err().to_string();
        let remedy = format!("choose another name by {}::table", K::OPTIONS);
        assert!(error.contains(&remedy), "{table}: {error}");
        assert_eq!(place.tables().await, 1);
        place.end().await;
    }
    // The names fit, and the types would make of two keys one.
    let Some(place) = Place::<K>::new(Wish::new()).await else { return };
    place.run("DROP TABLE sessions_epochs").await;
    place
        .run(&format!(
            "CREATE TABLE sessions_epochs (namespace {text}, user_id {text}, epoch bigint, \
             PRIMARY KEY (namespace, user_id))"
        ))
        .await;
    let error = K::migrate(&place.store).await.unwrap_err().to_string();
    assert!(error.contains("choose another name"), "{error}");
    place.end().await;
}

async fn two_names_in_one_database_are_two_stores<K: Kind>() {
    let Some(one) = Place::<K>::new(Wish::new()).await else { return };
    let wish = Wish { table: format!("{}_order", one.wish.table), ..one.wish.clone() };
    let Some(two) = Place::<K>::new(wish).await else { return };
    for store in [&one.store, &two.store] {
        assert_eq!(store.create(&key(1), &record(), NOW).await.unwrap(), Created::Created);
    }
    assert!(one.store.delete(&key(1), NOW).await.unwrap());
    loaded(&two.store, &key(1)).await;
    two.end().await;
    one.end().await;
}
