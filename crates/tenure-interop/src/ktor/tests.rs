use tenure_core::SystemRandom;
use tenure_core::transform::{Transform, TransformContext};
use zeroize::Zeroizing;

use super::Encrypt;
use super::cbc::{self, BLOCK};
use crate::algorithm::HmacAlgorithm;
use crate::hex;
use crate::key::{EncryptionKey, SharedKey};
use crate::steps::{self, Step};

const AES: [u8; 16] = [7; 16];
const MAC: [u8; 32] = [9; 32];
const IV: [u8; BLOCK] = [5; BLOCK];
/// Octets of all ciphertexts here.
const LEN: usize = 3 * BLOCK;

fn mac(octets: &[u8]) -> Vec<u8> {
    HmacAlgorithm::Sha256.mac(&MAC, octets)
}

/// Encrypts whole blocks, whatever padding they end with.
fn raw(blocks: &[u8]) -> Vec<u8> {
    let mut ciphertext = cbc::encrypt(&AES, &IV, Zeroizing::new(blocks.to_vec()));
    ciphertext.truncate(blocks.len());
    ciphertext
}

fn value(iv: &[u8; BLOCK], ciphertext: &[u8], mac: &[u8]) -> Vec<u8> {
    assert_eq!(ciphertext.len(), LEN);
    let [iv, ciphertext, mac] = [iv, ciphertext, mac].map(hex::encode);
    format!("{iv}/{ciphertext}:{mac}").into_bytes()
}

fn is_padded(blocks: &[u8]) -> bool {
    let octet = blocks[blocks.len() - 1];
    let len = usize::from(octet);
    (1..=BLOCK).contains(&len) && blocks[blocks.len() - len..].iter().all(|other| *other == octet)
}

fn undo(value: Vec<u8>) -> (Option<Vec<u8>>, Vec<Step>) {
    let encrypt = Encrypt::new(EncryptionKey::new(AES).unwrap(), SharedKey::new(MAC).unwrap())
        .insecure_backward_compatible_read();
    let cx = TransformContext::new("SESSION", "session", &SystemRandom);
    steps::of(|| encrypt.undo(value, &cx))
}

/// T-TIM-1: where the form of before 3.0 is read, a wrong padding, a wrong MAC and a value in order,
/// in any form, take the very same steps, and whatever is wrong is the same none.
#[test]
fn t_tim_1_the_older_form_takes_the_same_steps_whatever_is_wrong() {
    let (head, tail) = (LEN - BLOCK, LEN - 1);
    let mut same: Vec<Step> = vec![("mac", LEN), ("decrypt", LEN)];
    same.extend((head..=tail).map(|octets| ("mac", octets)));
    same.extend((0..BLOCK).map(|place| ("padding", place)));

    let mut wrong = Vec::new();
    for len in head..=tail {
        let text = vec![b'x'; len];
        let padding = (LEN - len) as u8;
        let blocks = [&text[..], &vec![padding; LEN - len]].concat();
        let right = raw(&blocks);
        for mac in [mac(&right), mac(&text)] {
            assert_eq!(undo(value(&IV, &right, &mac)), (Some(text.clone()), same.clone()), "{len}");
        }
        // A MAC of nothing, of blocks with their padding, and of what is as long as another padding
        // says.
        for octets in [&blocks[..0], &blocks, &blocks[..head], &blocks[..tail]] {
            if octets.len() != len {
                wrong.push(value(&IV, &right, &mac(octets)));
            }
        }
        // Of the older form the MAC covers what another vector changes.
        wrong.push(value(&[6; BLOCK], &right, &mac(&text)));
        // Each octet of the padding is another one, with either MAC, both right but for that.
        for place in len..LEN {
            for other in [0, padding ^ 1, BLOCK as u8 + 1, 0xff] {
                let mut blocks = blocks.clone();
                blocks[place] = other;
                if is_padded(&blocks) {
                    continue;
                }
                let changed = raw(&blocks);
                wrong.push(value(&IV, &changed, &mac(&changed)));
                wrong.push(value(&IV, &changed, &mac(&text)));
            }
        }
    }
    assert!(wrong.len() > 1_000, "{}", wrong.len());
    for value in wrong {
        let text = String::from_utf8_lossy(&value).into_owned();
        assert_eq!(undo(value), (None, same.clone()), "{text}");
    }
}
