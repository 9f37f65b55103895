//! What is looked at when connecting, and what it is told.

use std::time::{Duration, Instant};

use redis::aio::ConnectionManagerConfig;
use tenure_core::store::{Store, StoreErrorKind};
use tenure_redis::{RedisOptions, RedisStore};
use tenure_test_servers::{Options, Server};

use crate::support::{ask, begin, installed, keys, load, now, open, redis, refused};

/// A server that may evict sessions is refused with the setting's name, unless it is accepted.
#[tokio::test]
async fn a_server_that_evicts_is_refused() {
    let Some(server) = redis() else { return };
    ask(&server, &["CONFIG", "SET", "maxmemory-policy", "allkeys-lru"]);
    assert!(open(&server).await.warnings().is_empty(), "without a limit nothing is evicted");
    ask(&server, &["CONFIG", "SET", "maxmemory", "100mb"]);
    for policy in ["allkeys-lru", "volatile-ttl", "allkeys-random"] {
        ask(&server, &["CONFIG", "SET", "maxmemory-policy", policy]);
        let error = refused(RedisOptions::new(), server.url()).await;
        for part in ["`maxmemory-policy` is ", policy, "noeviction", "insecure_allow_eviction"] {
            assert!(error.contains(part), "{error}");
        }
    }
    let store = RedisOptions::new().insecure_allow_eviction().connect(server.url()).await.unwrap();
    assert_eq!(store.warnings().len(), 1, "{:?}", store.warnings());
    ask(&server, &["CONFIG", "SET", "maxmemory-policy", "noeviction"]);
    assert!(open(&server).await.warnings().is_empty());
}

/// Where the user may not ask for it, there is one warning, and the store works.
#[tokio::test]
async fn a_policy_that_cannot_be_read_is_one_warning() {
    let Some(server) = redis() else { return };
    let user = "ACL SETUSER app on >secret ~tenure:* +@read +@write +@scripting +@connection";
    ask(&server, &user.split(' ').collect::<Vec<_>>());
    let options = RedisOptions::new().user("app").password("secret");
    let store = options.clone().connect(server.url()).await.unwrap();
    assert_eq!(store.warnings().len(), 1, "{:?}", store.warnings());
    assert!(store.warnings()[0].contains("maxmemory-policy"), "{:?}", store.warnings());
    load(&store, &begin(&store, &[]).await).await;
    store.sweep(10, now()).await.unwrap();

    let store = options.prefix("other:").unwrap().connect(server.url()).await.unwrap();
    let error = store.load(&crate::support::key(), now()).await.unwrap_err();
    assert!(error.to_string().contains("ACL SETUSER"), "{error}");
}

/// Each thing that can be wrong with the server or the URL says what to do.
#[tokio::test]
async fn what_is_wrong_names_its_setting() {
    let Some(server) = redis() else { return };
    ask(&server, &["CONFIG", "SET", "requirepass", "secret"]);
    let place = server.url().trim_start_matches("redis://").to_owned();
    for url in [server.url().to_owned(), format!("redis://:wrong@{place}")] {
        let error = refused(RedisOptions::new(), &url).await;
        assert!(error.contains("RedisOptions::password"), "{error}");
    }
    let error = refused(RedisOptions::new(), &format!("redis://:secret@{place}/99")).await;
    assert!(error.contains("RedisOptions::database"), "{error}");
    RedisOptions::new().password("secret").connect(server.url()).await.unwrap();

    let (host, port) = place.trim_end_matches('/').split_once(':').unwrap();
    let fields = RedisOptions::new().host(host).port(port.parse().unwrap());
    let store = fields.password("secret").database(3).open().await.unwrap();
    assert!(!format!("{store:?}").contains("secret"));
    assert!(!format!("{:?}", RedisOptions::new().password("secret")).contains("secret"));
}

/// A replica takes no writes: that is said at start, and its master is not guessed.
#[tokio::test]
async fn a_replica_is_refused() {
    let Some(server) = installed(Server::redis_sentinel(&Options::new().volatile())) else {
        return;
    };
    let replica = format!("redis://127.0.0.1:{}", server.nodes()[1].port());
    let error = refused(RedisOptions::new(), &replica).await;
    assert!(error.contains("replica") && error.contains("redis+sentinel://"), "{error}");
    let sentinel = format!("redis://127.0.0.1:{}", server.nodes()[2].port());
    let error = refused(RedisOptions::new(), &sentinel).await;
    assert!(error.contains("sentinel"), "{error}");
    let nobody = server.url().replace("/tenure", "/nobody");
    let error = refused(RedisOptions::new(), &nobody).await;
    assert!(error.contains("nobody") && error.contains("sentinel monitor"), "{error}");
}

/// Nobody there: an error at once, not a retry for ever.
#[tokio::test]
async fn a_server_that_is_not_there_is_told_at_once() {
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    for url in [format!("redis://127.0.0.1:{port}"), format!("redis-cluster://127.0.0.1:{port}")] {
        let begun = Instant::now();
        let error = RedisStore::connect(&url).await.unwrap_err();
        assert_eq!(error.kind(), StoreErrorKind::Unavailable, "{error}");
        assert!(error.to_string().contains("host and port"), "{error}");
        assert!(begun.elapsed() < Duration::from_secs(2), "{:?}", begun.elapsed());
    }
}

/// Two prefixes on one server share nothing.
#[tokio::test]
async fn prefixes_are_apart() {
    let Some(server) = redis() else { return };
    let options = RedisOptions::new().prefix("blog:").unwrap();
    let (shop, blog) = (open(&server).await, options.connect(server.url()).await.unwrap());
    let session = begin(&shop, &[]).await;
    assert!(blog.load(&session, now()).await.unwrap().is_none());
    assert!(!blog.delete(&session, now()).await.unwrap());
    assert_eq!(blog.sweep(10, now() + Duration::from_secs(86_400)).await.unwrap(), 0);
    load(&shop, &session).await;
    assert!(keys(&server, "blog:*").is_empty());
}

/// V8: the application's own connection, of each kind that can be shared.
#[tokio::test]
async fn v8_the_applications_own_connection_works() {
    let Some(server) = redis() else { return };
    let client = redis::Client::open(server.url()).unwrap();
    let multiplexed = client.get_multiplexed_async_connection().await.unwrap();
    let manager =
        client.get_connection_manager_with_config(ConnectionManagerConfig::new()).await.unwrap();
    let first = RedisStore::with_connection(multiplexed).await.unwrap();
    let second = RedisStore::with_connection(manager.clone()).await.unwrap();
    let session = begin(&first, &[("n", "1")]).await;
    assert_eq!(load(&second, &session).await.data.get("n"), Some("1"));
    second.close().await;
    assert!(second.load(&session, now()).await.is_err(), "the store is closed");
    let pong: String = redis::cmd("PING").query_async(&mut manager.clone()).await.unwrap();
    assert_eq!(pong, "PONG", "the connection is still the application's");
}

/// A closed store answers with an error at once, and closing it again does nothing.
#[tokio::test]
async fn a_closed_store_says_so() {
    let Some(server) = redis() else { return };
    let store = open(&server).await;
    let session = begin(&store, &[]).await;
    let clone = store.clone();
    store.close().await;
    store.close().await;
    let error = clone.load(&session, now()).await.unwrap_err();
    assert_eq!(error.kind(), StoreErrorKind::Unavailable);
    assert!(error.to_string().contains("closed"), "{error}");
    load(&open(&server).await, &session).await;
}
