//! The store in MySQL and MariaDB.

mod driver;
mod error;
mod migrate;
mod open;
mod options;

use sqlx::{MySql, MySqlPool};
use tenure_core::store::StoreResult;

pub use self::options::MySqlOptions;
use crate::dialect::Dialect;
use crate::network::Link;
use crate::sessions::Sessions;
use crate::store::store;

const DIALECT: Dialect = Dialect {
    quote: '`',
    numbered: false,
    least: "least",
    greatest: "greatest",
    same: "<=>",
    replaces: false,
    bound: true,
};

/// Sessions in a MySQL or MariaDB database: MySQL 8.0, MariaDB 10.6, or later.
///
/// Cheap to clone. It needs a tokio runtime with I/O and time. Each change of a session is one
/// statement: no transaction stays open.
///
/// The tables are not made by connecting: call [`migrate`](Self::migrate), or run what
/// [`migration_sql`](Self::migration_sql) prints.
///
/// It is tested on MariaDB. It uses nothing that MySQL 8.0 does not document, but was never run on
/// one.
///
/// ```no_run
/// use tenure_sql::MySqlStore;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let url = "mysql://shop:secret@db.internal/shop?ssl-mode=VERIFY_IDENTITY";
/// let store = MySqlStore::connect(url).await?;
/// store.migrate().await?;
/// # Ok(())
/// # }
/// ```
///
/// # Deployment caveat
/// A statement sent to a replica that is behind brings back what has ended: give the URL of the
/// primary. What a replica has not yet when it takes over is lost, a logout included. With
/// `innodb_flush_log_at_trx_commit` other than 1 a crash of the server may undo the last commits.
/// Galera clusters refuse a commit that meets another one elsewhere; the store tries again.
///
/// [`close`](tenure_core::store::Store::close) closes the pool; the application's own pool, too.
#[derive(Clone)]
pub struct MySqlStore {
    sessions: Sessions<Link<MySql>>,
}

store!(MySqlStore, "MySqlStore");

impl MySqlStore {
    /// Connects to the database at a URL `mysql://user:password@host:port/database`, with the
    /// default options.
    ///
    /// Of the URL's parameters `ssl-mode` and `ssl-ca` choose TLS as they do for MySQL's own
    /// client.
    ///
    /// # Errors
    /// When the server cannot be reached or refuses user, password, database or certificate.
    pub async fn connect(url: impl AsRef<str>) -> StoreResult<Self> {
        MySqlOptions::new().connect(url).await
    }

    /// Keeps sessions in the application's own database, with the default options.
    ///
    /// The pool stays as the application made it, whatever isolation level and `sql_mode` its
    /// connections have.
    ///
    /// ```no_run
    /// use sqlx::MySqlPool;
    /// use tenure_sql::MySqlStore;
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let pool = MySqlPool::connect("mysql://shop:secret@db.internal/shop").await?;
    /// let store = MySqlStore::with_pool(pool.clone());
    /// store.migrate().await?;
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn with_pool(pool: MySqlPool) -> Self {
        MySqlOptions::new().with_pool(pool)
    }

    /// The pool of connections, the application's own or that of [`connect`](Self::connect).
    /// Closing it ends the store. See the example of [`MySqlOptions`].
    #[must_use]
    pub fn pool(&self) -> &MySqlPool {
        &self.sessions.driver.pool
    }
}
