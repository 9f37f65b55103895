use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD as BASE64;
use tenure_core::format::{TokenContext, TokenScheme};
use tenure_core::id::Token;
use tenure_core::transform::{TransformContext, Transforms};
use tenure_core::{Error, ErrorKind, Random, Result};
use zeroize::Zeroizing;

use crate::hex;
use crate::key::config;

/// What transforms of ids are told that they are for.
const PURPOSE: &str = "id";
/// The longest text that is looked at: what browsers store of a cookie.
const MAX_TEXT: usize = 4096;

/// How the ids of another system look.
///
/// ```
/// use tenure_interop::IdShape;
///
/// let shape = IdShape::hex(32);
/// assert!(shape.admits(&"7f".repeat(32)));
/// assert!(!shape.admits(&"7F".repeat(32)));
/// assert!(!shape.admits("../../etc/passwd"));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct IdShape {
    alphabet: Alphabet,
    octets: usize,
    others: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Alphabet {
    Hex,
    Base64Url,
}

impl IdShape {
    /// The least that an id must have: 128 bits.
    pub const MIN_OCTETS: usize = 16;
    /// The longest id of another generator, in characters.
    pub const MAX_OTHER: usize = 128;

    /// So many random octets as lower-case hexadecimal digits.
    #[must_use]
    pub const fn hex(octets: usize) -> Self {
        Self { alphabet: Alphabet::Hex, octets, others: false }
    }

    /// So many random octets as base64url without padding.
    ///
    /// ```
    /// # use tenure_interop::IdShape;
    /// assert!(IdShape::base64url(24).admits("vACMlB_UpL35JnNGEpDAaSoTHFDb_Gtd"));
    /// assert!(!IdShape::base64url(24).admits("vACMlB/UpL35JnNGEpDAaSoTHFDb/Gtd"));
    /// ```
    #[must_use]
    pub const fn base64url(octets: usize) -> Self {
        Self { alphabet: Alphabet::Base64Url, octets, others: false }
    }

    /// Reads ids of another generator as well: 1 to 128 letters, digits and signs of `-_.~+=@`, of
    /// which no dot is the first or follows another one. New ids have this shape as before.
    ///
    /// ```
    /// # use tenure_interop::IdShape;
    /// let shape = IdShape::base64url(24).or_others();
    /// assert!(shape.admits("user-7.4f9c2a"));
    /// assert!(!shape.admits("..") && !shape.admits("a/b") && !shape.admits(""));
    /// ```
    ///
    /// # Deployment caveat
    /// How hard those ids are to guess is the other generator's affair.
    #[must_use]
    pub const fn or_others(mut self) -> Self {
        self.others = true;
        self
    }

    /// Whether `id` has this shape.
    #[must_use]
    pub fn admits(&self, id: &str) -> bool {
        self.is_ours(id) || (self.others && is_harmless(id))
    }

    fn is_ours(&self, id: &str) -> bool {
        match self.alphabet {
            Alphabet::Hex => id.len() == self.octets * 2 && hex::is_hex(id.as_bytes()),
            Alphabet::Base64Url => {
                id.len() == (self.octets * 4).div_ceil(3)
                    && BASE64.decode(id).map(Zeroizing::new).is_ok()
            }
        }
    }

    fn make(&self, random: &dyn Random) -> Result<String> {
        let mut octets = Zeroizing::new(vec![0; self.octets]);
        random.fill(&mut octets).map_err(|error| {
            Error::new(ErrorKind::Unavailable, "token", "no random numbers").with_source(error)
        })?;
        Ok(match self.alphabet {
            Alphabet::Hex => hex::encode(&octets),
            Alphabet::Base64Url => BASE64.encode(&octets[..]),
        })
    }
}

/// Nothing that a path, a header, a shell or another store's key could take for a sign of its own.
fn is_harmless(id: &str) -> bool {
    let plain = |octet: u8| octet.is_ascii_alphanumeric() || b"-_.~+=@".contains(&octet);
    (1..=IdShape::MAX_OTHER).contains(&id.len())
        && id.bytes().all(plain)
        && !id.starts_with('.')
        && !id.contains("..")
}

/// Tokens whose whole text is the session's id, as other systems have them: random octets, and
/// around them transforms.
///
/// A rotation gives another id: the record is made anew under it, then the former one goes.
///
/// ```
/// use tenure_core::format::{TokenContext, TokenScheme};
/// use tenure_core::{SystemRandom, transform::Transforms};
/// use tenure_interop::{IdShape, IdTokens, SharedKey, ktor};
///
/// let key = SharedKey::new("k7Q2mXv9LrT4wB8nZ1cJ6hY3pD5sF0gA")?;
/// let tokens = IdTokens::signed(IdShape::hex(32), Transforms::new().then(ktor::Sign::new(key)))?;
/// let cx = TokenContext::new("SESSION", &SystemRandom);
/// let text = tokens.write(&tokens.mint(&cx)?, &cx);
/// assert!(tokens.parse(&text, &cx).is_some());
/// assert!(tokens.parse(&text[..64], &cx).is_none(), "without the signature");
/// # Ok::<(), tenure_core::Error>(())
/// ```
///
/// # Deployment caveat
/// These formats bind an id neither to the cookie's name nor to what it is for. Give each cookie,
/// and each application, a key of its own; otherwise what was signed for one opens the other, where
/// both look into the same store.
#[derive(Clone, Debug)]
pub struct IdTokens {
    shape: IdShape,
    transforms: Transforms,
}

impl IdTokens {
    /// Ids of this shape within transforms, one of which refuses what was made without the key, so
    /// that a forged id costs no store call.
    ///
    /// # Errors
    /// [`ErrorKind::Config`] where none of the transforms does, or for ids of less than 128 bits.
    pub fn signed(shape: IdShape, transforms: Transforms) -> Result<Self> {
        if !transforms.authenticates() {
            return Err(config(
                "id tokens: none of the transforms refuses what was made without a key; add one \
                 that signs, or use `insecure_unsigned`",
            ));
        }
        Self::insecure_unsigned(shape, transforms)
    }

    /// Ids of this shape within any transforms, or none. The price: every forged id costs the store
    /// one look-up.
    ///
    /// ```
    /// # use tenure_core::format::{TokenContext, TokenScheme};
    /// # use tenure_core::{SystemRandom, transform::Transforms};
    /// # use tenure_interop::{IdShape, IdTokens};
    /// # let cx = TokenContext::new("SESSION", &SystemRandom);
    /// let tokens = IdTokens::insecure_unsigned(IdShape::hex(32), Transforms::new())?;
    /// assert!(tokens.parse(&"7f".repeat(32), &cx).is_some(), "whoever made it");
    /// assert!(IdTokens::insecure_unsigned(IdShape::hex(8), Transforms::new()).is_err());
    /// # Ok::<(), tenure_core::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::Config`] for ids of less than 128 bits.
    pub fn insecure_unsigned(shape: IdShape, transforms: Transforms) -> Result<Self> {
        if shape.octets < IdShape::MIN_OCTETS {
            return Err(config(format!(
                "id tokens: ids of {} octets can be guessed; at least {} (128 bits) are needed",
                shape.octets,
                IdShape::MIN_OCTETS
            )));
        }
        Ok(Self { shape, transforms: transforms.as_text() })
    }

    /// For callers whose transforms are known to sign and whose shape is known to be long enough.
    pub(crate) fn known(shape: IdShape, transforms: Transforms) -> Self {
        Self { shape, transforms: transforms.as_text() }
    }
}

impl TokenScheme for IdTokens {
    fn mint(&self, cx: &TokenContext<'_>) -> Result<Token> {
        self.shape.make(cx.random).map(Token::opaque)
    }

    fn renew(&self, _: &Token, cx: &TokenContext<'_>) -> Result<Token> {
        self.mint(cx)
    }

    /// Without a key to sign with, or without randomness, the text is empty, which no transport
    /// sends.
    fn write(&self, token: &Token, cx: &TokenContext<'_>) -> String {
        let cx = TransformContext::new(cx.name, PURPOSE, cx.random);
        let id = token.danger_text().unwrap_or_default();
        if id.is_empty() {
            return String::new();
        }
        self.transforms.write(id.as_bytes().to_vec(), &cx).unwrap_or_default()
    }

    fn parse(&self, text: &str, cx: &TokenContext<'_>) -> Option<Token> {
        if text.len() > MAX_TEXT {
            return None;
        }
        let cx = TransformContext::new(cx.name, PURPOSE, cx.random);
        let id = Zeroizing::new(self.transforms.read(text, &cx)?);
        let id = str::from_utf8(&id).ok()?;
        self.shape.admits(id).then(|| Token::opaque(id))
    }
}
