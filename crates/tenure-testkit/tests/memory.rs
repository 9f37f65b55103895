//! The suite on the store in memory. This is all that it takes.

use tenure_core::store::MemoryStore;
use tenure_testkit::{StoreHarness, store_suite};

struct Memory;

impl StoreHarness for Memory {
    type Store = MemoryStore;

    async fn open(&self) -> MemoryStore {
        MemoryStore::new()
    }
}

store_suite! { memory, Memory }

/// Random histories by the hundred thousand, which only a store without a server is fast enough
/// for.
#[tokio::test(flavor = "multi_thread")]
async fn model_matches_a_hundred_thousand_times() {
    let trial = tenure_testkit::store::Trial::new(Memory);
    tenure_testkit::store::model::compare(&trial, 100_000).await.unwrap();
}
