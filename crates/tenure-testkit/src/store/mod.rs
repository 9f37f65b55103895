//! The suite of the store contract: [`StoreHarness`], [`store_suite!`](crate::store_suite) and the
//! laws as plain functions.

#[doc(hidden)]
pub mod any;
mod future;
mod harness;
pub mod laws;
mod macros;
pub mod model;
mod process;
mod run;
mod scene;
mod violation;

pub use harness::{StoreHarness, Trial};
#[doc(hidden)]
pub use run::{MaybeHarness, run};
pub use violation::{Finding, Outcome, Violation};

pub(crate) use future::yields;
pub(crate) use violation::check;
