use std::fmt;
use std::sync::Arc;

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD as BASE64;
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use super::{KeyScheme, TokenContext, TokenScheme};
use crate::error::{Error, ErrorKind, Result};
use crate::id::{Handle, Namespace, Proof, Token};
use crate::store::StoreKey;
use crate::transform::Keyring;

const BODY: usize = Handle::LEN + Token::SECRET_LEN;
const SIGNED: usize = BODY + Keyring::MAC_LEN;
const BODY_TEXT: usize = BODY / 3 * 4;
const SIGNED_TEXT: usize = SIGNED / 3 * 4;

/// Makes the random octets of a new token, with the request at hand.
pub type IdGenerator = Arc<dyn Fn(&http::request::Parts) -> Vec<u8> + Send + Sync>;

/// Our tokens: 12 octets of handle, 24 of secret and, when signed, 24 of a MAC, as 48 or 80
/// base64url characters without a spare bit, so that a token has exactly one spelling.
///
/// With a keyring a forged token is refused here, before any store call. The MAC is HMAC-SHA256
/// (RFC 2104) bound to the name of the cookie, cut to 192 bits: as many as the secret has.
///
/// ```
/// use tenure_core::{SystemRandom, format::{SplitTokens, TokenContext, TokenScheme}};
/// use tenure_core::transform::{Keyring, SecretKey};
///
/// let scheme = SplitTokens::signed(Keyring::new([SecretKey::generate()?]));
/// let cx = TokenContext::new("__Host-id", &SystemRandom);
/// let text = scheme.write(&scheme.mint(&cx)?, &cx);
/// assert_eq!(text.len(), 80);
/// assert!(scheme.parse(&text, &cx).is_some());
/// assert!(scheme.parse(&text, &TokenContext::new("other", &SystemRandom)).is_none());
/// # Ok::<(), tenure_core::Error>(())
/// ```
#[derive(Clone)]
pub struct SplitTokens {
    keyring: Option<Keyring>,
    generator: Option<IdGenerator>,
}

impl SplitTokens {
    /// The least that an id generator may deliver: 128 bits.
    pub const MIN_GENERATED: usize = 16;

    /// Tokens that carry a signature made with the first key of `keyring`.
    #[must_use]
    pub const fn signed(keyring: Keyring) -> Self {
        Self { keyring: Some(keyring), generator: None }
    }

    /// Tokens without a signature: each forged one costs the store one look-up.
    ///
    /// ```
    /// # use tenure_core::{SystemRandom, format::{SplitTokens, TokenContext, TokenScheme}};
    /// # let cx = TokenContext::new("__Host-id", &SystemRandom);
    /// let scheme = SplitTokens::insecure_unsigned();
    /// assert!(scheme.parse(&"A".repeat(48), &cx).is_some(), "whoever made it");
    /// ```
    #[must_use]
    pub const fn insecure_unsigned() -> Self {
        Self { keyring: None, generator: None }
    }

    /// Takes the octets of new tokens from `generator` instead of from the operating system.
    ///
    /// ```
    /// # use std::sync::Arc;
    /// # use tenure_core::{SystemRandom, format::{SplitTokens, TokenContext, TokenScheme}};
    /// # let (parts, ()) = http::Request::new(()).into_parts();
    /// # let mut cx = TokenContext::new("__Host-id", &SystemRandom);
    /// # cx.request = Some(&parts);
    /// let scheme = SplitTokens::insecure_unsigned().generator(Arc::new(|_request| vec![7; 32]));
    /// assert_eq!(scheme.mint(&cx)?.handle(), scheme.mint(&cx)?.handle(), "of the same octets");
    /// let weak = SplitTokens::insecure_unsigned().generator(Arc::new(|_request| vec![7; 8]));
    /// assert!(weak.mint(&cx).is_err());
    /// # Ok::<(), tenure_core::Error>(())
    /// ```
    #[must_use]
    pub fn generator(mut self, generator: IdGenerator) -> Self {
        self.generator = Some(generator);
        self
    }

    /// Fresh octets for handle and secret: those of the operating system, or what a generator
    /// delivered, hashed, so that the public handle tells nothing of the secret.
    fn entropy(&self, cx: &TokenContext<'_>) -> Result<Zeroizing<[u8; BODY]>> {
        let mut octets = Zeroizing::new([0; BODY]);
        if let (Some(generator), Some(request)) = (&self.generator, cx.request) {
            let seed = Zeroizing::new(generator(request));
            if seed.len() < Self::MIN_GENERATED {
                return Err(Error::config(format!(
                    "id_generator: it delivered {} octets; at least {} (128 bits) are needed",
                    seed.len(),
                    Self::MIN_GENERATED
                )));
            }
            for (label, part) in [(b"handle", 0..Handle::LEN), (b"secret", Handle::LEN..BODY)] {
                let hash = Sha256::new().chain_update(label).chain_update(&seed).finalize();
                let len = part.len();
                octets[part].copy_from_slice(&hash[..len]);
            }
        } else {
            cx.random.fill(&mut octets[..]).map_err(|error| {
                Error::new(ErrorKind::Unavailable, "token", "no random numbers").with_source(error)
            })?;
        }
        Ok(octets)
    }
}

impl fmt::Debug for SplitTokens {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SplitTokens").field("signed", &self.keyring.is_some()).finish()
    }
}

impl TokenScheme for SplitTokens {
    fn mint(&self, cx: &TokenContext<'_>) -> Result<Token> {
        let octets = self.entropy(cx)?;
        let (handle, secret) = halves(&octets);
        Ok(Token::split(handle, secret))
    }

    fn renew(&self, token: &Token, cx: &TokenContext<'_>) -> Result<Token> {
        let fresh = self.mint(cx)?;
        Ok(match (token.handle(), fresh.danger_secret()) {
            (Some(handle), Some(secret)) => Token::split(handle, *secret),
            _ => fresh,
        })
    }

    fn write(&self, token: &Token, cx: &TokenContext<'_>) -> String {
        let mut octets = Zeroizing::new([0; SIGNED]);
        if let (Some(handle), Some(secret)) = (token.handle(), token.danger_secret()) {
            octets[..Handle::LEN].copy_from_slice(handle.as_bytes());
            octets[Handle::LEN..BODY].copy_from_slice(secret);
        }
        let (body, mac) = octets.split_at_mut(BODY);
        match &self.keyring {
            Some(keyring) => {
                mac.copy_from_slice(&keyring.sign(cx.name, body));
                BASE64.encode(&octets[..])
            }
            None => BASE64.encode(body),
        }
    }

    fn parse(&self, text: &str, cx: &TokenContext<'_>) -> Option<Token> {
        let expected = if self.keyring.is_some() { SIGNED_TEXT } else { BODY_TEXT };
        if text.len() != expected {
            return None;
        }
        let mut octets = Zeroizing::new([0; SIGNED]);
        BASE64.decode_slice(text, &mut octets[..]).ok()?;
        let (body, mac) = octets.split_at(BODY);
        if let Some(keyring) = &self.keyring
            && !keyring.verify(cx.name, body, mac)
        {
            return None;
        }
        let (handle, secret) = halves(body.try_into().ok()?);
        Some(Token::split(handle, secret))
    }
}

fn halves(octets: &[u8; BODY]) -> (Handle, [u8; Token::SECRET_LEN]) {
    let (handle, secret) = octets.split_at(Handle::LEN);
    let mut parts = ([0; Handle::LEN], [0; Token::SECRET_LEN]);
    parts.0.copy_from_slice(handle);
    parts.1.copy_from_slice(secret);
    (Handle::from_bytes(parts.0), parts.1)
}

/// Our keys: the session is filed under its handle, and the request shows the proof of its secret.
#[derive(Clone, Copy, Debug, Default)]
pub struct SplitKeys;

impl KeyScheme for SplitKeys {
    fn key(&self, namespace: &Namespace, token: &Token) -> StoreKey {
        match (token.handle(), token.danger_secret(), token.danger_text()) {
            (Some(handle), Some(secret), _) => StoreKey::new(namespace.clone(), handle)
                .with_proof(Proof::of(namespace, &handle, secret)),
            (_, _, text) => StoreKey::foreign(namespace.clone(), text.unwrap_or_default()),
        }
    }
}
