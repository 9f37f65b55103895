use std::path::Path;
use std::time::Duration;

use crate::folder::Folder;
use crate::guard::Guard;
use crate::{Error, Node, Options, Process, Result, port, wait};

/// How long several processes may take to agree.
const PATIENCE: Duration = Duration::from_secs(60);

/// A service that runs on loopback: one process, or several that belong together.
///
/// Dropped it is killed and its data deleted, also when its owner is killed.
pub struct Server {
    service: &'static str,
    version: String,
    url: String,
    tls_url: Option<String>,
    nodes: Vec<Node>,
    settled: Settled,
    guard: Option<Guard>,
    folder: Folder,
}

/// Whether the processes, which all answer, have found together.
pub(crate) type Settled = fn(&[Node]) -> Result<bool>;

impl Server {
    /// Starts the processes, and returns when all answer.
    pub(crate) fn begin(
        service: &'static str,
        version: String,
        url: String,
        folder: Folder,
        nodes: Vec<Node>,
    ) -> Result<Self> {
        let guard = Some(Guard::watch(folder.path())?);
        let settled: Settled = |_| Ok(true);
        let server = Self { service, version, url, tls_url: None, nodes, settled, guard, folder };
        server.start()?;
        Ok(server)
    }

    pub(crate) fn with_tls_url(mut self, url: Option<String>) -> Self {
        self.tls_url = url;
        self
    }

    /// Waits until they have found together, now and at every start.
    pub(crate) fn with_settled(mut self, settled: Settled) -> Result<Self> {
        self.settled = settled;
        self.settle()?;
        Ok(self)
    }

    /// What it is: `redis`, `postgres` and so on.
    #[must_use]
    pub fn service(&self) -> &'static str {
        self.service
    }

    /// The version of the program.
    #[must_use]
    pub fn version(&self) -> &str {
        &self.version
    }

    /// Where it is, with user, password and database where there are any: all are `tenure`. It
    /// stays the same through every restart.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Where it is with TLS, if that is at another port and was asked for.
    #[must_use]
    pub fn tls_url(&self) -> Option<&str> {
        self.tls_url.as_deref()
    }

    /// Its processes. Of a cluster the first three begin as masters; of sentinels the master comes
    /// first, then its replica, then the sentinels.
    #[must_use]
    pub fn nodes(&self) -> &[Node] {
        &self.nodes
    }

    /// All its ports, in the order in which [`Options::ports`](crate::Options::ports) takes them.
    #[must_use]
    pub fn ports(&self) -> Vec<u16> {
        self.nodes.iter().flat_map(Node::ports).collect()
    }

    /// Where its data is.
    #[must_use]
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Starts what does not run, and returns when it is ready.
    ///
    /// # Errors
    /// When it does not start, with the end of its log.
    pub fn start(&self) -> Result {
        self.nodes.iter().try_for_each(|node| node.spawn(self.guard.as_ref()))?;
        self.nodes.iter().try_for_each(Node::ready)?;
        self.settle()
    }

    /// Starts one process without waiting for the others.
    ///
    /// # Errors
    /// When it does not start, with the end of its log.
    pub fn start_node(&self, node: &Node) -> Result {
        node.spawn(self.guard.as_ref())?;
        node.ready()
    }

    /// Its processes that ended by themselves, or were ended by others: how, and the end of their
    /// logs.
    #[must_use]
    pub fn lost(&self) -> Vec<String> {
        self.nodes.iter().filter_map(Node::lost).collect()
    }

    /// Kills all processes with SIGKILL. The data stays.
    ///
    /// # Errors
    /// When one is still there.
    pub fn kill(&self) -> Result {
        self.nodes.iter().try_for_each(Node::kill)
    }

    /// Stops all processes in order. The data stays.
    ///
    /// # Errors
    /// When one is still there.
    pub fn stop(&self) -> Result {
        self.nodes.iter().try_for_each(Node::stop)
    }

    /// Ends it, if it runs, and starts another in its place, at the same ports and without any data,
    /// as after the loss of a disk. `options` are those of the new one.
    ///
    /// # Errors
    /// When it does not start, or somebody else has taken one of its ports.
    pub fn replace(&mut self, options: &Options) -> Result {
        let make = match self.service {
            "couchdb" => Self::couchdb,
            "mariadb" => Self::mariadb,
            "mongodb" => Self::mongodb,
            "postgres" => Self::postgres,
            "redis" => Self::redis,
            "redis-cluster" => Self::redis_cluster,
            "redis-cluster-node" => Self::redis_cluster_node,
            "redis-sentinel" => Self::redis_sentinel,
            "valkey" => Self::valkey,
            other => return Err(Error::new(format!("{other} has no data"))),
        };
        let ports = self.ports();
        self.kill()?;
        // They are reserved as long as the nodes are there.
        self.nodes.clear();
        port::free(&ports)?;
        *self = make(&options.clone().ports(ports.iter().copied()))?;
        if self.ports() == ports {
            return Ok(());
        }
        Err(Error::new(format!("{}: somebody has taken its ports {ports:?}", self.service)))
    }

    /// Freezes all processes: connections stay open, and nothing is answered.
    ///
    /// # Errors
    /// When the system refuses.
    pub fn pause(&self) -> Result {
        self.nodes.iter().try_for_each(Node::pause)
    }

    /// Ends a [`pause`](Self::pause).
    ///
    /// # Errors
    /// When the system refuses.
    pub fn resume(&self) -> Result {
        self.nodes.iter().try_for_each(Node::resume)
    }

    /// Leaves it running when this process ends, with its data, and tells which processes those
    /// are: whoever has them can end them.
    #[must_use]
    pub fn keep(mut self) -> Vec<Process> {
        let processes = self.processes();
        self.folder.keep();
        self.nodes.clear();
        processes
    }

    /// Those of its processes that run.
    #[must_use]
    pub fn processes(&self) -> Vec<Process> {
        self.nodes.iter().filter_map(Node::process).collect()
    }

    fn settle(&self) -> Result {
        let what = format!("{} to settle", self.service);
        let mut error = None;
        let settled = wait::until(&what, PATIENCE, || {
            let answer = (self.settled)(&self.nodes);
            let has = matches!(answer, Ok(true));
            // A server whose role changes closes its connections: that alone is no failure.
            error = answer.err();
            Ok(has)
        });
        settled.map_err(|late| match error {
            Some(error) => error.context(&late.to_string()),
            None => late,
        })
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // What cannot be killed is left to the system; a drop must not panic.
        let _ = self.kill();
    }
}

impl std::fmt::Debug for Server {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { service, version, url, nodes, .. } = self;
        f.debug_struct("Server")
            .field("service", service)
            .field("version", version)
            .field("url", url)
            .field("nodes", nodes)
            .finish_non_exhaustive()
    }
}
