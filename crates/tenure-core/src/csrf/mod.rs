//! Protection against forged requests: those that another site makes a visitor's browser send.
//!
//! A token, from [`Session::csrf_token`](crate::Session::csrf_token) into the form and back to
//! [`Session::verify_csrf`](crate::Session::verify_csrf), proves that the page with the form was made
//! for the very session that the request comes with.

mod secret;

pub(crate) use secret::Secret;

/// The field of a form that carries the token, unless the adapter is told another.
pub const FIELD: &str = "_csrf";

/// The header that carries the token, unless the adapter is told another.
pub const HEADER: &str = "x-csrf-token";
