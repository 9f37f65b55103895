//! The twelve laws on a real server, from several processes where a law speaks of them.

use std::sync::OnceLock;
use std::time::Duration;

use tenure_core::SystemRandom;
use tenure_core::id::CommitId;
use tenure_mongodb::{MongoOptions, MongoStore};
use tenure_testkit::{StoreHarness, server, store_suite};

/// The server that imitates MongoDB here looks through whole collections, however many indexes they
/// have: so each test has one of its own, and patience.
const PATIENCE: Duration = Duration::from_secs(30);

/// A collection of the server at a URL.
struct Mongo {
    url: String,
    collection: OnceLock<String>,
}

impl Mongo {
    fn at(url: String) -> Self {
        Self { url, collection: OnceLock::new() }
    }

    fn collection(&self) -> &str {
        self.collection.get_or_init(|| {
            let id = CommitId::random(&SystemRandom).unwrap();
            format!("law_{:032x}", u128::from_be_bytes(*id.as_bytes()))
        })
    }
}

impl StoreHarness for Mongo {
    type Store = MongoStore;

    async fn open(&self) -> MongoStore {
        self.open_at(self.collection()).await
    }

    fn address(&self) -> Option<String> {
        Some(self.collection().to_owned())
    }

    async fn open_at(&self, address: &str) -> MongoStore {
        let options = MongoOptions::new().collection(address).unwrap().operation_timeout(PATIENCE);
        let store = options.connect(&self.url).await.unwrap();
        store.migrate().await.unwrap();
        store
    }

    /// The server of the tests takes milliseconds for a command.
    fn share_of_rounds(&self) -> f64 {
        0.02
    }

    fn share_of_writers(&self) -> f64 {
        0.5
    }
}

store_suite! { mongodb, server::url("mongodb").map(Mongo::at) }
