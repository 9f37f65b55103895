//! Which secrets are taken, and how keys come and go.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tenure_core::ErrorKind;
use tenure_core::transform::{Keyring, Seal, SecretKey, Sign, Transform};

use crate::{OTHER_SECRET, SECRET, context, key, ring};

/// F1, K13: secrets that can be guessed are refused, with the command that makes a good one, and
/// without showing them.
#[test]
fn f1_secrets_that_can_be_guessed_are_refused() {
    for (weak, word) in [
        ("", "0 octets"),
        ("correct horse battery staple", "28 octets"),
        ("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", "1 of them different"),
        ("abcabcabcabcabcabcabcabcabcabcabcabcabc", "3 of them different"),
        ("hunter12hunter12hunter12hunter12hunter12", "repeats 8 octets"),
        ("k7Q2mXv9LrT4wB8nk7Q2mXv9LrT4wB8n", "repeats 16 octets"),
        ("abcdefghijklmnopqrstuvwxyz0123456789", "follow from those before"),
        ("9876543210zyxwvutsrqponmlkjihgfedcba", "follow from those before"),
        ("password1password2password3password4", "follow from those before"),
        ("bbbbbbbbbbbbbbbbbbbbbbbbbbbbbcdefghk", "follow from those before"),
        ("0000000000000000000000000000000000000000000000000000000ca7fe1234", "follow from those"),
    ] {
        let error = SecretKey::new(weak).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Config, "{weak}");
        let text = format!("{error} {error:?}");
        for word in [word, "openssl rand -base64 33", "32 octets"] {
            assert!(text.contains(word), "{word:?} in {text}");
        }
        assert!(weak.is_empty() || !text.contains(weak), "{text}");
    }
}

/// F1: what chance makes is taken, in each of the usual spellings.
#[test]
fn f1_random_secrets_are_taken() {
    for _ in 0..2_000 {
        let text = SecretKey::generate_secret().unwrap();
        let hex: String = text.bytes().map(|octet| format!("{octet:02x}")).collect();
        assert!(SecretKey::new(&text).is_ok() && SecretKey::new(&text[..32]).is_ok());
        assert!(SecretKey::new(hex).is_ok());
        let octets: Vec<u8> = text.bytes().map(|octet| octet.wrapping_mul(37)).collect();
        assert!(SecretKey::new(octets).is_ok());
    }
    assert!(SecretKey::new(SECRET.repeat(2)).is_ok(), "32 octets of chance stay 32");
    assert!(SecretKey::new("x".repeat(70_000) + SECRET).is_err(), "and are found quickly or not");
}

/// F1: the same secret twice is a mistake.
#[test]
fn f1_a_secret_comes_once() {
    let error = Keyring::from_secrets([SECRET, OTHER_SECRET, SECRET]).unwrap_err();
    assert!(error.to_string().contains(&key(SECRET).id().to_string()), "{error}");
    assert!(!error.to_string().contains(SECRET));
    let ids = [key(SECRET).id(), key(OTHER_SECRET).id()];
    let twice = Keyring::new([key(SECRET), key(OTHER_SECRET), key(SECRET)]);
    assert_eq!(twice.ids(), ids);
    twice.add(key(OTHER_SECRET));
    assert_eq!(twice.ids(), [ids[1], ids[0]], "it signs now");
}

/// K13: keys from the environment.
#[test]
fn k13_keys_from_the_environment() {
    // Cargo sets these for tests; a secret of a test's own would take an unsafe call.
    let error = Keyring::from_env(["CARGO_PKG_NAME"]).unwrap_err();
    assert!(error.to_string().contains("a secret of 11 octets"), "{error}");
    assert!(Keyring::from_env(["CARGO_PKG_DESCRIPTION"]).is_ok());
    let twice = Keyring::from_env(["CARGO_PKG_DESCRIPTION", "CARGO_PKG_DESCRIPTION"]);
    assert!(twice.unwrap_err().to_string().contains("is there twice"));
    let error = Keyring::from_env(["CARGO_PKG_DESCRIPTION", "TENURE_NOT_THERE"]).unwrap_err();
    assert!(error.to_string().contains("TENURE_NOT_THERE: there is no such variable"), "{error}");
}

/// F1, K8, K9: the first key signs and seals, all undo, and one that is retired no more.
#[test]
fn f1_keys_are_added_and_retired() {
    let cx = context("__Host-cart", "cart");
    let keys = ring(&[SECRET]);
    let (sign, seal) = (Sign::new(keys.clone()), Seal::new(keys.clone()));
    let transforms: [&dyn Transform; 2] = [&sign, &seal];
    let make = || transforms.map(|step| step.apply(b"tea".to_vec(), &cx).unwrap());
    let undone = |made: &[Vec<u8>; 2]| {
        let [signed, sealed] = made.clone();
        let by = |step: &dyn Transform, made| step.undo(made, &cx).is_some();
        assert_eq!(by(&sign, signed.clone()), by(&seal, sealed));
        by(&sign, signed)
    };
    let before = make();
    keys.add(key(OTHER_SECRET));
    let after = make();
    assert!(undone(&before) && undone(&after));
    assert!(Sign::new(ring(&[OTHER_SECRET])).undo(after[0].clone(), &cx).is_some(), "it signs");

    assert!(keys.retire(key(SECRET).id()));
    assert!(!undone(&before) && undone(&after));
    assert!(!keys.retire(key(SECRET).id()), "it is gone");
    assert!(!keys.retire(key(OTHER_SECRET).id()), "the last key stays");
    assert!(undone(&after) && undone(&make()));
}

/// K13: neither secrets nor what is made from them is ever printed.
#[test]
fn k13_keys_are_never_printed() {
    let keys = ring(&[SECRET, OTHER_SECRET]);
    let (sign, seal) = (Sign::new(keys.clone()), Seal::new(keys.clone()));
    let printed = format!("{:?} {keys:?} {keys:#?} {sign:?} {seal:#?}", key(SECRET));
    let id = key(SECRET).id();
    assert!(printed.contains(&id.to_string()) && format!("{id:?}").contains(&id.to_string()));
    assert!(!printed.contains(SECRET) && !printed.contains(OTHER_SECRET), "{printed}");
    // An octet of a key would be a number, and there is none but in the ids.
    let rest = printed.replace("HmacSha256", "");
    let rest = keys.ids().iter().fold(rest, |text, id| text.replace(&id.to_string(), ""));
    assert!(!rest.contains(|sign: char| sign.is_ascii_digit()), "{rest}");
}

/// F1: the ids of keys differ, and stay what they are.
#[test]
fn f1_ids_belong_to_secrets() {
    assert_eq!(key(SECRET).id(), key(SECRET).id());
    assert_ne!(key(SECRET).id(), key(OTHER_SECRET).id());
    let fresh: std::collections::HashSet<_> =
        (0..500).map(|_| SecretKey::generate().unwrap().id()).collect();
    assert!(fresh.len() >= 499, "of four octets hardly two are the same");
}

/// F1: keys come and go while 32 tasks use them; each value is good as long as its key is there.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn f1_keys_retire_while_32_tasks_use_them() {
    let permanent = key(SECRET);
    let keys = Keyring::new([permanent.clone()]);
    let (sign, seal) = (Arc::new(Sign::new(keys.clone())), Arc::new(Seal::new(keys.clone())));
    let before = sign.apply(b"tea".to_vec(), &context("id", "test")).unwrap();
    let stop = Arc::new(AtomicBool::new(false));
    let tasks: Vec<_> = (0..32)
        .map(|_| {
            let (sign, seal) = (Arc::clone(&sign), Arc::clone(&seal));
            let (stop, before) = (Arc::clone(&stop), before.clone());
            tokio::spawn(async move {
                let (cx, mut rounds) = (context("id", "test"), 0_u32);
                while !stop.load(Ordering::Relaxed) || rounds < 50 {
                    assert!(sign.undo(before.clone(), &cx).is_some(), "its key is there");
                    let sealed = seal.apply(b"tea".to_vec(), &cx).unwrap();
                    // Its key may be gone by now; if it is there, the value is whole.
                    if let Some(value) = seal.undo(sealed, &cx) {
                        assert_eq!(value, b"tea");
                    }
                    rounds += 1;
                    tokio::task::yield_now().await;
                }
                rounds
            })
        })
        .collect();
    for _ in 0..200 {
        let fresh = SecretKey::generate().unwrap();
        keys.add(fresh.clone());
        tokio::task::yield_now().await;
        assert!(keys.retire(fresh.id()));
    }
    stop.store(true, Ordering::Relaxed);
    for task in tasks {
        assert!(task.await.unwrap() >= 50);
    }
    assert_eq!(keys.ids(), [permanent.id()]);
    let cx = context("id", "test");
    let sealed = seal.apply(b"tea".to_vec(), &cx).unwrap();
    assert!(Seal::new(ring(&[SECRET])).undo(sealed, &cx).is_some(), "no retired key seals");
}
