//! Ktor's signing and encrypting of values.

use serde_json::Value;
use tenure_core::transform::{Transform, Transforms};
use tenure_interop::{EncryptionKey, HmacAlgorithm, ktor};

use crate::support::{algorithm, chain, cx, encryption, key, octets, write_with};
use crate::vectors::{KTOR, KTOR_2, named, of_kind, text};

/// K8: what Ktor signs is read, and the same value is signed alike, by each of four algorithms.
#[test]
fn k8_signed_as_ktor_signs() {
    let mut algorithms = Vec::new();
    for case in of_kind(KTOR, "sign", 17) {
        let algorithm = algorithm(text(&case, "algorithm"));
        let sign = chain(ktor::Sign::new(key(text(&case, "key_hex"))).algorithm(algorithm));
        let (value, transformed) = (text(&case, "value"), text(&case, "transformed"));
        assert_eq!(sign.write(value.into(), &cx()).unwrap(), transformed, "{}", case["name"]);
        assert_eq!(sign.read(transformed, &cx()).unwrap(), text(&case, "read").as_bytes());
        algorithms.push(algorithm);
    }
    algorithms.dedup();
    let [sha256, sha512] = [HmacAlgorithm::Sha256, HmacAlgorithm::Sha512];
    let [sha1, md5] = [HmacAlgorithm::InsecureSha1, HmacAlgorithm::InsecureMd5];
    assert_eq!(algorithms, [sha256, sha512, sha1, md5, sha256]);
}

fn encrypt(case: &Value) -> ktor::Encrypt {
    let signing = key(text(case, "sign_key_hex"));
    let name = case["sign_algorithm"].as_str().unwrap_or("HmacSHA256");
    ktor::Encrypt::new(encryption(text(case, "encrypt_key_hex")), signing)
        .algorithm(algorithm(name))
}

/// K9: what Ktor encrypts is read, by keys of three sizes, and with the same initialization vector
/// the same value is encrypted alike.
#[test]
fn k9_encrypted_as_ktor_encrypts() {
    for case in of_kind(KTOR, "encrypt", 13) {
        assert_eq!(case["encrypt_algorithm"], "AES/CBC/PKCS5PADDING");
        let (value, transformed) = (text(&case, "value"), text(&case, "transformed"));
        let new = chain(encrypt(&case));
        assert_eq!(new.read(transformed, &cx()).unwrap(), text(&case, "read").as_bytes());
        assert_eq!(write_with(&new, value, octets(&transformed[..32])), transformed);
        let both = chain(encrypt(&case).insecure_backward_compatible_read());
        assert_eq!(both.read(transformed, &cx()).unwrap(), value.as_bytes());
        assert_eq!(write_with(&both, value, octets(&transformed[..32])), transformed);
        let fresh = new.write(value.into(), &cx()).unwrap();
        assert_ne!(fresh, transformed);
        assert_eq!(new.read(&fresh, &cx()).unwrap(), value.as_bytes());
    }
}

/// K10: the form of before 3.0 is read when that is asked for, and only then.
#[test]
fn k10_the_older_form() {
    let both = [of_kind(KTOR, "encrypt-old", 5), of_kind(KTOR_2, "encrypt-old", 5)].concat();
    for case in both {
        let (value, transformed) = (text(&case, "value"), text(&case, "transformed"));
        let read = case.get("read_with_backwardCompatibleRead").unwrap_or(&case["read"]);
        assert_eq!(read, value);
        assert!(case.get("read_without").is_none_or(Value::is_null));
        let old = chain(encrypt(&case).insecure_backward_compatible_read());
        assert_eq!(old.read(transformed, &cx()).unwrap(), value.as_bytes(), "{}", case["name"]);
        assert_eq!(chain(encrypt(&case)).read(transformed, &cx()), None);
    }
}

/// K10: there are no values of versions before 3.5.1 with keys of 24 and 32 octets, for which they
/// wanted a vector of that size. Here such keys work, and a vector of that size is none.
#[test]
fn k10_larger_keys_did_not_work_there() {
    let cases = of_kind(KTOR_2, "encrypt-old-error", 2);
    for case in &cases {
        assert!(text(case, "error").contains("Wrong IV length"));
        let size = case["encrypt_key_size"].as_u64().unwrap() as usize;
        let encryption = EncryptionKey::new(vec![7; size]).unwrap();
        let encrypt = ktor::Encrypt::new(encryption, key("01")).insecure_backward_compatible_read();
        let value = encrypt.apply(b"id=1".to_vec(), &cx()).unwrap();
        assert_eq!(encrypt.undo(value.clone(), &cx()).unwrap(), b"id=1");
        let long_vector = [&b"00".repeat(size - 16)[..], &value].concat();
        assert_eq!(encrypt.undo(long_vector, &cx()), None);
    }
    assert_eq!(
        [&cases[0], &cases[1]].map(|case| case["encrypt_key_size"].as_u64()),
        [24, 32].map(Some)
    );
}

/// K9: several transforms in order, undone in reverse; and a signature around the encryption covers
/// its initialization vector.
#[test]
fn k9_encrypted_then_signed() {
    let case = &of_kind(KTOR, "chain", 1)[0];
    assert_eq!(case["order"], "encrypt, then sign");
    let encrypt = ktor::Encrypt::new(
        encryption(text(case, "encrypt_key_hex")),
        key(text(case, "encrypt_sign_key_hex")),
    );
    let sign = ktor::Sign::new(key(text(case, "sign_key_hex")));
    let alone = chain(encrypt.clone());
    let chain = Transforms::new().then(encrypt).then(sign).as_text();
    let (value, transformed) = (text(case, "value"), text(case, "transformed"));
    assert_eq!(chain.read(transformed, &cx()).unwrap(), text(case, "read").as_bytes());
    assert_eq!(write_with(&chain, value, octets(&transformed[..32])), transformed);
    assert!(chain.authenticates() && !alone.authenticates());

    let mut changed = transformed.to_owned();
    changed.replace_range(..1, if changed.starts_with('8') { "9" } else { "8" });
    assert_eq!(chain.read(&changed, &cx()), None, "the initialization vector is signed");
    let (inner, _) = changed.rsplit_once('/').unwrap();
    let read = alone.read(inner, &cx()).unwrap();
    assert_ne!(read, value.as_bytes(), "alone, it is not, and whoever reads it must know");
    assert_eq!(read[1..], value.as_bytes()[1..]);
}

/// K8: the first key signs, all verify, and a key that is added signs from then on.
#[test]
fn k8_keys_can_be_replaced() {
    use tenure_interop::SharedKeyring;
    let case = named(KTOR, "sign-HmacSHA256-32-plain");
    let transformed = text(&case, "transformed");
    let keyring = SharedKeyring::new([key(text(&case, "key_hex"))]);
    let sign = chain(ktor::Sign::new(keyring.clone()));
    keyring.add(key("77"));
    assert_eq!(sign.read(transformed, &cx()).unwrap(), b"id=1");
    let newer = sign.write(b"id=1".to_vec(), &cx()).unwrap();
    assert_ne!(newer, transformed);
    assert_eq!(sign.read(&newer, &cx()).unwrap(), b"id=1");
    keyring.add(key("77"));
    assert_eq!(keyring.len(), 2, "it is there already");
    let old = key(text(&case, "key_hex"));
    assert!(keyring.retire(&old) && !keyring.retire(&old));
    assert_eq!(sign.read(transformed, &cx()), None);
    assert_eq!(sign.read(&newer, &cx()).unwrap(), b"id=1");
    assert!(!keyring.retire(&key("77")), "it is the last");
    let empty = chain(ktor::Sign::new(SharedKeyring::new([])));
    assert!(empty.write(b"id=1".to_vec(), &cx()).is_err());
    assert_eq!(empty.read(transformed, &cx()), None);
}
