use sqlx::AssertSqlSafe;
use sqlx::sqlite::{SqliteConnectOptions, SqlitePool};
use tenure_core::store::{Created, Store, StoreErrorKind};
use tenure_sql::{SqliteOptions, SqliteStore};

use crate::support::{Database, NOW, ONE, applied, key, loaded, number, patch, record, run};

const TABLES: &str = "SELECT count(*) FROM sqlite_schema";

async fn own_pool(database: &Database) -> SqlitePool {
    let options = SqliteConnectOptions::new().filename(database.path()).create_if_missing(true);
    SqlitePool::connect_with(options).await.unwrap()
}

#[tokio::test]
async fn opening_makes_no_table_and_says_what_to_call() {
    let database = Database::new();
    let store = database.open().await;
    let errors = [
        store.load(&key(1), NOW).await.unwrap_err(),
        store.create(&key(1), &record(), NOW).await.unwrap_err(),
        store.sweep(1, NOW).await.unwrap_err(),
    ];
    for error in errors {
        assert!(error.to_string().contains("call migrate()"), "{error}");
        assert_eq!(error.kind(), StoreErrorKind::Other);
    }
    assert_eq!(number(&store, TABLES).await, 0);
}

#[tokio::test]
async fn v7_migrating_again_changes_nothing() {
    let database = Database::new();
    let store = database.store().await;
    store.create(&key(1), &record(), NOW).await.unwrap();
    let before = number(&store, "SELECT sum(length(sql)) FROM sqlite_schema").await;
    store.migrate().await.unwrap();
    database.open().await.migrate().await.unwrap();
    assert_eq!(number(&store, "SELECT sum(length(sql)) FROM sqlite_schema").await, before);
    assert_eq!(number(&store, "SELECT count(*) FROM tenure_sessions_meta").await, 1);
    loaded(&store, &key(1)).await;
}

#[tokio::test]
async fn v7_printed_statements_make_tables_that_work() {
    let database = Database::new();
    let pool = own_pool(&database).await;
    let options = SqliteOptions::new().table("shop_sessions").unwrap();
    let sql = options.migration_sql();
    for _ in 0..2 {
        sqlx::raw_sql(AssertSqlSafe(sql.clone())).execute(&pool).await.unwrap();
    }
    let store = options.with_pool(pool);
    assert_eq!(store.migration_sql(), sql);
    assert_eq!(store.create(&key(1), &record(), NOW).await.unwrap(), Created::Created);
    let tables = number(&store, TABLES).await;
    store.migrate().await.unwrap();
    assert_eq!(number(&store, TABLES).await, tables);
    loaded(&store, &key(1)).await;
}

#[tokio::test]
async fn v6_tables_of_the_application_stay_as_they_are() {
    let database = Database::new();
    let pool = own_pool(&database).await;
    sqlx::raw_sql("CREATE TABLE users (id INTEGER); INSERT INTO users VALUES (7)")
        .execute(&pool)
        .await
        .unwrap();
    let store = SqliteStore::with_pool(pool.clone());
    store.migrate().await.unwrap();
    store.create(&key(1), &record(), NOW).await.unwrap();
    applied(&store, &key(1), patch().add("n", ONE)).await;
    assert_eq!(number(&store, "SELECT id FROM users").await, 7);
    pool.close().await;
    assert_eq!(store.load(&key(1), NOW).await.unwrap_err().kind(), StoreErrorKind::Unavailable);
}

#[tokio::test]
async fn two_names_in_one_database_are_two_stores() {
    let database = Database::new();
    let pool = own_pool(&database).await;
    let named = |name| SqliteOptions::new().table(name).unwrap().with_pool(pool.clone());
    let (one, two) = (named("one"), named("order"));
    for store in [&one, &two] {
        store.migrate().await.unwrap();
        assert_eq!(store.create(&key(1), &record(), NOW).await.unwrap(), Created::Created);
    }
    assert!(one.delete(&key(1), NOW).await.unwrap());
    loaded(&two, &key(1)).await;
}

#[tokio::test]
async fn newer_tables_are_refused() {
    let database = Database::new();
    let store = database.store().await;
    run(&store, "UPDATE tenure_sessions_meta SET version = 2").await;
    let error = store.migrate().await.unwrap_err().to_string();
    assert!(error.contains("version 2") && error.contains("update tenure-sql"), "{error}");
}

#[tokio::test]
async fn a_table_of_another_shape_is_refused_and_nothing_is_made() {
    for sql in [
        "CREATE TABLE tenure_sessions (id TEXT PRIMARY KEY, data TEXT)",
        "CREATE TABLE tenure_sessions_epochs (id INTEGER)",
        "CREATE TABLE tenure_sessions_meta (key TEXT)",
    ] {
        let database = Database::new();
        let store = database.open().await;
        run(&store, sql).await;
        let before = number(&store, TABLES).await;
        let error = store.migrate().await.unwrap_err().to_string();
        assert!(error.contains("choose another name by SqliteOptions::table"), "{error}");
        assert_eq!(number(&store, TABLES).await, before);
    }
}

/// P8: names of tables are checked.
#[test]
fn only_plain_names_are_taken() {
    for name in ["", "1st", "a b", "a\"b", "a;b", "a'b", "a.b", "é", &"x".repeat(49)] {
        let error = SqliteOptions::new().table(name).unwrap_err().to_string();
        assert!(error.starts_with("table: ") && error.contains("choose a name"), "{error}");
    }
    for name in ["a", "_1", "select", &"x".repeat(48)] {
        assert!(SqliteOptions::new().table(name).is_ok(), "{name}");
    }
}

/// V6, A19: the application's pool for the one of its databases that is to have the sessions; the
/// other one stays as it is, and a new pool finds them again.
#[tokio::test]
async fn v6_one_database_of_several_has_the_sessions() {
    let (orders, people) = (Database::new(), Database::new());
    let (other, pool) = (own_pool(&orders).await, own_pool(&people).await);
    let store = SqliteStore::with_pool(pool.clone());
    store.migrate().await.unwrap();
    store.create(&key(1), &record(), NOW).await.unwrap();
    let tables: i64 = sqlx::query_scalar(TABLES).fetch_one(&other).await.unwrap();
    assert_eq!(tables, 0);
    pool.close().await;
    let store = SqliteStore::with_pool(own_pool(&people).await);
    loaded(&store, &key(1)).await;
    assert_eq!(
        store.sweep(10, record().idle_deadline + std::time::Duration::from_secs(1)).await.unwrap(),
        1
    );
    assert_eq!(store.load(&key(1), NOW).await.unwrap(), None);
}
