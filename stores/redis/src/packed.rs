//! Lists of strings as the server's `cmsgpack` packs them: MessagePack.
//!
//! <https://github.com/msgpack/msgpack/blob/master/spec.md>

/// The strings of a list, or none if it is something else or goes on after its end.
pub(crate) fn list(packed: &[u8]) -> Option<Vec<&[u8]>> {
    let (&kind, rest) = packed.split_first()?;
    let (len, mut rest) = match kind {
        0x90..=0x9F => (usize::from(kind & 0x0F), rest),
        0xDC => number::<2>(rest)?,
        0xDD => number::<4>(rest)?,
        _ => return None,
    };
    // Each takes an octet at least, whatever the length says.
    let mut list = Vec::with_capacity(len.min(rest.len()));
    for _ in 0..len {
        let (string, after) = string(rest)?;
        list.push(string);
        rest = after;
    }
    rest.is_empty().then_some(list)
}

fn string(packed: &[u8]) -> Option<(&[u8], &[u8])> {
    let (&kind, rest) = packed.split_first()?;
    let (len, rest) = match kind {
        0xA0..=0xBF => (usize::from(kind & 0x1F), rest),
        0xD9 => number::<1>(rest)?,
        0xDA => number::<2>(rest)?,
        0xDB => number::<4>(rest)?,
        _ => return None,
    };
    rest.split_at_checked(len)
}

fn number<const N: usize>(packed: &[u8]) -> Option<(usize, &[u8])> {
    let (octets, rest) = packed.split_first_chunk::<N>()?;
    Some((octets.iter().fold(0, |number, octet| number << 8 | usize::from(*octet)), rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As in the specification: the shortest form for each length, the highest octet first.
    fn pack(strings: &[Vec<u8>]) -> Vec<u8> {
        let len = strings.len();
        let mut packed = match len {
            0..=15 => vec![0x90 | len as u8],
            16..=0xFFFF => [&[0xDC], &(len as u16).to_be_bytes()[..]].concat(),
            _ => [&[0xDD], &(len as u32).to_be_bytes()[..]].concat(),
        };
        for string in strings {
            let len = string.len();
            match len {
                0..=31 => packed.push(0xA0 | len as u8),
                32..=0xFF => packed.extend([0xD9, len as u8]),
                0x100..=0xFFFF => {
                    packed.push(0xDA);
                    packed.extend((len as u16).to_be_bytes());
                }
                _ => {
                    packed.push(0xDB);
                    packed.extend((len as u32).to_be_bytes());
                }
            }
            packed.extend(string);
        }
        packed
    }

    #[test]
    fn every_length_comes_back() {
        for len in [0, 1, 31, 32, 255, 256, 65_535, 65_536, 70_000] {
            let strings = [vec![0xC1; len], b"=n".to_vec()];
            assert_eq!(list(&pack(&strings)).unwrap(), strings, "{len}");
        }
        for count in [0, 1, 15, 16, 65_535, 65_536] {
            let strings = vec![b"x".to_vec(); count];
            assert_eq!(list(&pack(&strings)).unwrap(), strings, "{count}");
        }
    }

    #[test]
    fn what_is_no_list_of_strings_is_none() {
        let whole = pack(&[b"=n".to_vec(), vec![7; 300]]);
        for len in 0..whole.len() {
            assert_eq!(list(&whole[..len]), None, "cut after {len}");
        }
        assert_eq!(list(&[&whole[..], b"x"].concat()), None, "with more behind it");
        for odd in [&[0x81, 0xA1, b'a', 1][..], &[0x91, 1], &[0xDD, 255, 255, 255, 255], &[0xA1]] {
            assert_eq!(list(odd), None, "{odd:?}");
        }
    }
}
