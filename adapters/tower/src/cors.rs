//! What front ends at another origin need a CORS layer to allow, such as tower-http's `CorsLayer`.
//!
//! Beside [`request_headers`] and [`response_headers`] that is credentials, where the session is a cookie, and the origin of the
//! front end by its name: browsers take `*` for nothing where there are credentials (Fetch, section
//! 3.3.5). The same origin is to be a
//! [trusted one](tenure_core::csrf::OriginCheck::trusted_origin) of the
//! [`CsrfLayer`](crate::csrf::CsrfLayer). Where the session also travels in a header or as a bearer
//! token, [`request_headers_of`] and [`response_headers_of`] have those headers, too.
//!
//! # Deployment caveat
//! The CORS layer goes outside of the [`SessionLayer`](crate::SessionLayer) and the `CsrfLayer`: else
//! what these refuse has no CORS headers, and scripts see a network error in place of the answer.

use http::HeaderName;
use http::header::{CONTENT_TYPE, RETRY_AFTER};
use tenure_core::Sessions;

/// The request headers to allow: `content-type`, without which no JSON can be sent, and `x-csrf-token`.
///
/// The second is the default, whatever a [`CsrfLayer`](crate::csrf::CsrfLayer) was told: a
/// [header of another name](crate::csrf::CsrfLayer::token_header) is to take its place, or browsers
/// send no request with a token.
///
/// ```
/// use http::HeaderName;
/// use tenure_core::csrf::OriginCheck;
/// use tenure_tower::{cors, csrf::CsrfLayer};
///
/// assert_eq!(cors::request_headers(), ["content-type", "x-csrf-token"]);
///
/// let token = HeaderName::from_static("x-xsrf-token");
/// let layer = CsrfLayer::new(OriginCheck::new()).require_token().token_header(token.clone());
/// let allowed = cors::request_headers().map(|name| match name.as_str() {
///     tenure_core::csrf::HEADER => token.clone(),
///     _ => name,
/// });
/// assert_eq!(allowed, ["content-type", "x-xsrf-token"]);
/// # drop(layer);
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

/// [`request_headers`], and those in which these sessions travel (K4). Here, too, `x-csrf-token` is the
/// default, which another name is to replace.
///
/// ```
/// use tenure_core::{Sessions, store::MemoryStore, transport::Header};
/// use tenure_tower::cors;
///
/// let header = Header::named("x-session");
/// let sessions = Sessions::builder().store(MemoryStore::new()).header(header).build()?;
/// assert_eq!(cors::request_headers_of(&sessions), ["content-type", "x-csrf-token", "x-session"]);
/// # Ok::<(), tenure_core::Error>(())
/// ```
#[must_use]
pub fn request_headers_of(sessions: &Sessions) -> Vec<HeaderName> {
    request_headers().into_iter().chain(sessions.request_headers()).collect()
}

/// [`response_headers`], and those in which these sessions give a client its credential (K4).
///
/// ```
/// use tenure_core::{Sessions, store::MemoryStore, transport::Bearer};
/// use tenure_tower::cors;
///
/// let sessions = Sessions::builder().store(MemoryStore::new()).bearer(Bearer::new()).build()?;
/// assert_eq!(cors::response_headers_of(&sessions), ["retry-after", "authorization"]);
/// # Ok::<(), tenure_core::Error>(())
/// ```
///
/// # Deployment caveat
/// Whatever script runs at the allowed origin can then read the credential, an injected one too:
/// that is what a transport for scripts is.
#[must_use]
pub fn response_headers_of(sessions: &Sessions) -> Vec<HeaderName> {
    response_headers().into_iter().chain(sessions.response_headers()).collect()
}
