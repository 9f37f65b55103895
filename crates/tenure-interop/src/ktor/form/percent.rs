//! The two escapings that lie within each other in a form.

use std::fmt::Write;

/// What a member's name and value are written with: a space is `+`.
pub(super) fn form_encode(text: &str) -> String {
    encode(text, |octet| octet.is_ascii_alphanumeric() || b"-._~".contains(&octet))
        .replace("%20", "+")
}

pub(super) fn form_decode(text: &str) -> Option<String> {
    // A `+` that was meant is `%2B` here.
    decode(&text.replace('+', " "))
}

/// What elements are written with, and once more all of them together. It leaves what separates
/// them as it is.
pub(super) fn element_encode(text: &str) -> String {
    encode(text, |octet| {
        octet.is_ascii_alphanumeric() || b":/?#[]@!$&'()*+,;=-._~".contains(&octet)
    })
}

pub(super) fn element_decode(text: &str) -> Option<String> {
    decode(text)
}

fn encode(text: &str, bare: impl Fn(u8) -> bool) -> String {
    let mut encoded = String::with_capacity(text.len());
    for octet in text.bytes() {
        if bare(octet) {
            encoded.push(char::from(octet));
        } else {
            write!(encoded, "%{octet:02X}").expect("writing to a string does not fail");
        }
    }
    encoded
}

fn decode(text: &str) -> Option<String> {
    let mut octets = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&octet, after)) = rest.split_first() {
        rest = after;
        if octet != b'%' {
            octets.push(octet);
            continue;
        }
        let (digits, after) = rest.split_first_chunk::<2>()?;
        let digit = |digit: u8| char::from(digit).to_digit(16);
        octets.push((digit(digits[0])? << 4 | digit(digits[1])?) as u8);
        rest = after;
    }
    String::from_utf8(octets).ok()
}
