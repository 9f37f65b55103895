//! The forms that travel, frozen: what a release has signed or sealed, later ones must undo. A change of
//! a form takes a new number in its first octet, or a new purpose of its key, and new lines here beside
//! the old.

use std::time::Duration;

use tenure_core::id::Proof;
use tenure_core::store::{MemoryStore, Record, Sealed, Store, StoreKey};
use tenure_core::transform::{
    Seal, SealAlgorithm, Sign, SignAlgorithm, Transform, TransformContext,
};
use tenure_core::{Handle, Namespace, Timestamp};
use tenure_testkit::ScriptedRandom;

use crate::{SECRET, key, ring};

/// A name, and the octets in hexadecimal digits or, of what lies at rest, the text. All but those of
/// BLAKE3 were checked against another implementation.
const VECTORS: &str = include_str!("vectors.txt");
const VALUE: &[u8] = b"three teapots";

fn text(name: &str) -> &'static str {
    let line = VECTORS.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
    line.unwrap_or_else(|| panic!("{name} is not in vectors.txt"))
}

fn vector(name: &str) -> Vec<u8> {
    let digits = text(name);
    let octet = |at| u8::from_str_radix(&digits[at..at + 2], 16).unwrap();
    (0..digits.len()).step_by(2).map(octet).collect()
}

fn hex(octets: &[u8]) -> String {
    octets.iter().map(|octet| format!("{octet:02x}")).collect()
}

/// Made again it is the same, and it is undone.
fn frozen(name: &str, transform: &dyn Transform) {
    let random = ScriptedRandom::new().then((0..24).collect::<Vec<u8>>());
    let cx = TransformContext::new("__Host-cart", "cart", &random);
    let made = transform.apply(VALUE.to_vec(), &cx).unwrap();
    assert_eq!(hex(&made), hex(&vector(name)), "{name}");
    assert_eq!(transform.undo(vector(name), &cx).as_deref(), Some(VALUE), "{name}");
}

#[test]
fn k8_signed_values_are_as_ever() {
    let sign = || Sign::new(ring(&[SECRET]));
    frozen("hmac-sha256", &sign());
    frozen("hmac-sha384", &sign().algorithm(SignAlgorithm::HmacSha384));
    frozen("hmac-sha512", &sign().algorithm(SignAlgorithm::HmacSha512));
    #[cfg(feature = "blake3")]
    frozen("blake3", &sign().algorithm(SignAlgorithm::Blake3));
}

#[test]
fn k9_sealed_values_are_as_ever() {
    let seal = || Seal::new(ring(&[SECRET]));
    frozen("xchacha20-poly1305", &seal().algorithm(SealAlgorithm::XChaCha20Poly1305));
    #[cfg(feature = "aes-gcm-siv")]
    frozen("aes-256-gcm-siv", &seal().algorithm(SealAlgorithm::Aes256GcmSiv));
}

#[test]
fn f1_key_ids_are_as_ever() {
    let id = key(SECRET).id().to_string();
    assert_eq!(id, text("key-id"));
}

/// X8: what was sealed at rest is opened: a handle's and a foreign session's.
#[tokio::test]
async fn x8_data_at_rest_is_as_ever() {
    let now = Timestamp::from_millis(1_700_000_000_000);
    let shop = Namespace::new("shop").unwrap();
    let proof = Proof::from_bytes([2; 32]);
    let ours = StoreKey::new(shop.clone(), Handle::from_bytes([1; 12])).with_proof(proof);
    let foreign = StoreKey::foreign(shop, "PHPSESSID-9f3a");
    for (name, key) in [("at-rest", ours), ("at-rest-foreign", foreign)] {
        let mut record = Record::new(now, Duration::from_secs(60), Duration::from_secs(60));
        record.proofs.present = key.proof().copied();
        record.data = [("\0sealed", format!("\"{}\"", text(name)))].into_iter().collect();
        let store = Sealed::new(MemoryStore::new(), ring(&[SECRET]));
        store.inner().create(&key, &record, now).await.unwrap();
        let opened = store.load(&key, now).await.unwrap().unwrap().data;
        assert_eq!(opened, [("n", "1"), ("theme", "\"dark\"")].into_iter().collect());
    }
}
