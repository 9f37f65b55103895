//! The twelve laws on files, from several processes where a law speaks of them.

use std::path::PathBuf;

use tempfile::TempDir;
use tenure_core::format::MessagePack;
use tenure_core::store::NearCache;
use tenure_file::{FileOptions, FileStore};
use tenure_testkit::{StoreHarness, store_suite};

/// Of rounds that all run on files in another way, this share runs again.
const AGAIN: f64 = 0.2;

/// One folder a test.
struct Files {
    parent: TempDir,
}

impl Files {
    fn new() -> Self {
        Self { parent: tempfile::tempdir().unwrap() }
    }

    fn path(&self) -> PathBuf {
        self.parent.path().join("sessions")
    }
}

impl StoreHarness for Files {
    type Store = FileStore;

    async fn open(&self) -> FileStore {
        FileStore::open(self.path()).await.unwrap()
    }

    fn address(&self) -> Option<String> {
        Some(format!("file:{}", self.path().display()))
    }

    async fn open_at(&self, address: &str) -> FileStore {
        FileStore::open(address).await.unwrap()
    }
}

store_suite! { file, Files::new() }

/// K20: with a near cache in each process, which nobody tells of changes.
struct Cached(Files);

impl StoreHarness for Cached {
    type Store = NearCache<FileStore>;

    async fn open(&self) -> NearCache<FileStore> {
        NearCache::new(self.0.open().await)
    }

    fn address(&self) -> Option<String> {
        self.0.address()
    }

    async fn open_at(&self, address: &str) -> NearCache<FileStore> {
        NearCache::new(self.0.open_at(address).await)
    }

    /// All rounds run without the cache, too.
    fn share_of_rounds(&self) -> f64 {
        AGAIN
    }
}

store_suite! { near_cache, Cached(Files::new()) }

/// K18: with records in another format.
struct Packed(Files);

impl StoreHarness for Packed {
    type Store = FileStore;

    async fn open(&self) -> FileStore {
        self.open_at(self.0.path().to_str().unwrap()).await
    }

    fn address(&self) -> Option<String> {
        self.0.address()
    }

    async fn open_at(&self, address: &str) -> FileStore {
        FileOptions::new().format(MessagePack).open(address).await.unwrap()
    }

    /// All rounds run with the other format, too.
    fn share_of_rounds(&self) -> f64 {
        AGAIN
    }
}

store_suite! { messagepack, Packed(Files::new()) }
