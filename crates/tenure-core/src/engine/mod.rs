//! The life of a request, with no framework in sight: [`Sessions::open`] before the handler,
//! [`Exchange::seal`] and [`Sealed::commit`] after it. An adapter calls nothing else.
//!
//! ```
//! use http::{Request, Response, StatusCode, header::SET_COOKIE};
//! use tenure_core::{Sessions, engine::Connection};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> tenure_core::Result<()> {
//! let sessions = Sessions::in_memory()?;
//! let (parts, ()) = Request::new(()).into_parts();
//! let exchange = sessions.open(&parts, Connection::new().secure(true));
//!
//! exchange.session().load().await?.set("theme", "dark")?; // what a handler does
//!
//! let mut response = Response::new("ok");
//! exchange.close(response.status(), response.headers_mut()).await?;
//! assert!(response.headers().contains_key(SET_COOKIE));
//! # Ok(())
//! # }
//! ```

mod commit;
mod config;
mod counters;
mod csrf;
mod describe;
mod detached;
mod events;
mod exchange;
mod group;
mod guarded;
mod headers;
mod language;
mod limit;
mod load;
mod manager;
mod meter;
mod outbox;
mod pack;
mod people;
mod queue;
mod quota;
mod request;
mod reuse;
mod sessions;
mod settled;
mod slot;
mod state;
mod sweeper;
mod trace;

pub use config::{AtLimit, Profile, SessionsBuilder, Undecodable, WhenUnavailable};
pub(crate) use config::{Limits, Policy, Validators};
pub use counters::Counts;
pub use events::Event;
pub use exchange::{Exchange, Sealed};
pub use people::SessionInfo;
pub use request::Connection;
pub use sessions::Sessions;
pub(crate) use slot::{Reach, Slot};
pub(crate) use state::{Fate, State};
pub use sweeper::{Sweeper, Swept};

#[cfg(test)]
mod tests;
