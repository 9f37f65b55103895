//! Values that nobody made: cut, changed, extended, of another key or form.

use std::time::{Duration, Instant};

use tenure_core::transform::Transforms;
use tenure_interop::{HmacAlgorithm, express, ktor};

use crate::support::{chain, cx, encryption, key};

const VALUE: &str = r#"{"id":"abc","count":3}"#;
const KEY: &str = "00070e151c232a31383f464d545b626970777e858c939aa1a8afb6bdc4cbd2d9";
const OTHER: &str = "01070e151c232a31383f464d545b626970777e858c939aa1a8afb6bdc4cbd2d9";
const AES: &str = "000102030405060708090a0b0c0d0e0f";

struct Form {
    name: &'static str,
    /// With the key, and with another one.
    read: [Transforms; 2],
    text: String,
    /// Characters at the beginning of which a change may go through, into another value.
    open: usize,
}

fn encrypt(signing: &str) -> ktor::Encrypt {
    ktor::Encrypt::new(encryption(AES), key(signing))
}

/// An initialization vector is not covered by these forms.
const VECTOR: usize = 32;

fn forms() -> Vec<Form> {
    let form = |name, open, make: &dyn Fn(&str) -> Transforms| {
        let read = [make(KEY), make(OTHER)];
        let text = read[0].write(VALUE.into(), &cx()).unwrap();
        Form { name, read, text, open }
    };
    let old = |key: &str| chain(encrypt(key).insecure_backward_compatible_read());
    // Made by 2.3.13, with these keys; no program makes that form any more.
    let old_text = "e3453603716f895cacd1df2122edc19c/\
                    1323da4c170028974f32839a8805f3a39d040dfd14cde7fd1b77164c17849dbc:\
                    d21e0fe9dae08e7cef2441ad2c03b201caa6e633e7dc806d030e8f2e7a82ce1b";
    let mut forms = vec![
        form("ktor sign", 0, &|by| chain(ktor::Sign::new(key(by)))),
        form("ktor sign, md5", 0, &|by| {
            chain(ktor::Sign::new(key(by)).algorithm(HmacAlgorithm::InsecureMd5))
        }),
        form("ktor encrypt", VECTOR, &|by| chain(encrypt(by))),
        form("ktor encrypt, reading both", VECTOR, &old),
        form("ktor encrypt, then sign", 0, &|by| {
            let sign = ktor::Sign::new(key(&by.repeat(2)));
            Transforms::new().then(encrypt(KEY)).then(sign).as_text()
        }),
        form("express", 0, &|by| {
            let sign = express::Sign::new(key(by));
            Transforms::new().then(sign).then(express::Prefix::default()).as_text()
        }),
        form("fastify", 0, &|by| chain(express::Sign::new(key(by)))),
    ];
    // Here the MAC covers the text, so that a change of the vector does not go through.
    forms.push(Form {
        name: "ktor encrypt, of before 3.0",
        read: [old(KEY), old(OTHER)],
        text: old_text.to_owned(),
        open: 0,
    });
    forms
}

/// T-AUTH-1, T-COOK-8: whatever is wrong with a value, it is none.
#[test]
fn t_auth_1_what_nobody_made_is_none() {
    for Form { name, read: [read, other], text, open } in forms() {
        let value = read.read(&text, &cx()).unwrap();
        assert_eq!(other.read(&text, &cx()), None, "{name}: another key");
        for len in 0..text.len() {
            assert_eq!(read.read(&text[..len], &cx()), None, "{name}: {len} characters");
            assert_eq!(read.read(&text[text.len() - len..], &cx()), None, "{name}: last {len}");
        }
        for place in 0..text.len() {
            for bit in 0..7 {
                let mut octets = text.clone().into_bytes();
                octets[place] ^= 1 << bit;
                let changed = String::from_utf8(octets).unwrap();
                match read.read(&changed, &cx()) {
                    None => {}
                    Some(other) => {
                        assert!(place < open && other != value, "{name}: bit {bit} of {place}");
                    }
                }
            }
        }
        for more in ["0", "00", "=", ".", "/", ":", " ", "\0", "\n", &text] {
            assert_eq!(read.read(&format!("{text}{more}"), &cx()), None, "{name}: {more:?} after");
            assert_eq!(read.read(&format!("{more}{text}"), &cx()), None, "{name}: {more:?} before");
        }
        for digits in [text.to_uppercase(), text.to_lowercase()] {
            assert!(digits == text || read.read(&digits, &cx()).is_none(), "{name}: {digits}");
        }
        for separators in ["/", ":", ".", "//", "/:", "s:", "s:.", "./", "=", "\0"] {
            assert_eq!(read.read(separators, &cx()), None, "{name}");
        }
    }
}

/// Capital digits in one part alone.
#[test]
fn k9_capital_digits_are_none_in_each_part() {
    for Form { name, read: [read, _], text, .. } in forms() {
        if !name.starts_with("ktor encrypt") {
            continue;
        }
        for (at, _) in text.match_indices(|sign: char| matches!(sign, 'a'..='f')) {
            let mut changed = text.clone();
            changed[at..=at].make_ascii_uppercase();
            assert_eq!(read.read(&changed, &cx()), None, "{name}: {at}");
        }
    }
}

/// No form reads what another one made with the same keys, but for the two that are there to.
#[test]
fn t_cook_8_other_forms_are_none() {
    let reads = |form: &str, other: &str| match form {
        "ktor encrypt" => other == "ktor encrypt, reading both",
        "ktor encrypt, reading both" | "ktor encrypt, of before 3.0" => {
            other.starts_with("ktor encrypt") && other != "ktor encrypt, then sign"
        }
        _ => false,
    };
    let forms = forms();
    for form in &forms {
        for other in forms.iter().filter(|other| other.name != form.name) {
            let read = form.read[0].read(&other.text, &cx());
            let expected = reads(form.name, other.name);
            assert_eq!(read.is_some(), expected, "{} as {}", other.name, form.name);
        }
    }
}

/// Sizes that no cookie has: none, and in time that grows with the size alone.
#[test]
fn x3_a_mebibyte_is_none_in_bounded_time() {
    const SIZE: usize = 1 << 20;
    for Form { name, read: [read, _], text, .. } in forms() {
        let filled =
            ["a", "/", ":", ".", "0", "é", "s:"].map(|part| part.repeat(SIZE / part.len()));
        let (head, tail) = (&text[..33], &text[text.len().saturating_sub(65)..]);
        let shaped = format!("{head}{}{tail}", "0".repeat(SIZE));
        let start = Instant::now();
        for text in filled.iter().chain([&shaped]) {
            assert_eq!(read.read(text, &cx()), None, "{name}");
        }
        assert!(start.elapsed() < Duration::from_secs(20), "{name}: {:?}", start.elapsed());
        let long = "x".repeat(SIZE);
        let made = read.write(long.clone().into_bytes(), &cx()).unwrap();
        assert_eq!(read.read(&made, &cx()).unwrap(), long.as_bytes(), "{name}");
    }
}

/// K10: with the older form read, every kind of wrong padding and MAC is the same none.
#[test]
fn k10_a_wrong_padding_is_no_other_none() {
    let read = chain(encrypt(KEY).insecure_backward_compatible_read());
    let old = forms().pop().unwrap().text;
    let (iv, rest) = old.split_once('/').unwrap();
    let (ciphertext, mac) = rest.split_once(':').unwrap();
    // The octet before the last block decides the last octet of the padding.
    for octet in 0..=255_u8 {
        let mut changed = ciphertext.to_owned();
        changed.replace_range(30..32, &format!("{octet:02x}"));
        let text = format!("{iv}/{changed}:{mac}");
        assert_eq!(read.read(&text, &cx()).is_some(), changed == ciphertext, "{octet}");
    }
    let cut = format!("{iv}/{}:{mac}", &ciphertext[..32]);
    assert_eq!(read.read(&cut, &cx()), None);
}
