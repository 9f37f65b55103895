//! What is MariaDB's and MySQL's own.

use std::sync::Arc;
use std::time::Duration;

use sqlx::mysql::MySqlPoolOptions;
use sqlx::{Executor, MySqlPool};
use tenure_core::store::{Created, Store, StoreErrorKind};
use tenure_sql::{MySqlOptions, MySqlStore};
use tokio::task::JoinSet;

use crate::support::{
    Kind, MINUTE, MariaDb, NOW, ONE, Place, Wish, applied, foreign, foreign_record, key, loaded,
    patch, record, user,
};

/// A pool as an application might have it.
async fn pool(url: &str, settings: &'static str) -> MySqlPool {
    MySqlPoolOptions::new()
        .after_connect(move |connection, _| {
            Box::pin(async move {
                let connection: &mut sqlx::MySqlConnection = connection;
                connection.execute(sqlx::raw_sql(settings)).await.map(drop)
            })
        })
        .connect(url)
        .await
        .unwrap()
}

fn on(place: &Place<MariaDb>, pool: MySqlPool) -> MySqlStore {
    let options = MySqlOptions::new().operation_timeout(Duration::from_secs(60));
    options.table(&place.wish.table).unwrap().with_pool(pool)
}

/// Snapshots, missing strictness and a collation that takes all for one: the application's own pool
/// may have them, sessions do not mind.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn settings_of_an_own_pool_change_nothing() {
    let Some(place) = Place::<MariaDb>::new(Wish::new()).await else { return };
    let settings = "SET SESSION sql_mode = ''; SET NAMES utf8mb4 COLLATE utf8mb4_general_ci; \
                    SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ";
    let store = on(&place, pool(&place.url, settings).await);
    store.migrate().await.unwrap();
    let mut long = record();
    long.user = Some(user(&"u".repeat(255)));
    store.create(&key(1), &long, NOW).await.unwrap();
    assert_eq!(loaded(&store, &key(1)).await.user, long.user);
    for id in ["a", "A", "a ", "\u{e4}"] {
        let created = store.create(&foreign(id), &foreign_record(), NOW).await.unwrap();
        assert_eq!(created, Created::Created, "{id:?}");
    }
    let base = Arc::new(loaded(&store, &key(1)).await);
    let mut tasks = JoinSet::new();
    for _ in 0..60 {
        let (store, base) = (store.clone(), base.clone());
        tasks.spawn(async move {
            applied(&store, &key(1), patch().add("n", ONE).on(base)).await;
        });
    }
    tasks.join_all().await;
    assert_eq!(loaded(&store, &key(1)).await.data.get("n"), Some("60"));
    place.end().await;
}

/// A write that changes no octet has met its row nevertheless.
#[tokio::test]
async fn a_touch_that_moves_nothing_is_done() {
    let Some(place) = Place::<MariaDb>::new(Wish::new()).await else { return };
    place.store.create(&key(1), &record(), NOW).await.unwrap();
    for _ in 0..2 {
        assert!(place.store.touch(&key(1), NOW, NOW).await.unwrap());
    }
    place.end().await;
}

#[tokio::test]
async fn a_server_that_takes_no_writes_is_named() {
    let Some(place) = Place::<MariaDb>::new(Wish::new()).await else { return };
    place.store.create(&key(1), &record(), NOW).await.unwrap();
    let store = on(&place, pool(&place.url, "SET SESSION TRANSACTION READ ONLY").await);
    store.migrate().await.expect("nothing has to be written");
    loaded(&store, &key(1)).await;
    let error = store.delete(&key(1), NOW).await.unwrap_err();
    assert_eq!(error.kind(), StoreErrorKind::Unavailable);
    assert!(error.to_string().contains("read-only replica"), "{error}");
    loaded(&place.store, &key(1)).await;
    place.end().await;
}

/// The server's own limit comes first where it can: in whole seconds.
#[tokio::test]
async fn a_locked_row_is_a_timeout() {
    let wish = Wish::new().limit(Duration::from_millis(1_800));
    let Some(place) = Place::<MariaDb>::new(wish).await else { return };
    place.store.create(&key(1), &record(), NOW).await.unwrap();
    let mut lock = place.store.pool().begin().await.unwrap();
    let locking = place.named("SELECT 1 FROM sessions FOR UPDATE");
    lock.execute(sqlx::raw_sql(sqlx::AssertSqlSafe(locking))).await.unwrap();
    let error = place.store.touch(&key(1), NOW + 40 * MINUTE, NOW).await.unwrap_err();
    assert_eq!(error.kind(), StoreErrorKind::Timeout, "{error}");
    assert!(error.to_string().contains("innodb_lock_wait_timeout"), "{error}");
    lock.rollback().await.unwrap();
    assert!(place.store.touch(&key(1), NOW + 40 * MINUTE, NOW).await.unwrap());
    place.end().await;
}

/// Deletions of many rows, creations and touches at once: deadlocks are the store's to solve.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_hears_of_a_deadlock() {
    use tenure_core::store::UserIndex;
    let Some(place) = Place::<MariaDb>::new(Wish::new().connections(10)).await else { return };
    let namespace = crate::support::namespace("shop");
    let mut tasks = JoinSet::new();
    for part in 0..8 {
        let (store, namespace) = (place.store.clone(), namespace.clone());
        tasks.spawn(async move {
            for round in 0..25 {
                let key = foreign(&format!("{part} {round}"));
                let mut mine = foreign_record();
                mine.user = Some(user(["ada", "bob"][part % 2]));
                store.create(&key, &mine, NOW).await.unwrap();
                store.touch(&key, NOW + 40 * MINUTE, NOW).await.unwrap();
                if round % 5 == 0 {
                    store.revoke(&namespace, &user("ada"), None, NOW).await.unwrap();
                    store.sweep(10, NOW + 31 * MINUTE).await.unwrap();
                }
            }
        });
    }
    tasks.join_all().await;
    place.end().await;
}

#[tokio::test]
async fn a_url_without_a_database_is_refused() {
    let error = MySqlStore::connect("mysql://shop:secret@127.0.0.1").await.unwrap_err();
    assert!(error.to_string().contains("give one by database"), "{error}");
    assert_eq!(MariaDb::OPTIONS, "MySqlOptions");
}
