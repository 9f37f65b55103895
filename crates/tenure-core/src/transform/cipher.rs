//! Sealing: octet of the algorithm ‖ key id ‖ nonce ‖ ciphertext ‖ tag.

#[cfg(feature = "aes-gcm-siv")]
use aes_gcm_siv::Aes256GcmSiv;
use chacha20poly1305::aead::inout::InOutBuf;
use chacha20poly1305::aead::{AeadCore, Nonce, Tag};
use chacha20poly1305::{AeadInOut, KeyInit, XChaCha20Poly1305};

use super::derived::Table;
use super::{KeyId, SealAlgorithm, SecretKey};
use crate::clock::Random;
use crate::error::{Error, ErrorKind, Result};

/// Octets of the algorithm and the key id, which are authenticated with the rest.
const HEADER: usize = 1 + KeyId::LEN;
/// Octets of a tag, of every algorithm here.
const TAG: usize = 16;

/// What one key seals and opens with, for one purpose: the first seals, all open.
pub(crate) struct Ciphers(Vec<Cipher>);

struct Cipher {
    algorithm: SealAlgorithm,
    aead: Aead,
}

enum Aead {
    XChaCha20Poly1305(XChaCha20Poly1305),
    #[cfg(feature = "aes-gcm-siv")]
    Aes256GcmSiv(Box<Aes256GcmSiv>),
}

/// Why something sealed cannot be opened; a client never hears of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unopened {
    /// It is too short to be anything that was sealed.
    Malformed,
    /// It is of an algorithm that is not opened here, of this octet.
    Algorithm(u8),
    /// There is no such key.
    Key(KeyId),
    /// It is not what was sealed with this key under these circumstances.
    Forged(KeyId),
}

impl Ciphers {
    /// The ciphers of `key` for `purpose`, the one that seals first.
    pub(crate) fn new(
        key: &SecretKey,
        purpose: &str,
        algorithms: impl IntoIterator<Item = SealAlgorithm>,
    ) -> Self {
        let cipher = |algorithm: SealAlgorithm| {
            let info = format!("tenure v1 {purpose} {}", algorithm.name());
            let sub_key = key.sub_key::<32>(info.as_bytes());
            let aead = match algorithm {
                SealAlgorithm::XChaCha20Poly1305 => {
                    Aead::XChaCha20Poly1305(XChaCha20Poly1305::new((&*sub_key).into()))
                }
                #[cfg(feature = "aes-gcm-siv")]
                SealAlgorithm::Aes256GcmSiv => {
                    Aead::Aes256GcmSiv(Box::new(Aes256GcmSiv::new((&*sub_key).into())))
                }
            };
            Cipher { algorithm, aead }
        };
        Self(algorithms.into_iter().map(cipher).collect())
    }
}

/// Seals `value` with the first key. `bound` appends what it is bound to.
///
/// # Errors
/// [`ErrorKind::Config`] without a key, [`ErrorKind::Unavailable`] without random numbers.
pub(crate) fn seal(
    table: &Table<Ciphers>,
    value: &[u8],
    bound: impl FnOnce(&mut Vec<u8>),
    random: &dyn Random,
) -> Result<Vec<u8>> {
    let (id, ciphers) = table
        .first()
        .ok_or_else(|| Error::config("seal: the keyring is empty; put the current key into it"))?;
    let Cipher { algorithm, aead } = &ciphers.0[0];
    let start = HEADER + algorithm.nonce_len();
    let mut sealed = Vec::with_capacity(start + value.len() + TAG);
    sealed.push(algorithm.octet());
    sealed.extend_from_slice(id.as_bytes());
    sealed.resize(start, 0);
    random.fill(&mut sealed[HEADER..]).map_err(|error| {
        Error::new(ErrorKind::Unavailable, "seal", "no random numbers").with_source(error)
    })?;
    sealed.extend_from_slice(value);
    let (before, text) = sealed.split_at_mut(start);
    let (header, nonce) = before.split_at(HEADER);
    let tag = match aead {
        Aead::XChaCha20Poly1305(aead) => encrypt(aead, nonce, &data(header, bound), text),
        #[cfg(feature = "aes-gcm-siv")]
        Aead::Aes256GcmSiv(aead) => encrypt(&**aead, nonce, &data(header, bound), text),
    };
    let tag = tag.ok_or_else(|| {
        Error::new(ErrorKind::TooLarge, "seal", "the value is too large for the cipher")
    })?;
    sealed.extend_from_slice(&tag);
    Ok(sealed)
}

/// What was sealed, bound to the same.
pub(crate) fn open(
    table: &Table<Ciphers>,
    mut sealed: Vec<u8>,
    bound: impl FnOnce(&mut Vec<u8>),
) -> Result<Vec<u8>, Unopened> {
    let (&[octet, ref id @ ..], _) =
        sealed.split_first_chunk::<HEADER>().ok_or(Unopened::Malformed)?;
    let id = KeyId::from_bytes(*id);
    // The algorithm first: what is none cannot name a key.
    SealAlgorithm::of(octet).ok_or(Unopened::Algorithm(octet))?;
    let ciphers = table.find(id).ok_or(Unopened::Key(id))?;
    let cipher = ciphers.0.iter().find(|cipher| cipher.algorithm.octet() == octet);
    let Cipher { algorithm, aead } = cipher.ok_or(Unopened::Algorithm(octet))?;
    let start = HEADER + algorithm.nonce_len();
    let end = sealed.len().checked_sub(TAG).filter(|&end| end >= start);
    let end = end.ok_or(Unopened::Malformed)?;
    let (before, text) = sealed.split_at_mut(start);
    let (header, nonce) = before.split_at(HEADER);
    let (text, tag) = text.split_at_mut(end - start);
    let opened = match aead {
        Aead::XChaCha20Poly1305(aead) => decrypt(aead, nonce, &data(header, bound), text, tag),
        #[cfg(feature = "aes-gcm-siv")]
        Aead::Aes256GcmSiv(aead) => decrypt(&**aead, nonce, &data(header, bound), text, tag),
    };
    opened.ok_or(Unopened::Forged(id))?;
    sealed.truncate(end);
    sealed.drain(..start);
    Ok(sealed)
}

/// The associated data: the header, and what the value is bound to.
fn data(header: &[u8], bound: impl FnOnce(&mut Vec<u8>)) -> Vec<u8> {
    let mut data = Vec::with_capacity(128);
    data.extend_from_slice(header);
    bound(&mut data);
    data
}

fn encrypt<A: AeadInOut>(aead: &A, nonce: &[u8], data: &[u8], text: &mut [u8]) -> Option<Tag<A>> {
    let nonce = <&Nonce<A>>::try_from(nonce).ok()?;
    aead.encrypt_inout_detached(nonce, data, InOutBuf::from(text)).ok()
}

fn decrypt<A: AeadInOut + AeadCore>(
    aead: &A,
    nonce: &[u8],
    data: &[u8],
    text: &mut [u8],
    tag: &[u8],
) -> Option<()> {
    let nonce = <&Nonce<A>>::try_from(nonce).ok()?;
    let tag = <&Tag<A>>::try_from(tag).ok()?;
    aead.decrypt_inout_detached(nonce, data, InOutBuf::from(text), tag).ok()
}

/// Appends a part behind its length, so that no two lists of parts read the same.
pub(crate) fn push_part(into: &mut Vec<u8>, part: &[u8]) {
    into.extend_from_slice(&(part.len() as u32).to_be_bytes());
    into.extend_from_slice(part);
}
