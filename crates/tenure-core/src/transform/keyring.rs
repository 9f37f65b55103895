use std::fmt;
use std::sync::{Arc, PoisonError, RwLock};

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use hkdf::Hkdf;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use zeroize::Zeroizing;

use crate::clock::{Random, SystemRandom};
use crate::error::{Error, ErrorKind, Result};

type HmacSha256 = Hmac<Sha256>;

/// The info of HKDF for the sub-key that signs tokens.
const TOKEN_PURPOSE: &[u8] = b"tenure v1 token signature";

/// A key that signs tokens, made from a secret of at least 32 octets.
///
/// Only a sub-key for this purpose is kept (HKDF-SHA256, RFC 5869); neither is ever printed.
///
/// ```
/// use tenure_core::transform::SecretKey;
///
/// let secret = SecretKey::generate_secret()?;
/// let key = SecretKey::new(&secret)?;
/// assert_eq!(format!("{key:?}"), "SecretKey(…)");
///
/// let error = SecretKey::new("sixteen letters!").unwrap_err();
/// assert!(error.to_string().contains("at least 32"));
/// # Ok::<(), tenure_core::Error>(())
/// ```
#[derive(Clone)]
pub struct SecretKey(HmacSha256);

impl SecretKey {
    /// The shortest secret, in octets.
    pub const MIN_SECRET_LEN: usize = 32;
    const MIN_DISTINCT: usize = 8;

    /// The key that is made from `secret`.
    ///
    /// # Errors
    /// [`ErrorKind::Config`] for a secret of less than 32 octets or of fewer than 8 different
    /// ones. A good secret is what `openssl rand -base64 33` prints.
    pub fn new(secret: impl AsRef<[u8]>) -> Result<Self> {
        let secret = secret.as_ref();
        let mut seen = [false; 256];
        secret.iter().for_each(|&octet| seen[usize::from(octet)] = true);
        let distinct = seen.iter().filter(|&&seen| seen).count();
        if secret.len() < Self::MIN_SECRET_LEN || distinct < Self::MIN_DISTINCT {
            return Err(Error::config(format!(
                "signing key: a secret of {} octets, {distinct} of them different, is too weak; it \
                 takes at least {} that nobody can guess, for example from `openssl rand -base64 \
                 33`",
                secret.len(),
                Self::MIN_SECRET_LEN
            )));
        }
        Ok(Self::derive(secret))
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

    fn derive(secret: &[u8]) -> Self {
        let mut sub_key = Zeroizing::new([0; 32]);
        Hkdf::<Sha256>::new(None, secret)
            .expand(TOKEN_PURPOSE, &mut sub_key[..])
            .expect("32 octets are within HKDF's limit of 255 blocks");
        Self(HmacSha256::new_from_slice(&sub_key[..]).expect("HMAC takes keys of any length"))
    }

    fn mac(&self, name: &str, body: &[u8]) -> HmacSha256 {
        let mut mac = self.0.clone();
        mac.update(&(name.len() as u32).to_be_bytes());
        mac.update(name.as_bytes());
        mac.update(body);
        mac
    }
}

impl fmt::Debug for SecretKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SecretKey(…)")
    }
}

fn random_secret() -> Result<Zeroizing<[u8; 33]>> {
    let mut secret = Zeroizing::new([0; 33]);
    SystemRandom.fill(&mut secret[..]).map_err(|error| {
        Error::new(ErrorKind::Unavailable, "signing key", "no random numbers").with_source(error)
    })?;
    Ok(secret)
}

/// The signing keys in use: the first signs, all verify.
///
/// A clone is the same keyring, so a key can be added while the application runs.
///
/// ```
/// use tenure_core::transform::{Keyring, SecretKey};
///
/// let (old, new) = (SecretKey::generate()?, SecretKey::generate()?);
/// let keyring = Keyring::new([old]);
/// keyring.add(new); // signs from now on; tokens signed with the old key stay valid
/// assert_eq!(keyring.len(), 2);
/// # Ok::<(), tenure_core::Error>(())
/// ```
#[derive(Clone)]
pub struct Keyring(Arc<RwLock<Vec<SecretKey>>>);

impl Keyring {
    /// Octets of a signature: HMAC-SHA256 cut to 192 bits.
    pub const MAC_LEN: usize = 24;

    /// The keyring of these keys, the one that signs first.
    #[must_use]
    pub fn new(keys: impl IntoIterator<Item = SecretKey>) -> Self {
        Self(Arc::new(RwLock::new(keys.into_iter().collect())))
    }

    /// The keyring made from these secrets, the one that signs first.
    ///
    /// ```
    /// # use tenure_core::transform::{Keyring, SecretKey};
    /// # let (new, old) = (SecretKey::generate_secret()?, SecretKey::generate_secret()?);
    /// let keyring = Keyring::from_secrets([new, old])?; // `new` signs, both verify
    /// assert_eq!(keyring.len(), 2);
    /// assert!(Keyring::from_secrets(["too short"]).is_err());
    /// # Ok::<(), tenure_core::Error>(())
    /// ```
    ///
    /// # Errors
    /// As [`SecretKey::new`], for the first secret that is too weak.
    pub fn from_secrets<S: AsRef<[u8]>>(secrets: impl IntoIterator<Item = S>) -> Result<Self> {
        Ok(Self::new(secrets.into_iter().map(SecretKey::new).collect::<Result<Vec<_>>>()?))
    }

    /// Adds a key that signs from now on; the others still verify.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> tenure_core::Result<()> {
    /// # use tenure_core::{Sessions, store::MemoryStore, transform::{Keyring, SecretKey}};
    /// let keyring = Keyring::new([SecretKey::generate()?]);
    /// let builder = Sessions::builder().store(MemoryStore::new());
    /// let sessions = builder.signing_keys(keyring.clone()).build()?;
    /// # let session = sessions.start().await?;
    /// # session.login("ada")?;
    /// # session.save().await?;
    /// let token = session.danger_expose_token().unwrap();
    /// keyring.add(SecretKey::generate()?); // while the application runs
    /// assert!(sessions.open_token(&token).await?.is_some(), "signed by the older key");
    /// # Ok(())
    /// # }
    /// ```
    pub fn add(&self, key: SecretKey) {
        self.0.write().unwrap_or_else(PoisonError::into_inner).insert(0, key);
    }

    /// How many keys there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.keys().len()
    }

    /// Whether there is no key, so that nothing can be signed.
    ///
    /// ```
    /// # use tenure_core::{Sessions, store::MemoryStore, transform::Keyring};
    /// let keyring = Keyring::new([]);
    /// assert!(keyring.is_empty());
    /// let builder = Sessions::builder().store(MemoryStore::new());
    /// assert!(builder.signing_keys(keyring).build().is_err());
    /// ```
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.keys().is_empty()
    }

    /// The signature of `body` under `name`. A keyring without keys is refused when the
    /// configuration is built; signing with one yields zeros, which nothing verifies.
    pub(crate) fn sign(&self, name: &str, body: &[u8]) -> [u8; Self::MAC_LEN] {
        let mut cut = [0; Self::MAC_LEN];
        if let Some(key) = self.keys().first() {
            cut.copy_from_slice(&key.mac(name, body).finalize().into_bytes()[..Self::MAC_LEN]);
        }
        cut
    }

    pub(crate) fn verify(&self, name: &str, body: &[u8], mac: &[u8]) -> bool {
        mac.len() == Self::MAC_LEN
            && self.keys().iter().any(|key| key.mac(name, body).verify_truncated_left(mac).is_ok())
    }

    fn keys(&self) -> std::sync::RwLockReadGuard<'_, Vec<SecretKey>> {
        self.0.read().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Keyring {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Keyring({} keys)", self.len())
    }
}
