use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use tenure_core::format::{Envelope, RecordFormat};
use tenure_core::store::StoreResult;

use crate::client::CouchStore;
use crate::document;
use crate::http::Http;
use crate::name;
use crate::url::Url;

/// How a [`CouchStore`] is set up.
///
/// ```no_run
/// use std::time::Duration;
/// use tenure_core::format::Envelope;
/// use tenure_couchdb::CouchOptions;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let store = CouchOptions::new()
///     .database("shop_sessions")?
///     .max_connections(20)
///     .operation_timeout(Duration::from_secs(1))
///     .tls_ca_file("/etc/ssl/our-ca.pem")
///     .keep_tombstones()
///     .format(Envelope)
///     .connect("couchdbs://shop:secret@couchdb.example.com")
///     .await?;
/// # drop(store);
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
#[must_use]
pub struct CouchOptions {
    database: Option<String>,
    pub(crate) format: Arc<dyn RecordFormat>,
    pub(crate) max_connections: usize,
    pub(crate) operation_timeout: Duration,
    pub(crate) tls_ca_file: Option<PathBuf>,
    pub(crate) purge: bool,
}

impl CouchOptions {
    /// The connections, if nothing else is said.
    pub const DEFAULT_MAX_CONNECTIONS: usize = 10;
    /// The time limit of an operation, if none is given: below the two seconds that a request gives
    /// its store.
    pub const DEFAULT_OPERATION_TIMEOUT: Duration = Duration::from_millis(1_500);

    /// The defaults.
    pub fn new() -> Self {
        Self {
            database: None,
            format: Arc::new(Envelope),
            max_connections: Self::DEFAULT_MAX_CONNECTIONS,
            operation_timeout: Self::DEFAULT_OPERATION_TIMEOUT,
            tls_ca_file: None,
            purge: true,
        }
    }

    /// Names the database below the URL, which otherwise ends with it. It holds sessions and
    /// nothing else.
    ///
    /// # Errors
    /// When the name is not 1 to 128 small ASCII letters, digits, underscores and hyphens, or does
    /// not begin with a letter.
    pub fn database(mut self, name: impl AsRef<str>) -> StoreResult<Self> {
        self.database = Some(name::checked(name.as_ref())?);
        Ok(self)
    }

    /// Keeps records in another format than [`Envelope`]. It must write UTF-8 text, or the store
    /// does not connect: `MessagePack` does not.
    pub fn format(mut self, format: impl RecordFormat) -> Self {
        self.format = Arc::new(format);
        self
    }

    /// Sends at most this many requests at once, each by a connection of its own.
    pub fn max_connections(mut self, connections: usize) -> Self {
        self.max_connections = connections.clamp(1, 10_000);
        self
    }

    /// Waits as long as this for an answer, a free connection included, and tries a change that
    /// finds others in its way again as long as this. Longer than a request's time limit for its
    /// store makes no sense.
    pub fn operation_timeout(mut self, timeout: Duration) -> Self {
        self.operation_timeout = timeout;
        self
    }

    /// Trusts servers whose certificate comes from an authority in this PEM file, and no others.
    /// Without it, `couchdbs://` trusts the authorities that browsers know.
    pub fn tls_ca_file(mut self, path: impl Into<PathBuf>) -> Self {
        self.tls_ca_file = Some(path.into());
        self
    }

    /// Leaves the tombstones of what was deleted, which sweeping otherwise purges. Needed where the
    /// database is replicated: a session whose tombstone is gone would come back from a replica
    /// that has not heard of its end.
    pub fn keep_tombstones(mut self) -> Self {
        self.purge = false;
        self
    }

    /// Connects to a server, as [`CouchStore::connect`] does.
    ///
    /// # Errors
    /// When the URL cannot be read or names no database, when no server answers, when it does not
    /// accept the user, or when the format writes no text.
    pub async fn connect(self, url: impl AsRef<str>) -> StoreResult<CouchStore> {
        document::check_format(&*self.format)?;
        let url = Url::parse(url.as_ref(), self.database.as_deref())?;
        let name = url.name.clone();
        let store = CouchStore::new(Http::new(url, &self)?, name, self);
        store.ping().await?;
        Ok(store)
    }
}

impl Default for CouchOptions {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for CouchOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CouchOptions")
            .field("database", &self.database)
            .field("format", &self.format)
            .field("max_connections", &self.max_connections)
            .field("operation_timeout", &self.operation_timeout)
            .field("tls_ca_file", &self.tls_ca_file)
            .field("purge", &self.purge)
            .finish()
    }
}
