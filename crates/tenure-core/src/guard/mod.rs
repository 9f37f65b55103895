//! Guards: rules about who may come with a session, and from where.
//!
//! [`IpLock`] ties a session to where it began, by
//! [`SessionsBuilder::lock_ip`](crate::SessionsBuilder::lock_ip).

mod client;
mod ip;

pub use client::ClientChange;
pub(crate) use client::{Guards, Verdict};
pub use ip::IpLock;
