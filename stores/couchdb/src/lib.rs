//! The store of `tenure` in CouchDB.
//!
//! [`CouchStore`] connects to a URL `couchdb://` or, for TLS, `couchdbs://`. Its database with its
//! indexes comes into being by [`CouchStore::migrate`], and by nothing else.
//!
//! ```no_run
//! use tenure_couchdb::CouchStore;
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let store = CouchStore::connect("couchdb://shop:secret@localhost/sessions").await?;
//! store.migrate().await?;
//! # Ok(())
//! # }
//! ```
//!
//! What a store promises is written at [`tenure_core::store::Store`]. A session is one document, and
//! each change of it names the revision that it changes, so processes that share the database lose
//! nothing to each other, and nothing brings back a session that has ended.

mod client;
mod document;
mod error;
mod http;
mod migrate;
mod name;
mod options;
mod people;
mod store;
mod url;

pub use client::CouchStore;
pub use options::CouchOptions;

/// The example of the README compiles, too.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
