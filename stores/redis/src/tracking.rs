//! The connections by which servers tell what changes: client-side caching by broadcast, which
//! needs the third version of the protocol.

use std::collections::BTreeSet;
use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use futures_util::future::{try_join, try_join_all};
use redis::{Client, Cmd, PushInfo, PushKind, Value};
use tenure_core::store::{StoreError, StoreErrorKind, StoreResult};
use tokio::sync::mpsc::{self, Receiver, Sender, error::TrySendError};
use tokio::time::{Instant, sleep, timeout};

use crate::error::failed;
use crate::keys::Prefix;
use crate::link::too_late;
use crate::open::{run_ids, server_info};
use crate::pipe::{Pipe, Purpose, unlimited};
use crate::sentinel::Sentinels;
use crate::topology::{self, Topology};
use crate::url::{Access, Host};

/// How often a server is asked whether it is there, and how long it has to answer. Silence is
/// noticed after both together, which is to be less than two seconds.
const BEAT: Duration = Duration::from_millis(500);
const PATIENCE: Duration = Duration::from_secs(1);
/// Messages that may wait to be heard; each may tell of many keys.
const BACKLOG: usize = 4_096;

/// How to hear of changes.
pub(crate) struct Tracker {
    pub(crate) servers: Servers,
    pub(crate) connect_timeout: Duration,
}

/// Who tells of them.
pub(crate) enum Servers {
    One(Client),
    Master(Sentinels),
    /// All nodes, replicas too: whichever of them takes over, nothing is missed.
    Cluster {
        known: Vec<Host>,
        access: Access,
    },
}

/// Servers that tell what changes.
pub(crate) struct Nodes {
    connections: Vec<Pipe>,
    /// What a cluster was when they began.
    topology: Option<Topology>,
}

/// What they tell.
pub(crate) struct Messages {
    received: Receiver<PushInfo>,
    /// Whether one was lost because too many were waiting.
    overflowed: Arc<AtomicBool>,
}

impl Tracker {
    /// Begins to hear of changes: all after this are told.
    pub(crate) async fn begin(&self, prefix: &Prefix) -> StoreResult<(Nodes, Messages)> {
        let (sender, received) = mpsc::channel(BACKLOG);
        let overflowed = Arc::new(AtomicBool::new(false));
        let purpose = listening(sender, Arc::clone(&overflowed));
        let (connections, topology) = match &self.servers {
            Servers::One(client) => (vec![self.connect(client, &purpose).await?], None),
            Servers::Master(sentinels) => {
                (vec![self.within(sentinels.master(&purpose)).await?], None)
            }
            Servers::Cluster { known, access } => {
                let (topology, hosts) = self.ask(known, access).await?;
                let clients = hosts.iter().map(|host| access.client(host));
                let clients = clients.collect::<StoreResult<Vec<_>>>()?;
                let nodes = clients.iter().map(|client| self.connect(client, &purpose));
                (try_join_all(nodes).await?, Some(topology))
            }
        };
        let nodes = Nodes { connections, topology };
        let mut track = redis::cmd("CLIENT");
        track.arg(&["TRACKING", "ON", "BCAST", "PREFIX"]).arg(prefix.buckets());
        nodes.ask(&track).await?;
        // A node that came in the meantime would not be heard.
        nodes.compare(0).await?;
        Ok((nodes, Messages { received, overflowed }))
    }

    /// The nodes of the cluster, by the word of the first that answers.
    async fn ask(&self, known: &[Host], access: &Access) -> StoreResult<(Topology, Vec<Host>)> {
        let mut last = None;
        for host in known {
            let asked = self.within(async {
                let client = access.client(host)?;
                let until = Instant::now() + self.connect_timeout;
                let node = client.get_multiplexed_async_connection().await.map_err(failed)?;
                topology::hosts(&mut Pipe::Driver(node), host, until).await
            });
            match asked.await {
                Ok((topology, hosts)) if !hosts.is_empty() => return Ok((topology, hosts)),
                Ok(_) => {}
                Err(error) => last = Some(error),
            }
        }
        Err(last.unwrap_or_else(|| lost("no node of the cluster names any")))
    }

    async fn connect(&self, client: &Client, purpose: &Purpose) -> StoreResult<Pipe> {
        let connecting = Pipe::connect(client, purpose.clone());
        self.within(async { connecting.await.map_err(failed) }).await
    }

    async fn within<T>(&self, connecting: impl Future<Output = StoreResult<T>>) -> StoreResult<T> {
        let connected = timeout(self.connect_timeout, connecting).await;
        connected.unwrap_or_else(|_| Err(too_late(self.connect_timeout)))
    }
}

/// Connections whose messages go to `sender`.
fn listening(sender: Sender<PushInfo>, overflowed: Arc<AtomicBool>) -> Purpose {
    Purpose::Messages(unlimited().set_push_sender(move |push: PushInfo| {
        if let Err(TrySendError::Full(_)) = sender.try_send(push) {
            overflowed.store(true, Ordering::Release);
        }
        Ok::<_, ()>(())
    }))
}

impl Messages {
    /// The keys that have changed, or none if all may have.
    pub(crate) async fn next(&mut self) -> StoreResult<Option<Vec<Value>>> {
        loop {
            let told = self.received.recv().await;
            if self.overflowed.load(Ordering::Acquire) {
                return Err(lost("more changes than this process could hear of"));
            }
            let Some(told) = told else { return Err(gone()) };
            match told.kind {
                PushKind::Invalidate => {
                    return Ok(match told.data.into_iter().next() {
                        Some(Value::Array(keys)) => Some(keys),
                        _ => None,
                    });
                }
                PushKind::Disconnection => return Err(gone()),
                _ => {}
            }
        }
    }
}

impl Nodes {
    /// Waits until one of them is silent or gone, or the cluster has others.
    pub(crate) async fn end(&self) -> StoreError {
        let ping = redis::cmd("PING");
        let mut beat = 0;
        loop {
            sleep(BEAT).await;
            beat += 1;
            if let Err(error) = try_join(self.ask(&ping), self.compare(beat)).await {
                return error;
            }
        }
    }

    /// Which processes they are, as far as they tell.
    pub(crate) async fn run_ids(&self) -> StoreResult<BTreeSet<String>> {
        Ok(run_ids(Value::Array(self.ask(&server_info()).await?)))
    }

    async fn ask(&self, command: &Cmd) -> StoreResult<Vec<Value>> {
        try_join_all(self.connections.iter().cloned().map(|mut node| async move {
            let until = Instant::now() + PATIENCE;
            match node.ask(command, until).await {
                Err(error) if error.is_timeout() => Err(silent()),
                answer => answer.map_err(failed),
            }
        }))
        .await
    }

    /// Whether a cluster is as it was, in the eyes of another node each time. A failover may have
    /// undone what is in memory; slots that move do not matter, since every node tells.
    async fn compare(&self, beat: usize) -> StoreResult<()> {
        let Some(begun) = &self.topology else { return Ok(()) };
        let mut node = self.connections[beat % self.connections.len()].clone();
        let until = Instant::now() + PATIENCE;
        if topology::topology(&mut node, until).await? == *begun {
            return Ok(());
        }
        Err(lost("the cluster has other nodes or masters now"))
    }
}

fn silent() -> StoreError {
    StoreError::new(
        StoreErrorKind::Timeout,
        format!("the connection for changes was silent for {PATIENCE:?}"),
    )
}

fn gone() -> StoreError {
    lost("the connection for changes has ended")
}

pub(crate) fn lost(why: &str) -> StoreError {
    StoreError::new(StoreErrorKind::Unavailable, format!("changes are not heard of: {why}"))
}
