use std::fmt;
use std::str::FromStr;

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD as BASE64;

/// The public name of a session for its whole life, rotations included.
///
/// It is no secret: it appears in logs and under "your devices", and it is what one revokes. As
/// text it is 16 base64url characters, the first 16 of the token.
///
/// ```
/// use tenure_core::Handle;
///
/// let handle: Handle = "AAECAwQFBgcICQoL".parse()?;
/// assert_eq!(handle.to_string(), "AAECAwQFBgcICQoL");
/// assert!("AAECAwQFBgcICQo".parse::<Handle>().is_err(), "too short");
/// assert!("AAECAwQFBgcICQo=".parse::<Handle>().is_err(), "outside the alphabet");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Handle([u8; Self::LEN]);

impl Handle {
    /// Octets of a handle.
    pub const LEN: usize = 12;
    /// Characters of its text.
    pub const TEXT_LEN: usize = 16;

    /// The handle with these octets.
    ///
    /// ```
    /// # use tenure_core::Handle;
    /// let handle = Handle::from_bytes([0; 12]); // as a store has it
    /// assert_eq!(handle.to_string(), "AAAAAAAAAAAAAAAA");
    /// ```
    #[must_use]
    pub const fn from_bytes(bytes: [u8; Self::LEN]) -> Self {
        Self(bytes)
    }

    /// The octets: the store's key.
    ///
    /// ```
    /// # use tenure_core::Handle;
    /// let handle: Handle = "AAECAwQFBgcICQoL".parse()?;
    /// assert_eq!(handle.as_bytes(), &[0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]);
    /// # Ok::<(), tenure_core::id::ParseHandleError>(())
    /// ```
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; Self::LEN] {
        &self.0
    }

    /// Its text, for where it is a part of a longer name: ASCII, as [`Display`](fmt::Display)
    /// writes it.
    ///
    /// ```
    /// # use tenure_core::Handle;
    /// let handle: Handle = "AAECAwQFBgcICQoL".parse()?;
    /// assert_eq!(&handle.to_ascii(), b"AAECAwQFBgcICQoL");
    /// # Ok::<(), tenure_core::id::ParseHandleError>(())
    /// ```
    #[must_use]
    pub fn to_ascii(&self) -> [u8; Self::TEXT_LEN] {
        let mut text = [0; Self::TEXT_LEN];
        BASE64.encode_slice(self.0, &mut text).expect("four characters for three octets");
        text
    }
}

impl fmt::Display for Handle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(str::from_utf8(&self.to_ascii()).map_err(|_| fmt::Error)?)
    }
}

impl fmt::Debug for Handle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Handle({self})")
    }
}

/// The text is no handle: not 16 base64url characters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ParseHandleError;

impl fmt::Display for ParseHandleError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a session handle is 16 base64url characters")
    }
}

impl std::error::Error for ParseHandleError {}

impl FromStr for Handle {
    type Err = ParseHandleError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text.len() != Self::TEXT_LEN {
            return Err(ParseHandleError);
        }
        let mut bytes = [0; Self::LEN];
        BASE64.decode_slice(text, &mut bytes).map_err(|_| ParseHandleError)?;
        Ok(Self(bytes))
    }
}
