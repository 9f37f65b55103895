use std::fmt;

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use hkdf::Hkdf;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use zeroize::{Zeroize, Zeroizing};

use crate::clock::{Random, SystemRandom};
use crate::error::{Error, ErrorKind, Result};

pub(super) type HmacSha256 = Hmac<Sha256>;

/// The infos of HKDF; each purpose has a sub-key of its own.
const TOKEN_PURPOSE: &[u8] = b"tenure v1 token signature";
const ID_PURPOSE: &[u8] = b"tenure v1 key id";

/// A key that signs and seals, made from a secret of at least 32 octets.
///
/// The secret itself is not kept: each purpose has a sub-key of its own (HKDF-SHA256, RFC 5869). None
/// of them is ever printed, and all are wiped from memory with the key.
///
/// ```
/// use tenure_core::transform::SecretKey;
///
/// let secret = SecretKey::generate_secret()?;
/// let key = SecretKey::new(&secret)?;
/// assert_eq!(format!("{key:?}"), format!("SecretKey({})", key.id()));
///
/// let error = SecretKey::new("sixteen letters!").unwrap_err();
/// assert!(error.to_string().contains("at least 32"));
/// # Ok::<(), tenure_core::Error>(())
/// ```
#[derive(Clone)]
pub struct SecretKey {
    id: KeyId,
    /// What HKDF extracts from the secret.
    extracted: Zeroizing<[u8; 32]>,
    token: HmacSha256,
}

/// Which key it is: four octets that follow from the secret and tell nothing of it. It stands before
/// what a key has sealed, and in messages and logs.
///
/// ```
/// use tenure_core::transform::SecretKey;
///
/// let key = SecretKey::new("k7Q2mXv9LrT4wB8nZ1cJ6hY3pD5sF0gA")?;
/// assert_eq!(key.id().to_string(), "af13efaa");
/// # Ok::<(), tenure_core::Error>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct KeyId([u8; 4]);

impl SecretKey {
    /// The shortest secret, in octets.
    pub const MIN_SECRET_LEN: usize = 32;

    /// The key that is made from `secret`.
    ///
    /// ```
    /// # use tenure_core::transform::SecretKey;
    /// for weak in [
    ///     "a secret that is too short",
    ///     "11111111111111111111112222222222222222222222",
    ///     "abcdefghijklmnopqrstuvwxyz-0123456789-ABCDEFG",
    ///     "not quite as short, not quite as short, not quite as short, ",
    /// ] {
    ///     let error = SecretKey::new(weak).unwrap_err();
    ///     assert!(error.to_string().contains("openssl rand -base64 33"));
    /// }
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::Config`] for a secret that is too short, or that can be guessed: with fewer than 8
    /// different octets; with a pattern of less than 32 octets that is repeated; or with fewer than 16
    /// octets that are not to be expected after those before them, as what goes on in steps is
    /// (`abcd`, `7777`), and what stood behind the same octet before. Whether words make a sentence is
    /// not looked at. A good secret is what `openssl rand -base64 33` prints.
    pub fn new(secret: impl AsRef<[u8]>) -> Result<Self> {
        let secret = secret.as_ref();
        match weakness(secret) {
            None => Ok(Self::derive(secret)),
            Some(weakness) => Err(Error::config(format!(
                "secret key: {weakness}; it takes at least {} octets that nobody can guess, for \
                 example from `openssl rand -base64 33`",
                Self::MIN_SECRET_LEN
            ))),
        }
    }

    /// A fresh key, which lives as long as this process.
    ///
    /// ```
    /// # use tenure_core::transform::{Keyring, SecretKey};
    /// let keyring = Keyring::new([SecretKey::generate()?]);
    /// assert!(!keyring.is_empty());
    /// # Ok::<(), tenure_core::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::Unavailable`] when the operating system has no random numbers.
    pub fn generate() -> Result<Self> {
        Ok(Self::derive(&random_secret()?[..]))
    }

    /// A fresh secret as 44 base64url characters, to be kept in a file or in the environment.
    ///
    /// ```
    /// # use tenure_core::transform::{Keyring, SecretKey};
    /// let secret = SecretKey::generate_secret()?; // once, for a file that all processes read
    /// assert_eq!(secret.len(), 44);
    /// assert!(SecretKey::new(&secret).is_ok());
    /// # Ok::<(), tenure_core::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::Unavailable`] when the operating system has no random numbers.
    pub fn generate_secret() -> Result<String> {
        Ok(BASE64_URL_SAFE_NO_PAD.encode(&random_secret()?[..]))
    }

    /// Which key it is.
    ///
    /// See the example of [`KeyId`].
    #[must_use]
    pub const fn id(&self) -> KeyId {
        self.id
    }

    /// The sub-key for a purpose.
    pub(crate) fn sub_key<const N: usize>(&self, purpose: &[u8]) -> Zeroizing<[u8; N]> {
        let mut sub_key = Zeroizing::new([0; N]);
        Hkdf::<Sha256>::from_prk(&self.extracted[..])
            .expect("it has the length of a hash")
            .expand(purpose, &mut sub_key[..])
            .expect("a sub-key is within HKDF's limit of 255 blocks");
        sub_key
    }

    /// The state of the MAC under which tokens of this name are signed.
    pub(super) fn token_mac(&self, name: &str, body: &[u8]) -> HmacSha256 {
        let mut mac = self.token.clone();
        mac.update(&(name.len() as u32).to_be_bytes());
        mac.update(name.as_bytes());
        mac.update(body);
        mac
    }

    fn derive(secret: &[u8]) -> Self {
        let (mut extracted, hkdf) = Hkdf::<Sha256>::extract(None, secret);
        let mut sub_key = Zeroizing::new([0; 32]);
        hkdf.expand(TOKEN_PURPOSE, &mut sub_key[..]).expect("32 octets are within the limit");
        let mut id = [0; 4];
        hkdf.expand(ID_PURPOSE, &mut id).expect("4 octets are within the limit");
        let token = HmacSha256::new_from_slice(&sub_key[..]).expect("HMAC takes any length");
        let key = Self { id: KeyId(id), extracted: Zeroizing::new(extracted.into()), token };
        extracted.as_mut_slice().zeroize();
        key
    }
}

impl KeyId {
    /// Octets of an id.
    pub(crate) const LEN: usize = 4;

    pub(crate) const fn from_bytes(octets: [u8; Self::LEN]) -> Self {
        Self(octets)
    }

    pub(crate) const fn as_bytes(&self) -> &[u8; Self::LEN] {
        &self.0
    }
}

/// Eight hexadecimal digits.
impl fmt::Display for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:08x}", u32::from_be_bytes(self.0))
    }
}

impl fmt::Debug for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "KeyId({self})")
    }
}

impl fmt::Debug for SecretKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SecretKey({})", self.id)
    }
}

/// Why a secret can be guessed, if it can be seen.
fn weakness(secret: &[u8]) -> Option<String> {
    const MIN_DISTINCT: usize = 8;
    const MIN_UNEXPECTED: usize = 16;

    let mut seen = [false; 256];
    secret.iter().for_each(|&octet| seen[usize::from(octet)] = true);
    let distinct = seen.iter().filter(|&&seen| seen).count();
    let len = secret.len();
    if len < SecretKey::MIN_SECRET_LEN || distinct < MIN_DISTINCT {
        return Some(format!(
            "a secret of {len} octets, {distinct} of them different, is too weak"
        ));
    }
    let repeats = |period: &usize| secret[*period..] == secret[..len - period];
    if let Some(period) = (1..SecretKey::MIN_SECRET_LEN.min(len / 2 + 1)).find(repeats) {
        return Some(format!("a secret that repeats {period} octets is as weak as those alone"));
    }
    let unexpected = unexpected(secret);
    if unexpected < MIN_UNEXPECTED {
        return Some(format!(
            "a secret of which all but {unexpected} octets follow from those before is too weak"
        ));
    }
    None
}

/// How many octets are not to be expected after those before them. Of 32 random hexadecimal digits
/// that is less than 16 once in a million times.
fn unexpected(secret: &[u8]) -> usize {
    let is_step = |at: usize| {
        at >= 2
            && secret[at].wrapping_sub(secret[at - 1])
                == secret[at - 1].wrapping_sub(secret[at - 2])
    };
    let stood_before =
        |at: usize| at >= 1 && secret[..at].windows(2).any(|pair| pair == &secret[at - 1..=at]);
    // Enough to judge by; a long secret is not to take long.
    let judged = secret.len().min(256);
    (0..judged).filter(|&at| !is_step(at) && !stood_before(at)).count()
}

fn random_secret() -> Result<Zeroizing<[u8; 33]>> {
    let mut secret = Zeroizing::new([0; 33]);
    SystemRandom.fill(&mut secret[..]).map_err(|error| {
        Error::new(ErrorKind::Unavailable, "secret key", "no random numbers").with_source(error)
    })?;
    Ok(secret)
}
