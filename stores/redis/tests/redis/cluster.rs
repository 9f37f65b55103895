//! What only a cluster shows.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use tenure_core::store::{Store, StoreKey, UserIndex};
use tenure_redis::{RedisOptions, RedisStore};
use tenure_test_servers::{Options, Reply, Server, redis_command};

use crate::support::{
    MINUTE, ONE, apply, begin, begin_as, installed, load, namespace, now, open, patch, refused,
    replicated, user,
};

fn cluster() -> Option<Server> {
    installed(Server::redis_cluster(&Options::new().volatile()))
}

/// Sessions are spread evenly over the masters, every operation reaches all of them, and no script
/// touches a key that it has not declared: another slot of the same node would be refused.
#[tokio::test(flavor = "multi_thread")]
async fn sessions_are_spread_and_scripts_keep_to_their_slot() {
    let Some(server) = cluster() else { return };
    let store = open(&server).await;
    let mut sessions = Vec::new();
    for _ in 0..600 {
        sessions.push(begin_as(&store, "ada").await);
    }
    let mut counts = HashMap::new();
    for node in &server.nodes()[..3] {
        let Reply::List(keys) = redis_command(node.port(), &["KEYS", "tenure:*:h:*"]).unwrap()
        else {
            panic!("no list")
        };
        counts.insert(node.port(), keys.len());
    }
    assert_eq!(counts.values().sum::<usize>(), 600);
    assert!(counts.values().all(|count| (130..=270).contains(count)), "{counts:?}");
    for session in &sessions[..50] {
        apply(&store, session, &patch().add("n", ONE).clear().add("m", ONE)).await;
        let record = load(&store, session).await;
        store.swap(session, &record.revision, &record, now()).await.unwrap();
        assert!(store.touch(session, now() + 30 * MINUTE, now()).await.unwrap());
    }
    let users = store.users().unwrap();
    assert_eq!(users.list(&namespace(), &user("ada"), now()).await.unwrap().len(), 600);
    assert_eq!(users.revoke(&namespace(), &user("ada"), None, now()).await.unwrap(), 600);
    for session in &sessions {
        assert!(store.load(session, now()).await.unwrap().is_none());
    }
    for _ in 0..100 {
        begin(&store, &[]).await;
    }
    assert_eq!(store.sweep(1_000, now() + 31 * MINUTE).await.unwrap(), 100);
}

/// Every node that was flushed of its scripts gets them again.
#[tokio::test(flavor = "multi_thread")]
async fn scripts_are_sent_again_to_the_node_that_misses_them() {
    let Some(server) = cluster() else { return };
    let store = open(&server).await;
    for _ in 0..3 {
        for node in &server.nodes()[..3] {
            redis_command(node.port(), &["SCRIPT", "FLUSH"]).unwrap();
        }
        for _ in 0..20 {
            let session = begin(&store, &[]).await;
            apply(&store, &session, &patch().add("n", ONE)).await;
        }
    }
}

/// A URL of one server that leads to a cluster says which URL to write.
#[tokio::test(flavor = "multi_thread")]
async fn a_cluster_needs_its_own_url() {
    let Some(server) = cluster() else { return };
    let one = format!("redis://127.0.0.1:{}", server.nodes()[0].port());
    let error = refused(RedisOptions::new(), &one).await;
    assert!(error.contains("redis-cluster://"), "{error}");
}

/// The application's own connection to a cluster.
#[tokio::test(flavor = "multi_thread")]
async fn v8_an_own_connection_to_a_cluster_works() {
    let Some(server) = cluster() else { return };
    let nodes: Vec<_> =
        server.nodes().iter().map(|node| format!("redis://127.0.0.1:{}", node.port())).collect();
    let client = redis::cluster::ClusterClient::new(nodes).unwrap();
    let connection = client.get_async_connection().await.unwrap();
    let store = RedisStore::with_connection(connection).await.unwrap();
    for _ in 0..20 {
        let session = begin_as(&store, "ada").await;
        apply(&store, &session, &patch().add("n", ONE)).await;
    }
    let listed = store.users().unwrap().list(&namespace(), &user("ada"), now()).await.unwrap();
    assert_eq!(listed.len(), 20);
}

/// Slots that move to another master while sessions are written lose nothing.
#[tokio::test(flavor = "multi_thread")]
async fn slots_that_move_lose_nothing() {
    let Some(server) = cluster() else { return };
    let store = open(&server).await;
    let session = begin(&store, &[("n", "0")]).await;
    let nodes = &server.nodes()[..3];
    let command = |port: u16, words: &[&str]| redis_command(port, words).unwrap();
    let (from, name) = nodes
        .iter()
        .find_map(|node| {
            let Reply::List(keys) = command(node.port(), &["KEYS", "tenure:*:h:*"]) else {
                return None;
            };
            Some((node.port(), keys.first()?.text().to_owned()))
        })
        .unwrap();
    let to = nodes.iter().map(|node| node.port()).find(|port| *port != from).unwrap();
    let Reply::Number(slot) = command(from, &["CLUSTER", "KEYSLOT", &name]) else { panic!() };
    let slot = slot.to_string();
    let id = |port| command(port, &["CLUSTER", "MYID"]).text().to_owned();
    let (from_id, to_id) = (id(from), id(to));

    let worker = tokio::spawn({
        let (store, session) = (store.clone(), session.clone());
        async move {
            for _ in 0..400 {
                let increment = patch().add("n", ONE);
                while store.apply(&session, &increment, now()).await.is_err() {
                    tokio::time::sleep(Duration::from_millis(5)).await;
                }
            }
        }
    });
    tokio::time::sleep(Duration::from_millis(50)).await;
    command(to, &["CLUSTER", "SETSLOT", &slot, "IMPORTING", &from_id]);
    command(from, &["CLUSTER", "SETSLOT", &slot, "MIGRATING", &to_id]);
    let Reply::List(keys) = command(from, &["CLUSTER", "GETKEYSINSLOT", &slot, "100"]) else {
        panic!()
    };
    for key in &keys {
        let to = to.to_string();
        command(from, &["MIGRATE", "127.0.0.1", &to, key.text(), "0", "5000"]);
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    for port in [to, from] {
        command(port, &["CLUSTER", "SETSLOT", &slot, "NODE", &to_id]);
    }
    worker.await.unwrap();
    assert_eq!(load(&store, &session).await.data.get("n"), Some("400"));
}

/// A cluster that is gone as a whole is an error within the time limit, and is back by itself.
#[tokio::test(flavor = "multi_thread")]
async fn an_outage_of_all_nodes_is_survived() {
    let Some(server) = installed(Server::redis_cluster(&Options::new())) else { return };
    let store = open(&server).await;
    let session = begin(&store, &[("n", "1")]).await;
    server.kill().unwrap();
    for _ in 0..10 {
        let begun = Instant::now();
        let error = store.load(&session, now()).await.unwrap_err();
        assert!(error.is_retryable(), "{error:?}");
        assert!(begun.elapsed().as_millis() < 100, "{:?}", begun.elapsed());
    }
    server.start().unwrap();
    let took = crate::outages::back(&store, &session).await;
    assert!(took.as_millis() < 1_000, "back after {took:?}");
    assert_eq!(load(&store, &session).await.data.get("n"), Some("1"));
}

/// A master that is frozen is a timeout for its sessions until its replica takes over; the others'
/// sessions go on.
#[tokio::test(flavor = "multi_thread")]
async fn a_frozen_master_is_replaced() {
    let Some(server) = installed(Server::redis_cluster(&Options::new().volatile())) else { return };
    let store = open(&server).await;
    let mut sessions = Vec::new();
    for _ in 0..12 {
        sessions.push(begin(&store, &[]).await);
    }
    replicated(&server);
    server.nodes()[0].pause().unwrap();
    // All at once: as soon as the others notice, the whole cluster is down for a moment.
    let load = |session: &StoreKey| {
        let (store, session) = (store.clone(), session.clone());
        tokio::spawn(async move {
            let begun = Instant::now();
            (store.load(&session, now()).await, begun.elapsed())
        })
    };
    let loads: Vec<_> = sessions.iter().map(load).collect();
    let mut late = 0;
    for load in loads {
        let (answer, took) = load.await.unwrap();
        assert!(took < Duration::from_millis(2_500), "{took:?}");
        if let Err(error) = answer {
            assert!(error.is_retryable(), "{error:?}");
            late += 1;
        }
    }
    assert!(late < 12, "all of them were late");
    for session in &sessions {
        let took = crate::outages::back(&store, session).await;
        assert!(took < Duration::from_secs(15), "{took:?}");
    }
    server.nodes()[0].resume().unwrap();
}
