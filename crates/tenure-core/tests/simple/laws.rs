//! Of the twelve laws a simple driver keeps all but the tenth, in one process.

use std::sync::LazyLock;

use tenure_core::Timestamp;
use tenure_core::store::simple::{SimpleStore, driver_fn};
use tenure_core::store::{
    AnyStore, Applied, Created, Patch, Record, Revision, Store, StoreKey, StoreResult, Swap,
};
use tenure_testkit::store::Trial;
use tenure_testkit::{StoreHarness, laws, store_suite};
use tokio::task::yield_now;

use crate::driver::{FromKtor, SessionStorageMemory, Texts};

/// Opens a store; nothing of it outlives the process, and it cannot list what it has.
struct Opens(fn() -> AnyStore);

impl StoreHarness for Opens {
    type Store = AnyStore;

    async fn open(&self) -> AnyStore {
        (self.0)()
    }

    fn expires_by_itself(&self) -> bool {
        true
    }
}

store_suite! { a18_driver, Opens(|| AnyStore::new(SimpleStore::new(Texts::default()))) }

store_suite! { a18_per_request, Opens(|| {
    let store = SimpleStore::per_request(Texts::default(), |_, texts| texts.clone());
    AnyStore::new(ByTurns(store))
}) }

store_suite! { k7_ktor, Opens(|| {
    AnyStore::new(SimpleStore::new(FromKtor(SessionStorageMemory::default())))
}) }

store_suite! { v16_closures, Opens(|| AnyStore::new(by_closures())) }

fn by_closures() -> impl Store {
    let (read, written, destroyed) = {
        let texts = Texts::default();
        (texts.clone(), texts.clone(), texts)
    };
    SimpleStore::new(driver_fn(
        move |id: String| {
            let texts = read.clone();
            async move {
                yield_now().await;
                Ok(texts.map().get(&id).cloned())
            }
        },
        move |id, value, _until| {
            let texts = written.clone();
            async move {
                yield_now().await;
                texts.map().insert(id, value);
                Ok(())
            }
        },
        move |id: String| {
            let texts = destroyed.clone();
            async move {
                yield_now().await;
                texts.map().remove(&id);
                Ok(())
            }
        },
    ))
}

/// Stores of different requests, by turns: each call is another request's.
struct ByTurns(AnyStore);

impl ByTurns {
    fn next(&self) -> AnyStore {
        let (request, ()) = http::Request::new(()).into_parts();
        self.0.for_request(&request).unwrap()
    }
}

impl Store for ByTurns {
    async fn load(&self, key: &StoreKey, now: Timestamp) -> StoreResult<Option<Record>> {
        self.next().load(key, now).await
    }

    async fn create(
        &self,
        key: &StoreKey,
        record: &Record,
        now: Timestamp,
    ) -> StoreResult<Created> {
        self.next().create(key, record, now).await
    }

    async fn swap(
        &self,
        key: &StoreKey,
        expected: &Revision,
        new: &Record,
        now: Timestamp,
    ) -> StoreResult<Swap> {
        self.next().swap(key, expected, new, now).await
    }

    async fn delete(&self, key: &StoreKey, now: Timestamp) -> StoreResult<bool> {
        self.next().delete(key, now).await
    }

    async fn sweep(&self, limit: u32, now: Timestamp) -> StoreResult<u32> {
        self.next().sweep(limit, now).await
    }

    async fn apply(&self, key: &StoreKey, patch: &Patch, now: Timestamp) -> StoreResult<Applied> {
        self.next().apply(key, patch, now).await
    }

    async fn touch(&self, key: &StoreKey, until: Timestamp, now: Timestamp) -> StoreResult<bool> {
        self.next().touch(key, until, now).await
    }
}

/// What the documentation warns of happens: two stores on the data of one driver lose updates. So
/// the suite above would see it, too.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn two_stores_on_one_driver_lose_something() {
    static TEXTS: LazyLock<Texts> = LazyLock::new(Texts::default);
    let apart = Opens(|| {
        let apart = AnyStore::per_request(SimpleStore::new(TEXTS.clone()), |_| {
            AnyStore::new(SimpleStore::new(TEXTS.clone()))
        });
        AnyStore::new(ByTurns(apart))
    });
    let outcome = laws::law_03_writers_lose_nothing(&Trial::new(apart)).await;
    assert!(outcome.is_err(), "{outcome:?}");
}
