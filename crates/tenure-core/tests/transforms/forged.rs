//! What a client has changed, cut, or taken from elsewhere is none, and nothing says why.

use tenure_core::transform::{
    Keyring, Seal, SealAlgorithm, SecretKey, Sign, SignAlgorithm, Transform, Transforms,
};
use tenure_core::{ErrorKind, SystemRandom};
use tenure_testkit::ScriptedRandom;

use crate::{OTHER_SECRET, SECRET, context, ring};

const VALUE: &[u8] = b"three teapots";

fn sign_algorithms() -> Vec<SignAlgorithm> {
    let mut all =
        vec![SignAlgorithm::HmacSha256, SignAlgorithm::HmacSha384, SignAlgorithm::HmacSha512];
    #[cfg(feature = "blake3")]
    all.push(SignAlgorithm::Blake3);
    all.dedup();
    all
}

fn seal_algorithms() -> Vec<SealAlgorithm> {
    let mut all = vec![SealAlgorithm::XChaCha20Poly1305];
    #[cfg(feature = "aes-gcm-siv")]
    all.push(SealAlgorithm::Aes256GcmSiv);
    all.dedup();
    all
}

/// Every transform of ours with these keys.
fn all(keys: &Keyring) -> Vec<(String, Box<dyn Transform>)> {
    let mut all: Vec<(String, Box<dyn Transform>)> = Vec::new();
    for algorithm in sign_algorithms() {
        let sign = Sign::new(keys.clone()).algorithm(algorithm);
        all.push((format!("{algorithm:?}"), Box::new(sign)));
    }
    for algorithm in seal_algorithms() {
        let seal = Seal::new(keys.clone()).algorithm(algorithm);
        all.push((format!("{algorithm:?}"), Box::new(seal)));
    }
    all
}

/// K8, K9: what was signed or sealed comes back; a signed value can be read from the front, a sealed
/// one not at all.
#[test]
fn k8_k9_values_come_back() {
    let cx = context("__Host-cart", "cart");
    for (name, transform) in all(&ring(&[SECRET])) {
        for value in [&b""[..], b"1", VALUE, &[0; 5_000]] {
            let made = transform.apply(value.to_vec(), &cx).unwrap();
            assert_eq!(transform.undo(made, &cx).as_deref(), Some(value), "{name}");
        }
        assert!(transform.authenticates(), "{name}");
    }
    let keys = ring(&[SECRET]);
    for algorithm in sign_algorithms() {
        let made = Sign::new(keys.clone()).algorithm(algorithm).apply(VALUE.to_vec(), &cx).unwrap();
        assert!(made.starts_with(VALUE));
    }
    for algorithm in seal_algorithms() {
        let seal = Seal::new(keys.clone()).algorithm(algorithm);
        let [one, other] = [(); 2].map(|()| seal.apply(VALUE.to_vec(), &cx).unwrap());
        assert!(!one.windows(4).any(|four| VALUE.windows(4).any(|clear| clear == four)));
        assert_ne!(one, other, "each has a nonce of its own");
    }
}

/// R15, T-COOK-8, K8, K9: whatever bit is another, it is none.
#[test]
fn r15_every_bit_counts() {
    let cx = context("__Host-cart", "cart");
    for (name, transform) in all(&ring(&[SECRET, OTHER_SECRET])) {
        let made = transform.apply(VALUE.to_vec(), &cx).unwrap();
        for bit in 0..made.len() * 8 {
            let mut changed = made.clone();
            changed[bit / 8] ^= 1 << (bit % 8);
            assert!(transform.undo(changed, &cx).is_none(), "{name}, bit {bit}");
        }
        assert!(transform.undo(made, &cx).is_some());
    }
}

/// R15: nor what is cut at either end, or has more at either end.
#[test]
fn r15_every_length_but_one_is_none() {
    let cx = context("__Host-cart", "cart");
    for (name, transform) in all(&ring(&[SECRET])) {
        let made = transform.apply(VALUE.to_vec(), &cx).unwrap();
        for end in 0..made.len() {
            assert!(transform.undo(made[..end].to_vec(), &cx).is_none(), "{name}, {end} octets");
            let rest = made[made.len() - end..].to_vec();
            assert!(transform.undo(rest, &cx).is_none(), "{name}, the last {end} octets");
        }
        for more in [&b"\0"[..], b"a", &made] {
            assert!(transform.undo([&made[..], more].concat(), &cx).is_none(), "{name}");
            assert!(transform.undo([more, &made[..]].concat(), &cx).is_none(), "{name}");
        }
    }
}

/// T-COOK-8, T-ISO-1, R15: what was made for another name, another purpose, or one that reads the same
/// when both are put together, is none.
#[test]
fn t_cook_8_t_iso_1_name_and_purpose_are_bound() {
    let cx = context("__Host-cart", "cart");
    let others = [
        context("__Host-id", "cart"),
        context("__Host-cart", "session"),
        context("__Host-car", "tcart"),
        context("__Host-cartcart", ""),
        context("", "__Host-cartcart"),
        context("__host-cart", "cart"),
        context("cart", "__Host-cart"),
    ];
    for (name, transform) in all(&ring(&[SECRET])) {
        let made = transform.apply(VALUE.to_vec(), &cx).unwrap();
        for other in &others {
            assert!(transform.undo(made.clone(), other).is_none(), "{name}, {other:?}");
        }
    }
}

/// T-COOK-8, R15: neither another key, nor an id that is not known, nor the id of another key.
#[test]
fn t_cook_8_unknown_keys_are_rejected() {
    let cx = context("__Host-cart", "cart");
    let (ours, theirs) = (ring(&[SECRET]), ring(&[OTHER_SECRET]));
    for ((name, ours), (_, theirs)) in all(&ours).into_iter().zip(all(&theirs)) {
        let made = theirs.apply(VALUE.to_vec(), &cx).unwrap();
        assert!(ours.undo(made.clone(), &cx).is_none(), "{name}");

        let their_id = hex_id(&ring(&[OTHER_SECRET]));
        let our_id = hex_id(&ring(&[SECRET]));
        let at = made.windows(4).position(|four| *four == their_id).expect("the id is in it");
        let mut changed = made;
        changed[at..at + 4].copy_from_slice(&our_id);
        assert!(ours.undo(changed, &cx).is_none(), "{name}");
    }
}

fn hex_id(keys: &Keyring) -> [u8; 4] {
    u32::from_str_radix(&keys.ids()[0].to_string(), 16).unwrap().to_be_bytes()
}

/// T-COOK-8, R15: what one algorithm made, no other undoes, even under the other's name.
#[test]
fn t_cook_8_algorithms_are_not_mixed() {
    let (keys, cx) = (ring(&[SECRET]), context("__Host-cart", "cart"));
    let all = all(&keys);
    for (name, made_by) in &all {
        let made = made_by.apply(VALUE.to_vec(), &cx).unwrap();
        for (other, undone_by) in all.iter().filter(|(other, _)| other != name) {
            assert!(undone_by.undo(made.clone(), &cx).is_none(), "{name} by {other}");
            for octet in 0..=u8::MAX {
                let mut renamed = made.clone();
                renamed[0] = octet;
                assert!(undone_by.undo(renamed, &cx).is_none(), "{name} by {other}, {octet}");
            }
        }
    }
}

/// R15, T-COOK-8: there is no second decoder: what is plain, or of another system, is none.
#[test]
fn r15_plain_values_are_none() {
    let cx = context("__Host-cart", "cart");
    let keys = ring(&[SECRET]);
    let chains = [
        Transforms::new().then(Sign::new(keys.clone())),
        Transforms::new().then(Seal::new(keys.clone())),
        Transforms::new().then(Sign::new(keys.clone())).then(Seal::new(keys)),
    ];
    for chain in chains {
        let right = chain.write(VALUE.to_vec(), &cx).unwrap();
        assert_eq!(chain.read(&right, &cx).unwrap(), VALUE);
        for plain in [
            "",
            "three teapots",
            "dGhyZWUgdGVhcG90cw",
            "dGhyZWUgdGVhcG90cw==",
            r#"{"cart":"three teapots"}"#,
            "s:three.dGhyZWUgdGVhcG90cw",
            "eyJpdiI6IiIsInZhbHVlIjoiIiwibWFjIjoiIn0",
            &format!("{right}="),
            &format!(" {right}"),
            &format!("\"{right}\""),
            &right.to_lowercase(),
            &"A".repeat(200),
        ] {
            assert!(chain.read(plain, &cx).is_none(), "{plain:?}");
        }
    }
}

/// Chains undo in reverse, and only all of it.
#[test]
fn k8_k9_chains_undo_all_steps() {
    let (keys, cx) = (ring(&[SECRET]), context("__Host-cart", "cart"));
    let both = Transforms::new().then(Sign::new(keys.clone())).then(Seal::new(keys.clone()));
    let turned = Transforms::new().then(Seal::new(keys.clone())).then(Sign::new(keys));
    let text = both.write(VALUE.to_vec(), &cx).unwrap();
    assert_eq!(both.read(&text, &cx).unwrap(), VALUE);
    assert!(turned.read(&text, &cx).is_none());
    assert!(both.authenticates());
}

/// Without a key nothing is made, and without randomness nothing is sealed.
#[test]
fn k8_k9_what_cannot_be_made_is_an_error() {
    let cx = context("__Host-cart", "cart");
    for (name, transform) in all(&Keyring::new([])) {
        let error = transform.apply(VALUE.to_vec(), &cx).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Config, "{name}");
        assert!(transform.undo(vec![1; 100], &cx).is_none());
    }
    let random = ScriptedRandom::new().then_unavailable();
    let seal = Seal::new(Keyring::new([SecretKey::generate().unwrap()]));
    let cx = tenure_core::transform::TransformContext::new("a", "b", &random);
    let error = seal.apply(VALUE.to_vec(), &cx).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unavailable);
    let cx = tenure_core::transform::TransformContext::new("a", "b", &SystemRandom);
    assert!(seal.apply(VALUE.to_vec(), &cx).is_ok());
}
