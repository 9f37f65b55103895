//! What protects a value on its way through the client, and data where it lies.
//!
//! - [`Keyring`]: the keys, of which the first is used and all are known.
//! - [`Transform`]: one step, such as [`Sign`] or [`Seal`]; each is bound to the name under which the
//!   value travels and to what it is for, so that a value taken from elsewhere is none.
//! - [`Transforms`]: several of them, applied in order and undone in reverse.
//!
//! Whatever is wrong with a value that a client sent, undoing gives none, and never says why.

mod chain;
pub(crate) mod cipher;
pub(crate) mod derived;
mod file;
mod key;
mod keyring;
mod seal;
mod sign;
mod step;
mod watcher;

pub use chain::Transforms;
pub use file::read_secret_file;
pub use key::{KeyId, SecretKey};
pub use keyring::Keyring;
pub use seal::{Seal, SealAlgorithm};
pub use sign::{Sign, SignAlgorithm};
pub use step::{Transform, TransformContext};
pub use watcher::KeyFileWatcher;
