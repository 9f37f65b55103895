use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use redis::aio::ConnectionLike;
use tenure_core::store::StoreResult;

use crate::RedisStore;
use crate::keys::Prefix;
use crate::url::{Host, Location};

/// How a [`RedisStore`] is set up.
///
/// ```no_run
/// use std::time::Duration;
/// use tenure_redis::RedisOptions;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let store = RedisOptions::new()
///     .prefix("shop:")?
///     .timeout(Duration::from_secs(1))
///     .connect("redis://cache.example.org/2")
///     .await?;
/// # drop(store);
/// # Ok(())
/// # }
/// ```
///
/// What the URL does not say, or what is not to stand in it, can be said apart:
///
/// ```no_run
/// use std::time::Duration;
/// use tenure_redis::RedisOptions;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let secret = || std::env::var("REDIS_PASSWORD");
/// let options = RedisOptions::new().host("cache.internal").port(6380).database(2);
/// let options = options.user("shop").password(secret()?).connect_timeout(Duration::from_secs(3));
/// # #[cfg(feature = "tls")]
/// let options = options.tls().ca_file("/etc/shop/cache-ca.pem");
/// let store = options.connect("redis://").await?;
/// # drop(store);
///
/// let behind = RedisOptions::new().sentinel_user("shop").sentinel_password(secret()?);
/// let store = behind
///     .insecure_allow_eviction()
///     .connect("redis+sentinel://10.0.0.1,10.0.0.2,10.0.0.3/shop")
///     .await?;
/// for warning in store.warnings() {
///     eprintln!("{warning}");
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
#[must_use]
pub struct RedisOptions {
    pub(crate) prefix: Prefix,
    pub(crate) host: Option<String>,
    pub(crate) port: Option<u16>,
    pub(crate) user: Option<String>,
    pub(crate) password: Option<String>,
    pub(crate) database: Option<u32>,
    pub(crate) tls: bool,
    pub(crate) ca_file: Option<PathBuf>,
    pub(crate) sentinel_user: Option<String>,
    pub(crate) sentinel_password: Option<String>,
    pub(crate) timeout: Duration,
    pub(crate) connect_timeout: Duration,
    pub(crate) allow_eviction: bool,
    pub(crate) watch: Option<Location>,
}

impl RedisOptions {
    /// The time limit of an operation, if none is given: below the two seconds that a request
    /// gives its store.
    pub const DEFAULT_TIMEOUT: Duration = Duration::from_millis(1_500);
    /// The time limit of an attempt to connect, if none is given.
    pub const DEFAULT_CONNECT_TIMEOUT: Duration = Duration::from_secs(1);

    /// The defaults.
    pub fn new() -> Self {
        Self {
            prefix: Prefix::default(),
            host: None,
            port: None,
            user: None,
            password: None,
            database: None,
            tls: false,
            ca_file: None,
            sentinel_user: None,
            sentinel_password: None,
            timeout: Self::DEFAULT_TIMEOUT,
            connect_timeout: Self::DEFAULT_CONNECT_TIMEOUT,
            allow_eviction: false,
            watch: None,
        }
    }

    /// What all keys of the store begin with, `tenure:` by default. Two stores with different
    /// prefixes share nothing.
    ///
    /// ```
    /// use tenure_redis::RedisOptions;
    ///
    /// assert!(RedisOptions::new().prefix("shop:").is_ok());
    /// assert!(RedisOptions::new().prefix("{shop}").is_err());
    /// ```
    ///
    /// # Errors
    /// When it is not 1 to 64 visible ASCII characters, or has braces, by which a cluster would
    /// assign all keys to one server.
    pub fn prefix(mut self, prefix: impl AsRef<str>) -> StoreResult<Self> {
        self.prefix = Prefix::new(prefix.as_ref())?;
        Ok(self)
    }

    /// The name or address of the server, instead of that in the URL; `127.0.0.1` if nothing says
    /// otherwise.
    pub fn host(mut self, host: impl Into<String>) -> Self {
        self.host = Some(host.into());
        self
    }

    /// The port of the server, instead of that in the URL; 6379 if nothing says otherwise.
    pub fn port(mut self, port: u16) -> Self {
        self.port = Some(port);
        self
    }

    /// The user, instead of that in the URL.
    pub fn user(mut self, user: impl Into<String>) -> Self {
        self.user = Some(user.into());
        self
    }

    /// The password, instead of that in the URL. It is never printed.
    pub fn password(mut self, password: impl Into<String>) -> Self {
        self.password = Some(password.into());
        self
    }

    /// The number of the database, instead of that in the URL; 0 if nothing says otherwise. A
    /// cluster has no other.
    pub fn database(mut self, database: u32) -> Self {
        self.database = Some(database);
        self
    }

    /// Connects by TLS, as the URLs with `rediss` do. The server's certificate must be good for its
    /// name, by one of the system's authorities or that of [`ca_file`](Self::ca_file).
    #[cfg(feature = "tls")]
    pub fn tls(mut self) -> Self {
        self.tls = true;
        self
    }

    /// Trusts the authorities whose certificates are in this PEM file, and not the system's.
    #[cfg(feature = "tls")]
    pub fn ca_file(mut self, path: impl AsRef<std::path::Path>) -> Self {
        self.ca_file = Some(path.as_ref().to_owned());
        self
    }

    /// The user at the sentinels, if they have one; user and password of the URL are those of the
    /// servers.
    pub fn sentinel_user(mut self, user: impl Into<String>) -> Self {
        self.sentinel_user = Some(user.into());
        self
    }

    /// The password of the sentinels, if they have one. It is never printed.
    pub fn sentinel_password(mut self, password: impl Into<String>) -> Self {
        self.sentinel_password = Some(password.into());
        self
    }

    /// Gives up on an operation after this time, 1.5 seconds by default. More than a request's time
    /// limit for its store makes no sense.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// Gives up on an attempt to connect after this time, one second by default. Of no effect with
    /// a connection of the application's own.
    pub fn connect_timeout(mut self, timeout: Duration) -> Self {
        self.connect_timeout = timeout;
        self
    }

    /// Accepts a server that throws away keys when its memory is full: live sessions among them,
    /// whose users are logged out without a reason. A warning remains.
    pub fn insecure_allow_eviction(mut self) -> Self {
        self.allow_eviction = true;
        self
    }

    /// Where a store on a connection of the application's own hears of changes for a
    /// [`NearCache`](tenure_core::store::NearCache): the URL of the same server, cluster or
    /// sentinels. A store that was connected by a URL needs none, and takes no other.
    ///
    /// User, password, TLS and whatever else is set here count for it, too. If it leads to another
    /// server than the application's connection, the cache stays off, and its
    /// [`Watcher`](tenure_core::store::cache::Watcher) tells why.
    ///
    /// ```no_run
    /// use tenure_core::store::NearCache;
    /// use tenure_redis::RedisOptions;
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let url = "redis://cache.example.org/";
    /// let connection = redis::Client::open(url)?.get_multiplexed_async_connection().await?;
    /// let store = RedisOptions::new().watch_with(url)?.with_connection(connection).await?;
    /// let cache = NearCache::new(store);
    /// tokio::spawn(cache.watcher().run());
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// When the URL cannot be read.
    pub fn watch_with(mut self, url: impl AsRef<str>) -> StoreResult<Self> {
        self.watch = Some(Location::parse(url.as_ref())?);
        Ok(self)
    }

    /// Connects to the server at a URL, as [`RedisStore::connect`] does.
    ///
    /// # Errors
    /// When the URL cannot be read, when the server cannot be reached or refuses the password, when
    /// it is a replica or older than 6.2, or when it may evict sessions.
    pub async fn connect(self, url: impl AsRef<str>) -> StoreResult<RedisStore> {
        let location = Location::parse(url.as_ref())?;
        self.open_at(location).await
    }

    /// Connects to the server that host, port and the other settings name, without a URL.
    ///
    /// ```no_run
    /// use tenure_redis::RedisOptions;
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let store =
    ///     RedisOptions::new().host("cache.example.org").database(2).password("…").open().await?;
    /// # drop(store);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As [`connect`](Self::connect).
    pub async fn open(self) -> StoreResult<RedisStore> {
        self.open_at(Location::local()).await
    }

    /// Keeps sessions by a connection of the application's own, as
    /// [`RedisStore::with_connection`] does.
    ///
    /// # Errors
    /// When the server cannot be reached, is a replica or older than 6.2, or may evict sessions.
    pub async fn with_connection(
        self,
        connection: impl ConnectionLike + Clone + Send + Sync + 'static,
    ) -> StoreResult<RedisStore> {
        self.open_with(connection).await
    }

    /// The location with what these options say instead.
    pub(crate) fn at(&self, mut location: Location) -> Location {
        if self.host.is_some() || self.port.is_some() {
            let first = location.hosts.swap_remove(0);
            location.hosts = vec![Host {
                name: self.host.clone().unwrap_or(first.name),
                port: self.port.unwrap_or(first.port),
            }];
        }
        location.user = self.user.clone().or(location.user);
        location.password = self.password.clone().or(location.password);
        location.database = self.database.map_or(location.database, i64::from);
        location.tls |= self.tls;
        location
    }
}

impl Default for RedisOptions {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for RedisOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RedisOptions")
            .field("prefix", &self.prefix.as_str())
            .field("host", &self.host)
            .field("port", &self.port)
            .field("user", &self.user)
            .field("database", &self.database)
            .field("tls", &self.tls)
            .field("ca_file", &self.ca_file)
            .field("timeout", &self.timeout)
            .field("connect_timeout", &self.connect_timeout)
            .field("allow_eviction", &self.allow_eviction)
            .finish_non_exhaustive()
    }
}
