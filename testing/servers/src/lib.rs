//! Real servers for tests: started on loopback, killed, frozen, started again, and gone without a
//! trace when they are dropped.
//!
//! [`Server`] is one service of one or several processes. Every one has ports and a folder of its
//! own, so tests never meet. `cargo xtask services` starts the shared ones by the same code, and
//! installs what is missing; nothing here installs anything. What is not installed is an
//! [`Error`] that names the package and [is told apart](Error::is_missing).
//!
//! ```no_run
//! use tenure_test_servers::{Options, Server};
//!
//! let redis = Server::redis(&Options::new())?;
//! println!("at {}", redis.url());
//! redis.kill()?; // with SIGKILL, as a crash would
//! redis.start()?; // at the same URL, with all that it had acknowledged
//! # Ok::<(), tenure_test_servers::Error>(())
//! ```
//!
//! All calls block. Where a server is started, it is ready when the call returns.

mod error;
#[cfg(feature = "faults")]
pub mod faults;
mod folder;
mod guard;
mod node;
mod options;
mod port;
mod probe;
mod process;
mod resp;
mod server;
mod services;
mod tls;
mod tools;
mod wait;

pub use error::{Error, Result};
pub use node::Node;
pub use options::Options;
pub use process::Process;
pub use resp::{Reply, redis_command};
pub use server::Server;
pub use tls::Certificates;
pub use tools::{Debian, TOOLS_VARIABLE};
