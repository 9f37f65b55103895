use tenure_core::transform::{Transform, TransformContext, Transforms};
use tenure_core::{Random, SystemRandom, clock::RandomUnavailable};
use tenure_interop::{EncryptionKey, HmacAlgorithm, SharedKey};

/// A context of the name and purpose that none of these formats knows of.
pub(crate) fn cx() -> TransformContext<'static> {
    TransformContext::new("SESSION", "test", &SystemRandom)
}

pub(crate) fn chain(step: impl Transform) -> Transforms {
    Transforms::new().then(step).as_text()
}

/// A chain that has these random octets and no others.
pub(crate) fn write_with(chain: &Transforms, value: &str, octets: Vec<u8>) -> String {
    let random = Given(octets);
    chain.write(value.into(), &TransformContext::new("SESSION", "test", &random)).unwrap()
}

#[derive(Debug)]
struct Given(Vec<u8>);

impl Random for Given {
    fn fill(&self, bytes: &mut [u8]) -> Result<(), RandomUnavailable> {
        bytes.copy_from_slice(&self.0);
        Ok(())
    }
}

/// The octets of hexadecimal digits, by another way than the library's.
pub(crate) fn octets(digits: &str) -> Vec<u8> {
    let pair = |at: usize| u8::from_str_radix(&digits[at..at + 2], 16).unwrap();
    (0..digits.len()).step_by(2).map(pair).collect()
}

pub(crate) fn key(digits: &str) -> SharedKey {
    SharedKey::insecure_short(octets(digits)).unwrap()
}

pub(crate) fn encryption(digits: &str) -> EncryptionKey {
    EncryptionKey::new(octets(digits)).unwrap()
}

/// By its name in Java.
pub(crate) fn algorithm(name: &str) -> HmacAlgorithm {
    match name {
        "HmacSHA256" => HmacAlgorithm::Sha256,
        "HmacSHA512" => HmacAlgorithm::Sha512,
        "HmacSHA1" => HmacAlgorithm::InsecureSha1,
        "HmacMD5" => HmacAlgorithm::InsecureMd5,
        _ => panic!("{name} is no algorithm of the vectors"),
    }
}
