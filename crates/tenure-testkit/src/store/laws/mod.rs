//! The laws of the store contract as functions; [`store_suite!`](crate::store_suite) makes a test
//! of each.
//!
//! The number in a name is that of the law in the documentation of
//! [`Store`](tenure_core::store::Store). Each can be run by itself:
//!
//! ```
//! use tenure_core::store::MemoryStore;
//! use tenure_testkit::{StoreHarness, laws, store::{Finding, Trial}};
//!
//! struct Memory;
//!
//! impl StoreHarness for Memory {
//!     type Store = MemoryStore;
//!
//!     async fn open(&self) -> MemoryStore {
//!         MemoryStore::new()
//!     }
//! }
//!
//! # tokio::runtime::Runtime::new()?.block_on(async {
//! let trial = Trial::new(Memory);
//! assert_eq!(laws::law_04_deleted_stays_deleted(&trial).await?, Finding::Kept);
//! assert_eq!(laws::law_10_sessions_of_a_user_are_listed(&trial).await?, Finding::Kept);
//! # Ok::<(), Box<dyn std::error::Error>>(()) })?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Errors
//! [`Violation`](super::Violation) when the store does not keep the law, with what was seen; or
//! when it cannot answer.

mod inspecting;
mod law_01;
mod law_02;
mod law_03;
mod law_04;
mod law_05;
mod law_06;
mod law_07;
mod law_08;
mod law_09;
mod law_10;
mod law_11;
mod law_12;
mod merging;
mod model_matches;
mod one_shot;
mod processes;
mod writers;

pub use inspecting::*;
pub use law_01::*;
pub use law_02::*;
pub use law_03::*;
pub use law_04::*;
pub use law_05::*;
pub use law_06::*;
pub use law_07::*;
pub use law_08::*;
pub use law_09::*;
pub use law_10::*;
pub use law_11::*;
pub use law_12::*;
pub use merging::*;
pub use model_matches::*;
pub use one_shot::*;
pub use processes::*;
pub use writers::*;
