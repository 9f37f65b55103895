//! AES in CBC mode with the padding of PKCS #7 (RFC 5652 §6.3), taken off without telling what is
//! wrong with it.

use aes::cipher::inout::InOutBuf;
use aes::cipher::{BlockModeDecrypt, BlockModeEncrypt, KeyIvInit};
use aes::{Aes128, Aes192, Aes256};
use subtle::{Choice, ConditionallySelectable, ConstantTimeEq};
use zeroize::Zeroizing;

pub(super) use crate::algorithm::BLOCK;

const SIZES: &str = "an encryption key has one of three sizes, and an IV has that of a block";

/// `key` has one of the sizes of AES.
pub(super) fn encrypt(key: &[u8], iv: &[u8; BLOCK], mut text: Zeroizing<Vec<u8>>) -> Vec<u8> {
    let padding = BLOCK - text.len() % BLOCK;
    let padded = text.len() + padding;
    // Into a buffer of the whole size, so that no copy of the text stays behind.
    let mut buffer = Vec::with_capacity(padded);
    buffer.append(&mut text);
    buffer.resize(padded, padding as u8);
    match key.len() {
        16 => encrypt_blocks::<cbc::Encryptor<Aes128>>(key, iv, &mut buffer),
        24 => encrypt_blocks::<cbc::Encryptor<Aes192>>(key, iv, &mut buffer),
        _ => encrypt_blocks::<cbc::Encryptor<Aes256>>(key, iv, &mut buffer),
    }
    buffer
}

/// `ciphertext` is some whole blocks.
pub(super) fn decrypt(key: &[u8], iv: &[u8; BLOCK], ciphertext: Vec<u8>) -> Padded {
    #[cfg(test)]
    crate::steps::note("decrypt", ciphertext.len());
    let mut buffer = Zeroizing::new(ciphertext);
    match key.len() {
        16 => decrypt_blocks::<cbc::Decryptor<Aes128>>(key, iv, &mut buffer),
        24 => decrypt_blocks::<cbc::Decryptor<Aes192>>(key, iv, &mut buffer),
        _ => decrypt_blocks::<cbc::Decryptor<Aes256>>(key, iv, &mut buffer),
    }
    Padded(buffer)
}

fn encrypt_blocks<M: BlockModeEncrypt + KeyIvInit>(key: &[u8], iv: &[u8], buffer: &mut [u8]) {
    let (blocks, _) = InOutBuf::from(buffer).into_chunks();
    M::new_from_slices(key, iv).expect(SIZES).encrypt_blocks_inout(blocks);
}

fn decrypt_blocks<M: BlockModeDecrypt + KeyIvInit>(key: &[u8], iv: &[u8], buffer: &mut [u8]) {
    let (blocks, _) = InOutBuf::from(buffer).into_chunks();
    M::new_from_slices(key, iv).expect(SIZES).decrypt_blocks_inout(blocks);
}

/// A text that was decrypted, with padding that may be anything yet.
pub(super) struct Padded(Zeroizing<Vec<u8>>);

impl Padded {
    /// The text, if its padding is right and `vouch` accepts it at that length: given all blocks but
    /// the last, and the last, it says so for each number of octets of the last that may be text.
    ///
    /// All lengths are looked at, so that the time depends on the number of blocks alone.
    pub(super) fn text(
        mut self,
        vouch: impl FnOnce(&[u8], &[u8; BLOCK]) -> [Choice; BLOCK],
    ) -> Option<Vec<u8>> {
        let (body, last) = self.0.split_last_chunk::<BLOCK>()?;
        let vouched = vouch(body, last);
        let (mut found, mut end) = (Choice::from(0), 0);
        for (len, vouched) in vouched.into_iter().enumerate() {
            #[cfg(test)]
            crate::steps::note("padding", len);
            let octet = (BLOCK - len) as u8;
            let padding = last[len..].iter().map(|padding| padding.ct_eq(&octet));
            let right = padding.fold(vouched, |all, one| all & one);
            end.conditional_assign(&(len as u64), right);
            found |= right;
        }
        let len = body.len() + end as usize;
        if !bool::from(found) {
            return None;
        }
        self.0.truncate(len);
        Some(std::mem::take(&mut *self.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: [u8; 16] = [7; 16];
    const IV: [u8; BLOCK] = [9; BLOCK];

    fn raw(octets: &[u8]) -> Vec<u8> {
        let mut buffer = octets.to_vec();
        encrypt_blocks::<cbc::Encryptor<Aes128>>(&KEY, &IV, &mut buffer);
        buffer
    }

    fn text(ciphertext: Vec<u8>) -> Option<Vec<u8>> {
        decrypt(&KEY, &IV, ciphertext).text(|_, _| [Choice::from(1); BLOCK])
    }

    #[test]
    fn every_length_comes_back() {
        for len in 0..=3 * BLOCK {
            let value: Vec<u8> = (0..len).map(|octet| octet as u8).collect();
            let ciphertext = encrypt(&KEY, &IV, Zeroizing::new(value.clone()));
            assert_eq!(ciphertext.len(), (len / BLOCK + 1) * BLOCK);
            assert_eq!(text(ciphertext), Some(value));
        }
    }

    #[test]
    fn a_wrong_padding_is_none() {
        let mut block = [1; BLOCK];
        for last in [0, 17, 255, 2] {
            block[BLOCK - 1] = last;
            assert_eq!(text(raw(&block)), None, "{last}");
        }
        for wrong in 0..BLOCK - 1 {
            let mut block = [BLOCK as u8; BLOCK];
            block[wrong] ^= 1;
            assert_eq!(text(raw(&block)), None, "{wrong}");
        }
        assert_eq!(text(raw(&[BLOCK as u8; BLOCK])), Some(Vec::new()));
        assert_eq!(text(Vec::new()), None);
    }

    #[test]
    fn only_the_length_of_the_padding_is_vouched_for() {
        let ciphertext = encrypt(&KEY, &IV, Zeroizing::new(b"abc".to_vec()));
        for len in 0..BLOCK {
            let vouch = std::array::from_fn(|other| Choice::from(u8::from(other == len)));
            let text = decrypt(&KEY, &IV, ciphertext.clone()).text(|_, _| vouch);
            assert_eq!(text.is_some(), len == 3, "{len}");
        }
    }
}
