use std::fmt;

use sha2::{Digest, Sha256};
use subtle::{Choice, ConstantTimeEq};

use super::{Handle, Namespace, Token};

/// What the store keeps instead of a secret: SHA-256 of namespace, handle and secret, each part
/// prefixed by its length in one octet.
///
/// Whoever reads the store learns no token from it, and a proof presented as a token fails.
/// Comparison takes the same time wherever two proofs differ.
///
/// ```
/// use tenure_core::{Handle, Namespace, id::Proof};
///
/// let (shop, blog) = (Namespace::new("shop")?, Namespace::new("blog")?);
/// let handle = Handle::from_bytes([7; 12]);
/// let proof = Proof::of(&shop, &handle, &[1; 24]);
/// assert_eq!(proof, Proof::of(&shop, &handle, &[1; 24]));
/// assert_ne!(proof, Proof::of(&blog, &handle, &[1; 24]));
/// # Ok::<(), tenure_core::Error>(())
/// ```
#[derive(Clone, Copy)]
pub struct Proof([u8; Self::LEN]);

impl Proof {
    /// Octets of a proof.
    pub const LEN: usize = 32;

    /// The proof of `secret` for one session of one namespace.
    #[must_use]
    pub fn of(namespace: &Namespace, handle: &Handle, secret: &[u8; Token::SECRET_LEN]) -> Self {
        let mut hash = Sha256::new();
        // No part is longer than an octet can tell, and with a short namespace all of it is one
        // block of the hash.
        for part in [namespace.as_str().as_bytes(), handle.as_bytes(), secret] {
            hash.update([part.len() as u8]);
            hash.update(part);
        }
        Self(hash.finalize().into())
    }

    /// The proof with these octets, as a store kept them.
    ///
    /// ```
    /// # use tenure_core::id::Proof;
    /// let stored = [7; 32];
    /// assert_eq!(Proof::from_bytes(stored), Proof::from_bytes([7; 32]));
    /// assert_ne!(Proof::from_bytes(stored), Proof::from_bytes([8; 32]));
    /// ```
    #[must_use]
    pub const fn from_bytes(bytes: [u8; Self::LEN]) -> Self {
        Self(bytes)
    }

    /// The octets, to be stored.
    ///
    /// ```
    /// # use tenure_core::{Handle, Namespace, id::Proof};
    /// let proof = Proof::of(&Namespace::new("shop")?, &Handle::from_bytes([7; 12]), &[1; 24]);
    /// assert_eq!(Proof::from_bytes(*proof.as_bytes()), proof);
    /// # Ok::<(), tenure_core::Error>(())
    /// ```
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; Self::LEN] {
        &self.0
    }
}

impl PartialEq for Proof {
    fn eq(&self, other: &Self) -> bool {
        let (mine, theirs) = (self.0.as_chunks::<8>().0, other.0.as_chunks::<8>().0);
        let equal = mine
            .iter()
            .zip(theirs)
            .map(|(mine, theirs)| u64::from_ne_bytes(*mine).ct_eq(&u64::from_ne_bytes(*theirs)));
        equal.fold(Choice::from(1), |all, one| all & one).into()
    }
}

impl Eq for Proof {}

impl fmt::Debug for Proof {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Proof(…)")
    }
}
