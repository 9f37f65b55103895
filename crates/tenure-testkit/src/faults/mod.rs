//! The faults that every store with a server must survive: [`FaultHarness`] and
//! [`fault_suite!`](crate::fault_suite), each fault a named test on a real server (X14, X1, X2).
//!
//! Requests with cookies go through the whole engine to the store, and what is checked is what a
//! browser would see. Whatever happens, each answer comes within the time that the store
//! [promises](Promise) and is a 503 or a success; while the server is out of reach no session begins
//! and no cookie is set or cleared; afterwards, without anybody's help,
//!
//! - sessions are as they were, with all that was acknowledged,
//! - what was answered by a 503 took effect once or not at all,
//! - who was logged out is logged out, also if a request of theirs was still in flight,
//! - and new sessions begin.

mod browser;
mod harness;
mod links;
mod macros;
mod run;
mod scene;
mod servers;
mod work;

pub use harness::{Control, FaultHarness, Promise, ServerFault};
#[doc(hidden)]
pub use run::{RESULTS_VARIABLE, run};
