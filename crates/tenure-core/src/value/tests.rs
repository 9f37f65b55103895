use proptest::prelude::*;

use super::*;
use crate::error::ErrorKind;

#[test]
fn p10_values_of_mixed_types_keep_their_text() {
    for text in ["null", "true", "-0", "1e400", "12345678901234567890", "\"\\u0000\"", "[]", "{}"] {
        assert_eq!(Json::parse(text).unwrap().as_str(), text);
    }
    assert_eq!(Json::parse(" [1] ").unwrap().as_str(), "[1]");
    for text in ["", "[", "1 2", "nul", "'a'", "{\"a\":}", "\"\u{1}\""] {
        assert!(Json::parse(text).is_err(), "{text:?}");
    }
}

/// T-DESER-1: what nests deeper than 32 levels is refused, brackets inside strings not counted.
#[test]
fn t_deser_1_depth_is_limited() {
    let nested = |depth: usize| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
    assert!(Json::parse(&nested(32)).is_ok());
    assert!(Json::parse(&nested(33)).is_err());
    assert!(Json::parse(&nested(1_000_000)).is_err(), "no stack is used up");
    let brackets = format!("\"\\\"{}\"", "[".repeat(100));
    assert!(Json::parse(&brackets).is_ok());
    let deep: serde_json::Value = serde_json::from_str(&nested(40)).unwrap();
    assert_eq!(Json::of(&deep).unwrap_err().kind(), ErrorKind::Type);
}

/// A7: increments are checked, and a value that is no number is an error.
#[test]
fn a7_numbers_add_up_or_refuse() {
    use Number::{Float, Int};
    let sum = |a: Number, b: Number| a.plus(b).map_err(|error| error.kind());
    assert_eq!(sum(Int(i64::MAX - 1), Int(1)), Ok(Int(i64::MAX)));
    assert_eq!(sum(Int(i64::MAX), Int(1)), Err(ErrorKind::Overflow));
    assert_eq!(sum(Int(i64::MIN), Int(-1)), Err(ErrorKind::Overflow));
    assert_eq!(sum(Int(1), Float(0.5)), Ok(Float(1.5)));
    assert_eq!(sum(Float(f64::MAX), Float(f64::MAX)), Err(ErrorKind::Overflow));
    assert_eq!(sum(Int((1 << 53) + 1), Float(0.5)), Err(ErrorKind::Overflow), "would not be exact");
    for text in ["\"1\"", "null", "[1]", "9223372036854775808", "1e400", "true"] {
        assert_eq!(Number::parse(text), None, "{text}");
    }
    assert!(By::from(i64::MIN).negated().is_err());
    assert_eq!(Float(1.0).to_json().as_str(), "1.0", "a float stays one");
}

/// Floats up to 2^52, whose JSON text has the most digits.
#[expect(clippy::cast_precision_loss, reason = "any float will do")]
fn eighths(int: i64) -> f64 {
    int as f64 / 8.0
}

/// A7: a sum near 2^53 is rounded once, not a second time when it is read again.
#[test]
fn a7_floats_of_sixteen_digits_are_read_exactly() {
    let sum = Number::Int((1 << 53) - 2).plus(Number::Float(0.75)).unwrap();
    assert_eq!(sum.to_json().as_str(), "9007199254740991.0");
    assert_eq!(Number::parse("9007199254740991.0"), Some(sum));
    assert_eq!(serde_json::from_str::<f64>("9007199254740991.0").unwrap(), 9_007_199_254_740_991.0);
}

proptest! {
    /// A7: what is read of a float is, to the last bit, what was written.
    #[test]
    fn a7_floats_come_back(float in prop_oneof![any::<f64>(), (0..1_i64 << 55).prop_map(eighths)]) {
        prop_assume!(float.is_finite());
        let json = Number::Float(float).to_json();
        prop_assert_eq!(Number::parse(json.as_str()), Some(Number::Float(float)));
        prop_assert_eq!(Json::of(&float).unwrap().decode::<f64>().unwrap(), float);
    }

    /// Law 8: any key and any text come back as they were put in.
    #[test]
    fn data_is_a_map(entries in prop::collection::btree_map(".{0,12}", ".{0,40}", 0..20)) {
        let data: Data = entries.iter().collect();
        prop_assert_eq!(data.len(), entries.len());
        prop_assert!(data.iter().eq(entries.iter().map(|(k, v)| (k.as_str(), v.as_str()))));
        for (key, value) in &entries {
            prop_assert_eq!(data.get(key), Some(value.as_str()));
        }
        let absent = "\u{10ffff}absent";
        prop_assert_eq!(data.get(absent), None);
    }

    #[test]
    fn packed_numbers_come_back(number: u64) {
        let mut packed = Vec::new();
        write_number(&mut packed, number);
        prop_assert_eq!(read_number(&mut packed.as_slice()), Some(number));
    }

    /// R16: no octets of a damaged map make it panic.
    #[test]
    fn r16_damaged_data_is_harmless(octets in prop::collection::vec(any::<u8>(), 0..64)) {
        let data = Data::shared(octets.into(), 0);
        let _ = (data.get("a"), data.len(), data.iter().count());
    }
}
