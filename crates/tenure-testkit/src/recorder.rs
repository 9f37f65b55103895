use std::fmt;
use std::future::Future;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tenure_core::store::{
    Applied, Change, Created, Epoch, Inspect, Listed, Patch, Record, Revision, Stamp, Store,
    StoreError, StoreKey, StoreResult, Swap, UserIndex, Validate, Watch,
};
use tenure_core::{Handle, Namespace, Timestamp, UserId};

use crate::Operation;
use crate::forward::forward_through_around;

/// A store that notes which calls it gets, and forwards them. Clones share store and notes, so one
/// can be kept while the other is used.
///
/// ```
/// use std::time::Duration;
/// use tenure_core::store::{MemoryStore, Record, Store, StoreKey};
/// use tenure_core::{Handle, Namespace, Timestamp};
/// use tenure_testkit::{Operation, Recorder};
///
/// # tokio::runtime::Runtime::new()?.block_on(async {
/// let store = Recorder::new(MemoryStore::new());
/// let key = StoreKey::new(Namespace::new("shop")?, Handle::from_bytes([1; 12]));
/// store.load(&key, Timestamp::from_millis(1)).await?;
/// assert_eq!(store.operations(), [Operation::Load]);
/// assert_eq!(store.calls()[0].handle, key.handle());
/// store.clear();
/// assert!(store.calls().is_empty());
/// # Ok::<(), Box<dyn std::error::Error>>(()) })?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Recorder<S> {
    store: Arc<S>,
    shared: Arc<Mutex<Vec<Call>>>,
}

/// A call that a [`Recorder`] got.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Call {
    /// What was asked for.
    pub operation: Operation,
    /// Of which session, if it was one of ours.
    pub handle: Option<Handle>,
}

impl<S> Recorder<S> {
    /// Notes the calls to `store`.
    #[must_use]
    pub fn new(store: S) -> Self {
        Self { store: Arc::new(store), shared: Arc::default() }
    }

    /// All calls since the beginning or the last [`clear`](Self::clear), in the order in which they
    /// were made.
    #[must_use]
    pub fn calls(&self) -> Vec<Call> {
        self.notes().clone()
    }

    /// The operations of all [`calls`](Self::calls).
    #[must_use]
    pub fn operations(&self) -> Vec<Operation> {
        self.notes().iter().map(|call| call.operation).collect()
    }

    /// Forgets all calls.
    pub fn clear(&self) {
        self.notes().clear();
    }

    fn notes(&self) -> MutexGuard<'_, Vec<Call>> {
        self.shared.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<S: Store> Recorder<S> {
    async fn around<T>(
        &self,
        operation: Operation,
        handle: Option<Handle>,
        call: impl Future<Output = StoreResult<T>> + Send,
    ) -> StoreResult<T> {
        self.notes().push(Call { operation, handle });
        call.await
    }
}

forward_through_around!(Recorder);

impl<S> fmt::Debug for Recorder<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Recorder").field("calls", &*self.notes()).finish_non_exhaustive()
    }
}
