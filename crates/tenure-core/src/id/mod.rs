//! What names a session and what proves the right to it.

mod commit;
mod handle;
mod names;
mod proof;
mod token;

pub use commit::CommitId;
pub(crate) use commit::CommitIds;
pub use handle::{Handle, ParseHandleError};
pub use names::{Namespace, UserId};
pub use proof::Proof;
pub use token::Token;

#[cfg(test)]
mod tests;
