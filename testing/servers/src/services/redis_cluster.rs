//! Redis Cluster.

use std::time::Duration;

use super::redis::node;
use super::replication::{FROM_A_FILE, replication};
use crate::folder::Folder;
use crate::port::{Port, ports};
use crate::tools::{self, Debian};
use crate::{Error, Node, Options, Result, Server, redis_command, wait};

const MASTERS: usize = 3;
/// All slots are shared out among the masters.
const SLOTS: usize = 16_384;
const PATIENCE: Duration = Duration::from_secs(30);

impl Server {
    /// A Redis Cluster of three masters and three replicas, as `redis-cluster://` with all six
    /// addresses, separated by commas. When a master dies its replica takes over in about 4 s.
    ///
    /// # Errors
    /// When it is not installed or does not start.
    pub fn redis_cluster(options: &Options) -> Result<Self> {
        let program = tools::find("redis-server", Debian::Redis)?;
        let all: [Port; 4 * MASTERS] = ports(&options.ports)?;
        let folder = Folder::create(options.folder.as_deref())?;
        let mut all = all.into_iter();
        let mut nodes = Vec::new();
        let mut buses = Vec::new();
        while let (Some(port), Some(bus)) = (all.next(), all.next()) {
            buses.push(bus.number());
            let name = format!("node-{}", nodes.len() + 1);
            let more = lines(&bus);
            nodes.push(node(&program, &name, port, &folder, options, &more)?.with_port(bus));
        }
        let addresses: Vec<String> =
            nodes.iter().map(|node| format!("127.0.0.1:{}", node.port())).collect();
        let url = format!("redis-cluster://{}", addresses.join(","));
        let version = tools::version(&program, &["--version"]);
        let server = Self::begin("redis-cluster", version, url, folder, nodes)?;
        form(server.nodes(), &buses)?;
        server.with_settled(settled)
    }

    /// One Redis that may join a cluster and belongs to none yet, as `redis://`. The second of its
    /// [`ports`](Self::ports) is the one that the others have to know.
    ///
    /// # Errors
    /// When it is not installed or does not start.
    pub fn redis_cluster_node(options: &Options) -> Result<Self> {
        let program = tools::find("redis-server", Debian::Redis)?;
        let [port, bus] = ports(&options.ports)?;
        let folder = Folder::create(options.folder.as_deref())?;
        let url = format!("redis://127.0.0.1:{}", port.number());
        let version = tools::version(&program, &["--version"]);
        let more = lines(&bus);
        let node = node(&program, "node", port, &folder, options, &more)?.with_port(bus);
        Self::begin("redis-cluster-node", version, url, folder, vec![node])
    }
}

/// The settings of a node.
fn lines(bus: &Port) -> String {
    format!(
        "cluster-enabled yes\ncluster-node-timeout 2000\ncluster-port {}\n{FROM_A_FILE}",
        bus.number()
    )
}

/// Makes one cluster of nodes that do not know each other.
fn form(nodes: &[Node], buses: &[u16]) -> Result {
    for (index, node) in nodes.iter().enumerate() {
        let epoch = (index + 1).to_string();
        redis_command(node.port(), &["CLUSTER", "SET-CONFIG-EPOCH", &epoch])?;
        if index < MASTERS {
            let bound = |index: usize| index * SLOTS / MASTERS;
            let (first, last) = (bound(index).to_string(), (bound(index + 1) - 1).to_string());
            redis_command(node.port(), &["CLUSTER", "ADDSLOTSRANGE", &first, &last])?;
        }
    }
    let (Some(first), Some(port)) = (nodes.first(), nodes.first().map(Node::port)) else {
        return Err(Error::new("a cluster has nodes"));
    };
    for (node, bus) in nodes.iter().zip(buses).skip(1) {
        let (other, bus) = (node.port().to_string(), bus.to_string());
        redis_command(port, &["CLUSTER", "MEET", "127.0.0.1", &other, &bus])?;
    }
    wait::until(&format!("{} to meet all", first.name()), PATIENCE, || {
        let met = |node: &Node| {
            let known = redis_command(node.port(), &["CLUSTER", "NODES"])?;
            let lines = known.text().lines().filter(|line| !line.contains("handshake"));
            Ok(lines.count() == nodes.len())
        };
        nodes.iter().map(met).try_fold(true, |all, met| Ok(all && met?))
    })?;
    for (replica, master) in nodes.iter().skip(MASTERS).zip(nodes) {
        let id = redis_command(master.port(), &["CLUSTER", "MYID"])?;
        redis_command(replica.port(), &["CLUSTER", "REPLICATE", id.text()])?;
    }
    Ok(())
}

/// Whether every node serves and every replica has its master's data.
fn settled(nodes: &[Node]) -> Result<bool> {
    let mut masters = 0;
    for node in nodes {
        let info = redis_command(node.port(), &["CLUSTER", "INFO"])?;
        let replication = replication(node)?;
        let master = replication.contains("role:master");
        masters += usize::from(master);
        if !info.text().contains("cluster_state:ok")
            || !(master || replication.contains("master_link_status:up"))
        {
            return Ok(false);
        }
    }
    Ok(masters == MASTERS)
}
