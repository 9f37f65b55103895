use std::path::PathBuf;

use crate::Certificates;

/// How a server is started. By default its data is durable, in a temporary folder, without TLS.
///
/// ```
/// use tenure_test_servers::Options;
///
/// // A Redis that is full at once.
/// let options = Options::new().volatile().argument("--maxmemory").argument("1mb");
/// # let _ = options;
/// ```
#[derive(Clone, Debug, Default)]
pub struct Options {
    pub(crate) volatile: bool,
    pub(crate) folder: Option<PathBuf>,
    pub(crate) ports: Vec<u16>,
    pub(crate) certificates: Option<Certificates>,
    pub(crate) arguments: Vec<String>,
}

impl Options {
    /// The defaults.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Makes the server faster and lets it lose what it acknowledged: for tests in which it is not
    /// killed. Redis then begins empty at every start.
    #[must_use]
    pub fn volatile(mut self) -> Self {
        self.volatile = true;
        self
    }

    /// Offers TLS with these certificates, on the port of the protocol where that can do both
    /// (PostgreSQL, MariaDB, PgBouncer), on a second one for Redis. The rest ignores it.
    #[must_use]
    pub fn tls(mut self, certificates: &Certificates) -> Self {
        self.certificates = Some(certificates.clone());
        self
    }

    /// One more argument for the server's command line, after all of ours; of a cluster, for each
    /// of its nodes. For PostgreSQL `-c` and `name=value` are two arguments.
    #[must_use]
    pub fn argument(mut self, argument: impl Into<String>) -> Self {
        self.arguments.push(argument.into());
        self
    }

    /// Keeps data and logs in this folder, which must not exist or be empty, and whose parents
    /// other users must be able to pass when root starts a database. It is deleted, too.
    #[must_use]
    pub fn folder(mut self, folder: impl Into<PathBuf>) -> Self {
        self.folder = Some(folder.into());
        self
    }

    /// Takes these ports first, as far as they are free, so that a URL stays what it was.
    #[must_use]
    pub fn ports(mut self, ports: impl IntoIterator<Item = u16>) -> Self {
        self.ports = ports.into_iter().collect();
        self
    }
}
