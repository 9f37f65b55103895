use std::collections::HashSet;

use super::*;
use crate::clock::SystemRandom;

fn namespace(name: &str) -> Namespace {
    Namespace::new(name).unwrap()
}

#[test]
fn handles_have_one_spelling() {
    let handle = Handle::from_bytes([0xfb; 12]);
    let text = handle.to_string();
    assert_eq!(text.parse::<Handle>().unwrap(), handle);
    for wrong in [
        "",
        " ",
        &text[1..],
        &format!("{text}A"),
        &text.replace('_', "/"),
        &text.replace('-', "+"),
        "AAAAAAAAAAAAAAA=",
        "AAAAAAAAAAAAAAA\0",
        "ÄAAAAAAAAAAAAAA",
        "AAAAAAA AAAAAAAA",
    ] {
        if wrong != text {
            assert!(wrong.parse::<Handle>().is_err(), "{wrong:?}");
        }
    }
}

/// R9, T-ISO-1: no part of a proof can take the place of another.
#[test]
fn t_iso_1_a_proof_is_bound_to_namespace_handle_and_secret() {
    let (shop, handle, secret) = (namespace("shop"), Handle::from_bytes([1; 12]), [2; 24]);
    let proof = Proof::of(&shop, &handle, &secret);
    assert_ne!(proof, Proof::of(&namespace("shop2"), &handle, &secret));
    assert_ne!(proof, Proof::of(&shop, &Handle::from_bytes([3; 12]), &secret));
    assert_ne!(proof, Proof::of(&shop, &handle, &[3; 24]));
    // Octets that move from one part to the next are other parts.
    let (long, short) = (namespace("ab"), namespace("a"));
    let (mut after_long, mut after_short) = ([b'x'; 12], [b'x'; 12]);
    (after_long[0], after_short[0]) = (b'c', b'b');
    after_short[1] = b'c';
    assert_ne!(
        Proof::of(&long, &Handle::from_bytes(after_long), &secret),
        Proof::of(&short, &Handle::from_bytes(after_short), &secret)
    );
}

/// R12: neither proofs nor commit ids nor keys print what they hold.
#[test]
fn r12_debug_output_shows_no_secret() {
    let proof = Proof::from_bytes([0xab; 32]);
    assert_eq!(format!("{proof:?}"), "Proof(…)");
    let id = CommitId::from_bytes([0xcd; 16]);
    assert!(format!("{id:?}").len() < 24);
}

#[test]
fn commit_ids_of_a_process_differ() {
    let ids = CommitIds::new(&SystemRandom).unwrap();
    let drawn: HashSet<_> = (0..10_000).map(|_| ids.next()).collect();
    assert_eq!(drawn.len(), 10_000);
    assert!(!drawn.contains(&CommitIds::new(&SystemRandom).unwrap().next()));
}

/// R6: an empty or blank name is no name.
#[test]
fn r6_empty_names_are_refused() {
    for name in ["", " ", "a b", "\0", "ä"] {
        assert!(Namespace::new(name).is_err(), "{name:?}");
    }
    assert!(UserId::new("").is_err());
    assert!(UserId::new("x".repeat(256)).is_err(), "R7: a huge user name");
    assert!(UserId::new("x".repeat(255)).is_ok());
}
