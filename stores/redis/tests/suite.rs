//! The twelve laws on real servers, from several processes where a law speaks of them.

use std::env;

use tenure_redis::{RedisOptions, RedisStore};
use tenure_testkit::{StoreHarness, store_suite};

/// A server that all tests share.
struct Server {
    url: String,
}

impl Server {
    fn named(variable: &str) -> Self {
        Self { url: env::var(variable).unwrap() }
    }
}

impl StoreHarness for Server {
    type Store = RedisStore;

    async fn open(&self) -> RedisStore {
        self.open_at(&self.url).await
    }

    fn address(&self) -> Option<String> {
        Some(self.url.clone())
    }

    async fn open_at(&self, address: &str) -> RedisStore {
        RedisOptions::new().connect(address).await.unwrap()
    }
}

store_suite! { redis, Server::named("TENURE_TEST_REDIS_URL") }
