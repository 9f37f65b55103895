use std::any::Any;
use std::fmt::Debug;
use std::future::Future;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use sqlx::AssertSqlSafe;
use tenure_core::id::{CommitId, Handle, Namespace, Proof, UserId};
use tenure_core::store::{Applied, Epoch, Patch, Record, Store, StoreKey, StoreResult, UserIndex};
use tenure_core::value::{Data, Number};
use tenure_core::{SystemRandom, Timestamp};
use tenure_sql::{MySqlOptions, MySqlStore, PostgresOptions, PostgresStore};
use tenure_test_servers::{Options, Result, Server};
use tenure_testkit::server;

pub(crate) const NOW: Timestamp = Timestamp::from_millis(1_700_000_000_000);
pub(crate) const MINUTE: Duration = Duration::from_secs(60);
pub(crate) const ONE: Number = Number::Int(1);

/// How the options are to be, the same for all servers.
#[derive(Clone)]
pub(crate) struct Wish {
    pub(crate) table: String,
    pub(crate) connections: u32,
    pub(crate) limit: Duration,
    pub(crate) ca_file: Option<std::path::PathBuf>,
}

impl Wish {
    /// Tables that no other test and no earlier run has.
    pub(crate) fn new() -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let next = NEXT.fetch_add(1, Ordering::Relaxed);
        Self {
            table: format!("test_{}_{next}", std::process::id()),
            connections: 5,
            limit: Duration::from_secs(30),
            ca_file: None,
        }
    }

    pub(crate) fn limit(mut self, limit: Duration) -> Self {
        self.limit = limit;
        self
    }

    pub(crate) fn connections(mut self, connections: u32) -> Self {
        self.connections = connections;
        self
    }
}

/// One kind of server.
pub(crate) trait Kind: Send + Sync + 'static {
    type Store: Store + UserIndex + Epoch + Clone + Debug;
    const OPTIONS: &str;
    const QUOTE: char;
    /// A type for text, as another program would have it.
    const TEXT: &str;

    fn url() -> Option<String>;
    fn server(options: &Options) -> Result<Server>;
    fn open(wish: &Wish, url: &str) -> impl Future<Output = StoreResult<Self::Store>> + Send;
    fn fields(
        port: u16,
        password: &str,
        database: &str,
    ) -> impl Future<Output = StoreResult<Self::Store>> + Send;
    fn migrate(store: &Self::Store) -> impl Future<Output = StoreResult<()>> + Send;
    fn printed(store: &Self::Store) -> String;
    /// Takes a connection out of the store's pool until this is dropped.
    fn keep(store: &Self::Store) -> impl Future<Output = Box<dyn Any + Send>> + Send;
    fn run(store: &Self::Store, sql: String) -> impl Future<Output = ()> + Send;
    fn number(store: &Self::Store, sql: String) -> impl Future<Output = i64> + Send;
}

pub(crate) struct Postgres;
pub(crate) struct MariaDb;

macro_rules! kind {
    ($kind:ident, $store:ident, $options:ident, $service:literal, $server:ident, $quote:literal, $text:literal) => {
        impl Kind for $kind {
            type Store = $store;
            const OPTIONS: &str = stringify!($options);
            const QUOTE: char = $quote;
            const TEXT: &str = $text;

            fn url() -> Option<String> {
                server::url($service)
            }

            fn server(options: &Options) -> Result<Server> {
                Server::$server(options)
            }

            async fn open(wish: &Wish, url: &str) -> StoreResult<$store> {
                let options = $options::new()
                    .table(&wish.table)?
                    .max_connections(wish.connections)
                    .connect_timeout(wish.limit)
                    .operation_timeout(wish.limit);
                let options = match &wish.ca_file {
                    Some(file) => options.tls_ca_file(file),
                    None => options,
                };
                options.connect(url).await
            }

            async fn fields(port: u16, password: &str, database: &str) -> StoreResult<$store> {
                let options = $options::new().host("127.0.0.1")?.port(port).user("tenure")?;
                options.password(password)?.database(database)?.connect_fields().await
            }

            async fn migrate(store: &$store) -> StoreResult<()> {
                store.migrate().await
            }

            fn printed(store: &$store) -> String {
                store.migration_sql()
            }

            async fn keep(store: &$store) -> Box<dyn Any + Send> {
                Box::new(store.pool().acquire().await.unwrap())
            }

            async fn run(store: &$store, sql: String) {
                sqlx::raw_sql(AssertSqlSafe(sql)).execute(store.pool()).await.unwrap();
            }

            async fn number(store: &$store, sql: String) -> i64 {
                sqlx::query_scalar(AssertSqlSafe(sql)).fetch_one(store.pool()).await.unwrap()
            }
        }
    };
}

kind!(Postgres, PostgresStore, PostgresOptions, "postgres", postgres, '"', "text");
kind!(MariaDb, MySqlStore, MySqlOptions, "mariadb", mariadb, '`', "varchar(200)");

/// Makes a test for each kind of server of each function.
macro_rules! on_each {
    ($($test:ident)*) => {
        mod postgres {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $test() {
                super::$test::<crate::support::Postgres>().await;
            })*
        }

        mod mariadb {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $test() {
                super::$test::<crate::support::MariaDb>().await;
            })*
        }
    };
}

pub(crate) use on_each;

/// Tables of one test, on the shared server.
pub(crate) struct Place<K: Kind> {
    pub(crate) url: String,
    pub(crate) wish: Wish,
    pub(crate) store: K::Store,
}

impl<K: Kind> Place<K> {
    /// A store without its tables, or none if there is no server.
    pub(crate) async fn bare(wish: Wish) -> Option<Self> {
        let url = K::url()?;
        let store = K::open(&wish, &url).await.unwrap();
        Some(Self { url, wish, store })
    }

    pub(crate) async fn new(wish: Wish) -> Option<Self> {
        let place = Self::bare(wish).await?;
        K::migrate(&place.store).await.unwrap();
        Some(place)
    }

    pub(crate) async fn again(&self) -> K::Store {
        K::open(&self.wish, &self.url).await.unwrap()
    }

    /// Runs a statement in which `sessions` stands for the name of the table.
    pub(crate) async fn run(&self, sql: &str) {
        K::run(&self.store, self.named(sql)).await;
    }

    pub(crate) async fn number(&self, sql: &str) -> i64 {
        K::number(&self.store, self.named(sql)).await
    }

    pub(crate) fn named(&self, sql: &str) -> String {
        sql.replace("sessions", &self.wish.table)
    }

    /// How many of the tables are there.
    pub(crate) async fn tables(&self) -> i64 {
        self.number(
            "SELECT count(*) FROM information_schema.tables WHERE table_name LIKE 'sessions%'",
        )
        .await
    }

    /// Drops the tables.
    pub(crate) async fn end(self) {
        for suffix in ["", "_epochs", "_meta"] {
            self.run(&format!("DROP TABLE IF EXISTS sessions{suffix}")).await;
        }
    }
}

/// The server of a test of its own, or none if it is not installed.
pub(crate) fn private<K: Kind>(options: &Options) -> Option<Server> {
    match K::server(options) {
        Ok(server) => Some(server),
        Err(error) if error.is_missing() => {
            server::missing(&error.to_string());
            None
        }
        Err(error) => panic!("{error}"),
    }
}

pub(crate) fn namespace(name: &str) -> Namespace {
    Namespace::new(name).unwrap()
}

pub(crate) fn user(id: &str) -> UserId {
    UserId::new(id).unwrap()
}

pub(crate) fn proof(of: u8) -> Proof {
    Proof::from_bytes([of; Proof::LEN])
}

/// A key whose proof is that of [`record`].
pub(crate) fn key(of: u8) -> StoreKey {
    StoreKey::new(namespace("shop"), Handle::from_bytes([of; Handle::LEN])).with_proof(proof(1))
}

pub(crate) fn foreign(id: &str) -> StoreKey {
    StoreKey::foreign(namespace("shop"), id)
}

pub(crate) fn commit() -> CommitId {
    CommitId::random(&SystemRandom).unwrap()
}

pub(crate) fn patch() -> Patch {
    Patch::new(commit())
}

pub(crate) fn record() -> Record {
    let mut record = foreign_record();
    record.proofs.present = Some(proof(1));
    record
}

/// A record that a key without a proof may use.
pub(crate) fn foreign_record() -> Record {
    let mut record = Record::new(NOW, 30 * MINUTE, 720 * MINUTE);
    record.commits = vec![(commit(), NOW)];
    record
}

pub(crate) fn data<const N: usize>(values: [(&str, &str); N]) -> Data {
    values.into_iter().collect()
}

pub(crate) async fn applied(store: &impl Store, key: &StoreKey, patch: Patch) -> Record {
    match store.apply(key, &patch, NOW).await.unwrap() {
        Applied::Done(Some(record)) => *record,
        other => panic!("{other:?}"),
    }
}

pub(crate) async fn loaded(store: &impl Store, key: &StoreKey) -> Record {
    store.load(key, NOW).await.unwrap().expect("the session is there")
}
