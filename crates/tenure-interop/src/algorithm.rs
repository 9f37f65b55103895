use hmac::{Hmac, KeyInit, Mac};
use sha2::{Sha256, Sha384, Sha512};
use subtle::{Choice, ConstantTimeEq};

/// The hash function inside an HMAC (RFC 2104).
///
/// HMAC-SHA1 and HMAC-MD5 come with the feature `insecure-hmac` only: they are for sessions of a
/// system that has no other setting, until it has.
///
/// ```
/// use tenure_interop::{HmacAlgorithm, SharedKey, ktor};
///
/// let key = SharedKey::new("k7Q2mXv9LrT4wB8nZ1cJ6hY3pD5sF0gA")?;
/// let sign = ktor::Sign::new(key).algorithm(HmacAlgorithm::Sha512);
/// # Ok::<(), tenure_core::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum HmacAlgorithm {
    /// HMAC-SHA256, what all of these systems take by default.
    #[default]
    Sha256,
    /// HMAC-SHA384.
    Sha384,
    /// HMAC-SHA512.
    Sha512,
    /// HMAC-SHA1: the hash function has collisions that can be computed.
    #[cfg(feature = "insecure-hmac")]
    InsecureSha1,
    /// HMAC-MD5: the hash function has collisions that can be computed, and 128 bits.
    #[cfg(feature = "insecure-hmac")]
    InsecureMd5,
}

/// Octets of a block of the ciphers in use.
pub(crate) const BLOCK: usize = 16;

impl HmacAlgorithm {
    /// Octets of a MAC.
    pub(crate) const fn len(self) -> usize {
        match self {
            Self::Sha256 => 32,
            Self::Sha384 => 48,
            Self::Sha512 => 64,
            #[cfg(feature = "insecure-hmac")]
            Self::InsecureSha1 => 20,
            #[cfg(feature = "insecure-hmac")]
            Self::InsecureMd5 => 16,
        }
    }

    pub(crate) fn mac(self, key: &[u8], data: &[u8]) -> Vec<u8> {
        match self {
            Self::Sha256 => mac::<Hmac<Sha256>>(key, data),
            Self::Sha384 => mac::<Hmac<Sha384>>(key, data),
            Self::Sha512 => mac::<Hmac<Sha512>>(key, data),
            #[cfg(feature = "insecure-hmac")]
            Self::InsecureSha1 => mac::<Hmac<sha1::Sha1>>(key, data),
            #[cfg(feature = "insecure-hmac")]
            Self::InsecureMd5 => mac::<Hmac<md5::Md5>>(key, data),
        }
    }

    pub(crate) fn verify(self, key: &[u8], data: &[u8], expected: &[u8]) -> Choice {
        self.mac(key, data).as_slice().ct_eq(expected)
    }

    /// For each number of octets less than a block, whether `expected` is the MAC of `body` and so
    /// many of `last`. All are computed, so that the time tells nothing of `last`.
    pub(crate) fn verify_each(
        self,
        key: &[u8],
        body: &[u8],
        last: &[u8; BLOCK],
        expected: &[u8],
    ) -> [Choice; BLOCK] {
        match self {
            Self::Sha256 => each::<Hmac<Sha256>>(key, body, last, expected),
            Self::Sha384 => each::<Hmac<Sha384>>(key, body, last, expected),
            Self::Sha512 => each::<Hmac<Sha512>>(key, body, last, expected),
            #[cfg(feature = "insecure-hmac")]
            Self::InsecureSha1 => each::<Hmac<sha1::Sha1>>(key, body, last, expected),
            #[cfg(feature = "insecure-hmac")]
            Self::InsecureMd5 => each::<Hmac<md5::Md5>>(key, body, last, expected),
        }
    }
}

fn keyed<M: Mac + KeyInit>(key: &[u8]) -> M {
    <M as KeyInit>::new_from_slice(key).expect("HMAC takes keys of any length")
}

fn mac<M: Mac + KeyInit>(key: &[u8], data: &[u8]) -> Vec<u8> {
    #[cfg(test)]
    crate::steps::note("mac", data.len());
    keyed::<M>(key).chain_update(data).finalize().into_bytes().to_vec()
}

fn each<M: Mac + KeyInit + Clone>(
    key: &[u8],
    body: &[u8],
    last: &[u8; BLOCK],
    expected: &[u8],
) -> [Choice; BLOCK] {
    let state = keyed::<M>(key).chain_update(body);
    std::array::from_fn(|len| {
        #[cfg(test)]
        crate::steps::note("mac", body.len() + len);
        let mac = state.clone().chain_update(&last[..len]).finalize().into_bytes();
        mac.as_slice().ct_eq(expected)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hex;

    /// RFC 4231 §4.3 (test case 2), RFC 2202 §2 and §3 (test case 2).
    #[test]
    fn k8_macs_are_those_of_the_rfcs() {
        let mac = |algorithm: HmacAlgorithm| {
            let mac = algorithm.mac(b"Jefe", b"what do ya want for nothing?");
            assert_eq!(mac.len(), algorithm.len());
            hex::encode(&mac)
        };
        assert_eq!(
            mac(HmacAlgorithm::Sha256),
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
        );
        assert_eq!(
            mac(HmacAlgorithm::Sha384),
            "af45d2e376484031617f78d2b58a6b1b9c7ef464f5a01b47e42ec3736322445e\
             8e2240ca5e69e2c78b3239ecfab21649"
        );
        assert_eq!(
            mac(HmacAlgorithm::Sha512),
            "164b7a7bfcf819e2e395fbe73b56e0a387bd64222e831fd610270cd7ea250554\
             9758bf75c05a994a6d034f65f8f0e6fdcaeab1a34d4a6b4b636e070a38bce737"
        );
        #[cfg(feature = "insecure-hmac")]
        {
            let sha1 = mac(HmacAlgorithm::InsecureSha1);
            assert_eq!(sha1, "effcdf6ae5eb2fa2d27416d5f184df9c259a7c79");
            assert_eq!(mac(HmacAlgorithm::InsecureMd5), "750c783e6ab0b503eaa86e310a5db738");
        }
    }

    #[test]
    fn each_length_is_compared_with_its_own_mac() {
        let last: [u8; BLOCK] = std::array::from_fn(|octet| octet as u8);
        for len in 0..BLOCK {
            let data = [b"body", &last[..len]].concat();
            let mac = HmacAlgorithm::Sha256.mac(b"key", &data);
            let found = HmacAlgorithm::Sha256.verify_each(b"key", b"body", &last, &mac);
            let found: Vec<bool> = found.into_iter().map(bool::from).collect();
            assert_eq!(found, (0..BLOCK).map(|other| other == len).collect::<Vec<_>>());
        }
    }
}
