use std::fmt;
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use subtle::{Choice, ConstantTimeEq};
use tenure_core::{Error, ErrorKind, Result};
use zeroize::Zeroizing;

use crate::algorithm::HmacAlgorithm;
use crate::hex;

/// A key that another system signs with as well: its octets are the key, with nothing derived.
///
/// It is never printed, and wiped from memory when it is dropped. Where the other system has a
/// text, the octets are that text's; where it has hexadecimal digits, see
/// [`from_hex`](Self::from_hex).
///
/// ```
/// use tenure_interop::SharedKey;
///
/// let key = SharedKey::new("k7Q2mXv9LrT4wB8nZ1cJ6hY3pD5sF0gA")?;
/// assert_eq!(format!("{key:?}"), "SharedKey(…)");
/// assert!(SharedKey::new("keyboard cat").unwrap_err().to_string().contains("at least 32"));
/// # Ok::<(), tenure_core::Error>(())
/// ```
#[derive(Clone)]
pub struct SharedKey(Arc<Zeroizing<Vec<u8>>>);

impl SharedKey {
    /// The shortest key, in octets.
    pub const MIN_LEN: usize = 32;

    /// The key of these octets.
    ///
    /// # Errors
    /// [`ErrorKind::Config`] for less than 32 octets.
    pub fn new(octets: impl AsRef<[u8]>) -> Result<Self> {
        let octets = octets.as_ref();
        if octets.len() < Self::MIN_LEN {
            return Err(config(format!(
                "shared key: {} octets are too few; give both systems one of at least {}, for \
                 example from `openssl rand -hex 32`",
                octets.len(),
                Self::MIN_LEN
            )));
        }
        Self::insecure_short(octets)
    }

    /// The key of these octets, however few: whoever guesses a short one signs what they like.
    ///
    /// ```
    /// # use tenure_interop::SharedKey;
    /// let key = SharedKey::insecure_short("keyboard cat"); // until the other system has a new one
    /// assert!(key.is_ok());
    /// assert!(SharedKey::insecure_short("").is_err());
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::Config`] for no octets at all.
    pub fn insecure_short(octets: impl AsRef<[u8]>) -> Result<Self> {
        let octets = octets.as_ref();
        if octets.is_empty() {
            return Err(config("shared key: it is empty; give the other system's key"));
        }
        Ok(Self(Arc::new(Zeroizing::new(octets.to_vec()))))
    }

    /// The key whose octets are these hexadecimal digits.
    ///
    /// ```
    /// # use tenure_interop::SharedKey;
    /// assert!(SharedKey::from_hex(&"6819b57a326945c1".repeat(4)).is_ok());
    /// assert!(SharedKey::from_hex("no digits").is_err());
    /// ```
    ///
    /// # Errors
    /// As [`new`](Self::new), and [`ErrorKind::Config`] for what is no hexadecimal digits.
    pub fn from_hex(digits: &str) -> Result<Self> {
        Self::new(&octets_of("shared key", digits)?[..])
    }

    pub(crate) fn octets(&self) -> &[u8] {
        &self.0
    }

    fn is(&self, other: &Self) -> bool {
        self.octets().ct_eq(other.octets()).into()
    }
}

impl fmt::Debug for SharedKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SharedKey(…)")
    }
}

/// The shared keys in use: the first signs, all verify.
///
/// A clone is the same keyring, so a key can be added while the application runs.
///
/// ```
/// use tenure_interop::{SharedKey, SharedKeyring};
///
/// # let [old, new] = ["k7Q2mXv9LrT4wB8nZ1cJ6hY3pD5sF0gA", "Zt5Rk1Wq8Yb3Nc6Vx0Mj4Hg7Fd2Ls9Pa"];
/// let keyring = SharedKeyring::new([SharedKey::new(old)?]);
/// keyring.add(SharedKey::new(new)?); // signs from now on; what the old key signed stays valid
/// assert_eq!(keyring.len(), 2);
/// # Ok::<(), tenure_core::Error>(())
/// ```
///
/// # Deployment caveat
/// A key that is added here signs at once, and the other system knows nothing of what it signs: add
/// a new key there first, where it verifies and does not sign yet.
#[derive(Clone)]
pub struct SharedKeyring(Arc<RwLock<Vec<SharedKey>>>);

impl SharedKeyring {
    /// The keyring of these keys, the one that signs first.
    #[must_use]
    pub fn new(keys: impl IntoIterator<Item = SharedKey>) -> Self {
        Self(Arc::new(RwLock::new(keys.into_iter().collect())))
    }

    /// Adds a key that signs from now on; the others still verify.
    pub fn add(&self, key: SharedKey) {
        let mut keys = self.change();
        keys.retain(|known| !known.is(&key));
        keys.insert(0, key);
    }

    /// Takes a key away, and tells whether it did: what was signed with it is worth nothing from now
    /// on. The last key stays.
    ///
    /// ```
    /// # use tenure_interop::{SharedKey, SharedKeyring};
    /// # let [old, new] = ["k7Q2mXv9LrT4wB8nZ1cJ6hY3pD5sF0gA", "Zt5Rk1Wq8Yb3Nc6Vx0Mj4Hg7Fd2Ls9Pa"];
    /// let (old, new) = (SharedKey::new(old)?, SharedKey::new(new)?);
    /// let keyring = SharedKeyring::new([new.clone(), old.clone()]);
    /// assert!(keyring.retire(&old));
    /// assert!(!keyring.retire(&new), "it is the last");
    /// # Ok::<(), tenure_core::Error>(())
    /// ```
    #[must_use = "a key that is not there, or is the last, is not taken away"]
    pub fn retire(&self, key: &SharedKey) -> bool {
        let mut keys = self.change();
        let kept = keys.iter().filter(|known| !known.is(key)).count();
        let taken = kept > 0 && kept < keys.len();
        keys.retain(|known| !(taken && known.is(key)));
        taken
    }

    /// How many keys there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.keys().len()
    }

    /// Whether there is no key, so that signing is an error and nothing verifies.
    ///
    /// ```
    /// # use tenure_interop::SharedKeyring;
    /// assert!(SharedKeyring::new([]).is_empty());
    /// ```
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.keys().is_empty()
    }

    pub(crate) fn sign(&self, algorithm: HmacAlgorithm, data: &[u8]) -> Result<Vec<u8>> {
        let keys = self.keys();
        let key = keys.first().ok_or_else(|| {
            config("shared keyring: it has no key to sign with; add the other system's")
        })?;
        Ok(algorithm.mac(key.octets(), data))
    }

    /// Whether `matches` says so of the MAC of `data` by any key; all are asked.
    pub(crate) fn any(
        &self,
        algorithm: HmacAlgorithm,
        data: &[u8],
        matches: impl Fn(&[u8]) -> Choice,
    ) -> bool {
        let of_key = |key: &SharedKey| matches(&algorithm.mac(key.octets(), data));
        self.keys().iter().map(of_key).fold(Choice::from(0), |any, one| any | one).into()
    }

    fn change(&self) -> RwLockWriteGuard<'_, Vec<SharedKey>> {
        self.0.write().unwrap_or_else(PoisonError::into_inner)
    }

    fn keys(&self) -> RwLockReadGuard<'_, Vec<SharedKey>> {
        self.0.read().unwrap_or_else(PoisonError::into_inner)
    }
}

impl From<SharedKey> for SharedKeyring {
    fn from(key: SharedKey) -> Self {
        Self::new([key])
    }
}

impl fmt::Debug for SharedKeyring {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SharedKeyring({} keys)", self.len())
    }
}

/// A key of AES-128, AES-192 or AES-256, as another system has it.
///
/// ```
/// use tenure_interop::EncryptionKey;
///
/// let key = EncryptionKey::from_hex("00112233445566778899aabbccddeeff")?;
/// assert_eq!(format!("{key:?}"), "EncryptionKey(128 bits)");
/// # Ok::<(), tenure_core::Error>(())
/// ```
#[derive(Clone)]
pub struct EncryptionKey(Arc<Zeroizing<Vec<u8>>>);

impl EncryptionKey {
    /// The key of these 16, 24 or 32 octets.
    ///
    /// ```
    /// # use tenure_interop::EncryptionKey;
    /// assert!(EncryptionKey::new(b"k7Q2mXv9LrT4wB8n").is_ok());
    /// assert!(EncryptionKey::new(b"a password").is_err());
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::Config`] for another number of octets.
    pub fn new(octets: impl AsRef<[u8]>) -> Result<Self> {
        let octets = octets.as_ref();
        if !matches!(octets.len(), 16 | 24 | 32) {
            return Err(config(format!(
                "encryption key: AES takes 16, 24 or 32 octets and not {}; give the other system's",
                octets.len()
            )));
        }
        Ok(Self(Arc::new(Zeroizing::new(octets.to_vec()))))
    }

    /// The key whose octets are these hexadecimal digits.
    ///
    /// # Errors
    /// As [`new`](Self::new), and [`ErrorKind::Config`] for what is no hexadecimal digits.
    pub fn from_hex(digits: &str) -> Result<Self> {
        Self::new(&octets_of("encryption key", digits)?[..])
    }

    pub(crate) fn octets(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for EncryptionKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "EncryptionKey({} bits)", self.0.len() * 8)
    }
}

/// Keys are typed by people, so capital digits count as well.
fn octets_of(what: &str, digits: &str) -> Result<Zeroizing<Vec<u8>>> {
    let lower = Zeroizing::new(digits.to_ascii_lowercase());
    hex::decode(lower.as_bytes()).map(Zeroizing::new).ok_or_else(|| {
        config(format!("{what}: it is not pairs of hexadecimal digits; `new` takes the octets"))
    })
}

pub(crate) fn config(message: impl Into<std::borrow::Cow<'static, str>>) -> Error {
    Error::new(ErrorKind::Config, "configuration", message)
}
