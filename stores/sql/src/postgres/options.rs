use std::sync::Arc;

use sqlx::PgPool;
use sqlx::postgres::PgConnectOptions;
use tenure_core::store::StoreResult;

use super::driver::Terms;
use super::open::{self, Location};
use super::{DIALECT, PostgresStore};
use crate::fields::Fields;
use crate::network::Link;
use crate::options::{Common, setters};
use crate::sessions::{Sessions, Shared};

/// How a [`PostgresStore`] is set up.
///
/// ```no_run
/// use std::time::Duration;
/// use tenure_sql::PostgresOptions;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let store = PostgresOptions::new()
///     .table("shop_sessions")?
///     .max_connections(20)
///     .operation_timeout(Duration::from_secs(1))
///     .tls_ca_file("/etc/shop/database-ca.pem")
///     .connect("postgres://shop:secret@db.internal/shop")
///     .await?;
/// # drop(store);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
#[must_use]
pub struct PostgresOptions {
    pub(super) common: Common,
    transaction_pooler: bool,
}

setters!(PostgresOptions);

impl PostgresOptions {
    /// The defaults.
    pub fn new() -> Self {
        Self { common: Common::new(), transaction_pooler: false }
    }

    /// Prepares no statements and sets nothing in a connection, since there is a pooler such as
    /// PgBouncer in transaction mode between, and two messages may meet two connections of the
    /// server. Each operation is then one message of text, in which every value is hexadecimal.
    ///
    /// PgBouncer from 1.21 on can keep prepared statements apart (`max_prepared_statements`); with
    /// this option that does not matter.
    pub fn transaction_pooler(mut self) -> Self {
        self.transaction_pooler = true;
        self
    }

    /// The statements that [`PostgresStore::migrate`] runs, for applications that run their own
    /// migrations. Running them again changes nothing.
    ///
    /// ```
    /// use tenure_sql::PostgresOptions;
    ///
    /// let sql = PostgresOptions::new().migration_sql();
    /// assert!(sql.contains("CREATE TABLE IF NOT EXISTS \"tenure_sessions\" ("));
    /// ```
    #[must_use]
    pub fn migration_sql(&self) -> String {
        super::migrate::sql(&self.common.table)
    }

    /// Connects to the database at a URL, as [`PostgresStore::connect`] does.
    ///
    /// # Errors
    /// When the server cannot be reached or refuses user, password, database or certificate.
    pub async fn connect(mut self, url: impl AsRef<str>) -> StoreResult<PostgresStore> {
        let Location { connect, pooler } = Location::parse(url.as_ref())?;
        self.transaction_pooler |= pooler;
        self.connect_with(connect).await
    }

    /// Connects to the database that [`host`](Self::host), [`port`](Self::port),
    /// [`user`](Self::user), [`password`](Self::password) and [`database`](Self::database) name.
    /// What is not given is as libpq has it: `PGHOST` and its like, or `localhost`.
    ///
    /// ```no_run
    /// use tenure_sql::PostgresOptions;
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let options = PostgresOptions::new().host("db.internal")?.user("shop")?.database("shop")?;
    /// let store = options.password("p@ss/word")?.connect_fields().await?;
    /// # drop(store);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As those of [`connect`](Self::connect).
    pub async fn connect_fields(self) -> StoreResult<PostgresStore> {
        let Fields { host, port, user, password, database } = self.common.fields.clone();
        let mut connect = PgConnectOptions::new();
        if let Some(host) = host {
            connect =
                if host.starts_with('/') { connect.socket(host) } else { connect.host(&host) };
        }
        if let Some(port) = port {
            connect = connect.port(port);
        }
        if let Some(user) = user {
            connect = connect.username(&user);
        }
        if let Some(password) = password {
            connect = connect.password(&password);
        }
        if let Some(database) = database {
            connect = connect.database(&database);
        }
        self.connect_with(connect).await
    }

    /// Keeps sessions in the application's own database, as [`PostgresStore::with_pool`] does.
    #[must_use]
    pub fn with_pool(self, pool: PgPool) -> PostgresStore {
        let terms = self.terms();
        self.on(pool, terms)
    }

    async fn connect_with(self, connect: PgConnectOptions) -> StoreResult<PostgresStore> {
        let terms = self.terms();
        let pool = open::pool(&self.common, connect, &terms).await?;
        Ok(self.on(pool, terms))
    }

    fn terms(&self) -> Terms {
        Terms::new(self.common.table.clone(), self.transaction_pooler)
    }

    fn on(self, pool: PgPool, terms: Terms) -> PostgresStore {
        let Common { table, format, limits, .. } = self.common;
        let driver = Link { pool, terms, operation_timeout: limits.operation_timeout };
        let shared = Arc::new(Shared::new(table, format, &DIALECT));
        PostgresStore { sessions: Sessions { driver, shared } }
    }
}
