//! Sealing and signing a kilobyte, beside the bare cipher of the library that does it.
//!
//! The bare one gets a fresh random nonce each time, as each sealed value must have one, and a buffer
//! of its own, as the value that it seals is kept. It is bound to as much as ours.

use std::hint::black_box;
use std::time::{Duration, Instant};

use aes_gcm_siv::Aes256GcmSiv;
use aes_gcm_siv::aead::inout::InOutBuf;
use aes_gcm_siv::aead::{AeadInOut, KeyInit, Nonce};
use chacha20poly1305::XChaCha20Poly1305;
use criterion::{BatchSize, Criterion, criterion_group, criterion_main};
use tenure_core::transform::{
    Keyring, Seal, SealAlgorithm, SecretKey, Sign, Transform, TransformContext, Transforms,
};
use tenure_core::{Random, SystemRandom};

/// As many octets as name, purpose and header are.
const BOUND: &[u8] = &[1; 28];

fn keys() -> Keyring {
    Keyring::new([(); 2].map(|()| SecretKey::generate().expect("randomness")))
}

fn value() -> Vec<u8> {
    (0..1024).map(|octet| octet as u8).collect()
}

fn bare_seal<A: AeadInOut>(aead: &A, value: &[u8]) -> (Nonce<A>, Vec<u8>) {
    let mut nonce = Nonce::<A>::default();
    SystemRandom.fill(&mut nonce).expect("randomness");
    let mut text = Vec::with_capacity(value.len() + 16);
    text.extend_from_slice(value);
    let tag = aead
        .encrypt_inout_detached(&nonce, BOUND, InOutBuf::from(&mut text[..]))
        .expect("a kilobyte");
    text.extend_from_slice(&tag);
    (nonce, text)
}

fn bare_open<A: AeadInOut>(aead: &A, nonce: &Nonce<A>, mut sealed: Vec<u8>) -> Vec<u8> {
    let (text, tag) = sealed.split_at_mut(1024);
    let tag = (&*tag).try_into().expect("a tag");
    aead.decrypt_inout_detached(nonce, BOUND, InOutBuf::from(text), tag).expect("what was sealed");
    sealed
}

fn bare<A: AeadInOut>(criterion: &mut Criterion, name: &str, aead: &A) {
    let mut group = criterion.benchmark_group(name);
    let value = value();
    group.bench_function("bare seal", |b| b.iter(|| bare_seal(aead, &value)));
    let (nonce, sealed) = bare_seal(aead, &value);
    group.bench_function("bare open", |b| {
        b.iter_batched(
            || sealed.clone(),
            |sealed| bare_open(aead, &nonce, sealed),
            BatchSize::SmallInput,
        );
    });
    group.finish();
}

/// Prints what ours costs beside the bare cipher: both in turns, and of many turns the least, which
/// holds on a machine that does other things as well.
#[allow(clippy::print_stdout, reason = "a terminal is its only reader")]
fn compare<A: AeadInOut>(name: &str, aead: &A, ours: &Seal) {
    let cx = TransformContext::new("__Host-cart", "cart", &SystemRandom);
    let value = value();
    let (nonce, sealed) = bare_seal(aead, &value);
    let made = ours.apply(value.clone(), &cx).expect("a key");
    let mut least = [Duration::MAX; 4];
    for _ in 0..10_000 {
        let mut turn = |at: usize, work: &dyn Fn() -> Vec<u8>| {
            let start = Instant::now();
            for _ in 0..10 {
                black_box(work());
            }
            least[at] = least[at].min(start.elapsed() / 10);
        };
        turn(0, &|| bare_seal(aead, &value.clone()).1);
        turn(1, &|| ours.apply(value.clone(), &cx).expect("a key"));
        turn(2, &|| bare_open(aead, &nonce, sealed.clone()));
        turn(3, &|| ours.undo(made.clone(), &cx).expect("what was made"));
    }
    let [bare_seal, seal, bare_open, open] = least.map(|time| time.as_secs_f64() * 1e6);
    println!(
        "{name}: seal {seal:.2} µs, {:.2} of the bare {bare_seal:.2}; open {open:.2} µs, {:.2} of the \
         bare {bare_open:.2}",
        seal / bare_seal,
        open / bare_open
    );
}

fn ours(criterion: &mut Criterion, name: &str, transform: impl Transform) {
    let cx = TransformContext::new("__Host-cart", "cart", &SystemRandom);
    let mut group = criterion.benchmark_group(name);
    let value = value();
    group.bench_function("apply", |b| {
        b.iter_batched(
            || value.clone(),
            |value| transform.apply(value, &cx).expect("a key"),
            BatchSize::SmallInput,
        );
    });
    let made = transform.apply(value.clone(), &cx).expect("a key");
    group.bench_function("undo", |b| {
        b.iter_batched(
            || made.clone(),
            |made| transform.undo(made, &cx).expect("what was made"),
            BatchSize::SmallInput,
        );
    });
    let chain = Transforms::new().then(transform);
    group.bench_function("apply, as text", |b| {
        b.iter_batched(
            || value.clone(),
            |value| chain.write(value, &cx).expect("a key"),
            BatchSize::SmallInput,
        );
    });
    let text = chain.write(value.clone(), &cx).expect("a key");
    group.bench_function("undo, of text", |b| {
        b.iter(|| chain.read(&text, &cx).expect("what was made"));
    });
    group.finish();
}

fn sealing(criterion: &mut Criterion) {
    let mut key = [0; 32];
    SystemRandom.fill(&mut key).expect("randomness");
    let chacha = XChaCha20Poly1305::new(&key.into());
    let siv = Aes256GcmSiv::new(&key.into());
    let seal_by = |algorithm| Seal::new(keys()).algorithm(algorithm);
    let (name, algorithm) = ("1 KiB XChaCha20-Poly1305", SealAlgorithm::XChaCha20Poly1305);
    compare(name, &chacha, &seal_by(algorithm));
    bare(criterion, name, &chacha);
    ours(criterion, name, seal_by(algorithm));
    let (name, algorithm) = ("1 KiB AES-256-GCM-SIV", SealAlgorithm::Aes256GcmSiv);
    compare(name, &siv, &seal_by(algorithm));
    bare(criterion, name, &siv);
    ours(criterion, name, seal_by(algorithm));
}

fn signing(criterion: &mut Criterion) {
    ours(criterion, "1 KiB HMAC-SHA256", Sign::new(keys()));
}

criterion_group!(benches, sealing, signing);
criterion_main!(benches);
