//! Keys, and what is signed and sealed with them.

mod at_rest;
mod files;
mod forged;
mod keys;
mod properties;
mod vectors;

use tenure_core::SystemRandom;
use tenure_core::transform::{Keyring, SecretKey, TransformContext};

const SECRET: &str = "k7Q2mXv9LrT4wB8nZ1cJ6hY3pD5sF0gA";
const OTHER_SECRET: &str = "Zp0YqXr2Ws3Vt4Uu5Tv6Sw7Rx8Qy9PzA";

fn key(secret: &str) -> SecretKey {
    SecretKey::new(secret).unwrap()
}

fn ring(secrets: &[&str]) -> Keyring {
    Keyring::from_secrets(secrets).unwrap()
}

fn context(name: &'static str, purpose: &'static str) -> TransformContext<'static> {
    TransformContext::new(name, purpose, &SystemRandom)
}
