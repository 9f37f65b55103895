use std::time::Duration;

use sqlx::sqlite::{SqliteConnectOptions, SqlitePoolOptions};
use tenure_core::format::{DecodeError, Encoded, RecordFormat, TouchMode};
use tenure_core::store::{AnyStore, Record, Store, StoreError, StoreErrorKind};
use tenure_core::value::Json;
use tenure_sql::{SqliteOptions, SqliteStore};

use crate::support::{Database, NOW, ONE, applied, data, key, loaded, patch, record};

#[tokio::test]
async fn v6_sessions_survive_reopening() {
    let database = Database::new();
    let store = database.store().await;
    store.create(&key(1), &record(), NOW).await.unwrap();
    let before = applied(&store, &key(1), patch().set("a", Json::of("x").unwrap())).await;
    store.pool().close().await;
    let url = format!("sqlite://{}?mode=rw", database.path().display());
    let store = SqliteStore::open(url).await.unwrap();
    assert_eq!(loaded(&store, &key(1)).await, before);
}

/// One who closes a store finds one file afterwards, and later calls are told that it is over.
#[tokio::test]
async fn a_closed_store_leaves_its_file_alone_and_answers_no_more() {
    let database = Database::new();
    let store = AnyStore::new(database.store().await);
    store.create(&key(1), &record(), NOW).await.unwrap();
    let log = database.path().with_extension("sqlite-wal");
    assert!(log.exists(), "{log:?}");
    store.close().await;
    store.close().await;
    assert!(!log.exists());
    let error = store.load(&key(1), NOW).await.unwrap_err();
    assert_eq!(error.kind(), StoreErrorKind::Unavailable);
}

#[cfg(unix)]
#[tokio::test]
async fn the_files_are_the_owners_alone() {
    use std::os::unix::fs::PermissionsExt;
    let database = Database::new();
    let store = database.store().await;
    store.create(&key(1), &record(), NOW).await.unwrap();
    let files: Vec<_> = std::fs::read_dir(database.folder()).unwrap().map(Result::unwrap).collect();
    assert_eq!(files.len(), 3, "{files:?}");
    for file in files {
        assert_eq!(file.metadata().unwrap().permissions().mode() & 0o777, 0o600, "{file:?}");
    }
}

#[tokio::test]
async fn what_cannot_be_opened_is_named() {
    let database = Database::new();
    let missing = database.folder().join("missing").join("a.sqlite");
    let error = SqliteStore::open(&missing).await.unwrap_err();
    assert_eq!(error.kind(), StoreErrorKind::Unavailable);
    assert!(error.to_string().contains(missing.to_str().unwrap()), "{error}");
    assert!(error.to_string().contains("check that its folder is there"), "{error}");

    let url = format!("sqlite:{}?mode=rw", database.path().display());
    let error = SqliteStore::open(url).await.unwrap_err();
    assert_eq!(error.kind(), StoreErrorKind::Unavailable);
    assert!(!database.path().exists(), "mode=rw makes no file");

    std::fs::write(database.path(), "not a database, but long enough to be taken for one").unwrap();
    let error = SqliteStore::open(database.path()).await.unwrap_err();
    assert_eq!(error.kind(), StoreErrorKind::Other);
    assert!(error.to_string().contains("is no SQLite database"), "{error}");
}

#[tokio::test]
async fn a_database_that_cannot_be_written_is_unavailable() {
    let database = Database::new();
    database.store().await.create(&key(1), &record(), NOW).await.unwrap();
    let options = SqliteConnectOptions::new().filename(database.path()).read_only(true);
    let store =
        SqliteStore::with_pool(SqlitePoolOptions::new().connect_with(options).await.unwrap());
    store.migrate().await.expect("nothing has to be written");
    loaded(&store, &key(1)).await;
    let error = store.delete(&key(1), NOW).await.unwrap_err();
    assert_eq!(error.kind(), StoreErrorKind::Unavailable);
    assert!(error.to_string().contains("cannot be written"), "{error}");
}

#[tokio::test]
async fn a_locked_database_is_unavailable_and_comes_back() {
    let database = Database::new();
    let store = database.patient(Duration::from_millis(500)).await;
    let other = database.open().await;
    let lock = other.pool().begin_with("BEGIN IMMEDIATE").await.unwrap();
    let error = store.create(&key(1), &record(), NOW).await.unwrap_err();
    assert_eq!(error.kind(), StoreErrorKind::Unavailable);
    assert!(error.is_retryable() && error.to_string().contains("busy timeout"), "{error}");
    lock.rollback().await.unwrap();
    store.create(&key(1), &record(), NOW).await.unwrap();
    loaded(&store, &key(1)).await;
}

#[tokio::test]
async fn a_pool_without_a_free_connection_is_a_timeout() {
    let database = Database::new();
    database.store().await;
    let pool = SqlitePoolOptions::new()
        .max_connections(1)
        .acquire_timeout(Duration::from_millis(500))
        .connect_with(SqliteConnectOptions::new().filename(database.path()))
        .await
        .unwrap();
    let store = SqliteStore::with_pool(pool.clone());
    let kept = pool.acquire().await.unwrap();
    let error = store.load(&key(1), NOW).await.unwrap_err();
    assert_eq!(error.kind(), StoreErrorKind::Timeout);
    assert!(error.to_string().contains("allow more connections"), "{error}");
    drop(kept);
    assert_eq!(store.load(&key(1), NOW).await.unwrap(), None);
}

#[tokio::test]
async fn one_connection_is_enough() {
    let database = Database::new();
    let store = SqliteOptions::new().max_connections(1).open(database.path()).await.unwrap();
    store.migrate().await.unwrap();
    store.create(&key(1), &record(), NOW).await.unwrap();
    let stale = std::sync::Arc::new(loaded(&store, &key(1)).await);
    for n in ["1", "2", "3"] {
        let after = applied(&store, &key(1), patch().add("n", ONE).on(stale.clone())).await;
        assert_eq!(after.data.get("n"), Some(n));
    }
}

/// Writes what is given, whatever the record.
#[derive(Debug)]
struct Fixed(Vec<u8>);

impl RecordFormat for Fixed {
    fn encode(&self, record: &Record) -> Result<Encoded, StoreError> {
        Ok(Encoded::new(self.0.clone(), record.deadline()))
    }

    fn decode(&self, _: &[u8]) -> Result<Record, DecodeError> {
        Err(DecodeError::Malformed)
    }

    fn touch_mode(&self) -> TouchMode {
        TouchMode::Never
    }
}

#[tokio::test]
async fn what_is_too_large_never_reaches_the_driver() {
    let database = Database::new();
    let refused = async |bytes| {
        let options = SqliteOptions::new().format(Fixed(bytes));
        let store = options.open(database.path()).await.unwrap();
        store.create(&key(1), &record(), NOW).await.unwrap_err()
    };
    assert_eq!(refused(vec![b'x'; (4 << 20) + 1]).await.kind(), StoreErrorKind::TooLarge);

    let store = database.store().await;
    let long = format!("\"{}\"", "x".repeat(4 << 20));
    let mut large = record();
    large.data = data([("a", &long)]);
    let error = store.create(&key(1), &large, NOW).await.unwrap_err();
    assert_eq!(error.kind(), StoreErrorKind::TooLarge);
}
