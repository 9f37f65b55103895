//! Sessions of express-session, @fastify/session and @fastify/cookie, and cookies that
//! cookie-parser signs.
//!
//! | there | here |
//! | --- | --- |
//! | `secret`, one or a list | [`SharedKeyring`]: the first signs, all verify |
//! | the cookie of express-session, and of @fastify/session with `cookiePrefix: 's:'` | [`tokens`] |
//! | the cookie of @fastify/session | [`tokens_without_prefix`] |
//! | `algorithm` | [`Sign::algorithm`] in [`IdTokens::signed`] with [`IDS`] |
//! | `idGenerator`, `genid` | [`IdShape::or_others`] |
//! | the cookie's value as cookie 0.7 writes it, and cookie 2 | [`CookieEncoding`]: `Percent`, `PercentIfNeeded` |
//!
//! [`CookieEncoding`]: tenure_core::transport::CookieEncoding

use base64::Engine;
use base64::prelude::BASE64_STANDARD_NO_PAD as BASE64;
use subtle::ConstantTimeEq;
use tenure_core::Result;
use tenure_core::transform::{Transform, TransformContext, Transforms};

use crate::algorithm::HmacAlgorithm;
use crate::key::SharedKeyring;
use crate::tokens::{IdShape, IdTokens};

/// The ids: 24 random octets as base64url, 32 characters.
pub const IDS: IdShape = IdShape::base64url(24);

/// The ids of express-session: signed by HMAC-SHA256, after `s:`.
///
/// ```
/// use tenure_core::{SystemRandom, format::{TokenContext, TokenScheme}};
/// use tenure_interop::{SharedKey, express};
///
/// let tokens = express::tokens(SharedKey::new("an-insecure-secret-for-tests-only-0123456789")?);
/// let cx = TokenContext::new("connect.sid", &SystemRandom);
/// let sent = "s:gU57PVQujh58kAr4BHW83pBTDcis3Scn.OwPgNiwUm8FeAvC16j1a3GTF2yhI/LCOqy+EXub5u4w";
/// let token = tokens.parse(sent, &cx).unwrap();
/// assert_eq!(token.danger_text(), Some("gU57PVQujh58kAr4BHW83pBTDcis3Scn"));
/// assert_eq!(tokens.write(&token, &cx), sent);
/// # Ok::<(), tenure_core::Error>(())
/// ```
///
/// # Deployment caveat
/// As for [`Sign`].
#[must_use]
pub fn tokens(keys: impl Into<SharedKeyring>) -> IdTokens {
    IdTokens::known(IDS, Transforms::new().then(Sign::new(keys)).then(Prefix::default()))
}

/// The ids of @fastify/session: signed by HMAC-SHA256, without a prefix.
///
/// ```
/// # use tenure_core::{SystemRandom, format::{TokenContext, TokenScheme}};
/// # use tenure_interop::{SharedKey, express};
/// # let key = SharedKey::new("an-insecure-secret-for-tests-only-0123456789")?;
/// let tokens = express::tokens_without_prefix(key);
/// let cx = TokenContext::new("sessionId", &SystemRandom);
/// let sent = "vACMlB_UpL35JnNGEpDAaSoTHFDb_Gtd.42KTtrDKurHkNP+wt/xPHL0Djfac9WbUveoCNK0lYVc";
/// assert!(tokens.parse(sent, &cx).is_some());
/// # Ok::<(), tenure_core::Error>(())
/// ```
///
/// # Deployment caveat
/// As for [`Sign`].
#[must_use]
pub fn tokens_without_prefix(keys: impl Into<SharedKeyring>) -> IdTokens {
    IdTokens::known(IDS, Transforms::new().then(Sign::new(keys)))
}

/// The signature of cookie-signature and @fastify/cookie: the value, `.`, and an HMAC as standard
/// base64 without padding.
///
/// ```
/// use tenure_core::{SystemRandom, transform::{TransformContext, Transforms}};
/// use tenure_interop::{SharedKey, express};
///
/// let key = SharedKey::new("an-insecure-secret-for-tests-only-0123456789")?;
/// let chain = Transforms::new()
///     .then(express::Sign::new(key))
///     .then(express::Prefix::default())
///     .as_text();
/// let cx = TransformContext::new("signed", "application", &SystemRandom);
/// let text = chain.write(b"value 1".to_vec(), &cx)?;
/// assert_eq!(text, "s:value 1.zjzHaMv8gu2oHlUTlRf9pyhiyx1cBbtnasHarNgnJKE");
/// assert_eq!(chain.read(&text, &cx).unwrap(), b"value 1");
/// # Ok::<(), tenure_core::Error>(())
/// ```
///
/// # Deployment caveat
/// The signature is bound neither to the cookie's name nor to what the value is for. What another
/// cookie of the application has signed with the same secret, such as a value that a user chose, is
/// a valid value here: give the session a secret that signs nothing else.
#[derive(Clone, Debug)]
pub struct Sign {
    keys: SharedKeyring,
    algorithm: HmacAlgorithm,
}

impl Sign {
    /// Signs by HMAC-SHA256 with the first of these keys.
    #[must_use]
    pub fn new(keys: impl Into<SharedKeyring>) -> Self {
        Self { keys: keys.into(), algorithm: HmacAlgorithm::default() }
    }

    /// Signs with another hash function, as @fastify/cookie can.
    ///
    /// ```
    /// # use tenure_core::{SystemRandom, transform::{Transform, TransformContext}};
    /// # use tenure_interop::{HmacAlgorithm, SharedKey, express};
    /// # let cx = TransformContext::new("sessionId", "session", &SystemRandom);
    /// # let key = SharedKey::new("k7Q2mXv9LrT4wB8nZ1cJ6hY3pD5sF0gA")?;
    /// let sign = express::Sign::new(key).algorithm(HmacAlgorithm::Sha512);
    /// assert_eq!(sign.apply(b"id".to_vec(), &cx)?.len(), "id.".len() + 86);
    /// # Ok::<(), tenure_core::Error>(())
    /// ```
    #[must_use]
    pub const fn algorithm(mut self, algorithm: HmacAlgorithm) -> Self {
        self.algorithm = algorithm;
        self
    }
}

impl Transform for Sign {
    fn apply(&self, mut value: Vec<u8>, _: &TransformContext<'_>) -> Result<Vec<u8>> {
        let mac = self.keys.sign(self.algorithm, &value)?;
        value.push(b'.');
        value.extend_from_slice(BASE64.encode(mac).as_bytes());
        Ok(value)
    }

    fn undo(&self, mut value: Vec<u8>, _: &TransformContext<'_>) -> Option<Vec<u8>> {
        let signature = (self.algorithm.len() * 4).div_ceil(3);
        let end = value.len().checked_sub(signature + 1)?;
        let (data, mac) = value.split_at(end);
        // As text, and not as octets, of which the text would have several spellings.
        let mac = mac.strip_prefix(b".")?;
        let same = |of_key: &[u8]| BASE64.encode(of_key).as_bytes().ct_eq(mac);
        if !self.keys.any(self.algorithm, data, same) {
            return None;
        }
        value.truncate(end);
        Some(value)
    }

    fn authenticates(&self) -> bool {
        true
    }
}

/// A text before each value: `s:` by default, by which express-session tells signed ones.
///
/// ```
/// use tenure_core::{SystemRandom, transform::{Transform, TransformContext}};
/// use tenure_interop::express::Prefix;
///
/// let cx = TransformContext::new("connect.sid", "session", &SystemRandom);
/// assert_eq!(Prefix::default().apply(b"id".to_vec(), &cx)?, b"s:id");
/// assert!(Prefix::default().undo(b"id".to_vec(), &cx).is_none());
/// # Ok::<(), tenure_core::Error>(())
/// ```
///
/// # Deployment caveat
/// It stands outside the signature, which does not cover it.
#[derive(Clone, Debug)]
pub struct Prefix(String);

impl Prefix {
    /// This text.
    ///
    /// ```
    /// # use tenure_core::{SystemRandom, transform::{Transform, TransformContext}};
    /// # use tenure_interop::express::Prefix;
    /// # let cx = TransformContext::new("sessionId", "session", &SystemRandom);
    /// assert_eq!(Prefix::new("v2.").undo(b"v2.id".to_vec(), &cx).unwrap(), b"id");
    /// ```
    #[must_use]
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }
}

impl Default for Prefix {
    fn default() -> Self {
        Self::new("s:")
    }
}

impl Transform for Prefix {
    fn apply(&self, mut value: Vec<u8>, _: &TransformContext<'_>) -> Result<Vec<u8>> {
        value.splice(..0, self.0.bytes());
        Ok(value)
    }

    fn undo(&self, mut value: Vec<u8>, _: &TransformContext<'_>) -> Option<Vec<u8>> {
        value.strip_prefix(self.0.as_bytes())?;
        value.drain(..self.0.len());
        Some(value)
    }

    fn authenticates(&self) -> bool {
        false
    }
}
