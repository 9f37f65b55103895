use std::time::{Duration, SystemTime};

use tenure_core::id::{CommitId, Handle, Namespace, Proof, UserId};
use tenure_core::store::{Applied, Created, Patch, Record, Store, StoreKey};
use tenure_core::value::{Json, Number};
use tenure_core::{Random, SystemRandom, Timestamp};
use tenure_redis::{RedisOptions, RedisStore};
use tenure_test_servers::{Options, Reply, Result, Server, redis_command};
use tenure_testkit::server::missing;

pub(crate) const MINUTE: Duration = Duration::from_secs(60);
pub(crate) const ONE: Number = Number::Int(1);

/// The server, or none when it is not installed, which is counted.
pub(crate) fn installed(server: Result<Server>) -> Option<Server> {
    match server {
        Ok(server) => Some(server),
        Err(error) if error.is_missing() => {
            missing(&error.to_string());
            None
        }
        Err(error) => panic!("{error}"),
    }
}

/// A server that forgets, for one test alone.
pub(crate) fn redis() -> Option<Server> {
    installed(Server::redis(&Options::new().volatile()))
}

pub(crate) async fn open(server: &Server) -> RedisStore {
    RedisStore::connect(server.url()).await.unwrap()
}

/// An error of opening the store.
pub(crate) async fn refused(options: RedisOptions, url: &str) -> String {
    let error = options.connect(url).await.expect_err("it must not open");
    assert!(!format!("{error} {error:?}").contains("secret"), "a password is printed: {error:?}");
    error.to_string()
}

/// The real time: Redis has its own, and removes what is long past.
pub(crate) fn now() -> Timestamp {
    SystemTime::now().into()
}

pub(crate) fn random<const N: usize>() -> [u8; N] {
    let mut octets = [0; N];
    SystemRandom.fill(&mut octets).unwrap();
    octets
}

pub(crate) fn namespace() -> Namespace {
    Namespace::new("shop").unwrap()
}

pub(crate) fn user(id: &str) -> UserId {
    UserId::new(id).unwrap()
}

pub(crate) fn key() -> StoreKey {
    StoreKey::new(namespace(), Handle::from_bytes(random())).with_proof(Proof::from_bytes(random()))
}

pub(crate) fn commit() -> CommitId {
    CommitId::from_bytes(random())
}

pub(crate) fn patch() -> Patch {
    Patch::new(commit())
}

pub(crate) fn json(text: &str) -> Json {
    Json::parse(text).unwrap()
}

pub(crate) fn record(key: &StoreKey, data: &[(&str, &str)]) -> Record {
    let mut record = Record::new(now(), 30 * MINUTE, 720 * MINUTE);
    record.proofs.present = key.proof().copied();
    record.commits = vec![(commit(), now())];
    record.data = data.iter().copied().collect();
    record
}

/// A session of nobody with this data.
pub(crate) async fn begin(store: &impl Store, data: &[(&str, &str)]) -> StoreKey {
    let key = key();
    let created = store.create(&key, &record(&key, data), now()).await.unwrap();
    assert_eq!(created, Created::Created);
    key
}

/// A session of this user.
pub(crate) async fn begin_as(store: &impl Store, id: &str) -> StoreKey {
    let key = key();
    let mut record = record(&key, &[]);
    record.user = Some(user(id));
    assert_eq!(store.create(&key, &record, now()).await.unwrap(), Created::Created);
    key
}

pub(crate) async fn load(store: &impl Store, key: &StoreKey) -> Record {
    store.load(key, now()).await.unwrap().expect("the session is there")
}

pub(crate) async fn apply(store: &impl Store, key: &StoreKey, patch: &Patch) {
    let applied = store.apply(key, patch, now()).await.unwrap();
    assert!(matches!(applied, Applied::Done(_)), "{applied:?}");
}

pub(crate) async fn value(store: &impl Store, key: &StoreKey, name: &str) -> Option<String> {
    load(store, key).await.data.get(name).map(str::to_owned)
}

/// One command to the first process of a server.
pub(crate) fn ask(server: &Server, command: &[&str]) -> Reply {
    redis_command(server.nodes()[0].port(), command).unwrap()
}

/// The keys of the server that begin and end like this.
pub(crate) fn keys(server: &Server, pattern: &str) -> Vec<String> {
    match ask(server, &["KEYS", pattern]) {
        Reply::List(keys) => keys.iter().map(|key| key.text().to_owned()).collect(),
        other => panic!("{other:?}"),
    }
}

/// How often the server was asked by us: commands that scripts call are not counted.
pub(crate) fn commands(server: &Server) -> i64 {
    let info = ask(server, &["INFO", "commandstats"]);
    let calls = |name: &str| {
        let line = info.text().lines().find(|line| line.starts_with(&format!("cmdstat_{name}:")));
        let calls = line.and_then(|line| line.split_once("calls=")?.1.split(',').next());
        calls.map_or(0, |calls| calls.parse::<i64>().unwrap())
    };
    // All that a store sends by itself, outside of scripts.
    calls("evalsha") + calls("eval") + calls("zrange") + calls("multi") + calls("script|load")
}

/// Waits until the replicas have all that the masters have taken so far.
pub(crate) fn replicated(server: &Server) {
    tokio::task::block_in_place(|| server.replicated()).unwrap();
}
