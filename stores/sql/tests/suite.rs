//! The twelve laws on real databases, from several processes where a law speaks of them.

#[cfg(feature = "sqlite")]
mod sqlite {
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

    store_suite! { laws, Sqlite::new() }
}

#[cfg(feature = "postgres")]
mod postgres {
    use std::time::Duration;

    use tenure_core::store::NearCache;
    use tenure_sql::{PostgresOptions, PostgresStore};
    use tenure_testkit::{StoreHarness, server, store_suite};

    /// All tests share one set of tables.
    struct Postgres(String);

    impl StoreHarness for Postgres {
        type Store = PostgresStore;

        async fn open(&self) -> PostgresStore {
            self.open_at(&self.0).await
        }

        fn address(&self) -> Option<String> {
            Some(self.0.clone())
        }

        async fn open_at(&self, address: &str) -> PostgresStore {
            let store = PostgresOptions::new()
                .table("suite")
                .unwrap()
                // A test machine may be busy with everything else.
                .connect_timeout(Duration::from_secs(60))
                .operation_timeout(Duration::from_secs(60))
                .connect(address)
                .await
                .unwrap();
            store.migrate().await.unwrap();
            store
        }
    }

    store_suite! { laws, server::url("postgres").map(Postgres) }

    /// X10: with a near cache in each process, told by the server.
    mod near_cache {
        use super::*;

        struct Near(String);

        impl StoreHarness for Near {
            type Store = NearCache<PostgresStore>;

            async fn open(&self) -> Self::Store {
                self.open_at(&self.0).await
            }

            fn address(&self) -> Option<String> {
                Some(self.0.clone())
            }

            async fn open_at(&self, address: &str) -> Self::Store {
                let store = PostgresOptions::new()
                    .table("suite_near")
                    .unwrap()
                    .notify_changes()
                    .connect_timeout(Duration::from_secs(60))
                    .operation_timeout(Duration::from_secs(60))
                    .connect(address)
                    .await
                    .unwrap();
                store.migrate().await.unwrap();
                let cache = NearCache::new(store);
                tokio::spawn(cache.watcher().run());
                while !cache.is_on() {
                    tokio::time::sleep(Duration::from_millis(10)).await;
                }
                cache
            }
        }

        store_suite! { laws, server::url("postgres").map(Near) }
    }

    /// Through a pooler in transaction mode.
    mod pgbouncer {
        use super::*;

        fn pooled(url: String) -> Postgres {
            Postgres(format!("{url}?pooler=transaction"))
        }

        store_suite! { laws, server::url("pgbouncer").map(pooled) }
    }
}

/// On MariaDB: MySQL itself is not to be had for tests.
#[cfg(feature = "mysql")]
mod mariadb {
    use std::time::Duration;

    use tenure_sql::{MySqlOptions, MySqlStore};
    use tenure_testkit::{StoreHarness, server, store_suite};

    /// All tests share one set of tables.
    struct MariaDb(String);

    impl StoreHarness for MariaDb {
        type Store = MySqlStore;

        async fn open(&self) -> MySqlStore {
            self.open_at(&self.0).await
        }

        fn address(&self) -> Option<String> {
            Some(self.0.clone())
        }

        async fn open_at(&self, address: &str) -> MySqlStore {
            let store = MySqlOptions::new()
                .table("suite")
                .unwrap()
                // A test machine may be busy with everything else.
                .connect_timeout(Duration::from_secs(60))
                .operation_timeout(Duration::from_secs(60))
                .connect(address)
                .await
                .unwrap();
            store.migrate().await.unwrap();
            store
        }
    }

    store_suite! { laws, server::url("mariadb").map(MariaDb) }
}
