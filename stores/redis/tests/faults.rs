//! X14, X1, X2: Redis and Valkey, alone, behind Sentinel and in a cluster, out of reach, slow, cut
//! off, restarted, killed and replaced.

use std::time::Duration;

use tenure_redis::RedisStore;
use tenure_test_servers::faults::{Servers, Shared};
use tenure_test_servers::{Options, Result, Server};
use tenure_testkit::fault_suite;
use tenure_testkit::faults::Promise;

/// As the store promises: an error at once while Redis is known to be down, and back within a second.
fn promise() -> Promise {
    Promise::new().known_down(Duration::from_millis(100)).recovery(Duration::from_secs(1))
}

fn servers(
    name: &'static str,
    make: fn(&Options) -> Result<Server>,
    shared: &'static Shared,
) -> Servers<RedisStore> {
    Servers::new(name, make, shared, |url| Box::pin(async { RedisStore::connect(url).await }))
        .promise(promise())
}

fn redis() -> Servers<RedisStore> {
    static SHARED: Shared = Shared::new();
    servers("Redis", Server::redis, &SHARED)
}

fn valkey() -> Servers<RedisStore> {
    static SHARED: Shared = Shared::new();
    servers("Valkey", Server::valkey, &SHARED)
}

fn sentinel() -> Servers<RedisStore> {
    static SHARED: Shared = Shared::new();
    servers("Redis Sentinel", Server::redis_sentinel, &SHARED).replaced()
}

fn cluster() -> Servers<RedisStore> {
    static SHARED: Shared = Shared::new();
    servers("Redis Cluster", Server::redis_cluster, &SHARED)
        .promise(promise().repeats_unseen())
        .replaced()
}

fault_suite! { redis_alone, redis() }
fault_suite! { valkey_alone, valkey() }
fault_suite! { redis_sentinel, sentinel() }
fault_suite! { redis_cluster, cluster() }
