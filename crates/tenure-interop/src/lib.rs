#![doc = include_str!("../README.md")]

mod algorithm;
pub mod express;
mod hex;
mod key;
pub mod ktor;
#[cfg(test)]
mod steps;
mod tokens;

pub use algorithm::HmacAlgorithm;
pub use key::{EncryptionKey, SharedKey, SharedKeyring};
pub use tokens::{IdShape, IdTokens};
