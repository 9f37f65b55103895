use zeroize::{Zeroize, Zeroizing};

use super::Handle;

/// What the client holds: the credential itself.
///
/// It has neither `Debug` nor `Display`, and its memory is wiped when it is dropped. Text is made
/// of it by a [`TokenScheme`](crate::format::TokenScheme) alone.
///
/// ```
/// use tenure_core::{Handle, id::Token};
///
/// let token = Token::split(Handle::from_bytes([1; 12]), [2; 24]);
/// assert_eq!(token.handle(), Some(Handle::from_bytes([1; 12])));
/// ```
///
/// ```compile_fail
/// let token = tenure_core::id::Token::opaque("a foreign session id");
/// println!("{token:?}");
/// ```
#[derive(Clone)]
#[expect(missing_debug_implementations, reason = "a token is never printed")]
pub struct Token(Repr);

#[derive(Clone)]
enum Repr {
    Split { handle: Handle, secret: [u8; Token::SECRET_LEN] },
    Opaque(Zeroizing<String>),
}

impl Token {
    /// Octets of a secret: 192 bits.
    pub const SECRET_LEN: usize = 24;

    /// A token of our own: a public handle and a secret.
    #[must_use]
    pub const fn split(handle: Handle, secret: [u8; Self::SECRET_LEN]) -> Self {
        Self(Repr::Split { handle, secret })
    }

    /// A token of a foreign format, whose whole text is the secret.
    ///
    /// ```
    /// # use tenure_core::id::Token;
    /// let token = Token::opaque("s%3Aabc.def"); // of another framework
    /// assert_eq!(token.danger_text(), Some("s%3Aabc.def"));
    /// assert_eq!(token.handle(), None);
    /// ```
    #[must_use]
    pub fn opaque(text: impl Into<String>) -> Self {
        Self(Repr::Opaque(Zeroizing::new(text.into())))
    }

    /// The handle, if the token is one of ours.
    #[must_use]
    pub const fn handle(&self) -> Option<Handle> {
        match &self.0 {
            Repr::Split { handle, .. } => Some(*handle),
            Repr::Opaque(_) => None,
        }
    }

    /// The secret of a token of ours. Anybody who sees it has the session.
    ///
    /// ```
    /// # use tenure_core::{Handle, id::Token};
    /// let token = Token::split(Handle::from_bytes([1; 12]), [2; 24]);
    /// assert_eq!(token.danger_secret(), Some(&[2; 24]));
    /// assert_eq!(Token::opaque("s%3Aabc.def").danger_secret(), None);
    /// ```
    #[must_use]
    pub const fn danger_secret(&self) -> Option<&[u8; Self::SECRET_LEN]> {
        match &self.0 {
            Repr::Split { secret, .. } => Some(secret),
            Repr::Opaque(_) => None,
        }
    }

    /// The text of a foreign token. Anybody who sees it has the session.
    ///
    /// ```
    /// # use tenure_core::{Handle, id::Token};
    /// assert_eq!(Token::opaque("s%3Aabc.def").danger_text(), Some("s%3Aabc.def"));
    /// assert_eq!(Token::split(Handle::from_bytes([1; 12]), [2; 24]).danger_text(), None);
    /// ```
    #[must_use]
    pub fn danger_text(&self) -> Option<&str> {
        match &self.0 {
            Repr::Split { .. } => None,
            Repr::Opaque(text) => Some(text),
        }
    }
}

impl Drop for Token {
    fn drop(&mut self) {
        if let Repr::Split { secret, .. } = &mut self.0 {
            secret.zeroize();
        }
    }
}
