#![doc = include_str!("../README.md")]
//!
//! # Running the suite on a store of one's own
//!
//! Implement [`StoreHarness`], which opens the store, and call [`store_suite!`]. Which tests apply
//! follows from the capabilities that the store and the harness declare. A test whose capability
//! is missing passes and says on standard error that it is not offered.
//!
//! What becomes of requests while a server is out of reach is shown by [`fault_suite!`], on a server
//! that the tests break: see [`faults`].
//!
//! Who tests an application, and not a store, finds a visitor with a session in [`app`].
//!
//! A store that needs a server asks [`server::url`] where that is; a test whose server is missing is
//! counted, and fails in CI.
//!
//! Two environment variables matter: `TENURE_SUITE_SCALE` multiplies the size of the long tests
//! (`1` if it is not set), and `TENURE_SUITE_SEED` repeats the random choices of a run that failed.

pub mod app;
mod bare;
mod clock;
mod fault;
pub mod faults;
mod forward;
mod operation;
mod provided;
mod proxies;
mod proxy;
mod random;
mod recorder;
mod rng;
pub mod server;
pub mod store;

pub use bare::Bare;
pub use clock::ManualClock;
pub use fault::{Fault, FaultStore};
pub use operation::Operation;
pub use provided::Provided;
pub use proxies::Proxies;
pub use proxy::{Link, Proxy};
pub use random::ScriptedRandom;
pub use recorder::{Call, Recorder};
pub use store::{StoreHarness, laws};
