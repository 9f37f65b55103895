//! X8: what lies in the server where data is sealed.

use tenure_core::store::{Created, Record, Sealed, Store, StoreErrorKind, StoreKey};
use tenure_core::transform::Keyring;
use tenure_redis::RedisStore;
use tenure_test_servers::Server;

use crate::support::{
    MINUTE, apply, ask, begin, json, keys, load, namespace, now, open, patch, redis,
};

/// The field that holds all of the data.
const FIELD: &str = "=\0sealed";

async fn sealed(server: &Server) -> Sealed<RedisStore> {
    let keys = Keyring::from_secrets(["k7Q2mXv9LrT4wB8nZ1cJ6hY3pD5sF0gA"]).unwrap();
    Sealed::new(open(server).await, keys)
}

/// Everything that the server has of sessions, their names included.
fn everything(server: &Server) -> String {
    let names = keys(server, "tenure:*:h:*");
    let all = names.iter().map(|name| format!("{:?}", ask(server, &["HGETALL", name])));
    all.collect::<String>()
}

fn data(server: &Server, name: &str) -> String {
    let text = ask(server, &["HGET", name, FIELD]).text().to_owned();
    assert!(text.starts_with('"') && text.len() > 40, "{text:?}");
    text
}

/// X8: neither keys nor values are in the server, after a session's beginning or its commits.
#[tokio::test]
async fn x8_the_server_has_neither_keys_nor_values() {
    let Some(server) = redis() else { return };
    let store = sealed(&server).await;
    let key = begin(&store, &[("diagnosis", "\"influenza\"")]).await;
    apply(&store, &key, &patch().set("remedy", json("\"chamomile\""))).await;
    let there = everything(&server);
    for word in ["diagnosis", "influenza", "remedy", "chamomile"] {
        assert!(!there.contains(word), "{word}: {there}");
    }
    assert_eq!(keys(&server, "tenure:*:h:*").len(), 1);
    data(&server, &keys(&server, "tenure:*:h:*")[0]);
    let read = load(&store, &key).await.data;
    assert_eq!(read.keys().collect::<Vec<_>>(), ["diagnosis", "remedy"]);

    // The same without a seal, so that this test would see them.
    let plain = begin(&open(&server).await, &[("diagnosis", "\"influenza\"")]).await;
    assert!(everything(&server).contains("influenza"));
    assert!(store.load(&plain, now()).await.unwrap().is_some());
    assert!(store.sealed_only().load(&plain, now()).await.is_err());
}

/// X8, T-ISO-1: data that somebody exchanges between two sessions in the server is an error for
/// both, for reading and writing, and so are whole hashes.
#[tokio::test]
async fn x8_what_is_exchanged_in_the_server_is_noticed() {
    let Some(server) = redis() else { return };
    let store = sealed(&server).await;
    let ours = [begin(&store, &[("n", "1")]).await, begin(&store, &[("n", "2")]).await];
    let names = keys(&server, "tenure:*:h:*");
    let [one, other] = &names[..] else { panic!("{names:?}") };
    let put = |name: &str, data: &str| ask(&server, &["HSET", name, FIELD, data]);
    let (of_one, of_other) = (data(&server, one), data(&server, other));
    put(one, &of_other);
    put(other, &of_one);
    for key in &ours {
        is_noticed(&store, key).await;
    }
    put(one, &of_one);
    put(other, &of_other);
    for key in &ours {
        load(&store, key).await;
    }

    // Of sessions by foreign ids a hash has no proof, so that it could be anybody's.
    let foreign = ["first", "second"].map(|id| StoreKey::foreign(namespace(), id));
    for (key, n) in foreign.iter().zip(["1", "2"]) {
        let mut record = Record::new(now(), MINUTE, MINUTE);
        record.data = [("n", n)].into_iter().collect();
        assert_eq!(store.create(key, &record, now()).await.unwrap(), Created::Created);
    }
    let names = keys(&server, "tenure:*").into_iter().filter(|name| !names.contains(name));
    let names: Vec<_> =
        names.filter(|name| ask(&server, &["TYPE", name]).text() == "hash").collect();
    let [one, other] = &names[..] else { panic!("{names:?}") };
    for (from, to) in [(one.as_str(), "aside"), (other, one), ("aside", other)] {
        ask(&server, &["RENAME", from, to]);
    }
    for key in &foreign {
        is_noticed(&store, key).await;
    }
}

async fn is_noticed(store: &impl Store, key: &StoreKey) {
    for outcome in [
        store.load(key, now()).await.map(drop),
        store.apply(key, &patch().set("n", json("3")), now()).await.map(drop),
    ] {
        let error = outcome.unwrap_err();
        assert_eq!(error.kind(), StoreErrorKind::Corrupt, "{error}");
        assert!(error.to_string().contains("another session"), "{error}");
    }
}
