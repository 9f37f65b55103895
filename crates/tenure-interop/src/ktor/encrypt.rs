use subtle::Choice;
use tenure_core::transform::{Transform, TransformContext};
use tenure_core::{Error, ErrorKind, Result};
use zeroize::Zeroizing;

use super::cbc::{self, BLOCK};
use crate::algorithm::HmacAlgorithm;
use crate::hex;
use crate::key::{EncryptionKey, SharedKey};

/// Ktor's encryption: AES in CBC mode, and an HMAC, in lower-case hexadecimal digits:
/// `iv/ciphertext:mac`.
///
/// ```
/// use tenure_core::{SystemRandom, transform::{TransformContext, Transforms}};
/// use tenure_interop::{EncryptionKey, SharedKey, ktor};
///
/// let encrypt = ktor::Encrypt::new(
///     EncryptionKey::from_hex("00112233445566778899aabbccddeeff")?,
///     SharedKey::new("k7Q2mXv9LrT4wB8nZ1cJ6hY3pD5sF0gA")?,
/// );
/// let chain = Transforms::new().then(encrypt).as_text();
/// let cx = TransformContext::new("SESSION", "session", &SystemRandom);
/// let text = chain.write(b"id=1".to_vec(), &cx)?;
/// assert_ne!(text, chain.write(b"id=1".to_vec(), &cx)?, "another initialization vector");
/// assert_eq!(chain.read(&text, &cx).unwrap(), b"id=1");
/// # Ok::<(), tenure_core::Error>(())
/// ```
///
/// # Deployment caveat
/// - **The first 16 octets can be changed.** In this form the MAC covers the ciphertext and not the
///   initialization vector, and a bit changed there is the same bit changed in the first block. So
///   this transform does not [authenticate](Transform::authenticates) by itself. Put a [`Sign`] with
///   a key of its own after it, in both systems; where the other system cannot be changed, see
///   [`insecure_unauthenticated_iv`](Self::insecure_unauthenticated_iv).
/// - The value is bound neither to the cookie's name nor to what it is for: give each cookie keys of
///   its own. A value that the client keeps stays valid until the keys go.
///
/// [`Sign`]: super::Sign
#[derive(Clone, Debug)]
pub struct Encrypt {
    encryption: EncryptionKey,
    signing: SharedKey,
    algorithm: HmacAlgorithm,
    reads_old: bool,
    counts_as_authentic: bool,
}

impl Encrypt {
    /// Encrypts with one key, and signs by HMAC-SHA256 with another.
    #[must_use]
    pub const fn new(encryption: EncryptionKey, signing: SharedKey) -> Self {
        Self {
            encryption,
            signing,
            algorithm: HmacAlgorithm::Sha256,
            reads_old: false,
            counts_as_authentic: false,
        }
    }

    /// Signs with another hash function.
    ///
    /// ```
    /// # use tenure_core::{SystemRandom, transform::{Transform, TransformContext}};
    /// # use tenure_interop::{EncryptionKey, HmacAlgorithm, SharedKey, ktor};
    /// # let cx = TransformContext::new("SESSION", "session", &SystemRandom);
    /// # let encryption = EncryptionKey::from_hex("00112233445566778899aabbccddeeff")?;
    /// # let signing = SharedKey::new("k7Q2mXv9LrT4wB8nZ1cJ6hY3pD5sF0gA")?;
    /// let encrypt = ktor::Encrypt::new(encryption, signing).algorithm(HmacAlgorithm::Sha512);
    /// assert_eq!(encrypt.apply(b"id=1".to_vec(), &cx)?.len(), 32 + 1 + 32 + 1 + 128);
    /// # Ok::<(), tenure_core::Error>(())
    /// ```
    #[must_use]
    pub const fn algorithm(mut self, algorithm: HmacAlgorithm) -> Self {
        self.algorithm = algorithm;
        self
    }

    /// Reads the form of before Ktor 3.0 as well, whose MAC covers the text and not the ciphertext.
    /// Off by default.
    ///
    /// The price: what a client sends is decrypted before anything has vouched for it. Whoever can
    /// tell a wrong padding from a wrong MAC, by the answer or by how long it takes, reads other
    /// people's values piece by piece. Here both are the same none, on one path, whose length
    /// depends on that of the value alone; it costs sixteen ends of a MAC. It cannot be promised of
    /// whatever else sees the value, such as the other system with the same keys. Turn it off as soon
    /// as the last value of that form has ended.
    ///
    /// ```
    /// # use tenure_core::{SystemRandom, transform::{Transform, TransformContext}};
    /// # use tenure_interop::{EncryptionKey, SharedKey, ktor};
    /// # let cx = TransformContext::new("SESSION", "session", &SystemRandom);
    /// let encrypt = ktor::Encrypt::new(
    ///     EncryptionKey::from_hex("000102030405060708090a0b0c0d0e0f")?,
    ///     SharedKey::from_hex("00070e151c232a31383f464d545b626970777e858c939aa1a8afb6bdc4cbd2d9")?,
    /// );
    /// let old = b"e09c1a73d52b98124ce93ed817715d60/7a3362b2ab15aa4342c66f6a1d5dd810:\
    ///             3043fd117130aff84035f07d0a14cb3fce7440f840e86cdce8a2b75f9402a477";
    /// assert!(encrypt.undo(old.to_vec(), &cx).is_none());
    /// let encrypt = encrypt.insecure_backward_compatible_read();
    /// assert_eq!(encrypt.undo(old.to_vec(), &cx).unwrap(), b"id=1");
    /// # Ok::<(), tenure_core::Error>(())
    /// ```
    #[must_use]
    pub const fn insecure_backward_compatible_read(mut self) -> Self {
        self.reads_old = true;
        self
    }

    /// Lets this transform stand alone where one is asked for that
    /// [authenticates](Transform::authenticates), although a client can change the first 16 octets
    /// of its own value. Use it only where those decide nothing, or where the payload is checked.
    ///
    /// ```
    /// # use tenure_core::transform::Transform;
    /// # use tenure_interop::{EncryptionKey, SharedKey, ktor};
    /// # let encryption = EncryptionKey::from_hex("00112233445566778899aabbccddeeff")?;
    /// # let signing = SharedKey::new("k7Q2mXv9LrT4wB8nZ1cJ6hY3pD5sF0gA")?;
    /// let encrypt = ktor::Encrypt::new(encryption, signing);
    /// assert!(!encrypt.authenticates());
    /// assert!(encrypt.insecure_unauthenticated_iv().authenticates());
    /// # Ok::<(), tenure_core::Error>(())
    /// ```
    #[must_use]
    pub const fn insecure_unauthenticated_iv(mut self) -> Self {
        self.counts_as_authentic = true;
        self
    }

    fn parse(&self, value: &[u8]) -> Option<Parts> {
        let (iv, rest) = value.split_at_checked(BLOCK * 2)?;
        let rest = rest.strip_prefix(b"/")?;
        let (ciphertext, mac) =
            rest.split_at_checked(rest.len().checked_sub(self.algorithm.len() * 2 + 1)?)?;
        let mac = mac.strip_prefix(b":")?;
        if ciphertext.is_empty() || ciphertext.len() % (BLOCK * 2) != 0 {
            return None;
        }
        Some(Parts {
            iv: hex::decode(iv)?.try_into().ok()?,
            ciphertext: hex::decode(ciphertext)?,
            mac: hex::decode(mac)?,
        })
    }
}

struct Parts {
    iv: [u8; BLOCK],
    ciphertext: Vec<u8>,
    mac: Vec<u8>,
}

impl Transform for Encrypt {
    fn apply(&self, value: Vec<u8>, cx: &TransformContext<'_>) -> Result<Vec<u8>> {
        let mut iv = [0; BLOCK];
        cx.random.fill(&mut iv).map_err(|error| {
            Error::new(ErrorKind::Unavailable, "encrypt", "no random numbers").with_source(error)
        })?;
        let ciphertext = cbc::encrypt(self.encryption.octets(), &iv, Zeroizing::new(value));
        let mac = self.algorithm.mac(self.signing.octets(), &ciphertext);
        let [iv, ciphertext, mac] = [&iv[..], &ciphertext, &mac].map(hex::encode);
        Ok(format!("{iv}/{ciphertext}:{mac}").into_bytes())
    }

    fn undo(&self, value: Vec<u8>, _: &TransformContext<'_>) -> Option<Vec<u8>> {
        let Parts { iv, ciphertext, mac } = self.parse(&value)?;
        let key = self.signing.octets();
        let new = self.algorithm.verify(key, &ciphertext, &mac);
        if !self.reads_old {
            return bool::from(new)
                .then(|| cbc::decrypt(self.encryption.octets(), &iv, ciphertext))?
                .text(|_, _| [new; BLOCK]);
        }
        // No branch on `new`: which form it is, and what is wrong with it, decides nothing here.
        cbc::decrypt(self.encryption.octets(), &iv, ciphertext).text(|body, last| {
            let old = self.algorithm.verify_each(key, body, last, &mac);
            old.map(|old: Choice| old | new)
        })
    }

    fn authenticates(&self) -> bool {
        self.counts_as_authentic
    }
}
