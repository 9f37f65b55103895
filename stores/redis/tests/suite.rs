//! The twelve laws on real servers, from several processes where a law speaks of them: P2, X6.

use std::time::{Duration, Instant};

use tenure_core::store::{NearCache, Sealed};
use tenure_core::transform::Keyring;
use tenure_redis::{RedisOptions, RedisStore};
use tenure_testkit::{StoreHarness, server, store_suite};

/// The laws say nothing of time limits, and a busy machine is no failure.
const PATIENCE: Duration = Duration::from_secs(20);

/// Of rounds that all run elsewhere with the same commands, this share runs again.
const AGAIN: f64 = 0.2;

/// A server that all tests share.
struct Shared {
    url: String,
    rounds: f64,
}

impl Shared {
    fn named(service: &str) -> Option<Self> {
        server::url(service).map(|url| Self { url, rounds: 1.0 })
    }

    /// One that gets the commands that another one has got.
    fn again(service: &str) -> Option<Self> {
        Self::named(service).map(|shared| Self { rounds: AGAIN, ..shared })
    }
}

impl StoreHarness for Shared {
    type Store = RedisStore;

    async fn open(&self) -> RedisStore {
        self.open_at(&self.url).await
    }

    fn address(&self) -> Option<String> {
        Some(self.url.clone())
    }

    async fn open_at(&self, address: &str) -> RedisStore {
        let mut options = RedisOptions::new().timeout(PATIENCE).connect_timeout(PATIENCE);
        if let Some(file) = server::ca_file() {
            options = options.ca_file(file);
        }
        options.connect(address).await.unwrap()
    }

    fn share_of_rounds(&self) -> f64 {
        self.rounds
    }
}

/// The same server behind a near cache that hears of its changes: X10.
struct Near(Shared);

impl StoreHarness for Near {
    type Store = NearCache<RedisStore>;

    async fn open(&self) -> NearCache<RedisStore> {
        self.open_at(&self.0.url).await
    }

    fn address(&self) -> Option<String> {
        self.0.address()
    }

    async fn open_at(&self, address: &str) -> NearCache<RedisStore> {
        let cache = NearCache::new(self.0.open_at(address).await);
        tokio::spawn(cache.watcher().run());
        let begun = Instant::now();
        while !cache.is_on() {
            assert!(begun.elapsed() < PATIENCE, "the cache does not hear the server");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        cache
    }

    /// All rounds run without the cache, too, and writes are the same.
    fn share_of_rounds(&self) -> f64 {
        AGAIN
    }
}

/// The same server with data that is sealed, by the same keys in each process: X8.
struct AtRest(Shared);

impl StoreHarness for AtRest {
    type Store = Sealed<RedisStore>;

    async fn open(&self) -> Sealed<RedisStore> {
        self.open_at(&self.0.url).await
    }

    fn address(&self) -> Option<String> {
        self.0.address()
    }

    async fn open_at(&self, address: &str) -> Sealed<RedisStore> {
        let keys = Keyring::from_secrets(["k7Q2mXv9LrT4wB8nZ1cJ6hY3pD5sF0gA"]).unwrap();
        Sealed::new(self.0.open_at(address).await, keys)
    }

    /// All rounds run without the seal, too, whose commits are a load and a swap each.
    fn share_of_rounds(&self) -> f64 {
        0.1
    }

    fn share_of_writers(&self) -> f64 {
        0.1
    }
}

store_suite! { redis, Shared::named("redis") }
store_suite! { redis_tls, Shared::again("redis-tls") }
store_suite! { redis_cluster, Shared::named("redis-cluster") }
store_suite! { redis_sentinel, Shared::again("redis-sentinel") }
store_suite! { valkey, Shared::again("valkey") }
store_suite! { x10_redis_cached, Shared::named("redis").map(Near) }
store_suite! { x10_redis_cluster_cached, Shared::named("redis-cluster").map(Near) }
store_suite! { x8_redis_sealed, Shared::named("redis").map(AtRest) }
