use std::fmt;
use std::hash::{Hash, Hasher};

use zeroize::Zeroizing;

use crate::id::{Handle, Namespace, Proof};

/// What a store files a session under, together with the proof that the request came with.
///
/// A key without a proof is made for administration, such as revoking by handle; it is accepted
/// by [`Store::delete`](super::Store::delete) and [`Inspect`](super::Inspect) alone. In a foreign format the key is the id itself,
/// and holding it is the proof.
///
/// ```
/// use tenure_core::{Handle, Namespace, store::StoreKey};
///
/// let key = StoreKey::new(Namespace::new("shop")?, Handle::from_bytes([1; 12]));
/// assert_eq!(key.name().as_bytes(), &[1; 12]);
/// assert!(key.proof().is_none());
/// # Ok::<(), tenure_core::Error>(())
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct StoreKey {
    namespace: Namespace,
    name: KeyName,
    proof: Option<Proof>,
}

/// The part of a [`StoreKey`] that tells sessions of one namespace apart.
#[derive(Clone, PartialEq, Eq)]
pub enum KeyName {
    /// The public handle of a session of ours.
    Handle(Handle),
    /// The id of a foreign format.
    Foreign(ForeignId),
}

/// The id of a session in a foreign format: a secret, so it is never printed, and wiped from memory
/// when it is dropped.
#[derive(Clone, PartialEq, Eq)]
pub struct ForeignId(Zeroizing<String>);

impl StoreKey {
    /// The key of a session of ours, without a proof.
    #[must_use]
    pub fn new(namespace: Namespace, handle: Handle) -> Self {
        Self { namespace, name: KeyName::Handle(handle), proof: None }
    }

    /// The key of a session in a foreign format.
    ///
    /// ```
    /// # use tenure_core::{Namespace, store::StoreKey};
    /// let key = StoreKey::foreign(Namespace::new("shop")?, "PHPSESSID-9f3a");
    /// assert_eq!(key.name().as_bytes(), b"PHPSESSID-9f3a");
    /// assert!(key.handle().is_none() && key.proof().is_none());
    /// # Ok::<(), tenure_core::Error>(())
    /// ```
    #[must_use]
    pub fn foreign(namespace: Namespace, id: impl Into<String>) -> Self {
        Self {
            namespace,
            name: KeyName::Foreign(ForeignId(Zeroizing::new(id.into()))),
            proof: None,
        }
    }

    /// The key of this name, without a proof.
    ///
    /// ```
    /// # use tenure_core::{Handle, Namespace, store::StoreKey};
    /// # let (shop, handle) = (Namespace::new("shop")?, Handle::from_bytes([1; 12]));
    /// let key = StoreKey::new(shop.clone(), handle);
    /// let same = StoreKey::named(shop, key.name().clone()); // from a list of names
    /// assert!(same.same_session(&key));
    /// # Ok::<(), tenure_core::Error>(())
    /// ```
    #[must_use]
    pub fn named(namespace: Namespace, name: KeyName) -> Self {
        Self { namespace, name, proof: None }
    }

    /// The same key with the proof that a request came with.
    ///
    /// ```
    /// # use tenure_core::{Handle, Namespace, id::Proof, store::StoreKey};
    /// # let key = StoreKey::new(Namespace::new("shop")?, Handle::from_bytes([1; 12]));
    /// let proof = Proof::from_bytes([2; 32]);
    /// assert_eq!(key.with_proof(proof).proof(), Some(&proof));
    /// # Ok::<(), tenure_core::Error>(())
    /// ```
    #[must_use]
    pub fn with_proof(mut self, proof: Proof) -> Self {
        self.proof = Some(proof);
        self
    }

    /// The namespace.
    ///
    /// ```
    /// # use tenure_core::{Handle, Namespace, store::StoreKey};
    /// let key = StoreKey::new(Namespace::new("shop")?, Handle::from_bytes([1; 12]));
    /// assert_eq!(key.namespace().as_str(), "shop");
    /// # Ok::<(), tenure_core::Error>(())
    /// ```
    #[must_use]
    pub fn namespace(&self) -> &Namespace {
        &self.namespace
    }

    /// The name within the namespace.
    #[must_use]
    pub fn name(&self) -> &KeyName {
        &self.name
    }

    /// The handle, if the session is one of ours.
    ///
    /// ```
    /// # use tenure_core::{Handle, Namespace, store::StoreKey};
    /// let handle = Handle::from_bytes([1; 12]);
    /// assert_eq!(StoreKey::new(Namespace::new("shop")?, handle).handle(), Some(handle));
    /// # Ok::<(), tenure_core::Error>(())
    /// ```
    #[must_use]
    pub fn handle(&self) -> Option<Handle> {
        match self.name {
            KeyName::Handle(handle) => Some(handle),
            KeyName::Foreign(_) => None,
        }
    }

    /// The proof that the request came with.
    ///
    /// See the example of [`with_proof`](Self::with_proof).
    #[must_use]
    pub fn proof(&self) -> Option<&Proof> {
        self.proof.as_ref()
    }

    /// Whether both name the same session, whatever their proofs.
    ///
    /// ```
    /// # use tenure_core::{Handle, Namespace, id::Proof, store::StoreKey};
    /// # let key = StoreKey::new(Namespace::new("shop")?, Handle::from_bytes([1; 12]));
    /// assert!(key.same_session(&key.clone().with_proof(Proof::from_bytes([2; 32]))));
    /// let other = StoreKey::new(key.namespace().clone(), Handle::from_bytes([3; 12]));
    /// assert!(!key.same_session(&other));
    /// # Ok::<(), tenure_core::Error>(())
    /// ```
    #[must_use]
    pub fn same_session(&self, other: &Self) -> bool {
        self.namespace == other.namespace && self.name == other.name
    }
}

impl KeyName {
    /// The octets to file under, together with the namespace and with which of both kinds it is: a
    /// foreign id may have the octets of somebody's handle.
    ///
    /// ```
    /// # use tenure_core::{Handle, Namespace, store::{KeyName, StoreKey}};
    /// # let shop = Namespace::new("shop")?;
    /// let ours = StoreKey::new(shop.clone(), Handle::from_bytes(*b"abcdefghijkl"));
    /// let foreign = StoreKey::foreign(shop, "abcdefghijkl");
    /// assert_eq!(ours.name().as_bytes(), foreign.name().as_bytes());
    /// assert_ne!(ours.name(), foreign.name(), "the kind is part of the name");
    /// # Ok::<(), tenure_core::Error>(())
    /// ```
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        match self {
            Self::Handle(handle) => handle.as_bytes(),
            Self::Foreign(id) => id.0.as_bytes(),
        }
    }
}

impl Hash for KeyName {
    fn hash<H: Hasher>(&self, state: &mut H) {
        std::mem::discriminant(self).hash(state);
        self.as_bytes().hash(state);
    }
}

impl fmt::Debug for ForeignId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Foreign(…)")
    }
}

impl fmt::Debug for KeyName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Handle(handle) => handle.fmt(f),
            Self::Foreign(id) => id.fmt(f),
        }
    }
}

impl fmt::Debug for StoreKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StoreKey")
            .field("namespace", &self.namespace.as_str())
            .field("name", &self.name)
            .field("proof", &self.proof.is_some())
            .finish()
    }
}
