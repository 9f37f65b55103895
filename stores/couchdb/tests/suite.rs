//! The twelve laws on a real server, from several processes where a law speaks of them.

use std::sync::OnceLock;
use std::time::Duration;

use tenure_core::SystemRandom;
use tenure_core::id::CommitId;
use tenure_couchdb::{CouchOptions, CouchStore};
use tenure_testkit::{StoreHarness, server, store_suite};

/// The server that imitates CouchDB here is slow where many write at once.
const PATIENCE: Duration = Duration::from_secs(120);

/// A database of the server at a URL, for one test alone.
struct Couch {
    url: String,
    database: OnceLock<String>,
}

impl Couch {
    fn at(url: String) -> Self {
        Self { url, database: OnceLock::new() }
    }

    fn database(&self) -> &str {
        self.database.get_or_init(|| {
            let id = CommitId::random(&SystemRandom).unwrap();
            format!("law_{:032x}", u128::from_be_bytes(*id.as_bytes()))
        })
    }
}

impl StoreHarness for Couch {
    type Store = CouchStore;

    async fn open(&self) -> CouchStore {
        self.open_at(self.database()).await
    }

    fn address(&self) -> Option<String> {
        Some(self.database().to_owned())
    }

    async fn open_at(&self, address: &str) -> CouchStore {
        let (server, _) = self.url.rsplit_once('/').unwrap();
        let options = CouchOptions::new().operation_timeout(PATIENCE);
        let store = options.connect(format!("{server}/{address}")).await.unwrap();
        store.migrate().await.unwrap();
        store
    }

    /// The server of the tests takes milliseconds for a request.
    fn share_of_rounds(&self) -> f64 {
        0.1
    }
}

store_suite! { couchdb, server::url("couchdb").map(Couch::at) }
