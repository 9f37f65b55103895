use std::sync::Arc;

use sqlx::MySqlPool;
use sqlx::mysql::MySqlConnectOptions;
use tenure_core::store::StoreResult;

use super::driver::Terms;
use super::{DIALECT, MySqlStore, open};
use crate::fields::Fields;
use crate::network::Link;
use crate::options::{Common, setters};
use crate::sessions::{Sessions, Shared};

/// How a [`MySqlStore`] is set up.
///
/// ```no_run
/// use std::time::Duration;
/// use tenure_sql::MySqlOptions;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let store = MySqlOptions::new()
///     .table("shop_sessions")?
///     .max_connections(20)
///     .operation_timeout(Duration::from_secs(1))
///     .tls_ca_file("/etc/shop/database-ca.pem")
///     .connect("mysql://shop:secret@db.internal/shop")
///     .await?;
/// # drop(store);
/// # Ok(())
/// # }
/// ```
///
/// The parts of the URL one by one:
///
/// ```no_run
/// use std::time::Duration;
/// use tenure_core::format::Envelope;
/// use tenure_sql::MySqlOptions;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let options = MySqlOptions::new().host("db.internal")?.port(3307).user("shop")?;
/// let options = options.password(std::env::var("DATABASE_PASSWORD")?)?.database("shop")?;
/// let options = options.connect_timeout(Duration::from_millis(700)).format(Envelope);
/// let store = options.connect_fields().await?;
/// println!("{} connections", store.pool().size());
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
#[must_use]
pub struct MySqlOptions {
    pub(super) common: Common,
}

setters!(MySqlOptions);

impl MySqlOptions {
    /// The defaults.
    pub fn new() -> Self {
        Self { common: Common::new() }
    }

    /// The statements that [`MySqlStore::migrate`] runs, for applications that run their own
    /// migrations. Running them again changes nothing.
    ///
    /// ```
    /// use tenure_sql::MySqlOptions;
    ///
    /// let sql = MySqlOptions::new().migration_sql();
    /// assert!(sql.starts_with("CREATE TABLE IF NOT EXISTS `tenure_sessions` ("));
    /// ```
    #[must_use]
    pub fn migration_sql(&self) -> String {
        super::migrate::sql(&self.common.table)
    }

    /// Connects to the database at a URL, as [`MySqlStore::connect`] does.
    ///
    /// # Errors
    /// When the server cannot be reached or refuses user, password, database or certificate.
    pub async fn connect(self, url: impl AsRef<str>) -> StoreResult<MySqlStore> {
        let connect = open::parse(url.as_ref())?;
        self.connect_with(connect).await
    }

    /// Connects to the database that [`host`](Self::host), [`port`](Self::port),
    /// [`user`](Self::user), [`password`](Self::password) and [`database`](Self::database) name.
    ///
    /// ```no_run
    /// use tenure_sql::MySqlOptions;
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let options = MySqlOptions::new().host("db.internal")?.user("shop")?.database("shop")?;
    /// let store = options.password("p@ss/word")?.connect_fields().await?;
    /// # drop(store);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As those of [`connect`](Self::connect).
    pub async fn connect_fields(self) -> StoreResult<MySqlStore> {
        let Fields { host, port, user, password, database } = self.common.fields.clone();
        let mut connect = MySqlConnectOptions::new();
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

    /// Keeps sessions in the application's own database, as [`MySqlStore::with_pool`] does.
    #[must_use]
    pub fn with_pool(self, pool: MySqlPool) -> MySqlStore {
        self.on(pool, false)
    }

    async fn connect_with(self, connect: MySqlConnectOptions) -> StoreResult<MySqlStore> {
        let pool = open::pool(&self.common, connect).await?;
        Ok(self.on(pool, true))
    }

    fn on(self, pool: MySqlPool, own: bool) -> MySqlStore {
        let Common { table, format, limits, .. } = self.common;
        let terms = Terms::new(table.clone());
        let driver = Link::new(pool, own, terms, &limits);
        let shared = Arc::new(Shared::new(table, format, &DIALECT));
        MySqlStore { sessions: Sessions { driver, shared } }
    }
}
