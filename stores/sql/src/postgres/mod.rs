//! The store in PostgreSQL.

mod driver;
mod error;
mod literal;
mod migrate;
mod notify;
mod open;
mod options;
mod watch;

use sqlx::{PgPool, Postgres};
use tenure_core::store::StoreResult;

pub use self::options::PostgresOptions;
use self::watch::Hearing;
use crate::dialect::Dialect;
use crate::network::Link;
use crate::sessions::Sessions;
use crate::store::store;

const DIALECT: Dialect = Dialect {
    quote: '"',
    numbered: true,
    least: "least",
    greatest: "greatest",
    same: "IS NOT DISTINCT FROM",
    replaces: true,
    bound: true,
};

/// Sessions in a PostgreSQL database, version 12 or later.
///
/// Cheap to clone. It needs a tokio runtime with I/O and time. Each operation of a session is one
/// statement: no transaction stays open, and nothing is kept in a connection.
///
/// The tables are not made by connecting: call [`migrate`](Self::migrate), or run what
/// [`migration_sql`](Self::migration_sql) prints.
///
/// ```no_run
/// use tenure_sql::PostgresStore;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let url = "postgres://shop:secret@db.internal/shop?sslmode=verify-full";
/// let store = PostgresStore::connect(url).await?;
/// store.migrate().await?;
/// # Ok(())
/// # }
/// ```
///
/// It tells a [`NearCache`](tenure_core::store::NearCache) of changes, if its tables do: see
/// [`PostgresOptions::notify_changes`].
///
/// # Deployment caveat
/// A pooler in transaction mode, such as PgBouncer, hands a connection to somebody else between two
/// statements: say so by [`PostgresOptions::transaction_pooler`]. What an asynchronous replica has
/// not yet when it takes over is lost, a logout included. A statement sent to a replica that is
/// behind brings back what has ended: give the URL of the primary. With `synchronous_commit = off`
/// a crash of the server may undo the last commits.
///
/// [`close`](tenure_core::store::Store::close) closes the pool; the application's own pool, too.
#[derive(Clone)]
pub struct PostgresStore {
    sessions: Sessions<Link<Postgres>>,
    hearing: Hearing,
}

store!(PostgresStore, "PostgresStore", watch);

impl PostgresStore {
    /// Connects to the database at a URL `postgres://user:password@host:port/database`, with the
    /// default options.
    ///
    /// Of the URL's parameters `sslmode` and `sslrootcert` choose TLS as they do for libpq, and
    /// `pooler=transaction` is [`PostgresOptions::transaction_pooler`].
    ///
    /// # Errors
    /// When the server cannot be reached or refuses user, password, database or certificate.
    pub async fn connect(url: impl AsRef<str>) -> StoreResult<Self> {
        PostgresOptions::new().connect(url).await
    }

    /// Keeps sessions in the application's own database, with the default options.
    ///
    /// The pool stays as the application made it. What its connections set matters: the session
    /// tables are looked up by their `search_path`, and with `default_transaction_read_only` no
    /// session is saved. sqlx asks the server whether a connection is sound when it leaves the pool,
    /// unless `test_before_acquire(false)` is set, and when it comes back: two commands beside the
    /// one of the operation. A store that opens its own pool does without them.
    ///
    /// ```no_run
    /// use sqlx::PgPool;
    /// use tenure_sql::PostgresStore;
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let pool = PgPool::connect("postgres://shop:secret@db.internal/shop").await?;
    /// let store = PostgresStore::with_pool(pool.clone());
    /// store.migrate().await?;
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn with_pool(pool: PgPool) -> Self {
        PostgresOptions::new().with_pool(pool)
    }

    /// The pool of connections, the application's own or that of [`connect`](Self::connect).
    /// Closing it ends the store. See the example of [`PostgresOptions`].
    #[must_use]
    pub fn pool(&self) -> &PgPool {
        &self.sessions.driver.pool
    }
}
