//! The seams between the session and the outside, so that a foreign system is configuration and
//! not a fork: how a token is written ([`TokenScheme`]), how it becomes a store key
//! ([`KeyScheme`]), and how a record becomes bytes ([`RecordFormat`]). How a store lays those
//! bytes out is its own `Layout`.

mod envelope;
#[cfg(feature = "messagepack")]
mod messagepack;
mod packed;
mod record;
mod split;
mod token;

pub use envelope::Envelope;
#[cfg(feature = "messagepack")]
pub use messagepack::MessagePack;
pub use packed::Packed;
pub use record::{DecodeError, Encoded, RecordFormat, TouchMode};
pub use split::{IdGenerator, SplitKeys, SplitTokens};
pub use token::{KeyScheme, TokenContext, TokenScheme};

#[cfg(test)]
mod tests;
