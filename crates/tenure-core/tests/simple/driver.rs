use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard};

use tenure_core::Timestamp;
use tenure_core::store::simple::SimpleDriver;
use tenure_core::store::{StoreError, StoreErrorKind, StoreResult};
use tokio::task::yield_now;

/// Texts that others see, too; every call lets other tasks run in its middle, as a server would.
#[derive(Clone, Default)]
pub(crate) struct Texts(pub(crate) Arc<Mutex<HashMap<String, String>>>);

impl Texts {
    pub(crate) fn map(&self) -> MutexGuard<'_, HashMap<String, String>> {
        self.0.lock().unwrap()
    }

    /// The only text that there is.
    pub(crate) fn only(&self) -> String {
        let map = self.map();
        assert_eq!(map.len(), 1, "{map:?}");
        map.values().next().unwrap().clone()
    }

    /// Puts another text in the place of the only one.
    pub(crate) fn put(&self, text: &str) {
        self.map().values_mut().for_each(|value| *value = text.to_owned());
    }
}

impl SimpleDriver for Texts {
    async fn read(&self, id: &str) -> StoreResult<Option<String>> {
        yield_now().await;
        let found = self.map().get(id).cloned();
        yield_now().await;
        Ok(found)
    }

    async fn write(&self, id: &str, value: &str, _until: Timestamp) -> StoreResult<()> {
        yield_now().await;
        self.map().insert(id.to_owned(), value.to_owned());
        yield_now().await;
        Ok(())
    }

    async fn destroy(&self, id: &str) -> StoreResult<()> {
        yield_now().await;
        self.map().remove(id);
        yield_now().await;
        Ok(())
    }
}

/// Ktor's `SessionStorage`: three suspending functions, and a missing session is an exception.
pub(crate) trait SessionStorage: Send + Sync + 'static {
    fn write(&self, id: &str, value: String) -> impl Future<Output = ()> + Send;
    fn read(&self, id: &str) -> impl Future<Output = Result<String, NoSuchElement>> + Send;
    fn invalidate(&self, id: &str) -> impl Future<Output = ()> + Send;
}

#[derive(Debug)]
pub(crate) struct NoSuchElement;

/// Somebody's storage of that kind.
#[derive(Default)]
pub(crate) struct SessionStorageMemory(Mutex<HashMap<String, String>>);

impl SessionStorage for SessionStorageMemory {
    async fn write(&self, id: &str, value: String) {
        yield_now().await;
        self.0.lock().unwrap().insert(id.to_owned(), value);
    }

    async fn read(&self, id: &str) -> Result<String, NoSuchElement> {
        yield_now().await;
        self.0.lock().unwrap().get(id).cloned().ok_or(NoSuchElement)
    }

    async fn invalidate(&self, id: &str) {
        yield_now().await;
        self.0.lock().unwrap().remove(id);
    }
}

/// All that it takes to use such a storage.
pub(crate) struct FromKtor<S>(pub(crate) S);

impl<S: SessionStorage> SimpleDriver for FromKtor<S> {
    async fn read(&self, id: &str) -> StoreResult<Option<String>> {
        Ok(self.0.read(id).await.ok())
    }

    async fn write(&self, id: &str, value: &str, _until: Timestamp) -> StoreResult<()> {
        self.0.write(id, value.to_owned()).await;
        Ok(())
    }

    async fn destroy(&self, id: &str) -> StoreResult<()> {
        self.0.invalidate(id).await;
        Ok(())
    }
}

/// A driver whose server is down.
pub(crate) struct Down;

impl SimpleDriver for Down {
    async fn read(&self, _: &str) -> StoreResult<Option<String>> {
        Err(down())
    }

    async fn write(&self, _: &str, _: &str, _: Timestamp) -> StoreResult<()> {
        Err(down())
    }

    async fn destroy(&self, _: &str) -> StoreResult<()> {
        Err(down())
    }
}

fn down() -> StoreError {
    StoreError::new(StoreErrorKind::Unavailable, "the shelf fell down")
}
