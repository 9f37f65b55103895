use proptest::prelude::*;

use super::CookieEncoding::{self, Base64, Form, Percent, PercentIfNeeded, Plain};

const ALL: [CookieEncoding; 5] = [Plain, Percent, PercentIfNeeded, Form, Base64];

/// K3: the spellings of other systems.
#[test]
fn k3_what_is_written() {
    let json = r#"{"id":"a b","n":3}/~*'()!é"#;
    assert_eq!(Plain.encode(json), json);
    assert_eq!(Percent.encode(json), "%7B%22id%22%3A%22a%20b%22%2C%22n%22%3A3%7D%2F~*'()!%C3%A9");
    assert_eq!(PercentIfNeeded.encode(json), Percent.encode(json));
    assert_eq!(
        Form.encode(json),
        "%7B%22id%22%3A%22a+b%22%2C%22n%22%3A3%7D%2F~%2A%27%28%29%21%C3%A9"
    );
    assert_eq!(Base64.encode(r#"{"id":"abc","count":3}"#), "eyJpZCI6ImFiYyIsImNvdW50IjozfQ==");
}

/// Only where the whole needs it: signs that a cookie can hold travel bare otherwise.
#[test]
fn k3_percent_if_needed() {
    let bare = "s:vACMlB_UpL35.42K+wt/x=[]{}<>?@#$&'()*!^`|~";
    assert_eq!(PercentIfNeeded.encode(bare), bare);
    for needs in [' ', '"', ',', ';', '\\', '%', '\0', '\n', '\x7f', 'é', '😀'] {
        let value = format!("a+{needs}");
        let text = PercentIfNeeded.encode(&value);
        assert!(text.starts_with("a%2B%"), "{value:?} {text}");
        assert_eq!(PercentIfNeeded.decode(&text).unwrap(), value);
    }
}

#[test]
fn k3_reading_is_lenient() {
    for encoding in [Percent, PercentIfNeeded] {
        assert_eq!(encoding.decode("s:a+b/c").unwrap(), "s:a+b/c", "bare");
        assert_eq!(encoding.decode("s%3aa%2Bb%2fc").unwrap(), "s:a+b/c", "either case");
        assert_eq!(encoding.decode("s:a+b%2Fc").unwrap(), "s:a+b/c", "both");
    }
    assert_eq!(Form.decode("s:a+b%2bc").unwrap(), "s:a b+c");
    assert_eq!(Plain.decode("%41+").unwrap(), "%41+");
}

#[test]
fn k3_what_nothing_is_spelled_as_is_none() {
    for text in
        ["%", "%4", "a%4", "%4g", "%g4", "%%41", "%+1", "% 1", "%C3", "%ff", "%é1", "%u0041"]
    {
        for encoding in [Percent, PercentIfNeeded, Form] {
            assert_eq!(encoding.decode(text), None, "{encoding:?} {text:?}");
        }
    }
    for text in ["YQ", "YQ=", "YR==", "YQ==\n", "Y Q==", "-_==", "/w==", "YQ==YQ=="] {
        assert_eq!(Base64.decode(text), None, "{text:?}");
    }
}

#[test]
fn k3_a_mebibyte_takes_no_longer_than_its_octets() {
    let text = "%".repeat(1 << 20);
    assert!(ALL[1..].iter().all(|encoding| encoding.decode(&text).is_none()));
    let text = "%25".repeat(1 << 18);
    assert_eq!(Percent.decode(&text).unwrap().len(), 1 << 18);
}

proptest! {
    #[test]
    fn k3_every_value_comes_back(value in any::<String>()) {
        for encoding in ALL {
            let text = encoding.encode(&value);
            prop_assert_eq!(encoding.decode(&text), Some(value.as_str().into()));
            prop_assert!(encoding == Plain || text.bytes().all(|octet| octet.is_ascii_graphic()));
        }
    }

    #[test]
    fn k3_any_text_is_read_or_none(text in any::<String>()) {
        for encoding in ALL {
            if let Some(value) = encoding.decode(&text) {
                prop_assert!(value.len() <= text.len());
            }
        }
    }
}
