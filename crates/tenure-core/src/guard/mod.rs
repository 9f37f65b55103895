//! Guards: rules about who may come with a session, and from where.
//!
//! [`IpLock`] ties a session to where it began, by
//! [`SessionsBuilder::lock_ip`](crate::SessionsBuilder::lock_ip); [`TrustedProxies`] finds out
//! where a request comes from when proxies stand in front.

mod cidr;
mod client;
mod forwarded;
mod ip;
mod proxies;
mod reuse;

pub use client::ClientChange;
pub(crate) use client::{Guards, Verdict};
pub use ip::IpLock;
pub use proxies::{ProxyHeaders, TrustedProxies};
pub use reuse::Reuse;

#[cfg(test)]
mod tests;
