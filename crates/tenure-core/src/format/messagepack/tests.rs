use std::time::Duration;

use proptest::prelude::*;

use super::*;
use crate::format::Envelope;
use crate::format::tests::{frozen, record};

/// The value as MessagePack, and what is read of that.
fn both_ways(json: &str) -> (Vec<u8>, String) {
    let mut writer = Writer::default();
    value::write(&mut writer, json).unwrap_or_else(|error| panic!("{json}: {error}"));
    let bytes = writer.into_bytes();
    let (mut reader, mut text) = (Reader(&bytes), String::new());
    value::read(&mut reader, &mut text).unwrap_or_else(|error| panic!("{json}: {error}"));
    assert!(reader.is_at_end(), "{json}");
    (bytes, text)
}

fn with_data(octets: &[u8]) -> Vec<u8> {
    let now = Timestamp::from_millis(5);
    let empty = Record::new(now, Duration::from_secs(60), Duration::from_secs(90));
    let mut bytes = MessagePack.encode(&empty).unwrap().bytes;
    assert_eq!(bytes.pop(), Some(0x80), "the empty map of the data comes last");
    bytes.extend_from_slice(octets);
    bytes
}

fn data_of(octets: &[u8]) -> Result<Data, DecodeError> {
    MessagePack.decode(&with_data(octets)).map(|record| record.data)
}

/// K18: either format reads both.
#[test]
fn k18_records_of_both_formats_are_told_apart() {
    let formats: [&dyn RecordFormat; 2] = [&Envelope, &MessagePack];
    for writes in formats {
        let encoded = writes.encode(&record()).unwrap();
        assert_eq!(encoded.expiry, record().deadline());
        for reads in formats {
            assert_eq!(reads.decode(&encoded.bytes).unwrap(), record());
        }
    }
}

/// The format stays what it is: whoever changes these octets changes sessions that are in use.
#[test]
fn frozen_messagepack_is_written_and_read() {
    let hex = |bytes: &[u8]| bytes.iter().map(|octet| format!("{octet:02x}")).collect::<String>();
    let text = include_str!("../frozen/messagepack.v1.hex").split_whitespace().collect::<String>();
    let encoded = MessagePack.encode(&frozen()).unwrap().bytes;
    assert_eq!(hex(&encoded), text);
    assert_eq!(MessagePack.decode(&encoded).unwrap(), frozen());
}

/// K18, law 8: what there is in MessagePack is written so, and every text comes back.
#[test]
fn k18_values_are_native_where_nothing_is_lost() {
    let (long, many) = (format!("\"{}\"", "é".repeat(300)), format!("[{}1]", "1,".repeat(70_000)));
    for (json, first) in [
        ("null", 0xc0),
        ("false", 0xc2),
        ("true", 0xc3),
        ("0", 0x00),
        ("127", 0x7f),
        ("128", 0xcc),
        ("-1", 0xff),
        ("-33", 0xd0),
        ("9007199254740993", 0xcf),
        ("18446744073709551615", 0xcf),
        ("-9223372036854775808", 0xd3),
        ("1.5", 0xcb),
        ("41.0", 0xcb),
        ("-0.0", 0xcb),
        ("0.00001", 0xcb),
        ("9007199254740993.0", 0xc7),
        ("\"\"", 0xa0),
        (r#""a\n\"\\\u0000\u001f\b\f""#, 0xa8),
        (&long, 0xda),
        ("[]", 0x90),
        ("[[],{}]", 0x92),
        (&many, 0xdd),
        ("{}", 0x80),
        (r#"{"b":1,"a":[true,null],"b":2}"#, 0x83),
        ("[1.50,1]", 0x92),
    ] {
        let (bytes, text) = both_ways(json);
        assert_eq!(text, json);
        assert_eq!(bytes[0], first, "{json:.40}");
    }
}

/// K18, law 8: and the rest is text.
#[test]
fn k18_values_that_messagepack_has_not_stay_text() {
    for json in [
        "-0",
        "1.50",
        "1e3",
        "1E3",
        "1.0e0",
        "0.000001",
        "1e999",
        "18446744073709551616",
        "-9223372036854775809",
        "0.1000000000000000055511151231257827",
        r#""\u0061""#,
        r#""\/""#,
        r#""\uD83D\uDE00""#,
        r#""\ud800""#,
        r#""\u001F""#,
        "[1, 2]",
        "[1 ]",
        "[ ]",
        "{ }",
        r#"{"a" :1}"#,
        r#"{"a": 1}"#,
        r#"{"\u0061":1}"#,
        "[\"a,b\", \"]\"]",
    ] {
        let (bytes, text) = both_ways(json);
        assert_eq!(text, json);
        assert!(bytes.len() <= json.len() + 3, "{json}: {bytes:x?}");
        assert!(bytes.ends_with(json.as_bytes()), "{json}: {bytes:x?}");
    }
}

/// T-DESER-1: 32 levels, natively or as text, are all that is written or read.
#[test]
fn t_deser_1_nothing_nests_deeper() {
    let nested =
        |levels: usize, of: &str| format!("{}{of}{}", "[".repeat(levels), "]".repeat(levels));
    for good in [nested(32, ""), nested(32, "1"), nested(31, "{}"), nested(32, " ")] {
        assert_eq!(both_ways(&good).1, good);
    }
    for deep in [nested(33, ""), nested(32, "{}"), nested(33, " ")] {
        let mut record = record();
        record.data = [("a", deep)].into_iter().collect();
        let error = MessagePack.encode(&record).unwrap_err();
        assert_eq!(error.kind(), StoreErrorKind::Corrupt);
    }
    let levels = |levels: usize| [&[0x81, 0xa1, b'a'][..], &vec![0x91; levels], &[0xc0]].concat();
    assert!(data_of(&levels(32)).is_ok());
    assert_eq!(data_of(&levels(33)), Err(DecodeError::Malformed));
    assert_eq!(data_of(&levels(1_000_000)), Err(DecodeError::Malformed));
    // Text within a list, which itself could nest.
    let within = |text: &str| {
        let mut writer = Writer::default();
        writer.map(1);
        writer.text("a");
        writer.list(1);
        writer.extension(0, text.as_bytes());
        data_of(&writer.into_bytes())
    };
    assert!(within("1e3").is_ok());
    assert_eq!(within("[ ]"), Err(DecodeError::Malformed));
}

/// T-DESER-1: tags mean nothing but text, text is JSON, and what is never written is not read.
#[test]
fn t_deser_1_other_types_are_malformed() {
    let value = |octets: &[u8]| data_of(&[&[0x81, 0xa1, b'a'], octets].concat());
    assert_eq!(value(&[0xd4, 0, b'1']).unwrap().get("a"), Some("1"));
    for (what, octets) in [
        ("another tag", &[0xd4, 1, b'1'][..]),
        ("a point in time", &[0xd6, 0xff, 0, 0, 0, 0]),
        ("text that is no JSON", &[0xd4, 0, b'x']),
        ("JSON with white space around", &[0xd5, 0, b' ', b'1']),
        ("text that is no UTF-8", &[0xd4, 0, 0xff]),
        ("a string that is no UTF-8", &[0xa1, 0xff]),
        ("octets", &[0xc4, 1, 0]),
        ("a short float", &[0xca, 0, 0, 0, 0]),
        ("infinity", &[0xcb, 0x7f, 0xf0, 0, 0, 0, 0, 0, 0]),
        ("no number", &[0xcb, 0x7f, 0xf8, 0, 0, 0, 0, 0, 0]),
        ("a float that would be long", &[0xcb, 0x7f, 0xe0, 0, 0, 0, 0, 0, 0]),
        ("the reserved octet", &[0xc1]),
        ("a key that is no string", &[0x81, 1, 1]),
        ("a list that ends early", &[0x92, 1]),
        ("four billion items", &[0xdd, 0xff, 0xff, 0xff, 0xff]),
        ("four billion keys", &[0xdf, 0xff, 0xff, 0xff, 0xff]),
        ("four billion octets", &[0xdb, 0xff, 0xff, 0xff, 0xff]),
        ("four billion octets of text", &[0xc9, 0xff, 0xff, 0xff, 0xff, 0]),
    ] {
        assert_eq!(value(octets), Err(DecodeError::Malformed), "{what}");
    }
}

/// T-DESER-1: an unknown version is no session; anything else that is no record is damage.
#[test]
fn t_deser_1_versions_and_damage_are_told_apart() {
    let good = MessagePack.encode(&record()).unwrap().bytes;
    let decode = |bytes: &[u8]| MessagePack.decode(bytes).unwrap_err();
    assert_eq!(decode(&[0x81, 0xa1, b'v', 2]), DecodeError::UnknownVersion);
    assert_eq!(decode(&[0x82, 0xa1, b'v', 9, 0xc0, 0xc0]), DecodeError::UnknownVersion);
    for bytes in [&[][..], &[0x80], &[0x81, 0xa1, b'v', 1], &[0x81, 0xa1, b'w', 1], &[0x90]] {
        assert_eq!(decode(bytes), DecodeError::Malformed);
    }
    for cut in 0..good.len() {
        assert_eq!(decode(&good[..cut]), DecodeError::Malformed, "cut at {cut}");
    }
    assert_eq!(decode(&[&good[..], &[0xc0]].concat()), DecodeError::Malformed, "more behind it");
    assert_eq!(decode(&vec![0x80; (4 << 20) + 1]), DecodeError::TooLarge);

    let fields = |names: &[&str]| {
        let mut writer = Writer::default();
        writer.map(names.len() + 1);
        writer.text("v");
        writer.natural(1);
        for name in names {
            writer.text(name);
            match *name {
                "data" => writer.map(0),
                _ => writer.natural(1),
            }
        }
        MessagePack.decode(&writer.into_bytes())
    };
    let all = ["created", "seen", "renewed", "idle", "idle_until", "until", "data"];
    assert!(fields(&all).is_ok());
    for at in 0..all.len() {
        let mut names = all.to_vec();
        names.remove(at);
        assert_eq!(fields(&names), Err(DecodeError::Malformed), "without {}", all[at]);
    }
    assert_eq!(fields(&[&all[..], &["more"]].concat()), Err(DecodeError::Malformed));
    assert_eq!(fields(&[&all[..], &["idle"]].concat()), Err(DecodeError::Malformed), "twice");
    let keys = |keys: &[u8]| data_of(&[0x82, 0xa1, keys[0], 1, 0xa1, keys[1], 1]);
    assert!(keys(b"ab").is_ok());
    assert_eq!(keys(b"ba"), Err(DecodeError::Malformed));
    assert_eq!(keys(b"aa"), Err(DecodeError::Malformed));
}

/// T-DESER-1: text that grows when it is read is limited, too.
#[test]
fn t_deser_1_texts_are_limited_on_both_sides() {
    let mut large = record();
    large.data = [("a", format!("\"{}\"", "x".repeat(4 << 20)))].into_iter().collect();
    assert_eq!(MessagePack.encode(&large).unwrap_err().kind(), StoreErrorKind::TooLarge);

    let mut writer = Writer::default();
    writer.map(1);
    writer.text("a");
    writer.text(&"\0".repeat(1 << 20));
    assert_eq!(data_of(&writer.into_bytes()), Err(DecodeError::TooLarge), "six octets for each");
}

#[test]
fn what_is_no_json_is_not_written() {
    for text in ["", "nul", "[1,", "\"a", "01", "1 2", "\u{0}"] {
        let mut broken = record();
        broken.data = [("a", text)].into_iter().collect();
        let error = MessagePack.encode(&broken).unwrap_err();
        assert_eq!(error.kind(), StoreErrorKind::Corrupt, "{text:?}");
    }
}

/// JSON as people write it, odd as may be.
fn json() -> impl Strategy<Value = String> {
    let space = || prop_oneof![8 => Just(""), 1 => Just(" "), 1 => Just("\t\r\n")];
    let number = "-?(0|[1-9][0-9]{0,21})(\\.[0-9]{1,20})?([eE][+-]?[0-9]{1,3})?";
    let string = || {
        let part = prop_oneof![
            "[^\"\\\\\u{0}-\u{1f}]{0,9}",
            r#"\\["\\/bfnrt]"#,
            "\\\\u[0-9a-fA-F]{4}",
            Just(r"\u0000".to_owned()),
            Just(r"\ud83d\ude00".to_owned()),
        ];
        prop::collection::vec(part, 0..5).prop_map(|parts| format!("\"{}\"", parts.concat()))
    };
    let leaf = prop_oneof![
        Just("null".to_owned()),
        any::<bool>().prop_map(|value| value.to_string()),
        any::<i64>().prop_map(|value| value.to_string()),
        any::<u64>().prop_map(|value| value.to_string()),
        any::<f64>().prop_map(|value| serde_json::to_string(&value).unwrap()),
        (-1e6..1e6).prop_map(|value: f64| value.to_string()),
        number,
        string(),
    ];
    leaf.prop_recursive(4, 64, 20, move |item| {
        let spaced = (space(), item, space()).prop_map(|(a, item, b)| format!("{a}{item}{b}"));
        let entry = (space(), string(), space(), spaced.clone())
            .prop_map(|(a, key, b, value)| format!("{a}{key}{b}:{value}"));
        prop_oneof![
            prop::collection::vec(spaced, 0..20).prop_map(|all| format!("[{}]", all.join(","))),
            prop::collection::vec(entry, 0..20).prop_map(|all| format!("{{{}}}", all.join(","))),
        ]
    })
}

proptest! {
    /// K18, law 8: every JSON text comes back octet by octet.
    #[test]
    fn k18_every_json_text_comes_back(json in json()) {
        prop_assert_eq!(both_ways(&json).1, json);
    }

    /// K18, law 8: and so does what serde_json writes, natively but for odd floats.
    #[test]
    fn k18_what_serde_writes_comes_back(
        value: (Vec<(String, i64)>, Option<bool>, f64, std::collections::BTreeMap<String, u64>),
    ) {
        let json = serde_json::to_string(&value).unwrap();
        let (bytes, text) = both_ways(&json);
        prop_assert_eq!(text, json);
        prop_assert_eq!(bytes[0], 0x94);
    }

    /// R16: no octets make the decoder panic.
    #[test]
    fn r16_decoders_survive_anything(octets in prop::collection::vec(any::<u8>(), 0..200)) {
        let _ = MessagePack.decode(&octets);
        let _ = data_of(&octets);
    }

    /// R16: and what it makes of damage is a record, whose values are JSON.
    #[test]
    fn r16_damaged_records_never_panic(at in 0usize..600, octet: u8) {
        let mut bytes = MessagePack.encode(&record()).unwrap().bytes;
        let at = at % bytes.len();
        bytes[at] = octet;
        if let Ok(read) = MessagePack.decode(&bytes) {
            for (_, json) in read.data.iter() {
                prop_assert!(crate::value::Json::parse(json).is_ok(), "{json}");
            }
        }
    }
}
