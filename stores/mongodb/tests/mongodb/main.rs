//! What is MongoDB's own: URLs, collections, documents, commands, failures. Every test works on a
//! real server.

mod commands;
mod faults;
mod migrate;
mod open;
mod records;
mod support;
