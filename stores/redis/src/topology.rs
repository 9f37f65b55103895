//! Which nodes a cluster has, as one of them tells.

use std::collections::BTreeMap;

use redis::{Cmd, Value};
use tenure_core::store::StoreResult;
use tokio::time::Instant;

use crate::error::{failed, unexpected};
use crate::hash::octets;
use crate::pipe::Pipe;
use crate::url::Host;

/// The nodes that take part, by id, with whether they are masters. Those that hold no slots yet are
/// among them, and those that have failed are not.
pub(crate) type Topology = BTreeMap<String, bool>;

/// A node and where it is; without an address it is the one that was asked.
struct Peer {
    id: String,
    host: Option<Host>,
    is_master: bool,
}

/// The nodes, as one of them sees them now.
pub(crate) async fn topology(node: &mut Pipe, until: Instant) -> StoreResult<Topology> {
    Ok(peers(node, until).await?.into_iter().map(|peer| (peer.id, peer.is_master)).collect())
}

/// The nodes and where they are, as the node at `asked` sees them.
pub(crate) async fn hosts(
    node: &mut Pipe,
    asked: &Host,
    until: Instant,
) -> StoreResult<(Topology, Vec<Host>)> {
    let preferred = endpoints(ask(node, "SLOTS", until).await?, asked);
    let (mut topology, mut hosts) = (Topology::new(), Vec::new());
    for peer in peers(node, until).await? {
        // The names that clients are to use, which is what certificates are for, stand among the
        // slots alone.
        let host = preferred.get(&peer.id).cloned().or(peer.host);
        hosts.push(host.unwrap_or_else(|| asked.clone()));
        topology.insert(peer.id, peer.is_master);
    }
    Ok((topology, hosts))
}

async fn peers(node: &mut Pipe, until: Instant) -> StoreResult<Vec<Peer>> {
    let text = match ask(node, "NODES", until).await? {
        Value::VerbatimString { text, .. } => text,
        text => String::from_utf8(octets(text)?).map_err(|_| unexpected())?,
    };
    Ok(read(&text))
}

async fn ask(node: &mut Pipe, what: &str, until: Instant) -> StoreResult<Value> {
    let mut command: Cmd = redis::cmd("CLUSTER");
    command.arg(what);
    node.ask(&command, until).await.map_err(failed)
}

/// The lines of `CLUSTER NODES`: `id host:port@bus,name flags …`.
fn read(text: &str) -> Vec<Peer> {
    text.lines().filter_map(peer).collect()
}

fn peer(line: &str) -> Option<Peer> {
    let mut words = line.split(' ');
    let (id, address, flags) = (words.next()?, words.next()?, words.next()?);
    let has = |flag: &str| flags.split(',').any(|other| other == flag);
    if ["fail", "noaddr", "handshake"].into_iter().any(has) {
        return None;
    }
    let (address, _) = address.split_once('@').unwrap_or((address, ""));
    let (name, port) = address.rsplit_once(':')?;
    let host = host(name, port.parse().ok()?);
    Some(Peer { id: id.to_owned(), host, is_master: has("master") })
}

fn host(name: &str, port: u16) -> Option<Host> {
    (!matches!(name, "" | "?")).then(|| Host { name: name.to_owned(), port })
}

/// Where the nodes that hold slots are to be reached, by id: `CLUSTER SLOTS` lists for each range
/// its bounds and its nodes, each as host, port and id.
fn endpoints(slots: Value, asked: &Host) -> BTreeMap<String, Host> {
    let list = |value| if let Value::Array(list) = value { list } else { Vec::new() };
    let nodes = list(slots).into_iter().flat_map(|range| list(range).into_iter().skip(2));
    let read = |node| {
        let mut node = list(node).into_iter();
        let (name, port, id) = (node.next()?, node.next()?, node.next()?);
        let Value::Int(port) = port else { return None };
        let port = port.try_into().ok()?;
        let text = |value| String::from_utf8(octets(value).ok()?).ok();
        // A server that does not know how it is reached means the way that it was.
        let host = text(name).and_then(|name| host(&name, port));
        let host = host.unwrap_or_else(|| Host { name: asked.name.clone(), port });
        Some((text(id)?, host))
    };
    nodes.filter_map(read).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(name: &str, port: u16) -> Host {
        Host { name: name.to_owned(), port }
    }

    #[test]
    fn nodes_that_take_part_are_read() {
        let peers = read(
            "a1 10.0.0.1:7000@17000 myself,master - 0 0 1 connected 0-5460\n\
             b2 10.0.0.2:7001@17001,redis-2.test slave a1 0 1 1 connected\n\
             c3 :7002@17002 master,fail? - 0 1 2 connected 5461\n\
             d4 ::1:7003@17003 master - 0 1 3 connected\n\
             e5 10.0.0.5:7004@17004 master,fail - 0 1 4 disconnected\n\
             f6 :0@0 master,noaddr - 0 1 5 disconnected\n\
             g7 10.0.0.7:7006@17006 handshake - 0 0 0 connected\n\
             vars currentEpoch 6\n",
        );
        let peers: Vec<_> =
            peers.into_iter().map(|peer| (peer.id, peer.host, peer.is_master)).collect();
        let expected = [
            ("a1", Some(at("10.0.0.1", 7000)), true),
            ("b2", Some(at("10.0.0.2", 7001)), false),
            ("c3", None, true),
            ("d4", Some(at("::1", 7003)), true),
        ];
        assert_eq!(peers, expected.map(|(id, host, master)| (id.to_owned(), host, master)));
    }

    #[test]
    fn endpoints_are_those_that_clients_are_to_use() {
        let text = |text: &str| Value::BulkString(text.into());
        let node = |name, port, id| Value::Array(vec![name, Value::Int(port), text(id)]);
        let slots = Value::Array(vec![Value::Array(vec![
            Value::Int(0),
            Value::Int(16_383),
            node(text("redis-1.test"), 7000, "a1"),
            node(Value::Nil, 7001, "b2"),
            node(text("?"), 7002, "c3"),
        ])]);
        let endpoints = endpoints(slots, &at("here.test", 1));
        let expected = [
            ("a1", at("redis-1.test", 7000)),
            ("b2", at("here.test", 7001)),
            ("c3", at("here.test", 7002)),
        ];
        assert_eq!(endpoints, expected.map(|(id, host)| (id.to_owned(), host)).into());
    }
}
