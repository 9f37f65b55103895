//! The store in SQLite.

mod driver;
mod error;
mod migrate;
mod open;
mod options;

use std::path::Path;

use sqlx::SqlitePool;
use tenure_core::store::StoreResult;

use self::driver::Connections;
pub use self::options::SqliteOptions;
use crate::dialect::Dialect;
use crate::sessions::Sessions;
use crate::store::store;

const DIALECT: Dialect = Dialect {
    quote: '"',
    numbered: false,
    least: "min",
    greatest: "max",
    same: "IS NOT DISTINCT FROM",
    replaces: true,
    bound: false,
};

/// Sessions in an SQLite database, for as many processes of one machine as share the file.
///
/// Cheap to clone. It needs a tokio runtime with I/O and time. Inside one process writers queue
/// behind each other, since SQLite has one writer at a time; processes wait for each other as long
/// as the busy timeout says.
///
/// The tables are not made by opening: call [`migrate`](Self::migrate), or run what
/// [`migration_sql`](Self::migration_sql) prints.
///
/// ```
/// use std::time::{Duration, SystemTime};
/// use tenure_core::store::{Created, Record, Store, StoreKey};
/// use tenure_core::{Handle, Namespace, Timestamp, id::Proof};
/// use tenure_sql::SqliteStore;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let folder = tempfile::tempdir()?;
/// # let path = folder.path().join("sessions.sqlite");
/// let store = SqliteStore::open(path).await?;
/// store.migrate().await?;
///
/// let now = Timestamp::from(SystemTime::now());
/// let proof = Proof::from_bytes([2; 32]);
/// let key = StoreKey::new(Namespace::new("shop")?, Handle::from_bytes([1; 12])).with_proof(proof);
/// let mut record = Record::new(now, Duration::from_secs(60), Duration::from_secs(3600));
/// record.proofs.present = Some(proof);
/// assert_eq!(store.create(&key, &record, now).await?, Created::Created);
/// assert!(store.load(&key, now).await?.is_some());
/// # Ok(())
/// # }
/// ```
///
/// # Deployment caveat
/// SQLite relies on the locks of the file system: a file on a network share, used from two
/// machines, loses sessions and may break. Take a database server there.
///
/// [`close`](tenure_core::store::Store::close) closes the pool, which writes the log into the file
/// and removes it; the application's own pool, too.
#[derive(Clone)]
pub struct SqliteStore {
    sessions: Sessions<Connections>,
}

store!(SqliteStore, "SqliteStore");

impl SqliteStore {
    /// Opens the database at a path or a URL `sqlite:path`, with the default options. The file is
    /// made if it is missing, on unix readable and writable for its owner alone; the folder must be
    /// there. With the URL `sqlite:path?mode=rw` the file must be there, too.
    ///
    /// # Errors
    /// When the file cannot be opened or made, or is no database.
    pub async fn open(location: impl AsRef<Path>) -> StoreResult<Self> {
        SqliteOptions::new().open(location).await
    }

    /// Keeps sessions in the application's own database, with the default options.
    ///
    /// The pool stays as the application made it. For sessions it should use the write-ahead log
    /// and a busy timeout below two seconds, and the application should not await a session's
    /// commit inside a writing transaction of its own: SQLite has one writer.
    ///
    /// ```
    /// use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePool};
    /// use tenure_sql::SqliteStore;
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let folder = tempfile::tempdir()?;
    /// # let path = folder.path().join("shop.sqlite");
    /// let options = SqliteConnectOptions::new()
    ///     .filename(path)
    ///     .create_if_missing(true)
    ///     .journal_mode(SqliteJournalMode::Wal);
    /// let pool = SqlitePool::connect_with(options).await?;
    /// let store = SqliteStore::with_pool(pool.clone());
    /// store.migrate().await?;
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn with_pool(pool: SqlitePool) -> Self {
        SqliteOptions::new().with_pool(pool)
    }

    /// The pool of connections, the application's own or that of [`open`](Self::open). Closing it
    /// ends the store.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # use tenure_sql::{SqliteOptions, SqliteStore};
    /// # let folder = tempfile::tempdir()?;
    /// # let path = folder.path().join("sessions.sqlite");
    /// let store = SqliteStore::open(path).await?;
    /// store.migrate().await?;
    /// let count = sqlx::query_scalar("SELECT count(*) FROM tenure_sessions");
    /// assert_eq!(count.fetch_one(store.pool()).await.map(|n: i64| n)?, 0);
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn pool(&self) -> &SqlitePool {
        &self.sessions.driver.pool
    }
}
