use std::sync::Arc;

use sqlx::PgPool;
use sqlx::postgres::PgConnectOptions;
use tenure_core::store::StoreResult;

use super::driver::Terms;
use super::open::{self, Location};
use super::watch::{Direct, Hearing};
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
///
/// The parts of the URL one by one, in front of a server that a pooler shares out:
///
/// ```no_run
/// use std::time::Duration;
/// use tenure_core::format::Envelope;
/// use tenure_sql::PostgresOptions;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let options = PostgresOptions::new().host("pooler.internal")?.port(6432).user("shop")?;
/// let options = options.password(std::env::var("DATABASE_PASSWORD")?)?.database("shop")?;
/// let options = options.connect_timeout(Duration::from_millis(700)).format(Envelope);
/// let store = options.transaction_pooler().connect_fields().await?;
/// println!("{} connections", store.pool().size());
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
#[must_use]
pub struct PostgresOptions {
    pub(super) common: Common,
    transaction_pooler: bool,
    notify_changes: bool,
    watch: Option<Direct>,
}

setters!(PostgresOptions);

impl PostgresOptions {
    /// The defaults.
    pub fn new() -> Self {
        Self {
            common: Common::new(),
            transaction_pooler: false,
            notify_changes: false,
            watch: None,
        }
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

    /// Lets the tables tell of every change of a session, so that a
    /// [`NearCache`](tenure_core::store::NearCache) may keep what it has read: [`PostgresStore::migrate`]
    /// makes triggers that call `pg_notify`, and a function for them, also on tables that are there.
    ///
    /// Once the triggers are there, every process's writes are told, whatever its options; what the
    /// table tells is the handle of the session, or, where the id is a secret as in a foreign
    /// format, that any may have changed, which empties the caches. Touches are not told: they move
    /// the end of a session away, and nobody ends one from memory.
    ///
    /// It has a price: while a transaction that has told something commits, no other that has can
    /// commit in the whole server. Commits of sessions then wait for the disk one after the other,
    /// rather than together. Take it where sessions are read far more often than written. To undo
    /// it, run `DROP FUNCTION "tenure_sessions_notify" CASCADE`.
    ///
    /// ```
    /// use tenure_sql::PostgresOptions;
    ///
    /// let options = PostgresOptions::new();
    /// assert!(!options.migration_sql().contains("TRIGGER"));
    /// assert!(options.notify_changes().migration_sql().contains("CREATE TRIGGER tenure_changed"));
    /// ```
    pub fn notify_changes(mut self) -> Self {
        self.notify_changes = true;
        self
    }

    /// Hears of changes at this URL rather than where the pool connects to: that of the server
    /// itself, if there is a pooler in transaction mode between.
    ///
    /// ```
    /// use tenure_sql::PostgresOptions;
    ///
    /// let options = PostgresOptions::new().transaction_pooler().notify_changes();
    /// let options = options.watch_url("postgres://shop:secret@db.internal/shop")?;
    /// assert!(!format!("{options:?}").contains("secret"));
    /// # Ok::<(), tenure_core::store::StoreError>(())
    /// ```
    ///
    /// # Errors
    /// When it is no URL of PostgreSQL, or names a pooler in transaction mode.
    pub fn watch_url(mut self, url: impl AsRef<str>) -> StoreResult<Self> {
        let Location { connect, pooler } = Location::parse(url.as_ref())?;
        if pooler {
            return Err(open::refused("watch_url has to be the URL of the server, not a pooler's"));
        }
        self.watch = Some(Direct(Arc::new(connect)));
        Ok(self)
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
        super::migrate::sql(&self.common.table, self.notify_changes)
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
        self.on(pool, false, terms)
    }

    async fn connect_with(self, connect: PgConnectOptions) -> StoreResult<PostgresStore> {
        let terms = self.terms();
        let pool = open::pool(&self.common, connect, &terms).await?;
        Ok(self.on(pool, true, terms))
    }

    fn terms(&self) -> Terms {
        Terms::new(self.common.table.clone(), self.transaction_pooler)
    }

    fn on(self, pool: PgPool, own: bool, terms: Terms) -> PostgresStore {
        let direct = self.watch.map(|Direct(connect)| {
            let connect = PgConnectOptions::clone(&connect);
            Direct(Arc::new(open::prepared(&self.common, connect)))
        });
        let Common { table, format, limits, .. } = self.common;
        let hearing = Hearing {
            notifies: self.notify_changes,
            direct,
            connect_timeout: limits.connect_timeout,
        };
        let driver = Link::new(pool, own, terms, &limits);
        let shared = Arc::new(Shared::new(table, format, &DIALECT));
        PostgresStore { sessions: Sessions { driver, shared }, hearing }
    }
}
