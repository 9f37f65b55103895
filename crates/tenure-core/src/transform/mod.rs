//! What protects a value on its way through the client: for now, the signature of a token.

mod keyring;

pub use keyring::{Keyring, SecretKey};
