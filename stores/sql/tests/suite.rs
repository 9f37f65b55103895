//! The twelve laws on real databases, from several processes where a law speaks of them.

/// Of rounds and writers that all run on the same database in another way, this share runs again.
const AGAIN: f64 = 0.2;

#[cfg(feature = "sqlite")]
mod sqlite {
    use std::path::PathBuf;

    use tempfile::TempDir;
    use tenure_core::format::MessagePack;
    use tenure_sql::{SqliteOptions, SqliteStore};
    use tenure_testkit::{StoreHarness, store_suite};

    use crate::AGAIN;

    /// One file a test.
    struct Sqlite {
        folder: TempDir,
        options: fn() -> SqliteOptions,
        share: f64,
    }

    impl Sqlite {
        fn new() -> Self {
            Self { folder: tempfile::tempdir().unwrap(), options: SqliteOptions::new, share: 1.0 }
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
            let store = (self.options)().open(address).await.unwrap();
            store.migrate().await.unwrap();
            store
        }

        fn share_of_rounds(&self) -> f64 {
            self.share
        }

        fn share_of_writers(&self) -> f64 {
            self.share
        }
    }

    store_suite! { laws, Sqlite::new() }

    /// K18: with records in another format; all rounds run in the first, too.
    mod messagepack {
        use super::*;

        fn packed() -> Sqlite {
            let options = || SqliteOptions::new().format(MessagePack);
            Sqlite { options, share: AGAIN, ..Sqlite::new() }
        }

        store_suite! { laws, packed() }
    }

    /// X8: with data that is sealed, by the same keys in each process.
    mod x8_sealed {
        use tenure_core::store::Sealed;
        use tenure_core::transform::Keyring;

        use super::*;

        struct AtRest(Sqlite);

        impl StoreHarness for AtRest {
            type Store = Sealed<SqliteStore>;

            async fn open(&self) -> Self::Store {
                self.open_at(self.0.path().to_str().unwrap()).await
            }

            fn address(&self) -> Option<String> {
                self.0.address()
            }

            async fn open_at(&self, address: &str) -> Self::Store {
                let keys = Keyring::from_secrets(["k7Q2mXv9LrT4wB8nZ1cJ6hY3pD5sF0gA"]).unwrap();
                Sealed::new(self.0.open_at(address).await, keys)
            }

            /// All rounds run without the seal, too, whose commits are a load and a swap each.
            fn share_of_rounds(&self) -> f64 {
                0.1
            }

            fn share_of_writers(&self) -> f64 {
                0.1
            }
        }

        store_suite! { laws, AtRest(Sqlite::new()) }
    }
}

#[cfg(feature = "postgres")]
mod postgres {
    use std::time::Duration;

    use tenure_core::store::NearCache;
    use tenure_sql::{PostgresOptions, PostgresStore};
    use tenure_testkit::{StoreHarness, server, store_suite};

    use crate::AGAIN;

    /// All tests share one set of tables.
    struct Postgres {
        url: String,
        options: fn() -> PostgresOptions,
        share: f64,
    }

    impl Postgres {
        fn at(url: String) -> Self {
            Self { url, options: || options("suite"), share: 1.0 }
        }
    }

    fn options(table: &str) -> PostgresOptions {
        PostgresOptions::new()
            .table(table)
            .unwrap()
            // A test machine may be busy with everything else.
            .connect_timeout(Duration::from_secs(60))
            .operation_timeout(Duration::from_secs(60))
    }

    impl StoreHarness for Postgres {
        type Store = PostgresStore;

        async fn open(&self) -> PostgresStore {
            self.open_at(&self.url).await
        }

        fn address(&self) -> Option<String> {
            Some(self.url.clone())
        }

        async fn open_at(&self, address: &str) -> PostgresStore {
            let store = (self.options)().connect(address).await.unwrap();
            store.migrate().await.unwrap();
            store
        }

        fn share_of_rounds(&self) -> f64 {
            self.share
        }

        fn share_of_writers(&self) -> f64 {
            self.share
        }
    }

    store_suite! { laws, server::url("postgres").map(Postgres::at) }

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
                let options = options("suite_near").notify_changes();
                let store = options.connect(address).await.unwrap();
                store.migrate().await.unwrap();
                let cache = NearCache::new(store);
                tokio::spawn(cache.watcher().run());
                while !cache.is_on() {
                    tokio::time::sleep(Duration::from_millis(10)).await;
                }
                cache
            }

            /// All rounds run without the cache, too.
            fn share_of_rounds(&self) -> f64 {
                AGAIN
            }
        }

        store_suite! { laws, server::url("postgres").map(Near) }
    }

    /// K18: with records in another format; all rounds run in the first, too.
    mod messagepack {
        use tenure_core::format::MessagePack;

        use super::*;

        fn packed(url: String) -> Postgres {
            let options = || options("suite_packed").format(MessagePack);
            Postgres { options, share: AGAIN, ..Postgres::at(url) }
        }

        store_suite! { laws, server::url("postgres").map(packed) }
    }

    /// X8: with data that is sealed, by the same keys in each process.
    mod x8_sealed {
        use tenure_core::store::Sealed;
        use tenure_core::transform::Keyring;

        use super::*;

        struct AtRest(String);

        impl StoreHarness for AtRest {
            type Store = Sealed<PostgresStore>;

            async fn open(&self) -> Self::Store {
                self.open_at(&self.0).await
            }

            fn address(&self) -> Option<String> {
                Some(self.0.clone())
            }

            async fn open_at(&self, address: &str) -> Self::Store {
                let store = options("suite_sealed").connect(address).await.unwrap();
                store.migrate().await.unwrap();
                let keys = Keyring::from_secrets(["k7Q2mXv9LrT4wB8nZ1cJ6hY3pD5sF0gA"]).unwrap();
                Sealed::new(store, keys)
            }

            /// All rounds run without the seal, too, whose commits are a load and a swap each.
            fn share_of_rounds(&self) -> f64 {
                0.1
            }

            fn share_of_writers(&self) -> f64 {
                0.1
            }
        }

        store_suite! { laws, server::url("postgres").map(AtRest) }
    }

    /// Through a pooler in transaction mode.
    mod pgbouncer {
        use super::*;

        /// All rounds run without the pooler, too.
        fn pooled(url: String) -> Postgres {
            let url = format!("{url}?pooler=transaction");
            Postgres { share: AGAIN, ..Postgres::at(url) }
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

    use crate::AGAIN;

    /// All tests share one set of tables.
    struct MariaDb {
        url: String,
        options: fn() -> MySqlOptions,
        share: f64,
    }

    impl MariaDb {
        fn at(url: String) -> Self {
            Self { url, options: || options("suite"), share: 1.0 }
        }
    }

    fn options(table: &str) -> MySqlOptions {
        MySqlOptions::new()
            .table(table)
            .unwrap()
            // A test machine may be busy with everything else.
            .connect_timeout(Duration::from_secs(60))
            .operation_timeout(Duration::from_secs(60))
    }

    impl StoreHarness for MariaDb {
        type Store = MySqlStore;

        async fn open(&self) -> MySqlStore {
            self.open_at(&self.url).await
        }

        fn address(&self) -> Option<String> {
            Some(self.url.clone())
        }

        async fn open_at(&self, address: &str) -> MySqlStore {
            let store = (self.options)().connect(address).await.unwrap();
            store.migrate().await.unwrap();
            store
        }

        fn share_of_rounds(&self) -> f64 {
            self.share
        }

        fn share_of_writers(&self) -> f64 {
            self.share
        }
    }

    store_suite! { laws, server::url("mariadb").map(MariaDb::at) }

    /// K18: with records in another format; all rounds run in the first, too.
    mod messagepack {
        use tenure_core::format::MessagePack;

        use super::*;

        fn packed(url: String) -> MariaDb {
            let options = || options("suite_packed").format(MessagePack);
            MariaDb { options, share: AGAIN, ..MariaDb::at(url) }
        }

        store_suite! { laws, server::url("mariadb").map(packed) }
    }
}
