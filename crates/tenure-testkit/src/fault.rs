use std::collections::{HashMap, VecDeque};
use std::fmt;
use std::future::{Future, pending};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tenure_core::clock::Sleep;
use tenure_core::store::{
    Applied, Change, Created, Epoch, Inspect, Listed, Patch, Record, Revision, Stamp, Store,
    StoreError, StoreErrorKind, StoreKey, StoreResult, Swap, UserIndex, Validate, Watch,
};
use tenure_core::{Handle, Namespace, Timestamp, UserId};

use crate::Operation;
use crate::forward::forward_through_around;

/// A store that fails on command, and else forwards everything. Clones share store and faults, so
/// one can be kept while the other is used.
///
/// ```
/// use tenure_core::store::{MemoryStore, Store, StoreErrorKind, StoreKey};
/// use tenure_core::{Handle, Namespace, Timestamp};
/// use tenure_testkit::{Fault, FaultStore, Operation};
///
/// # tokio::runtime::Runtime::new()?.block_on(async {
/// let store = FaultStore::new(MemoryStore::new());
/// let key = StoreKey::new(Namespace::new("shop")?, Handle::from_bytes([1; 12]));
/// let now = Timestamp::from_millis(1);
///
/// store.inject(Operation::Load, Fault::unavailable());
/// let error = store.load(&key, now).await.unwrap_err();
/// assert_eq!(error.kind(), StoreErrorKind::Unavailable);
/// assert!(store.load(&key, now).await?.is_none(), "it fails once");
///
/// store.inject_everywhere(Fault::unavailable());
/// assert!(store.load(&key, now).await.is_err());
/// assert!(store.delete(&key, now).await.is_err());
/// store.heal();
/// assert!(!store.delete(&key, now).await?);
/// assert_eq!(store.count(Operation::Load), 3);
/// assert_eq!(store.struck(), 3);
/// # Ok::<(), Box<dyn std::error::Error>>(()) })?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct FaultStore<S> {
    store: Arc<S>,
    shared: Arc<Mutex<Plan>>,
}

/// What goes wrong with a call.
///
/// ```
/// use std::time::Duration;
/// use tenure_core::Clock;
/// use tenure_core::store::StoreErrorKind;
/// use tenure_testkit::{Fault, ManualClock};
///
/// let clock = ManualClock::new();
/// let slow = Fault::delay(move || clock.sleep(Duration::from_secs(3)));
/// let faults = [
///     Fault::error(StoreErrorKind::Corrupt),
///     Fault::answer_lost(StoreErrorKind::Timeout),
///     Fault::hang(),
///     Fault::hang_after(),
///     slow,
/// ];
/// # drop(faults);
/// ```
#[derive(Clone)]
pub struct Fault(What);

#[derive(Clone)]
enum What {
    Error(StoreErrorKind),
    AnswerLost(StoreErrorKind),
    Hang,
    HangAfter,
    Delay(Arc<dyn Fn() -> Sleep + Send + Sync>),
}

#[derive(Default)]
struct Plan {
    planned: HashMap<Operation, VecDeque<(Fault, u32)>>,
    everywhere: Option<Fault>,
    calls: HashMap<Operation, usize>,
    struck: usize,
}

impl Fault {
    /// The call fails with [`StoreErrorKind::Unavailable`] and does not reach the store. See the example
    /// of [`FaultStore`].
    #[must_use]
    pub const fn unavailable() -> Self {
        Self::error(StoreErrorKind::Unavailable)
    }

    /// The call fails with an error of this kind and does not reach the store.
    #[must_use]
    pub const fn error(kind: StoreErrorKind) -> Self {
        Self(What::Error(kind))
    }

    /// The call takes effect, and its answer is lost: the caller gets an error of this kind.
    #[must_use]
    pub const fn answer_lost(kind: StoreErrorKind) -> Self {
        Self(What::AnswerLost(kind))
    }

    /// The call does not reach the store, and never ends.
    #[must_use]
    pub const fn hang() -> Self {
        Self(What::Hang)
    }

    /// The call takes effect, and never ends.
    #[must_use]
    pub const fn hang_after() -> Self {
        Self(What::HangAfter)
    }

    /// The call reaches the store when what `wait` makes has ended: a
    /// [`Clock::sleep`](tenure_core::Clock::sleep), or a signal that the test gives.
    #[must_use]
    pub fn delay(wait: impl Fn() -> Sleep + Send + Sync + 'static) -> Self {
        Self(What::Delay(Arc::new(wait)))
    }
}

impl<S> FaultStore<S> {
    /// A store that does not fail yet.
    #[must_use]
    pub fn new(store: S) -> Self {
        Self { store: Arc::new(store), shared: Arc::default() }
    }

    /// Lets the next call of `operation` go wrong, after those that were injected before.
    pub fn inject(&self, operation: Operation, fault: Fault) {
        self.inject_times(operation, fault, 1);
    }

    /// Lets the next calls of `operation` go wrong, so many.
    ///
    /// ```
    /// # use tenure_core::store::{MemoryStore, Store};
    /// # use tenure_core::Timestamp;
    /// # use tenure_testkit::{Fault, FaultStore, Operation};
    /// # let now = Timestamp::from_millis(1);
    /// # tokio::runtime::Runtime::new()?.block_on(async {
    /// let store = FaultStore::new(MemoryStore::new());
    /// store.inject_times(Operation::Sweep, Fault::unavailable(), 2);
    /// assert!(store.sweep(1, now).await.is_err());
    /// assert!(store.sweep(1, now).await.is_err());
    /// assert!(store.sweep(1, now).await.is_ok());
    /// # });
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn inject_times(&self, operation: Operation, fault: Fault, times: u32) {
        if times > 0 {
            self.plan().planned.entry(operation).or_default().push_back((fault, times));
        }
    }

    /// Lets every call go wrong that has no fault of its own, until [`heal`](Self::heal).
    pub fn inject_everywhere(&self, fault: Fault) {
        self.plan().everywhere = Some(fault);
    }

    /// Drops every fault that has not struck. Calls that hang go on hanging.
    pub fn heal(&self) {
        let mut plan = self.plan();
        plan.planned.clear();
        plan.everywhere = None;
    }

    /// How many calls of `operation` there were, those that went wrong included.
    #[must_use]
    pub fn count(&self, operation: Operation) -> usize {
        self.plan().calls.get(&operation).copied().unwrap_or_default()
    }

    /// How many calls a fault has struck.
    #[must_use]
    pub fn struck(&self) -> usize {
        self.plan().struck
    }

    fn plan(&self) -> MutexGuard<'_, Plan> {
        self.shared.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Plan {
    /// Counts a call, and tells what goes wrong with it.
    fn fault(&mut self, operation: Operation) -> Option<Fault> {
        *self.calls.entry(operation).or_default() += 1;
        let fault = match self.planned.get_mut(&operation).and_then(VecDeque::front_mut) {
            Some((fault, times)) => {
                let fault = fault.clone();
                *times -= 1;
                if *times == 0 {
                    self.planned.get_mut(&operation).and_then(VecDeque::pop_front);
                }
                Some(fault)
            }
            None => self.everywhere.clone(),
        };
        self.struck += usize::from(fault.is_some());
        fault
    }
}

impl<S: Store> FaultStore<S> {
    async fn around<T>(
        &self,
        operation: Operation,
        _handle: Option<Handle>,
        call: impl Future<Output = StoreResult<T>> + Send,
    ) -> StoreResult<T> {
        let fault = self.plan().fault(operation);
        match fault {
            None => call.await,
            Some(Fault(What::Error(kind))) => Err(failed(kind, operation)),
            Some(Fault(What::AnswerLost(kind))) => {
                // What the store itself reports is an effect, too, and as lost as any other.
                let _ = call.await;
                Err(failed(kind, operation))
            }
            Some(Fault(What::Hang)) => pending().await,
            Some(Fault(What::HangAfter)) => {
                let _ = call.await;
                pending().await
            }
            Some(Fault(What::Delay(wait))) => {
                wait().await;
                call.await
            }
        }
    }
}

fn failed(kind: StoreErrorKind, operation: Operation) -> StoreError {
    StoreError::new(kind, format!("{operation} was told to fail"))
}

forward_through_around!(FaultStore);

impl fmt::Debug for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            What::Error(kind) => write!(f, "Error({kind:?})"),
            What::AnswerLost(kind) => write!(f, "AnswerLost({kind:?})"),
            What::Hang => f.write_str("Hang"),
            What::HangAfter => f.write_str("HangAfter"),
            What::Delay(_) => f.write_str("Delay"),
        }
    }
}

impl<S> fmt::Debug for FaultStore<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let plan = self.plan();
        f.debug_struct("FaultStore")
            .field("planned", &plan.planned)
            .field("everywhere", &plan.everywhere)
            .field("struck", &plan.struck)
            .finish_non_exhaustive()
    }
}
