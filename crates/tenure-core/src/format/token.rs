use std::fmt;

use crate::clock::Random;
use crate::error::Result;
use crate::id::{Namespace, Token};
use crate::store::StoreKey;

/// What a [`TokenScheme`] may look at.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct TokenContext<'a> {
    /// The name under which the token travels: the cookie's. A signature is bound to it.
    pub name: &'a str,
    /// Where random octets come from.
    pub random: &'a dyn Random,
    /// The head of the request, where the configuration asked to keep it.
    pub request: Option<&'a http::request::Parts>,
}

impl<'a> TokenContext<'a> {
    /// A context without a request.
    ///
    /// ```
    /// # use tenure_core::{SystemRandom, format::TokenContext};
    /// let cx = TokenContext::new("__Host-id", &SystemRandom);
    /// assert_eq!(cx.name, "__Host-id");
    /// assert!(cx.request.is_none());
    /// ```
    #[must_use]
    pub const fn new(name: &'a str, random: &'a dyn Random) -> Self {
        Self { name, random, request: None }
    }
}

/// How tokens are made, written and read: alphabet, length, prefix, signature.
///
/// Ours is [`SplitTokens`](super::SplitTokens). `parse` runs before any store call, and a token
/// that it refuses costs none.
pub trait TokenScheme: fmt::Debug + Send + Sync + 'static {
    /// A token for a new session.
    ///
    /// ```
    /// # use tenure_core::{SystemRandom, format::{SplitTokens, TokenContext, TokenScheme}};
    /// # let scheme = SplitTokens::insecure_unsigned();
    /// # let cx = TokenContext::new("__Host-id", &SystemRandom);
    /// assert_ne!(scheme.mint(&cx)?.handle(), scheme.mint(&cx)?.handle());
    /// # Ok::<(), tenure_core::Error>(())
    /// ```
    ///
    /// # Errors
    /// When there is no randomness, or a generator delivers too little of it.
    fn mint(&self, cx: &TokenContext<'_>) -> Result<Token>;

    /// A token with a new secret for the session of `token`. Where the whole token is the id, the
    /// result names another session.
    ///
    /// ```
    /// # use tenure_core::{SystemRandom, format::{SplitTokens, TokenContext, TokenScheme}};
    /// # let scheme = SplitTokens::insecure_unsigned();
    /// # let cx = TokenContext::new("__Host-id", &SystemRandom);
    /// let token = scheme.mint(&cx)?;
    /// let renewed = scheme.renew(&token, &cx)?;
    /// assert_eq!(renewed.handle(), token.handle());
    /// assert_ne!(renewed.danger_secret(), token.danger_secret());
    /// # Ok::<(), tenure_core::Error>(())
    /// ```
    ///
    /// # Errors
    /// As [`mint`](Self::mint).
    fn renew(&self, token: &Token, cx: &TokenContext<'_>) -> Result<Token>;

    /// The text that travels.
    ///
    /// ```
    /// # use tenure_core::{SystemRandom, format::{SplitTokens, TokenContext, TokenScheme}};
    /// # let scheme = SplitTokens::insecure_unsigned();
    /// # let cx = TokenContext::new("__Host-id", &SystemRandom);
    /// let token = scheme.mint(&cx)?;
    /// let handle = token.handle().unwrap().to_string();
    /// assert!(scheme.write(&token, &cx).starts_with(&handle));
    /// # Ok::<(), tenure_core::Error>(())
    /// ```
    fn write(&self, token: &Token, cx: &TokenContext<'_>) -> String;

    /// The token that `text` is, or none, whatever is wrong with it.
    ///
    /// ```
    /// # use tenure_core::{SystemRandom, format::{SplitTokens, TokenContext, TokenScheme}};
    /// # let scheme = SplitTokens::insecure_unsigned();
    /// # let cx = TokenContext::new("__Host-id", &SystemRandom);
    /// let token = scheme.mint(&cx)?;
    /// let text = scheme.write(&token, &cx);
    /// assert_eq!(scheme.parse(&text, &cx).unwrap().danger_secret(), token.danger_secret());
    /// assert!(scheme.parse(&text[1..], &cx).is_none());
    /// # Ok::<(), tenure_core::Error>(())
    /// ```
    fn parse(&self, text: &str, cx: &TokenContext<'_>) -> Option<Token>;
}

/// How a token becomes the key under which a store files the session.
///
/// Ours is [`SplitKeys`](super::SplitKeys).
pub trait KeyScheme: fmt::Debug + Send + Sync + 'static {
    /// The key of `token` in `namespace`.
    ///
    /// ```
    /// # use tenure_core::{Handle, Namespace, id::Token};
    /// use tenure_core::format::{KeyScheme, SplitKeys};
    ///
    /// let token = Token::split(Handle::from_bytes([1; 12]), [2; 24]);
    /// let key = SplitKeys.key(&Namespace::new("shop")?, &token);
    /// assert_eq!(key.handle(), token.handle());
    /// assert!(key.proof().is_some());
    /// # Ok::<(), tenure_core::Error>(())
    /// ```
    fn key(&self, namespace: &Namespace, token: &Token) -> StoreKey;
}
