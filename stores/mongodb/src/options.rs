use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use mongodb::Client;
use mongodb::options::{
    ClientOptions, DatabaseOptions, ReadConcern, ReadPreference, SelectionCriteria, Tls,
    TlsOptions, WriteConcern,
};
use tenure_core::store::{StoreError, StoreErrorKind, StoreResult};

use crate::client::MongoStore;
use crate::error::{explained, failed};
use crate::name;

/// How a [`MongoStore`] is set up.
///
/// ```no_run
/// use std::time::Duration;
/// use tenure_mongodb::MongoOptions;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let store = MongoOptions::new()
///     .database("shop")?
///     .collection("shop_sessions")?
///     .max_connections(20)
///     .operation_timeout(Duration::from_secs(1))
///     .connect("mongodb+srv://shop:secret@cluster.example.com")
///     .await?;
/// # drop(store);
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
#[must_use]
pub struct MongoOptions {
    database: Option<String>,
    collection: String,
    max_connections: u32,
    tls_ca_file: Option<PathBuf>,
    pub(crate) operation_timeout: Duration,
}

impl MongoOptions {
    /// The connections of a pool, if neither the URL nor anything else says how many.
    pub const DEFAULT_MAX_CONNECTIONS: u32 = 10;
    /// The time limit of an operation, if none is given: below the two seconds that a request gives
    /// its store.
    pub const DEFAULT_OPERATION_TIMEOUT: Duration = Duration::from_millis(1_500);

    /// The defaults.
    pub fn new() -> Self {
        Self {
            database: None,
            collection: "tenure_sessions".to_owned(),
            max_connections: 0,
            tls_ca_file: None,
            operation_timeout: Self::DEFAULT_OPERATION_TIMEOUT,
        }
    }

    /// Names the database, which otherwise the URL or the client names.
    ///
    /// # Errors
    /// When the name is not 1 to 63 ASCII letters, digits, underscores and hyphens.
    pub fn database(mut self, name: impl AsRef<str>) -> StoreResult<Self> {
        self.database = Some(name::checked("database", name.as_ref())?);
        Ok(self)
    }

    /// Names the collection, `tenure_sessions` by default.
    ///
    /// # Errors
    /// When the name is not 1 to 48 ASCII letters, digits, underscores and hyphens.
    pub fn collection(mut self, name: impl AsRef<str>) -> StoreResult<Self> {
        self.collection = name::checked("collection", name.as_ref())?;
        Ok(self)
    }

    /// Opens at most this many connections to each server. Of no effect with a client of the
    /// application's own.
    pub fn max_connections(mut self, connections: u32) -> Self {
        self.max_connections = connections.max(1);
        self
    }

    /// Talks TLS alone, and only with servers whose certificate comes from an authority in this PEM
    /// file. Without it, a URL with `tls=true` takes the authorities that browsers know. Of no
    /// effect with a client of the application's own.
    ///
    /// ```
    /// use tenure_mongodb::MongoOptions;
    ///
    /// let options = MongoOptions::new().tls_ca_file("/etc/shop/database-ca.pem");
    /// assert!(format!("{options:?}").contains("database-ca.pem"));
    /// ```
    pub fn tls_ca_file(mut self, path: impl Into<PathBuf>) -> Self {
        self.tls_ca_file = Some(path.into());
        self
    }

    /// Waits as long as this for an answer, the choice of a server and a new connection included.
    /// Longer than a request's time limit for its store makes no sense.
    pub fn operation_timeout(mut self, timeout: Duration) -> Self {
        self.operation_timeout = timeout;
        self
    }

    /// Connects to a server, as [`MongoStore::connect`] does.
    ///
    /// # Errors
    /// When the URL cannot be read or names no database, when no server answers, or when it does
    /// not accept the user.
    pub async fn connect(self, url: impl AsRef<str>) -> StoreResult<MongoStore> {
        let mut options = ClientOptions::parse(url.as_ref()).await.map_err(unreadable)?;
        options.app_name.get_or_insert_with(|| "tenure".to_owned());
        if self.max_connections > 0 {
            options.max_pool_size = Some(self.max_connections);
        }
        options.max_pool_size.get_or_insert(Self::DEFAULT_MAX_CONNECTIONS);
        // A little less than the whole limit, so that the driver has the time to say what is wrong.
        let limit = self.operation_timeout - self.operation_timeout / 8;
        options.server_selection_timeout.get_or_insert(limit);
        options.connect_timeout.get_or_insert(limit);
        if let Some(file) = &self.tls_ca_file {
            let tls = match options.tls.take() {
                Some(Tls::Enabled(mut tls)) => {
                    tls.ca_file_path = Some(file.clone());
                    tls
                }
                _ => TlsOptions::builder().ca_file_path(file.clone()).build(),
            };
            options.tls = Some(Tls::Enabled(tls));
        }
        let store = self.with_client(Client::with_options(options).map_err(failed)?)?;
        store.ping().await?;
        Ok(store)
    }

    /// Keeps sessions by the application's own client, as [`MongoStore::with_client`] does.
    ///
    /// # Errors
    /// When neither these options nor the client name a database.
    pub fn with_client(self, client: Client) -> StoreResult<MongoStore> {
        let name = match &self.database {
            Some(name) => name.clone(),
            None => {
                let database = client.default_database().ok_or_else(|| {
                    StoreError::new(
                        StoreErrorKind::Other,
                        "database: none is named; end the URL with one, as in \
                         mongodb://localhost/shop, or call MongoOptions::database",
                    )
                })?;
                database.name().to_owned()
            }
        };
        let options = DatabaseOptions::builder()
            .selection_criteria(SelectionCriteria::ReadPreference(ReadPreference::Primary))
            .read_concern(ReadConcern::local())
            .write_concern(WriteConcern::majority())
            .build();
        // The collection has the concerns of its database.
        let database = client.database_with_options(&name, options);
        let sessions = database.collection(&self.collection);
        Ok(MongoStore::new(client, database, sessions, self))
    }
}

impl Default for MongoOptions {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for MongoOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MongoOptions")
            .field("database", &self.database)
            .field("collection", &self.collection)
            .field("max_connections", &self.max_connections)
            .field("tls_ca_file", &self.tls_ca_file)
            .field("operation_timeout", &self.operation_timeout)
            .finish()
    }
}

fn unreadable(error: mongodb::error::Error) -> StoreError {
    match &*error.kind {
        mongodb::error::ErrorKind::InvalidArgument { .. } => explained(
            StoreErrorKind::Other,
            "the URL cannot be read; write one such as mongodb://user:password@localhost/shop, \
             with % escapes for what is special in a user or password",
            error,
        ),
        _ => failed(error),
    }
}
