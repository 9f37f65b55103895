//! Protection against forged requests: those that another site makes a visitor's browser send.
//!
//! There are two, and they add to each other. [`OriginCheck`] asks the browser where a request comes
//! from: it needs no state and no change of any form, and is enough for browsers since 2020, on
//! HTTPS. A token, from [`Session::csrf_token`](crate::Session::csrf_token) into the form and back
//! to [`Session::verify_csrf`](crate::Session::verify_csrf), proves that the page with the form was
//! made for the very session that the request comes with, whatever the browser says.
//!
//! ```
//! use http::{Method, Request};
//! use tenure_core::csrf::{OriginCheck, Refusal};
//!
//! let check = OriginCheck::new().trusted_origin("https://pay.example.com")?;
//! let post = |site: &str, origin: &str| {
//!     let request = Request::post("/transfer").header("sec-fetch-site", site);
//!     request.header("origin", origin).body(()).unwrap().into_parts().0
//! };
//! assert!(check.check(&post("same-origin", "https://example.com"), None).is_ok());
//! assert!(check.check(&post("cross-site", "https://pay.example.com"), None).is_ok(), "trusted");
//! let refused = check.check(&post("cross-site", "https://evil.example"), None);
//! assert_eq!(refused, Err(Refusal::CrossOrigin));
//! # Ok::<(), tenure_core::Error>(())
//! ```
//!
//! # Deployment caveat
//! Methods that change nothing (GET, HEAD, OPTIONS) pass unchecked: a handler that changes something
//! on GET is not protected. A WebSocket begins with one, too, and that one is checked.

mod bypass;
mod field;
mod origin;
mod origin_check;
mod refusal;
mod secret;

pub(crate) use field::check_field;
pub use origin_check::OriginCheck;
pub use refusal::Refusal;
pub(crate) use secret::Secret;

/// The field of a form that carries the token, unless
/// [`csrf_field`](crate::SessionsBuilder::csrf_field) says another.
pub const FIELD: &str = "_csrf";

/// The header that carries the token, unless the adapter is told another.
pub const HEADER: &str = "x-csrf-token";
