use super::cipher::{self, Ciphers, push_part};
use super::derived::Derived;
use super::{Keyring, Transform, TransformContext};
use crate::error::Result;

/// Encrypts and authenticates a value, bound to its name and its purpose: who holds it can neither
/// read nor change it, nor pass it off as another.
///
/// What travels is, in octets: one for version and algorithm, four of the [`KeyId`](super::KeyId), the
/// nonce, and as many as the value has and 16 more.
///
/// ```
/// use tenure_core::SystemRandom;
/// use tenure_core::transform::{Keyring, Seal, SecretKey, TransformContext, Transforms};
///
/// let chain = Transforms::new().then(Seal::new(Keyring::new([SecretKey::generate()?])));
/// let cx = TransformContext::new("__Host-cart", "cart", &SystemRandom);
/// let text = chain.write(b"three teapots".to_vec(), &cx)?;
/// assert_eq!(chain.read(&text, &cx).unwrap(), b"three teapots");
///
/// let other = TransformContext::new("__Host-id", "cart", &SystemRandom);
/// assert!(chain.read(&text, &other).is_none(), "taken from another cookie");
/// # Ok::<(), tenure_core::Error>(())
/// ```
#[derive(Debug)]
pub struct Seal(Derived<Ciphers>);

/// The algorithms of [`Seal`]: authenticated encryption with associated data, with keys of 256 bits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum SealAlgorithm {
    /// XChaCha20-Poly1305 (draft-irtf-cfrg-xchacha): nonces of 192 bits, so long that any number of
    /// random ones differ.
    #[default]
    XChaCha20Poly1305,
    /// AES-256-GCM-SIV (RFC 8452): nonces of 96 bits, of which two that are the same tell no more than
    /// whether two values are the same. Twelve octets shorter.
    #[cfg(feature = "aes-gcm-siv")]
    Aes256GcmSiv,
}

impl Seal {
    /// Seals by XChaCha20-Poly1305 with the first key of `keyring`, and opens with all of them.
    #[must_use]
    pub fn new(keyring: Keyring) -> Self {
        Self::with(keyring, SealAlgorithm::default())
    }

    /// Seals by another algorithm. What was sealed by the one before comes back as none.
    ///
    /// ```
    /// # use tenure_core::transform::{Keyring, Seal, SealAlgorithm, SecretKey};
    /// let keyring = Keyring::new([SecretKey::generate()?]);
    /// let seal = Seal::new(keyring).algorithm(SealAlgorithm::XChaCha20Poly1305);
    /// # drop(seal);
    /// # Ok::<(), tenure_core::Error>(())
    /// ```
    #[must_use]
    pub fn algorithm(self, algorithm: SealAlgorithm) -> Self {
        Self::with(self.0.keyring().clone(), algorithm)
    }

    fn with(keyring: Keyring, algorithm: SealAlgorithm) -> Self {
        Self(Derived::new(keyring, move |key| Ciphers::new(key, "seal", [algorithm])))
    }
}

/// Seals by XChaCha20-Poly1305.
impl From<Keyring> for Seal {
    fn from(keyring: Keyring) -> Self {
        Self::new(keyring)
    }
}

impl Transform for Seal {
    fn apply(&self, value: Vec<u8>, cx: &TransformContext<'_>) -> Result<Vec<u8>> {
        cipher::seal(&self.0.table(), &value, |data| bind(data, cx), cx.random)
    }

    fn undo(&self, value: Vec<u8>, cx: &TransformContext<'_>) -> Option<Vec<u8>> {
        cipher::open(&self.0.table(), value, |data| bind(data, cx)).ok()
    }

    fn authenticates(&self) -> bool {
        true
    }
}

fn bind(data: &mut Vec<u8>, cx: &TransformContext<'_>) {
    push_part(data, cx.name.as_bytes());
    push_part(data, cx.purpose.as_bytes());
}

impl SealAlgorithm {
    /// All that this build has.
    pub(crate) const ALL: &[Self] = &[
        Self::XChaCha20Poly1305,
        #[cfg(feature = "aes-gcm-siv")]
        Self::Aes256GcmSiv,
    ];

    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::XChaCha20Poly1305 => "xchacha20-poly1305",
            #[cfg(feature = "aes-gcm-siv")]
            Self::Aes256GcmSiv => "aes-256-gcm-siv",
        }
    }

    /// Version and algorithm on the wire.
    pub(super) const fn octet(self) -> u8 {
        match self {
            Self::XChaCha20Poly1305 => 1,
            #[cfg(feature = "aes-gcm-siv")]
            Self::Aes256GcmSiv => 2,
        }
    }

    pub(super) fn of(octet: u8) -> Option<Self> {
        Self::ALL.iter().copied().find(|algorithm| algorithm.octet() == octet)
    }

    pub(super) const fn nonce_len(self) -> usize {
        match self {
            Self::XChaCha20Poly1305 => 24,
            #[cfg(feature = "aes-gcm-siv")]
            Self::Aes256GcmSiv => 12,
        }
    }
}
