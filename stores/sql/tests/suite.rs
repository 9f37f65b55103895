//! The twelve laws on SQLite, in real files, from several processes where a law speaks of them.

use std::path::PathBuf;

use tempfile::TempDir;
use tenure_sql::SqliteStore;
use tenure_testkit::{StoreHarness, store_suite};

/// One file a test.
struct Sqlite {
    folder: TempDir,
}

impl Sqlite {
    fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap() }
    }

    fn path(&self) -> PathBuf {
        self.folder.path().join("sessions.sqlite")
    }
}

impl StoreHarness for Sqlite {
    type Store = SqliteStore;

    async fn open(&self) -> SqliteStore {
        self.open_at(self.path().to_str().unwrap()).await
    }

    fn address(&self) -> Option<String> {
        self.path().to_str().map(str::to_owned)
    }

    async fn open_at(&self, address: &str) -> SqliteStore {
        let store = SqliteStore::open(address).await.unwrap();
        store.migrate().await.unwrap();
        store
    }
}

store_suite! { sqlite, Sqlite::new() }
