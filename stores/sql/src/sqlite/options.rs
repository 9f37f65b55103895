use std::fmt;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use sqlx::SqlitePool;
use tenure_core::format::{Envelope, RecordFormat};
use tenure_core::store::StoreResult;

use super::driver::Connections;
use super::{DIALECT, SqliteStore};
use crate::sessions::{Sessions, Shared};
use crate::table::Table;

/// How an [`SqliteStore`] is set up.
///
/// ```
/// use std::time::Duration;
/// use tenure_sql::SqliteOptions;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let folder = tempfile::tempdir()?;
/// # let path = folder.path().join("shop.sqlite");
/// let store = SqliteOptions::new()
///     .table("shop_sessions")?
///     .max_connections(8)
///     .busy_timeout(Duration::from_secs(1))
///     .open(path)
///     .await?;
/// # drop(store);
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
#[must_use]
pub struct SqliteOptions {
    table: Table,
    format: Arc<dyn RecordFormat>,
    pub(super) max_connections: u32,
    pub(super) busy_timeout: Duration,
    pub(super) relaxed_durability: bool,
}

impl SqliteOptions {
    /// The connections of a pool, if nothing else is said.
    pub const DEFAULT_MAX_CONNECTIONS: u32 = 4;
    /// The busy timeout, if none is given: below the two seconds that a request gives its store.
    pub const DEFAULT_BUSY_TIMEOUT: Duration = Duration::from_millis(1_500);

    /// The defaults.
    pub fn new() -> Self {
        Self {
            table: Table::default(),
            format: Arc::new(Envelope),
            max_connections: Self::DEFAULT_MAX_CONNECTIONS,
            busy_timeout: Self::DEFAULT_BUSY_TIMEOUT,
            relaxed_durability: false,
        }
    }

    /// Names the sessions' table, `tenure_sessions` by default; the two other tables have the same
    /// name with `_epochs` and `_meta` appended.
    ///
    /// ```
    /// use tenure_sql::SqliteOptions;
    ///
    /// let options = SqliteOptions::new().table("shop_sessions")?;
    /// assert!(options.migration_sql().contains("\"shop_sessions\""));
    /// assert!(SqliteOptions::new().table("sessions; DROP TABLE users").is_err());
    /// # Ok::<(), tenure_core::store::StoreError>(())
    /// ```
    ///
    /// # Errors
    /// When the name is not 1 to 48 ASCII letters, digits and underscores, or begins with a digit.
    pub fn table(mut self, name: impl AsRef<str>) -> StoreResult<Self> {
        self.table = Table::new(name.as_ref())?;
        Ok(self)
    }

    /// Keeps records in another format than [`Envelope`]. What is UTF-8 text is kept as text, the rest
    /// as octets.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # use tenure_sql::{SqliteOptions, SqliteStore};
    /// # let folder = tempfile::tempdir()?;
    /// # let path = folder.path().join("sessions.sqlite");
    /// # use tenure_core::{Clock, Handle, Namespace, SystemClock};
    /// # use tenure_core::format::{DecodeError, Encoded, Envelope, RecordFormat, TouchMode};
    /// # use tenure_core::store::{Record, Store, StoreError, StoreKey};
    /// # use std::time::Duration;
    /// #[derive(Debug)]
    /// struct Lines; // our format, and the end of a line
    ///
    /// impl RecordFormat for Lines {
    ///     fn encode(&self, record: &Record) -> Result<Encoded, StoreError> {
    ///         let mut encoded = Envelope.encode(record)?;
    ///         encoded.bytes.push(b'\n');
    ///         Ok(encoded)
    ///     }
    ///     # fn decode(&self, bytes: &[u8]) -> Result<Record, DecodeError> {
    ///     #     Envelope.decode(bytes.trim_ascii_end())
    ///     # }
    ///     # fn touch_mode(&self) -> TouchMode {
    ///     #     Envelope.touch_mode()
    ///     # }
    /// }
    ///
    /// let store = SqliteOptions::new().format(Lines).open(path).await?;
    /// # store.migrate().await?;
    /// # let key = StoreKey::new(Namespace::new("shop")?, Handle::from_bytes([1; 12]));
    /// # let now = SystemClock.now();
    /// # let record = Record::new(now, Duration::from_secs(60), Duration::from_secs(90));
    /// store.create(&key, &record, now).await?;
    /// let record = sqlx::query_scalar("SELECT record FROM tenure_sessions");
    /// assert!(record.fetch_one(store.pool()).await.map(|text: String| text.ends_with('\n'))?);
    /// # Ok(())
    /// # }
    /// ```
    pub fn format(mut self, format: impl RecordFormat) -> Self {
        self.format = Arc::new(format);
        self
    }

    /// Opens at most this many connections, each with a thread; one writes at a time, the others
    /// read. Of no effect with a pool of the application's own.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # use tenure_sql::{SqliteOptions, SqliteStore};
    /// # let folder = tempfile::tempdir()?;
    /// # let path = folder.path().join("sessions.sqlite");
    /// let store = SqliteOptions::new().max_connections(8).open(path).await?;
    /// assert_eq!(store.pool().options().get_max_connections(), 8);
    /// # Ok(())
    /// # }
    /// ```
    pub fn max_connections(mut self, connections: u32) -> Self {
        self.max_connections = connections.max(1);
        self
    }

    /// Waits as long as this for other processes that write, and for a free connection. Longer than
    /// a request's time limit for its store makes no sense. Of no effect with a pool of the
    /// application's own.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # use tenure_sql::{SqliteOptions, SqliteStore};
    /// # let folder = tempfile::tempdir()?;
    /// # let path = folder.path().join("sessions.sqlite");
    /// # use std::time::Duration;
    /// let store = SqliteOptions::new().busy_timeout(Duration::from_millis(700)).open(path).await?;
    /// assert_eq!(store.pool().options().get_acquire_timeout(), Duration::from_millis(700));
    /// # Ok(())
    /// # }
    /// ```
    pub fn busy_timeout(mut self, timeout: Duration) -> Self {
        self.busy_timeout = timeout;
        self
    }

    /// Does not wait for the disk at each commit: faster, and a crash of the process loses nothing;
    /// but a power cut may undo the last commits, a logout among them. Of no effect with a pool of
    /// the application's own.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # use tenure_sql::{SqliteOptions, SqliteStore};
    /// # let folder = tempfile::tempdir()?;
    /// # let path = folder.path().join("sessions.sqlite");
    /// let store = SqliteOptions::new().relaxed_durability().open(path).await?;
    /// let synchronous = sqlx::query_scalar("PRAGMA synchronous");
    /// assert_eq!(synchronous.fetch_one(store.pool()).await.map(|n: i64| n)?, 1, "NORMAL, not FULL");
    /// # Ok(())
    /// # }
    /// ```
    pub fn relaxed_durability(mut self) -> Self {
        self.relaxed_durability = true;
        self
    }

    /// The statements that [`SqliteStore::migrate`] runs, for applications that run their own
    /// migrations. Running them again changes nothing.
    ///
    /// ```
    /// use tenure_sql::SqliteOptions;
    ///
    /// let sql = SqliteOptions::new().migration_sql();
    /// assert!(sql.starts_with("CREATE TABLE IF NOT EXISTS \"tenure_sessions\" ("));
    /// ```
    #[must_use]
    pub fn migration_sql(&self) -> String {
        super::migrate::sql(&self.table)
    }

    /// Opens the database at a path or a URL `sqlite:path`, as [`SqliteStore::open`] does.
    ///
    /// # Errors
    /// When the file cannot be opened or made, or is no database.
    pub async fn open(self, location: impl AsRef<Path>) -> StoreResult<SqliteStore> {
        let pool = super::open::pool(location.as_ref(), &self).await?;
        let patience = self.busy_timeout;
        Ok(self.on(pool, patience))
    }

    /// Keeps sessions in the application's own database, as [`SqliteStore::with_pool`] does.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # use tenure_sql::{SqliteOptions, SqliteStore};
    /// # let folder = tempfile::tempdir()?;
    /// # let path = folder.path().join("sessions.sqlite");
    /// # use sqlx::sqlite::{SqliteConnectOptions, SqlitePool};
    /// # let options = SqliteConnectOptions::new().filename(path).create_if_missing(true);
    /// # let pool = SqlitePool::connect_with(options).await?;
    /// let store = SqliteOptions::new().table("shop_sessions")?.with_pool(pool.clone());
    /// store.migrate().await?;
    /// let count = sqlx::query_scalar("SELECT count(*) FROM shop_sessions");
    /// assert_eq!(count.fetch_one(&pool).await.map(|n: i64| n)?, 0);
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn with_pool(self, pool: SqlitePool) -> SqliteStore {
        self.on(pool, Duration::ZERO)
    }

    fn on(self, pool: SqlitePool, patience: Duration) -> SqliteStore {
        let driver = Connections::new(pool, self.table.clone(), patience);
        let shared = Arc::new(Shared::new(self.table, self.format, &DIALECT));
        SqliteStore { sessions: Sessions { driver, shared } }
    }
}

impl Default for SqliteOptions {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for SqliteOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SqliteOptions")
            .field("table", &self.table.as_str())
            .field("format", &self.format)
            .field("max_connections", &self.max_connections)
            .field("busy_timeout", &self.busy_timeout)
            .field("relaxed_durability", &self.relaxed_durability)
            .finish()
    }
}
