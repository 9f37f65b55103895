use std::fmt;

use hmac::{Hmac, KeyInit, Mac};
use sha2::{Sha256, Sha384, Sha512};
#[cfg(feature = "blake3")]
use zeroize::{Zeroize, Zeroizing};

use super::derived::Derived;
use super::{KeyId, Keyring, SecretKey, Transform, TransformContext};
use crate::error::{Error, Result};

/// Signs a value, bound to its name and its purpose: who holds it can read it, but not change it, nor
/// pass it off as another.
///
/// What travels is the value as it is, four octets of the [`KeyId`], and the whole MAC of name,
/// purpose, algorithm and value.
///
/// ```
/// use tenure_core::SystemRandom;
/// use tenure_core::transform::{Keyring, SecretKey, Sign, Transform, TransformContext};
///
/// let sign = Sign::new(Keyring::new([SecretKey::generate()?]));
/// let cx = TransformContext::new("__Host-theme", "theme", &SystemRandom);
/// let signed = sign.apply(b"dark".to_vec(), &cx)?;
/// assert!(signed.starts_with(b"dark"), "it can be read");
/// assert_eq!(sign.undo(signed.clone(), &cx).unwrap(), b"dark");
///
/// let changed = [b"DARK", &signed[4..]].concat();
/// assert!(sign.undo(changed, &cx).is_none(), "but not changed");
/// # Ok::<(), tenure_core::Error>(())
/// ```
#[derive(Debug)]
pub struct Sign {
    macs: Derived<State>,
    algorithm: SignAlgorithm,
}

/// The algorithms of [`Sign`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum SignAlgorithm {
    /// HMAC with SHA-256 (RFC 2104, FIPS 180-4): a MAC of 32 octets.
    #[default]
    HmacSha256,
    /// HMAC with SHA-384: a MAC of 48 octets.
    HmacSha384,
    /// HMAC with SHA-512: a MAC of 64 octets.
    HmacSha512,
    /// BLAKE3 in its keyed mode: a MAC of 32 octets.
    #[cfg(feature = "blake3")]
    Blake3,
}

/// What a key signs with, before it has seen a value.
enum State {
    HmacSha256(Hmac<Sha256>),
    HmacSha384(Hmac<Sha384>),
    HmacSha512(Hmac<Sha512>),
    #[cfg(feature = "blake3")]
    Blake3(Zeroizing<[u8; 32]>),
}

impl Sign {
    /// Signs by HMAC-SHA256 with the first key of `keyring`, and verifies with all of them.
    #[must_use]
    pub fn new(keyring: Keyring) -> Self {
        Self::with(keyring, SignAlgorithm::default())
    }

    /// Signs by another algorithm. What was signed by the one before comes back as none.
    ///
    /// ```
    /// # use tenure_core::SystemRandom;
    /// # use tenure_core::transform::{
    /// #     Keyring, SecretKey, Sign, SignAlgorithm, Transform, TransformContext,
    /// # };
    /// # let keyring = Keyring::new([SecretKey::generate()?]);
    /// # let cx = TransformContext::new("__Host-theme", "theme", &SystemRandom);
    /// let sign = Sign::new(keyring).algorithm(SignAlgorithm::HmacSha512);
    /// assert_eq!(sign.apply(b"dark".to_vec(), &cx)?.len(), 4 + 4 + 64);
    /// # Ok::<(), tenure_core::Error>(())
    /// ```
    #[must_use]
    pub fn algorithm(self, algorithm: SignAlgorithm) -> Self {
        Self::with(self.macs.keyring().clone(), algorithm)
    }

    fn with(keyring: Keyring, algorithm: SignAlgorithm) -> Self {
        let make = move |key: &SecretKey| State::new(key, algorithm);
        Self { macs: Derived::new(keyring, make), algorithm }
    }
}

impl Transform for Sign {
    fn apply(&self, mut value: Vec<u8>, cx: &TransformContext<'_>) -> Result<Vec<u8>> {
        let table = self.macs.table();
        let (id, state) = table.first().ok_or_else(|| {
            Error::config("sign: the keyring is empty; put the current key into it")
        })?;
        let signed = value.len();
        value.reserve_exact(KeyId::LEN + self.algorithm.mac_len());
        value.extend_from_slice(id.as_bytes());
        let (text, _) = value.split_at(signed);
        let parts = parts(text, cx, self.algorithm);
        match state {
            State::HmacSha256(mac) => {
                let mac = fed(mac, &parts).finalize().into_bytes();
                value.extend_from_slice(&mac);
            }
            State::HmacSha384(mac) => {
                let mac = fed(mac, &parts).finalize().into_bytes();
                value.extend_from_slice(&mac);
            }
            State::HmacSha512(mac) => {
                let mac = fed(mac, &parts).finalize().into_bytes();
                value.extend_from_slice(&mac);
            }
            #[cfg(feature = "blake3")]
            State::Blake3(key) => {
                let mac = blake3_of(key, &parts);
                value.extend_from_slice(mac.as_bytes());
            }
        }
        Ok(value)
    }

    fn undo(&self, mut value: Vec<u8>, cx: &TransformContext<'_>) -> Option<Vec<u8>> {
        let end = value.len().checked_sub(KeyId::LEN + self.algorithm.mac_len())?;
        let (text, rest) = value.split_at(end);
        let (id, mac) = rest.split_first_chunk()?;
        let table = self.macs.table();
        let state = table.find(KeyId::from_bytes(*id))?;
        // Each of these compares in constant time.
        let parts = parts(text, cx, self.algorithm);
        let is_right = match state {
            State::HmacSha256(state) => fed(state, &parts).verify_slice(mac).is_ok(),
            State::HmacSha384(state) => fed(state, &parts).verify_slice(mac).is_ok(),
            State::HmacSha512(state) => fed(state, &parts).verify_slice(mac).is_ok(),
            #[cfg(feature = "blake3")]
            State::Blake3(key) => blake3_of(key, &parts) == *mac,
        };
        value.truncate(end);
        is_right.then_some(value)
    }

    fn authenticates(&self) -> bool {
        true
    }
}

impl State {
    fn new(key: &SecretKey, algorithm: SignAlgorithm) -> Self {
        const ANY: &str = "HMAC takes keys of any length";
        let purpose = format!("tenure v1 sign {}", algorithm.name());
        let purpose = purpose.as_bytes();
        match algorithm {
            SignAlgorithm::HmacSha256 => {
                let sub_key = key.sub_key::<32>(purpose);
                Self::HmacSha256(Hmac::new_from_slice(&sub_key[..]).expect(ANY))
            }
            SignAlgorithm::HmacSha384 => {
                let sub_key = key.sub_key::<48>(purpose);
                Self::HmacSha384(Hmac::new_from_slice(&sub_key[..]).expect(ANY))
            }
            SignAlgorithm::HmacSha512 => {
                let sub_key = key.sub_key::<64>(purpose);
                Self::HmacSha512(Hmac::new_from_slice(&sub_key[..]).expect(ANY))
            }
            #[cfg(feature = "blake3")]
            SignAlgorithm::Blake3 => Self::Blake3(key.sub_key(purpose)),
        }
    }
}

impl fmt::Debug for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("State(…)")
    }
}

impl SignAlgorithm {
    const fn name(self) -> &'static str {
        match self {
            Self::HmacSha256 => "hmac-sha256",
            Self::HmacSha384 => "hmac-sha384",
            Self::HmacSha512 => "hmac-sha512",
            #[cfg(feature = "blake3")]
            Self::Blake3 => "blake3",
        }
    }

    /// What stands for version and algorithm in what is signed.
    const fn octet(self) -> u8 {
        match self {
            Self::HmacSha256 => 1,
            Self::HmacSha384 => 2,
            Self::HmacSha512 => 3,
            #[cfg(feature = "blake3")]
            Self::Blake3 => 4,
        }
    }

    const fn mac_len(self) -> usize {
        match self {
            Self::HmacSha256 => 32,
            Self::HmacSha384 => 48,
            Self::HmacSha512 => 64,
            #[cfg(feature = "blake3")]
            Self::Blake3 => 32,
        }
    }
}

/// What is signed: all but the value has a length of its own or before it, so that no two read the
/// same.
struct Parts<'a> {
    name_len: [u8; 4],
    name: &'a [u8],
    purpose_len: [u8; 4],
    purpose: &'a [u8],
    algorithm: [u8; 1],
    value: &'a [u8],
}

fn parts<'a>(value: &'a [u8], cx: &TransformContext<'a>, algorithm: SignAlgorithm) -> Parts<'a> {
    let (name, purpose) = (cx.name.as_bytes(), cx.purpose.as_bytes());
    Parts {
        name_len: (name.len() as u32).to_be_bytes(),
        name,
        purpose_len: (purpose.len() as u32).to_be_bytes(),
        purpose,
        algorithm: [algorithm.octet()],
        value,
    }
}

impl Parts<'_> {
    fn each(&self) -> [&[u8]; 6] {
        let Self { name_len, name, purpose_len, purpose, algorithm, value } = self;
        [name_len, name, purpose_len, purpose, algorithm, value]
    }
}

fn fed<M: Mac + Clone>(state: &M, parts: &Parts<'_>) -> M {
    let mut mac = state.clone();
    parts.each().into_iter().for_each(|part| mac.update(part));
    mac
}

#[cfg(feature = "blake3")]
fn blake3_of(key: &[u8; 32], parts: &Parts<'_>) -> blake3::Hash {
    let mut hasher = blake3::Hasher::new_keyed(key);
    for part in parts.each() {
        hasher.update(part);
    }
    let mac = hasher.finalize();
    hasher.zeroize();
    mac
}
