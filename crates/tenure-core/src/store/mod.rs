//! Where records live: the contract of a store, what it keeps, and the store in memory.
//!
//! A store implements [`Store`] with plain `async fn`s; five methods are required. The suite of
//! `tenure-testkit` runs the twelve laws against it.

mod any;
mod boxed;
pub mod cache;
mod capability;
pub(crate) mod changes;
pub(crate) mod client;
mod contract;
mod error;
mod inspect;
mod key;
pub mod memory;
mod outcome;
pub(crate) mod packed;
mod patch;
mod proofs;
mod provided;
mod record;
mod revision;
pub(crate) mod sealed;
pub mod simple;
mod steps;

pub use any::AnyStore;
pub use cache::NearCache;
pub use capability::{Absent, Change, Epoch, Listed, Stamp, UserIndex, Validate, Watch};
pub use client::ClientStore;
pub use contract::Store;
pub use error::{StoreError, StoreErrorKind, StoreResult};
pub use inspect::Inspect;
pub use key::{ForeignId, KeyName, StoreKey};
pub use memory::MemoryStore;
pub use outcome::{Applied, Created, Swap};
pub use patch::{Patch, ProofChange};
pub use proofs::{Former, Pending, Proofs};
pub use record::{Client, Epochs, Record, Verdict};
pub use revision::Revision;
pub use sealed::Sealed;
pub use steps::{Refused, Rejected, Step, Steps};

/// How long a store remembers a commit id whose sender has not heard the answer.
pub const RETRY_HORIZON: std::time::Duration = std::time::Duration::from_secs(10);

/// How long the proof before a change of privilege may still delete the session.
pub const FORMER_GRACE: std::time::Duration = std::time::Duration::from_secs(120);

/// How long a pending proof that nobody used is kept before another may take its place.
pub const PENDING_GRACE: std::time::Duration = std::time::Duration::from_secs(60);
