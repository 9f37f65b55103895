//! X10: the near cache before Redis. What changes elsewhere is seen once the server has told of it,
//! and what is read again costs the server nothing.

use std::time::{Duration, Instant};

use tenure_core::store::{Epoch, NearCache, Record, Store, StoreKey, UserIndex};
use tenure_redis::{RedisOptions, RedisStore};
use tenure_test_servers::Server;
use tenure_testkit::server;

use crate::support::{
    ONE, apply, ask, begin, begin_as, commands, installed, json, load, namespace, now, open, patch,
    redis, user,
};

/// Longer than anything takes, also on a busy machine.
const PATIENCE: Duration = Duration::from_secs(20);

/// Waits for it, and tells how long that took.
pub(crate) async fn until(what: &str, mut is_so: impl AsyncFnMut() -> bool) -> Duration {
    let begun = Instant::now();
    while !is_so().await {
        assert!(begun.elapsed() < PATIENCE, "waited in vain until {what}");
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    begun.elapsed()
}

/// A cache that hears the server.
pub(crate) async fn near(store: RedisStore) -> NearCache<RedisStore> {
    let cache = NearCache::new(store);
    tokio::spawn(cache.watcher().run());
    until("the cache is on", async || cache.is_on()).await;
    cache
}

/// What is read, if the session is there.
pub(crate) async fn seen(store: &impl Store, key: &StoreKey) -> Option<String> {
    shown(store.load(key, now()).await.unwrap())
}

/// The same, asked again while servers change their roles.
async fn answered(store: &impl Store, key: &StoreKey) -> Option<String> {
    let begun = Instant::now();
    loop {
        match store.load(key, now()).await {
            Ok(record) => return shown(record),
            Err(error) => assert!(error.is_retryable() && begun.elapsed() < PATIENCE, "{error:?}"),
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

fn shown(record: Option<Record>) -> Option<String> {
    Some(record?.data.get("n").unwrap_or("-").to_owned())
}

/// Commits elsewhere, and waits until it is read here; what was read before was from memory.
pub(crate) async fn is_heard(here: &NearCache<RedisStore>, there: &RedisStore, key: &StoreKey) {
    let before = answered(here, key).await.expect("it is there");
    apply(there, key, &patch().add("n", ONE)).await;
    let after = Some((before.parse::<u32>().unwrap() + 1).to_string());
    until("the commit is heard of", async || answered(here, key).await == after).await;
}

/// Until the session is in memory, and nothing that was written before is still to be heard of:
/// when the first commit is read, its message may be on its way, when the next is, it was there.
async fn settle(here: &NearCache<RedisStore>, there: &RedisStore, key: &StoreKey) {
    for _ in 0..3 {
        is_heard(here, there, key).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn x10_a_warm_read_costs_the_server_no_command() {
    let Some(server) = redis() else { return };
    let (here, there) = (near(open(&server).await).await, open(&server).await);
    let session = begin(&there, &[("n", "0")]).await;
    settle(&here, &there, &session).await;
    let before = commands(&server);
    for _ in 0..1_000 {
        assert_eq!(seen(&here, &session).await.as_deref(), Some("3"));
    }
    assert_eq!(commands(&server), before);
    assert_eq!(here.len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn x10_a_commit_elsewhere_is_seen() {
    let Some(server) = redis() else { return };
    let (here, there) = (near(open(&server).await).await, open(&server).await);
    let session = begin(&there, &[("n", "0")]).await;
    for _ in 0..50 {
        is_heard(&here, &there, &session).await;
    }
    let foreign = StoreKey::foreign(namespace(), "sess:{1}/ä");
    let record = crate::support::record(&foreign, &[("n", "0")]);
    there.create(&foreign, &record, now()).await.unwrap();
    is_heard(&here, &there, &foreign).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn x10_a_logout_elsewhere_is_seen() {
    let Some(server) = redis() else { return };
    let (here, there) = (near(open(&server).await).await, open(&server).await);
    let (ended, lives) = (begin(&there, &[]).await, begin(&there, &[("n", "0")]).await);
    settle(&here, &there, &lives).await;
    assert!(seen(&here, &ended).await.is_some());
    assert!(there.delete(&ended, now()).await.unwrap());
    until("the logout is heard of", async || seen(&here, &ended).await.is_none()).await;
    assert_eq!(here.len(), 1, "the other session is still in memory");
}

#[tokio::test(flavor = "multi_thread")]
async fn x10_a_request_reads_what_it_wrote() {
    let Some(server) = redis() else { return };
    let here = near(open(&server).await).await;
    let session = begin(&here, &[]).await;
    for n in 0..200 {
        seen(&here, &session).await;
        apply(&here, &session, &patch().set("n", json(&n.to_string()))).await;
        assert_eq!(seen(&here, &session).await, Some(n.to_string()));
    }
    assert!(here.delete(&session, now()).await.unwrap());
    assert_eq!(seen(&here, &session).await, None);
}

#[tokio::test(flavor = "multi_thread")]
async fn x10_revocations_elsewhere_are_seen() {
    let Some(server) = redis() else { return };
    let (here, there) = (near(open(&server).await).await, open(&server).await);
    let (ada, grace) = (begin_as(&there, "ada").await, begin_as(&there, "grace").await);
    assert!(seen(&here, &ada).await.is_some() && seen(&here, &grace).await.is_some());
    let users = there.users().unwrap();
    assert_eq!(users.revoke(&namespace(), &user("ada"), None, now()).await.unwrap(), 1);
    until("the user's end is heard of", async || seen(&here, &ada).await.is_none()).await;
    assert!(seen(&here, &grace).await.is_some());
    there.epoch().unwrap().revoke_everybody(&namespace(), now()).await.unwrap();
    until("everybody's end is heard of", async || seen(&here, &grace).await.is_none()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn x10_a_server_that_is_emptied_empties_the_cache() {
    let Some(server) = redis() else { return };
    let here = near(open(&server).await).await;
    for command in ["FLUSHALL", "FLUSHDB"] {
        let session = begin(&here, &[]).await;
        assert!(seen(&here, &session).await.is_some());
        ask(&server, &[command]);
        until(command, async || seen(&here, &session).await.is_none()).await;
    }
}

/// What a store writes beside sessions, the schedule and the index of users, forgets nothing.
#[tokio::test(flavor = "multi_thread")]
async fn x10_other_keys_leave_the_cache_alone() {
    let Some(server) = redis() else { return };
    let (here, there) = (near(open(&server).await).await, open(&server).await);
    let session = begin(&here, &[("n", "0")]).await;
    settle(&here, &there, &session).await;
    for _ in 0..100 {
        begin_as(&there, "ada").await;
    }
    ask(&server, &["SET", "tenure", "1"]);
    ask(&server, &["SET", "other:{1}:epochs", "1"]);
    let marker = begin(&there, &[("n", "0")]).await;
    is_heard(&here, &there, &marker).await;
    let before = commands(&server);
    assert_eq!(seen(&here, &session).await.as_deref(), Some("3"));
    assert_eq!(commands(&server), before, "it is still in memory");
}

#[tokio::test(flavor = "multi_thread")]
async fn x10_memory_is_bounded() {
    let Some(server) = redis() else { return };
    let here = NearCache::new(open(&server).await).max_sessions(64);
    tokio::spawn(here.watcher().run());
    until("the cache is on", async || here.is_on()).await;
    for _ in 0..500 {
        let session = begin(&here, &[("n", "1")]).await;
        assert_eq!(seen(&here, &session).await.as_deref(), Some("1"));
        assert!(here.len() <= 64, "{}", here.len());
    }
    assert!(!here.is_empty());
}

/// The application's own connection tells of nothing; a URL beside it does.
#[tokio::test(flavor = "multi_thread")]
async fn x10_an_own_connection_needs_a_url_to_hear_of_changes() {
    let Some(server) = redis() else { return };
    let client = redis::Client::open(server.url()).unwrap();
    let connection = client.get_multiplexed_async_connection().await.unwrap();
    let there = RedisStore::with_connection(connection.clone()).await.unwrap();
    assert!(there.watch().is_none());

    let options = RedisOptions::new().watch_with(server.url()).unwrap();
    let here = near(options.with_connection(connection).await.unwrap()).await;
    let session = begin(&there, &[("n", "0")]).await;
    is_heard(&here, &there, &session).await;
}

/// Changes of another server would be worth nothing.
#[tokio::test(flavor = "multi_thread")]
async fn x10_a_url_of_another_server_keeps_the_cache_off() {
    let (Some(server), Some(other)) = (redis(), redis()) else { return };
    let client = redis::Client::open(server.url()).unwrap();
    let connection = client.get_multiplexed_async_connection().await.unwrap();
    let options = RedisOptions::new().watch_with(other.url()).unwrap();
    let here = NearCache::new(options.with_connection(connection).await.unwrap());
    let (tell, mut told) = tokio::sync::mpsc::unbounded_channel();
    let watcher = here.watcher().on_lost(move |why| drop(tell.send(why.to_string())));
    tokio::spawn(watcher.run());
    let why = told.recv().await.unwrap();
    assert!(why.contains("RedisOptions::watch_with"), "{why}");
    assert!(!here.is_on());
}

/// With TLS and with the password of the URL.
#[tokio::test(flavor = "multi_thread")]
async fn x10_changes_are_heard_of_by_tls() {
    let Some(url) = server::url("redis-tls") else { return };
    let options = RedisOptions::new().prefix("near-cache-tls:").unwrap();
    let options = options.ca_file(server::ca_file().expect("there is one with the server"));
    let here = near(options.clone().connect(&url).await.unwrap()).await;
    let there = options.connect(&url).await.unwrap();
    let session = begin(&there, &[("n", "0")]).await;
    is_heard(&here, &there, &session).await;
    there.delete(&session, now()).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn x10_changes_are_heard_of_with_a_password() {
    let options = tenure_test_servers::Options::new().volatile();
    let Some(server) = installed(Server::redis(&options)) else { return };
    ask(&server, &["ACL", "SETUSER", "ada", "on", ">secret", "~tenure:*", "resetchannels"]);
    let rights = ["+@read", "+@write", "+@scripting", "+@connection", "+info"];
    for right in rights {
        ask(&server, &["ACL", "SETUSER", "ada", right]);
    }
    let url = server.url().replace("redis://", "redis://ada:secret@");
    let (here, there) = (near(RedisStore::connect(&url).await.unwrap()).await, open(&server).await);
    let session = begin(&there, &[("n", "0")]).await;
    is_heard(&here, &there, &session).await;
    load(&here, &session).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn x10_valkey_tells_of_changes_too() {
    let Some(url) = server::url("valkey") else { return };
    let options = RedisOptions::new().prefix("near-cache:").unwrap();
    let here = near(options.clone().connect(&url).await.unwrap()).await;
    let there = options.connect(&url).await.unwrap();
    let session = begin(&there, &[("n", "0")]).await;
    for _ in 0..20 {
        is_heard(&here, &there, &session).await;
    }
    there.delete(&session, now()).await.unwrap();
}
