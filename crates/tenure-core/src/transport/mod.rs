//! How the credential travels between the client and the server.
//!
//! A [`Transport`] knows nothing of sessions, tokens or stores:
//!
//! - the engine keeps the transport's header of a request, at next to no cost, since most requests
//!   never ask;
//! - the transport finds *candidates* in it, when someone asks: texts that may be a credential, at
//!   most three, in an order that means nothing. Which of them is one, the keys decide;
//! - it *issues* a credential with the response, or *removes* the one the client has.
//!
//! Sessions have one or several, in an order: the first by which a request came is the one that is
//! read, and it answers in kind. So one application serves browsers by [`Cookie`] and other clients
//! by [`Bearer`] or [`Header`], with the same handlers. Where none of them matches, the cookie
//! answers, or else the first. A token in a URL is not offered: URLs end up in logs, histories and `Referer`.

mod bearer;
mod chain;
mod context;
mod contract;
mod cookie;
mod header;
mod presented;

pub use bearer::Bearer;
pub(crate) use chain::{Arrived, Transports};
pub use context::ResponseContext;
pub use contract::Transport;
pub(crate) use cookie::CookieTransport;
pub use cookie::{Cookie, CookieEncoding, Priority, SameSite, Secure, SetCookie};
pub use header::Header;
pub use presented::{Candidates, Presented, Refusal};
