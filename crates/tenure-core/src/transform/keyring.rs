use std::fmt;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use hmac::Mac;
use zeroize::Zeroizing;

use super::{KeyFileWatcher, KeyId, SecretKey, file};
use crate::error::{Error, Result};

/// The keys in use: the first signs and seals, all verify and open.
///
/// A clone is the same keyring, so keys can be added and retired while the application runs. It has
/// no key twice.
///
/// ```
/// use tenure_core::transform::{Keyring, SecretKey};
///
/// let (old, new) = (SecretKey::generate()?, SecretKey::generate()?);
/// let keyring = Keyring::new([old.clone()]);
/// keyring.add(new); // signs from now on; tokens signed with the old key stay valid
/// assert_eq!(keyring.len(), 2);
/// assert!(keyring.retire(old.id()), "until it goes");
/// # Ok::<(), tenure_core::Error>(())
/// ```
#[derive(Clone)]
pub struct Keyring(Arc<Ring>);

struct Ring {
    keys: RwLock<Vec<SecretKey>>,
    /// Counts changes, under the lock for writing.
    generation: AtomicU64,
}

impl Keyring {
    /// Octets of a token's signature: HMAC-SHA256 cut to 192 bits.
    pub const MAC_LEN: usize = 24;

    /// The keyring of these keys, the one that signs first. Of one that comes twice the first stays.
    #[must_use]
    pub fn new(keys: impl IntoIterator<Item = SecretKey>) -> Self {
        let mut ring = Vec::new();
        for key in keys {
            if !has(&ring, key.id()) {
                ring.push(key);
            }
        }
        Self(Arc::new(Ring { keys: RwLock::new(ring), generation: AtomicU64::new(0) }))
    }

    /// The keyring made from these secrets, the one that signs first.
    ///
    /// ```
    /// # use tenure_core::transform::{Keyring, SecretKey};
    /// # let (new, old) = (SecretKey::generate_secret()?, SecretKey::generate_secret()?);
    /// let keyring = Keyring::from_secrets([&new, &old])?; // `new` signs, both verify
    /// assert_eq!(keyring.len(), 2);
    /// assert!(Keyring::from_secrets(["too short"]).is_err());
    /// assert!(Keyring::from_secrets([&new, &new]).is_err());
    /// # Ok::<(), tenure_core::Error>(())
    /// ```
    ///
    /// # Errors
    /// As [`SecretKey::new`], for the first secret that is too weak;
    /// [`ErrorKind::Config`](crate::ErrorKind::Config) for one that comes twice.
    pub fn from_secrets<S: AsRef<[u8]>>(secrets: impl IntoIterator<Item = S>) -> Result<Self> {
        let mut ring = Vec::new();
        for secret in secrets {
            let key = SecretKey::new(secret)?;
            if has(&ring, key.id()) {
                return Err(Error::config(format!(
                    "secret key: the one with the id {} is there twice; keep it once, or put a new \
                     one from `openssl rand -base64 33` in front",
                    key.id()
                )));
            }
            ring.push(key);
        }
        Ok(Self::new(ring))
    }

    /// The keyring of the secrets that these environment variables hold, one each: the first signs.
    ///
    /// ```
    /// # use tenure_core::transform::Keyring;
    /// let error = Keyring::from_env(["SHOP_SECRET", "SHOP_SECRET_OLD"]).unwrap_err();
    /// assert!(error.to_string().contains("SHOP_SECRET: there is no such variable"), "{error}");
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::Config`](crate::ErrorKind::Config) for a variable that is missing or empty, and as
    /// [`from_secrets`](Self::from_secrets).
    pub fn from_env<N: AsRef<str>>(names: impl IntoIterator<Item = N>) -> Result<Self> {
        let variable = |name: N| {
            let name = name.as_ref();
            let secret = std::env::var(name).ok().filter(|secret| !secret.is_empty());
            secret.map(Zeroizing::new).ok_or_else(|| {
                Error::config(format!(
                    "{name}: there is no such variable; set it to what `openssl rand -base64 33` \
                     prints"
                ))
            })
        };
        Self::from_secrets(names.into_iter().map(variable).collect::<Result<Vec<_>>>()?)
    }

    /// The keyring of the secrets in a file, one a line, the one that signs first. Lines that begin
    /// with `#` are comments; white space around a secret is none of it.
    ///
    /// ```
    /// # use tenure_core::transform::{Keyring, SecretKey};
    /// # let folder = tempfile::tempdir().unwrap();
    /// # let path = folder.path().join("secrets");
    /// # let write = |text: String| {
    /// #     std::fs::write(&path, text).unwrap();
    /// #     #[cfg(unix)]
    /// #     {
    /// #         use std::os::unix::fs::PermissionsExt;
    /// #         std::fs::set_permissions(&path, PermissionsExt::from_mode(0o600)).unwrap();
    /// #     }
    /// # };
    /// # let [new, old] = [SecretKey::generate_secret()?, SecretKey::generate_secret()?];
    /// write(format!("# since March\n{new}\n# until the end of April\n{old}\n")); // mode 0600
    /// let keyring = Keyring::from_file(&path)?;
    /// assert_eq!(keyring.len(), 2);
    /// # Ok::<(), tenure_core::Error>(())
    /// ```
    ///
    /// # Errors
    /// As [`read_secret_file`](super::read_secret_file) and [`from_secrets`](Self::from_secrets);
    /// [`ErrorKind::Config`](crate::ErrorKind::Config) for a file without a secret. The message names
    /// the file.
    pub fn from_file(path: impl AsRef<Path>) -> Result<Self> {
        Ok(Self::new(file::keys(path.as_ref())?))
    }

    /// Reads this keyring's keys from a file again and again, so that others can be put there while
    /// the application runs; see the example of [`KeyFileWatcher`].
    pub fn watch_file(&self, path: impl AsRef<Path>) -> KeyFileWatcher {
        KeyFileWatcher::new(self.clone(), path.as_ref())
    }

    /// Adds a key that signs from now on; the others still verify. One that is there already comes
    /// first.
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
        let mut keys = self.change();
        keys.retain(|known| known.id() != key.id());
        keys.insert(0, key);
    }

    /// Takes a key away, and tells whether it did: what was signed or sealed with it is worth nothing
    /// from now on. The last key stays.
    ///
    /// ```
    /// # use tenure_core::transform::{Keyring, SecretKey};
    /// let (old, new) = (SecretKey::generate()?, SecretKey::generate()?);
    /// let keyring = Keyring::new([new.clone(), old.clone()]);
    /// assert!(keyring.retire(old.id()));
    /// assert!(!keyring.retire(old.id()), "it is gone");
    /// assert!(!keyring.retire(new.id()), "it is the last");
    /// # Ok::<(), tenure_core::Error>(())
    /// ```
    #[must_use = "a key that is not there, or is the last, is not taken away"]
    pub fn retire(&self, id: KeyId) -> bool {
        let mut keys = self.change();
        let there = keys.len() > 1 && has(&keys, id);
        keys.retain(|key| !there || key.id() != id);
        there
    }

    /// Which keys there are, the one that signs first.
    ///
    /// ```
    /// # use tenure_core::transform::{Keyring, SecretKey};
    /// let (old, new) = (SecretKey::generate()?, SecretKey::generate()?);
    /// let keyring = Keyring::new([old.clone()]);
    /// keyring.add(new.clone());
    /// assert_eq!(keyring.ids(), [new.id(), old.id()]);
    /// # Ok::<(), tenure_core::Error>(())
    /// ```
    #[must_use]
    pub fn ids(&self) -> Vec<KeyId> {
        self.keys().iter().map(SecretKey::id).collect()
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
    /// Refuses a keyring without a key, as what this setting was given.
    pub(crate) fn check(&self, setting: &str) -> Result<()> {
        if !self.is_empty() {
            return Ok(());
        }
        Err(Error::config(format!(
            "{setting}: the keyring is empty; put the current key first and older ones behind it"
        )))
    }

    pub(crate) fn sign(&self, name: &str, body: &[u8]) -> [u8; Self::MAC_LEN] {
        let mut cut = [0; Self::MAC_LEN];
        if let Some(key) = self.keys().first() {
            let mac = key.token_mac(name, body).finalize().into_bytes();
            cut.copy_from_slice(&mac[..Self::MAC_LEN]);
        }
        cut
    }

    pub(crate) fn verify(&self, name: &str, body: &[u8], mac: &[u8]) -> bool {
        let signed = |key: &SecretKey| key.token_mac(name, body).verify_truncated_left(mac).is_ok();
        mac.len() == Self::MAC_LEN && self.keys().iter().any(signed)
    }

    /// Puts these keys in place of all others, and tells whether that changed anything.
    pub(super) fn replace(&self, with: Vec<SecretKey>) -> bool {
        if self.keys().iter().map(SecretKey::id).eq(with.iter().map(SecretKey::id)) {
            return false;
        }
        *self.change() = with;
        true
    }

    /// How often the keys have changed.
    pub(super) fn generation(&self) -> u64 {
        self.0.generation.load(Ordering::Acquire)
    }

    pub(super) fn keys(&self) -> RwLockReadGuard<'_, Vec<SecretKey>> {
        self.0.keys.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn change(&self) -> RwLockWriteGuard<'_, Vec<SecretKey>> {
        let keys = self.0.keys.write().unwrap_or_else(PoisonError::into_inner);
        self.0.generation.fetch_add(1, Ordering::Release);
        keys
    }
}

fn has(keys: &[SecretKey], id: KeyId) -> bool {
    keys.iter().any(|key| key.id() == id)
}

impl fmt::Debug for Keyring {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Keyring").field(&self.ids()).finish()
    }
}
