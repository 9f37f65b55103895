//! A Redis with a replica, watched by sentinels.

use super::redis::{launch, node};
use super::replication::{FROM_A_FILE, replication};
use crate::folder::Folder;
use crate::port::ports;
use crate::tools::{self, Debian};
use crate::{Node, Options, Reply, Result, Server, probe, redis_command};

/// Under which the sentinels know the master.
const NAME: &str = "tenure";
const SENTINELS: usize = 3;

impl Server {
    /// A Redis with one replica and three sentinels, as `redis+sentinel://` with the addresses of
    /// the sentinels, separated by commas, and the master's name as path. When the master dies the
    /// replica takes over in about 2 s.
    ///
    /// # Errors
    /// When it is not installed or does not start.
    pub fn redis_sentinel(options: &Options) -> Result<Self> {
        let program = tools::find("redis-server", Debian::Redis)?;
        let [master, replica, sentinels @ ..] = ports::<{ 2 + SENTINELS }>(&options.ports)?;
        let folder = Folder::create(options.folder.as_deref())?;
        let first = master.number();
        let follow = format!("replicaof 127.0.0.1 {first}\n{FROM_A_FILE}");
        let mut nodes = vec![
            node(&program, "master", master, &folder, options, FROM_A_FILE)?,
            node(&program, "replica", replica, &folder, options, &follow)?,
        ];
        let mut addresses = Vec::new();
        for (index, port) in sentinels.into_iter().enumerate() {
            let name = format!("sentinel-{}", index + 1);
            let data = folder.sub(&name, None)?;
            let settings = format!(
                "port {}\nbind 127.0.0.1\ndir \"{}\"\nsentinel monitor {NAME} 127.0.0.1 {first} 2\n\
                 sentinel down-after-milliseconds {NAME} 1000\n\
                 sentinel failover-timeout {NAME} 3000\n",
                port.number(),
                data.display(),
            );
            let file = folder.file(&format!("{name}.conf"), settings.as_bytes(), None)?;
            addresses.push(format!("127.0.0.1:{}", port.number()));
            let launch = launch(&program, &file, vec!["--sentinel".to_owned()], data);
            nodes.push(Node::new(&name, port, folder.path(), launch, probe::redis));
        }
        let url = format!("redis+sentinel://{}/{NAME}", addresses.join(","));
        let version = tools::version(&program, &["--version"]);
        Self::begin("redis-sentinel", version, url, folder, nodes)?.with_settled(settled)
    }
}

/// Whether every sentinel knows the others and the replica, and that follows its master.
fn settled(nodes: &[Node]) -> Result<bool> {
    let (servers, sentinels) = nodes.split_at(2);
    for sentinel in sentinels {
        let Reply::List(known) = redis_command(sentinel.port(), &["SENTINEL", "MASTER", NAME])?
        else {
            return Ok(false);
        };
        let is = |field: &str, value: &str| {
            known.chunks(2).any(|pair| pair[0].text() == field && pair[1].text() == value)
        };
        let others = (SENTINELS - 1).to_string();
        if !is("num-other-sentinels", &others) || !is("num-slaves", "1") || !is("flags", "master") {
            return Ok(false);
        }
    }
    let mut linked = 0;
    for server in servers {
        linked += usize::from(replication(server)?.contains("master_link_status:up"));
    }
    Ok(linked == 1)
}
