//! How the credential travels between the client and the server.
//!
//! A transport does three things, and knows nothing of sessions, tokens or stores:
//!
//! - it *captures* what the client sent, at next to no cost, since most requests never ask;
//! - it finds *candidates* in it, when someone asks: texts that may be a credential, at most
//!   three, in an order that means nothing. Which of them is one, the token scheme decides;
//! - it *issues* a credential with the response, or *removes* the one the client has.
//!
//! There is one so far: [`Cookie`].

mod cookie;

pub use cookie::{Cookie, CookieContext, Priority, SameSite, Secure, SetCookie};
pub(crate) use cookie::{CookieTransport, Presented};
