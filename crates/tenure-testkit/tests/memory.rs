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
