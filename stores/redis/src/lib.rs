//! The store of `tenure` in Redis and Valkey: one server, a cluster, or a master behind Sentinel.
//!
//! [`RedisStore::connect`] takes a URL, [`RedisStore::with_connection`] the application's own
//! connection, and [`RedisOptions`] everything that can be set.
//!
//! ```no_run
//! use tenure_redis::RedisStore;
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let store = RedisStore::connect("redis://127.0.0.1/").await?;
//! assert!(store.warnings().is_empty());
//! # Ok(())
//! # }
//! ```
//!
//! What a store promises is written at [`tenure_core::store::Store`]. Each operation is one script
//! that checks everything before it writes anything, so processes that share the server lose
//! nothing to each other, and nothing brings back a session that has ended.

mod apply;
mod calls;
mod client;
mod connection;
mod error;
mod hash;
mod keys;
mod link;
mod open;
mod options;
mod packed;
mod people;
mod pipe;
mod queue;
mod script;
mod sentinel;
mod store;
mod topology;
mod tracking;
mod url;
mod watch;

pub use client::RedisStore;
pub use options::RedisOptions;

/// The example of the README is compiled, too.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
