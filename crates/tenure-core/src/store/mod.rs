//! Where records live: the contract of a store, what it keeps, and the store in memory.
//!
//! A store implements [`Store`] with plain `async fn`s; five methods are required. The suite of
//! `tenure-testkit` runs the twelve laws against it.

mod any;
pub mod cache;
mod capability;
pub(crate) mod changes;
mod contract;
mod error;
mod key;
pub mod memory;
mod patch;
mod provided;
mod record;
mod revision;
pub mod simple;
mod steps;

pub use any::AnyStore;
pub use cache::NearCache;
pub use capability::{Absent, Change, Epoch, Listed, Stamp, UserIndex, Validate, Watch};
pub use contract::{Applied, Created, Store, Swap};
pub use error::{StoreError, StoreErrorKind, StoreResult};
pub use key::{ForeignId, KeyName, StoreKey};
pub use memory::MemoryStore;
pub use patch::{Patch, ProofChange};
pub use record::{Client, Epochs, Former, Pending, Proofs, Record, Verdict};
pub use revision::Revision;
pub use steps::{Refused, Rejected, Step, Steps};

/// How long a store remembers a commit id whose sender has not heard the answer.
pub const RETRY_HORIZON: std::time::Duration = std::time::Duration::from_secs(10);

/// How long the proof before a change of privilege may still delete the session.
pub const FORMER_GRACE: std::time::Duration = std::time::Duration::from_secs(120);

/// How long a pending proof that nobody used is kept before another may take its place.
pub const PENDING_GRACE: std::time::Duration = std::time::Duration::from_secs(60);
