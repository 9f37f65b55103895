//! The session itself: no runtime, no framework, no driver.
//!
//! Applications use the crate `tenure`, which re-exports this one. Authors of stores start at
//! [`store`], authors of adapters at [`engine`].

pub mod clock;
pub mod csrf;
pub mod engine;
mod error;
pub mod format;
pub mod guard;
pub mod id;
pub mod session;
pub mod store;
pub mod transform;
pub mod transport;
pub mod value;

pub use clock::{Clock, Random, SystemClock, SystemRandom, Timestamp};
pub use engine::{Sessions, SessionsBuilder};
pub use error::{Error, ErrorKind, Result};
pub use id::{Handle, Namespace, UserId};
pub use session::{Key, LazySession, Session};
