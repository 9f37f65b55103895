use tenure_core::Result;
use tenure_core::transform::{Transform, TransformContext};

use crate::algorithm::HmacAlgorithm;
use crate::hex;
use crate::key::SharedKeyring;
use subtle::ConstantTimeEq;

/// Ktor's signature: the value, `/`, and an HMAC in lower-case hexadecimal digits.
///
/// Ktor has one key; here there may be several, of which the first signs and all verify. The value
/// can be read by whoever has it, and not changed.
///
/// ```
/// use tenure_core::{SystemRandom, transform::{TransformContext, Transforms}};
/// use tenure_interop::{SharedKey, ktor};
///
/// let key = SharedKey::new("k7Q2mXv9LrT4wB8nZ1cJ6hY3pD5sF0gA")?;
/// let chain = Transforms::new().then(ktor::Sign::new(key)).as_text();
/// let cx = TransformContext::new("SESSION", "session", &SystemRandom);
/// let text = chain.write(b"id=1".to_vec(), &cx)?;
/// assert!(text.starts_with("id=1/") && text.len() == "id=1/".len() + 64);
/// assert_eq!(chain.read(&text, &cx).unwrap(), b"id=1");
/// assert!(chain.read(&text.replace("id=1", "id=2"), &cx).is_none());
/// # Ok::<(), tenure_core::Error>(())
/// ```
///
/// # Deployment caveat
/// The signature is bound neither to the cookie's name nor to what the value is for, and says
/// nothing of when it was made. What was signed for one cookie is valid in every other with the same
/// key: give each its own. A value that the client keeps stays valid until the key goes.
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

    /// Signs with another hash function.
    ///
    /// ```
    /// # use tenure_core::{SystemRandom, transform::{Transform, TransformContext}};
    /// # use tenure_interop::{HmacAlgorithm, SharedKey, ktor};
    /// # let cx = TransformContext::new("SESSION", "session", &SystemRandom);
    /// # let key = SharedKey::new("k7Q2mXv9LrT4wB8nZ1cJ6hY3pD5sF0gA")?;
    /// let sign = ktor::Sign::new(key.clone()).algorithm(HmacAlgorithm::Sha512);
    /// let value = sign.apply(b"id=1".to_vec(), &cx)?;
    /// assert_eq!(value.len(), "id=1/".len() + 128);
    /// assert!(ktor::Sign::new(key).undo(value, &cx).is_none());
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
        value.push(b'/');
        value.extend_from_slice(hex::encode(&mac).as_bytes());
        Ok(value)
    }

    fn undo(&self, mut value: Vec<u8>, _: &TransformContext<'_>) -> Option<Vec<u8>> {
        let end = value.len().checked_sub(self.algorithm.len() * 2 + 1)?;
        let (data, mac) = value.split_at(end);
        let mac = hex::decode(mac.strip_prefix(b"/")?)?;
        if !self.keys.any(self.algorithm, data, |of_key| of_key.ct_eq(&mac)) {
            return None;
        }
        value.truncate(end);
        Some(value)
    }

    fn authenticates(&self) -> bool {
        true
    }
}
