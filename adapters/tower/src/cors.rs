//! What front ends at another origin need a CORS layer to allow, such as tower-http's `CorsLayer`.
//!
//! Beside [`request_headers`] and [`response_headers`] that is credentials, since the session is a cookie, and the origin of the
//! front end by its name: browsers take `*` for nothing where there are credentials (Fetch, section
//! 3.3.5). The same origin is to be a
//! [trusted one](tenure_core::csrf::OriginCheck::trusted_origin) of the
//! [`CsrfLayer`](crate::csrf::CsrfLayer).
//!
//! # Deployment caveat
//! The CORS layer goes outside of the [`SessionLayer`](crate::SessionLayer) and the `CsrfLayer`: else
//! what these refuse has no CORS headers, and scripts see a network error in place of the answer.

use http::HeaderName;
use http::header::{CONTENT_TYPE, RETRY_AFTER};

/// The request headers to allow: `content-type`, without which no JSON can be sent, and `x-csrf-token`.
/// A [header of another name](crate::csrf::CsrfLayer::token_header) takes the place of the second.
///
/// ```
/// use tenure_tower::cors;
///
/// assert_eq!(cors::request_headers(), ["content-type", "x-csrf-token"]);
/// ```
#[must_use]
pub fn request_headers() -> [HeaderName; 2] {
    [CONTENT_TYPE, HeaderName::from_static(tenure_core::csrf::HEADER)]
}

/// The response headers to expose: `retry-after`, which goes with the 503 of a store that is down.
///
/// ```
/// use tenure_tower::cors;
///
/// assert_eq!(cors::response_headers(), ["retry-after"]);
/// ```
#[must_use]
pub fn response_headers() -> [HeaderName; 1] {
    [RETRY_AFTER]
}
