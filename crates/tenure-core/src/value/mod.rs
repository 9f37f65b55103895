//! What a session's keys hold: JSON text, numbers that can be counted, and the map of them.

mod data;
mod json;
mod number;
mod path;

pub use data::Data;
pub(crate) use data::{read_number, write_number};
pub(crate) use json::decode;
pub use json::{InvalidJson, Json};
pub use number::{By, Number};
pub(crate) use path::{beginnings, descend};

#[cfg(test)]
mod tests;
