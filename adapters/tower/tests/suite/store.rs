//! A store that counts its calls and fails when told to, and a clock that is moved by hand.

use std::future::ready;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tenure_core::clock::{Clock, Sleep};
use tenure_core::store::{
    Applied, Created, Epoch, MemoryStore, Patch, Record, Revision, Store, StoreError,
    StoreErrorKind, StoreKey, StoreResult, Swap, UserIndex,
};
use tenure_core::transform::{Keyring, SecretKey};
use tenure_core::{Sessions, SessionsBuilder, SystemClock, Timestamp};

#[derive(Clone, Default)]
pub(crate) struct Spy(Arc<Watched>);

#[derive(Default)]
struct Watched {
    store: MemoryStore,
    calls: Mutex<Vec<&'static str>>,
    fault: Mutex<Option<(&'static str, Fault)>>,
}

#[derive(Clone, Copy)]
pub(crate) enum Fault {
    /// Every call fails at once.
    Fails(StoreErrorKind),
    /// No call ever ends.
    Hangs,
}

impl Spy {
    /// The calls since this was last asked.
    pub(crate) fn calls(&self) -> Vec<&'static str> {
        std::mem::take(&mut self.0.calls.lock().unwrap())
    }

    /// From now on these operations fail; `""` are all.
    pub(crate) fn fail(&self, operation: &'static str, fault: Fault) {
        *self.0.fault.lock().unwrap() = Some((operation, fault));
    }

    pub(crate) fn heal(&self) {
        *self.0.fault.lock().unwrap() = None;
    }

    pub(crate) fn records(&self) -> usize {
        self.0.store.len()
    }

    /// A configuration with this store and a key.
    pub(crate) fn builder(&self) -> SessionsBuilder {
        let keys = Keyring::new([SecretKey::generate().unwrap()]);
        Sessions::builder().store(self.clone()).signing_keys(keys)
    }

    async fn called(&self, operation: &'static str) -> StoreResult<()> {
        self.0.calls.lock().unwrap().push(operation);
        let fault = *self.0.fault.lock().unwrap();
        match fault {
            Some((of, fault)) if of.is_empty() || of == operation => match fault {
                Fault::Fails(kind) => Err(StoreError::new(kind, "secret of the server")),
                Fault::Hangs => std::future::pending().await,
            },
            _ => Ok(()),
        }
    }
}

impl Store for Spy {
    async fn load(&self, key: &StoreKey, now: Timestamp) -> StoreResult<Option<Record>> {
        self.called("load").await?;
        self.0.store.load(key, now).await
    }

    async fn create(
        &self,
        key: &StoreKey,
        record: &Record,
        now: Timestamp,
    ) -> StoreResult<Created> {
        self.called("create").await?;
        self.0.store.create(key, record, now).await
    }

    async fn swap(
        &self,
        key: &StoreKey,
        expected: &Revision,
        new: &Record,
        now: Timestamp,
    ) -> StoreResult<Swap> {
        self.called("swap").await?;
        self.0.store.swap(key, expected, new, now).await
    }

    async fn delete(&self, key: &StoreKey, now: Timestamp) -> StoreResult<bool> {
        self.called("delete").await?;
        self.0.store.delete(key, now).await
    }

    async fn sweep(&self, limit: u32, now: Timestamp) -> StoreResult<u32> {
        self.called("sweep").await?;
        self.0.store.sweep(limit, now).await
    }

    async fn apply(&self, key: &StoreKey, patch: &Patch, now: Timestamp) -> StoreResult<Applied> {
        self.called("apply").await?;
        self.0.store.apply(key, patch, now).await
    }

    async fn touch(&self, key: &StoreKey, until: Timestamp, now: Timestamp) -> StoreResult<bool> {
        self.called("touch").await?;
        self.0.store.touch(key, until, now).await
    }

    async fn close(&self) {
        self.0.store.close().await;
    }

    fn users(&self) -> Option<&impl UserIndex> {
        self.0.store.users()
    }

    fn epoch(&self) -> Option<&impl Epoch> {
        self.0.store.epoch()
    }
}

/// Begins at the real time. Its timers end at once and are noted: what waits on one has waited
/// for long enough.
#[derive(Clone, Debug, Default)]
pub(crate) struct HandClock(Arc<Hands>);

#[derive(Debug, Default)]
struct Hands {
    ahead: AtomicU64,
    slept: Mutex<Vec<Duration>>,
}

impl HandClock {
    pub(crate) fn advance(&self, by: Duration) {
        self.0.ahead.fetch_add(u64::try_from(by.as_millis()).unwrap(), Ordering::SeqCst);
    }

    pub(crate) fn slept(&self) -> Vec<Duration> {
        std::mem::take(&mut self.0.slept.lock().unwrap())
    }
}

impl Clock for HandClock {
    fn now(&self) -> Timestamp {
        SystemClock.now() + Duration::from_millis(self.0.ahead.load(Ordering::SeqCst))
    }

    fn sleep(&self, duration: Duration) -> Sleep {
        self.0.slept.lock().unwrap().push(duration);
        Box::pin(ready(()))
    }
}
