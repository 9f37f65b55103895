//! The laws of the store contract as functions; [`store_suite!`](crate::store_suite) makes a test
//! of each.
//!
//! The number in a name is that of the law in the documentation of
//! [`Store`](tenure_core::store::Store).

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
mod processes;
mod writers;

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
pub use processes::*;
pub use writers::*;
