//! The store of `tenure` in MongoDB, through the official driver.
//!
//! [`MongoStore`] connects to a URL or works with the application's own client. Its collection with
//! its indexes comes into being by [`MongoStore::migrate`], and by nothing else.
//!
//! ```no_run
//! use tenure_mongodb::MongoStore;
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let store = MongoStore::connect("mongodb://localhost/shop").await?;
//! store.migrate().await?;
//! # Ok(())
//! # }
//! ```
//!
//! What a store promises is written at [`tenure_core::store::Store`]. A session is one document,
//! and each change of it is one conditional command, so processes that share the database lose
//! nothing to each other, and nothing brings back a session that has ended.

mod client;
mod document;
mod error;
mod migrate;
mod name;
mod options;
mod people;
mod store;
mod update;

pub use client::MongoStore;
pub use options::MongoOptions;

/// The example of the README compiles, too.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
