//! X10: a near cache that cannot hear the server is off, and comes back by itself.

use std::time::Duration;

use tenure_core::store::{NearCache, Store, StoreKey};
use tenure_redis::{RedisOptions, RedisStore};
use tenure_test_servers::{Options, Reply, Server, redis_command};
use tenure_testkit::{Link, Proxy};

use crate::near_cache::{is_heard, near, seen, until};
use crate::support::{
    ONE, apply, ask, begin, commands, installed, load, now, open, patch, redis, replicated, value,
};

/// How soon silence is to be noticed.
const NOTICED: Duration = Duration::from_secs(2);

/// A cache whose sessions come from the server, and whose news through a proxy.
async fn through(server: &Server, proxy: &Proxy) -> NearCache<RedisStore> {
    let client = redis::Client::open(server.url()).unwrap();
    let connection = client.get_multiplexed_async_connection().await.unwrap();
    let options = RedisOptions::new().watch_with(proxy.in_url(server.url())).unwrap();
    near(options.with_connection(connection).await.unwrap()).await
}

/// Three times the news stop: the cache is off in time, every read goes to the server and sees what
/// is there, and it is on again when the news are back.
async fn survives(link: Link) {
    let Some(server) = redis() else { return };
    let proxy = Proxy::start(("127.0.0.1", server.nodes()[0].port())).await.unwrap();
    let (here, there) = (through(&server, &proxy).await, open(&server).await);
    let session = begin(&there, &[("n", "0")]).await;
    let mut noticed = Duration::MAX;
    for round in 0..3 {
        is_heard(&here, &there, &session).await;
        proxy.set(link.clone()).await;
        noticed = noticed.min(until("the cache is off", async || !here.is_on()).await);
        assert!(here.is_empty());
        for n in 0..5 {
            apply(&there, &session, &patch().add("n", ONE)).await;
            let before = commands(&server);
            let expected = (6 * round + n + 2).to_string();
            assert_eq!(seen(&here, &session).await, Some(expected), "at once, round {round}");
            assert_eq!(commands(&server) - before, 1, "each read goes to the server");
        }
        proxy.set(Link::Sound).await;
        until("the cache is on again", async || here.is_on()).await;
    }
    is_heard(&here, &there, &session).await;
    // Of three, since a busy machine may be late.
    assert!(noticed < NOTICED, "{link:?} was noticed after {noticed:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn x10_silence_turns_the_cache_off_until_it_ends() {
    survives(Link::Silent).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn x10_a_refused_connection_turns_the_cache_off_until_it_is_back() {
    survives(Link::Refused).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn x10_a_killed_connection_is_made_again() {
    let Some(server) = redis() else { return };
    let (here, there) = (near(open(&server).await).await, open(&server).await);
    let session = begin(&there, &[("n", "0")]).await;
    let trackers = || {
        let clients = ask(&server, &["CLIENT", "LIST"]);
        let lines = clients.text().lines().filter(|line| line.contains(" flags=tB "));
        lines
            .filter_map(|line| Some(line.strip_prefix("id=")?.split(' ').next()?.to_owned()))
            .collect::<Vec<_>>()
    };
    for _ in 0..5 {
        is_heard(&here, &there, &session).await;
        let id = trackers().pop().expect("one hears of changes");
        ask(&server, &["CLIENT", "KILL", "ID", &id]);
        until("another hears of them", async || trackers().iter().any(|other| *other != id)).await;
        until("the cache is on again", async || here.is_on()).await;
    }
    // All of them, those for sessions too.
    ask(&server, &["CLIENT", "KILL", "TYPE", "normal"]);
    until("both are back", async || there.load(&session, now()).await.is_ok()).await;
    until("the cache is on again", async || {
        here.is_on() && here.load(&session, now()).await.is_ok()
    })
    .await;
    is_heard(&here, &there, &session).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn x10_a_restart_turns_the_cache_off_until_the_server_is_back() {
    let Some(server) = installed(Server::redis(&Options::new())) else { return };
    let (here, there) = (near(open(&server).await).await, open(&server).await);
    let session = begin(&there, &[("n", "0")]).await;
    is_heard(&here, &there, &session).await;
    server.kill().unwrap();
    let noticed = until("the cache is off", async || !here.is_on()).await;
    assert!(noticed < NOTICED, "{noticed:?}");
    assert!(here.load(&session, now()).await.is_err(), "nothing is served from memory");
    server.start().unwrap();
    until("the cache is on again", async || here.is_on()).await;
    until("both are back", async || there.load(&session, now()).await.is_ok()).await;
    is_heard(&here, &there, &session).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn x10_a_store_that_is_closed_is_heard_no_more() {
    let Some(server) = redis() else { return };
    let here = near(open(&server).await).await;
    let session = begin(&here, &[]).await;
    load(&here, &session).await;
    here.close().await;
    until("the cache is off", async || !here.is_on()).await;
    assert!(here.load(&session, now()).await.is_err());
    tokio::time::sleep(Duration::from_millis(200)).await;
    assert!(!here.is_on());
}

/// Sessions that lie on all masters.
async fn many(store: &RedisStore) -> Vec<StoreKey> {
    let mut sessions = Vec::new();
    for _ in 0..24 {
        sessions.push(begin(store, &[("n", "0")]).await);
    }
    sessions
}

fn command(port: u16, words: &[&str]) -> Reply {
    redis_command(port, words).unwrap()
}

/// The key of a session, if it is on this node.
fn found(port: u16, session: &StoreKey) -> Option<String> {
    let handle = session.handle().expect("one of ours");
    match command(port, &["KEYS", &format!("tenure:*:h:{handle}:*")]) {
        Reply::List(keys) => keys.first().map(|key| key.text().to_owned()),
        other => panic!("{other:?}"),
    }
}

/// Moves the slot of a session from whichever master has it.
fn move_slot(session: &StoreKey, masters: &[u16], to: u16) {
    let found_on = |port: &u16| Some((*port, found(*port, session)?));
    let (from, name) = masters.iter().find_map(found_on).expect("on a master");
    assert_ne!(from, to);
    let Reply::Number(slot) = command(from, &["CLUSTER", "KEYSLOT", &name]) else { panic!() };
    let slot = slot.to_string();
    let id = |port| command(port, &["CLUSTER", "MYID"]).text().to_owned();
    let (from_id, to_id) = (id(from), id(to));
    command(to, &["CLUSTER", "SETSLOT", &slot, "IMPORTING", &from_id]);
    command(from, &["CLUSTER", "SETSLOT", &slot, "MIGRATING", &to_id]);
    let Reply::List(keys) = command(from, &["CLUSTER", "GETKEYSINSLOT", &slot, "100"]) else {
        panic!()
    };
    for key in &keys {
        command(from, &["MIGRATE", "127.0.0.1", &to.to_string(), key.text(), "0", "5000"]);
    }
    for port in [to, from] {
        command(port, &["CLUSTER", "SETSLOT", &slot, "NODE", &to_id]);
    }
}

/// The news of every master are heard, and slots may move from one to another.
#[tokio::test(flavor = "multi_thread")]
async fn x10_all_nodes_of_a_cluster_are_heard_wherever_slots_go() {
    let options = Options::new().volatile();
    let Some(server) = installed(Server::redis_cluster(&options)) else { return };
    let (here, there) = (near(open(&server).await).await, open(&server).await);
    for session in many(&there).await {
        is_heard(&here, &there, &session).await;
    }
    let session = begin(&there, &[("n", "0")]).await;
    is_heard(&here, &there, &session).await;
    let masters: Vec<_> = server.nodes()[..3].iter().map(|node| node.port()).collect();
    let other = masters.iter().find(|port| found(**port, &session).is_none());
    let to = *other.expect("another");
    move_slot(&session, &masters, to);
    for _ in 0..5 {
        is_heard(&here, &there, &session).await;
    }
    assert!(found(to, &session).is_some(), "it has moved");
}

/// A node that joins is heard before it has any slot.
#[tokio::test(flavor = "multi_thread")]
async fn x10_a_node_that_joins_a_cluster_is_heard() {
    let options = Options::new().volatile();
    let Some(server) = installed(Server::redis_cluster(&options)) else { return };
    let Some(joining) = installed(Server::redis_cluster_node(&options)) else { return };
    let (here, there) = (near(open(&server).await).await, open(&server).await);
    let session = begin(&there, &[("n", "0")]).await;
    is_heard(&here, &there, &session).await;
    let (first, new) = (server.nodes()[0].port(), joining.nodes()[0].port());
    let bus = joining.ports()[1].to_string();
    command(first, &["CLUSTER", "MEET", "127.0.0.1", &new.to_string(), &bus]);
    until("it takes part", async || {
        command(new, &["CLUSTER", "INFO"]).text().contains("cluster_state:ok")
    })
    .await;
    until("it tells of changes", async || {
        command(new, &["CLIENT", "LIST"]).text().contains(" flags=tB ")
    })
    .await;
    until("the cache is on again", async || here.is_on()).await;
    let masters: Vec<_> = server.nodes()[..3].iter().map(|node| node.port()).collect();
    move_slot(&session, &masters, new);
    for _ in 0..5 {
        is_heard(&here, &there, &session).await;
    }
    assert!(found(new, &session).is_some(), "it has moved");
}

/// A master that dies turns the cache off; when its replica has taken over it is on again, and
/// what the new master takes is heard.
#[tokio::test(flavor = "multi_thread")]
async fn x10_a_failover_of_a_cluster_is_noticed() {
    let options = Options::new().volatile();
    let Some(server) = installed(Server::redis_cluster(&options)) else { return };
    let (here, there) = (near(open(&server).await).await, open(&server).await);
    let sessions = many(&there).await;
    replicated(&server);
    server.nodes()[0].kill().unwrap();
    until("the cache is off", async || !here.is_on()).await;
    until("the cache is on again", async || here.is_on()).await;
    for session in &sessions {
        until("all masters answer", async || there.load(session, now()).await.is_ok()).await;
        until("all masters answer", async || here.load(session, now()).await.is_ok()).await;
        is_heard(&here, &there, session).await;
    }
}

/// The same for a node that is frozen: nothing is reset, and all the same it is noticed.
#[tokio::test(flavor = "multi_thread")]
async fn x10_a_frozen_node_of_a_cluster_is_noticed() {
    let options = Options::new().volatile();
    let Some(server) = installed(Server::redis_cluster(&options)) else { return };
    let here = near(open(&server).await).await;
    server.nodes()[1].pause().unwrap();
    until("the cache is off", async || !here.is_on()).await;
    server.nodes()[1].resume().unwrap();
    until("the cache is on again", async || here.is_on()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn x10_a_failover_behind_sentinel_is_noticed() {
    let options = Options::new().volatile();
    let Some(server) = installed(Server::redis_sentinel(&options)) else { return };
    let (here, there) = (near(open(&server).await).await, open(&server).await);
    let session = begin(&there, &[("n", "0")]).await;
    is_heard(&here, &there, &session).await;
    replicated(&server);
    server.nodes()[0].kill().unwrap();
    until("the cache is off", async || !here.is_on()).await;
    until("the cache is on again", async || here.is_on()).await;
    until("the master answers", async || there.load(&session, now()).await.is_ok()).await;
    is_heard(&here, &there, &session).await;
    assert!(value(&here, &session, "n").await.is_some());
}
