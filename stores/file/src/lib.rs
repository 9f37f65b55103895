//! A store of `tenure` in files: one a session, in a folder that several processes may share.
//!
//! ```
//! use tenure_file::FileStore;
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let parent = tempfile::tempdir()?;
//! # let path = parent.path().join("sessions");
//! let store = FileStore::open(path).await?;
//! # drop(store);
//! # Ok(())
//! # }
//! ```
//!
//! What a store promises is written at [`tenure_core::store::Store`]. A session is changed under a
//! lock that all processes heed, and its new file takes the place of the old one in a single step:
//! nothing is lost between processes, nobody reads half a session, and nothing brings back one that
//! has ended.

#[cfg(not(unix))]
compile_error!(
    "tenure-file needs Unix: who owns a folder and who may read it is checked there alone. Leave \
     out the feature `file` of `tenure`, and take the SQLite store"
);

#[cfg(unix)]
mod error;
#[cfg(unix)]
mod files;
#[cfg(unix)]
mod folder;
#[cfg(unix)]
mod frame;
#[cfg(unix)]
mod names;
#[cfg(unix)]
mod open;
#[cfg(unix)]
mod options;
#[cfg(unix)]
mod people;
#[cfg(unix)]
mod stamp;
#[cfg(unix)]
mod store;
#[cfg(unix)]
mod sweep;

#[cfg(unix)]
pub use options::FileOptions;
#[cfg(unix)]
pub use store::FileStore;

/// The example of the README runs, too.
#[cfg(all(doctest, unix))]
#[doc = include_str!("../README.md")]
struct Readme;
