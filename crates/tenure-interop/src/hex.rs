//! Octets as lower-case hexadecimal digits, of which each value has one spelling.

/// The digits of `octets`.
pub(crate) fn encode(octets: &[u8]) -> String {
    const DIGITS: [u8; 16] = *b"0123456789abcdef";
    let digit = |nibble: u8| char::from(DIGITS[usize::from(nibble)]);
    octets.iter().flat_map(|octet| [digit(octet >> 4), digit(octet & 15)]).collect()
}

/// The octets whose digits are `text`; none for an odd number of digits, capital ones, and all else.
pub(crate) fn decode(text: &[u8]) -> Option<Vec<u8>> {
    let (pairs, rest) = text.as_chunks::<2>();
    let octet = |pair: &[u8; 2]| Some(nibble(pair[0])? << 4 | nibble(pair[1])?);
    if rest.is_empty() { pairs.iter().map(octet).collect() } else { None }
}

/// Whether all of `text` is digits.
pub(crate) fn is_hex(text: &[u8]) -> bool {
    text.iter().all(|&digit| nibble(digit).is_some())
}

fn nibble(digit: u8) -> Option<u8> {
    match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'a'..=b'f' => Some(digit - b'a' + 10),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_spelling() {
        let all: Vec<u8> = (0..=255).collect();
        let text = encode(&all);
        assert!(text.starts_with("000102") && text.ends_with("fdfeff"));
        assert_eq!(decode(text.as_bytes()), Some(all));
        assert_eq!(decode(b""), Some(Vec::new()));
        for wrong in ["0", "0A", "0g", " 0", "0x", "é"] {
            assert_eq!(decode(wrong.as_bytes()), None, "{wrong:?}");
        }
    }
}
