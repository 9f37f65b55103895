//! Sessions of Ktor, as of 3.5 and 2.3.
//!
//! | there | here |
//! | --- | --- |
//! | `SessionTransportTransformerMessageAuthentication` | [`Sign`] |
//! | `SessionTransportTransformerEncrypt` | [`Encrypt`] |
//! | the id in a cookie or header | [`tokens`], or [`IdTokens`] with other transforms and [`IDS`] |
//! | `defaultSessionSerializer`, which is JSON since 3.0 | JSON; [`JsonClass`] checks it |
//! | `reflectionSessionSerializer`, `KotlinxBackwardCompatibleSessionSerializer` | [`TypedForm`] |
//! | `directorySessionStorage` | [`directory_path`] |
//! | `cookie.encoding`: `URI_ENCODING`, `BASE64_ENCODING`, `RAW` | [`CookieEncoding`]: `Form`, `Base64`, `Plain` |
//!
//! Transforms stand in the same order as there.
//!
//! [`CookieEncoding`]: tenure_core::transport::CookieEncoding

mod cbc;
mod directory;
mod encrypt;
mod form;
mod json;
mod sign;
#[cfg(test)]
mod tests;

use tenure_core::transform::Transforms;

pub use directory::directory_path;
pub use encrypt::Encrypt;
pub use form::{TypedForm, TypedValue};
pub use json::{JsonClass, JsonKind};
pub use sign::Sign;

use crate::key::SharedKeyring;
use crate::tokens::{IdShape, IdTokens};

/// Ktor's ids: 32 random octets as lower-case hexadecimal digits.
pub const IDS: IdShape = IdShape::hex(32);

/// Ktor's ids, signed by HMAC-SHA256.
///
/// ```
/// use tenure_core::{SystemRandom, format::{TokenContext, TokenScheme}};
/// use tenure_interop::{SharedKey, ktor};
///
/// let tokens = ktor::tokens(SharedKey::new("k7Q2mXv9LrT4wB8nZ1cJ6hY3pD5sF0gA")?);
/// let cx = TokenContext::new("SESSION", &SystemRandom);
/// let text = tokens.write(&tokens.mint(&cx)?, &cx);
/// assert_eq!(text.len(), 64 + 1 + 64);
/// assert!(tokens.parse(&text, &cx).is_some());
/// # Ok::<(), tenure_core::Error>(())
/// ```
///
/// # Deployment caveat
/// As for [`Sign`].
#[must_use]
pub fn tokens(keys: impl Into<SharedKeyring>) -> IdTokens {
    IdTokens::known(IDS, Transforms::new().then(Sign::new(keys)))
}
