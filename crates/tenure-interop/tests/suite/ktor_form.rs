//! Payloads in the typed form text.

use proptest::prelude::*;
use tenure_interop::ktor::{TypedForm, TypedValue};

use crate::vectors::{KTOR, KTOR_2, named, of_kind, text};

const SPECIAL: &str = "a&b=c d+e%f#g/h\"q\\z;,\t\n";
const UNICODE: &str = "日本語 👩‍👩‍👧 naïve";

fn words(text: &str) -> TypedValue {
    TypedValue::Text(text.to_owned())
}

fn simple() -> TypedForm {
    TypedForm::new().with("id", words("abc")).with("count", TypedValue::Int(3))
}

/// The class `Types`, with members that the older version's class has or has not.
fn types() -> TypedForm {
    TypedForm::new()
        .with("i", TypedValue::Int(1))
        .with("l", TypedValue::Long(5_000_000_000))
        .with("d", TypedValue::Double(1.5))
        .with("f", TypedValue::Double(2.25))
        .with("s", words(UNICODE))
        .with("b", TypedValue::Bool(true))
        .with("ints", TypedValue::List(vec![TypedValue::Int(1), TypedValue::Int(2)]))
        .with("maybe", TypedValue::Null)
}

fn empty() -> TypedForm {
    TypedForm::new()
        .with("i", TypedValue::Int(0))
        .with("l", TypedValue::Long(0))
        .with("d", TypedValue::Double(0.0))
        .with("f", TypedValue::Double(0.0))
        .with("s", words(""))
        .with("b", TypedValue::Bool(false))
        .with("list", TypedValue::List(Vec::new()))
        .with("ints", TypedValue::List(Vec::new()))
        .with("map", TypedValue::Map(Vec::new()))
        .with("maybe", words(""))
}

fn empty_of_2() -> TypedForm {
    empty()
        .with("set", TypedValue::Set(Vec::new()))
        .with("bd", TypedValue::BigDecimal("0".to_owned()))
        .with("uuid", words("00000000-0000-0000-0000-000000000000"))
}

fn defaults_changed() -> TypedForm {
    TypedForm::new()
        .with("n", TypedValue::Int(2))
        .with("s", words("x"))
        .with("list", TypedValue::List(vec![words("y")]))
        .with("maybe", words("z"))
}

/// K18: what Ktor writes is read, and the same is written: with each of three serializers of two
/// versions, whose order of members differs.
#[test]
fn k18_typed_forms() {
    // Together with `k18_what_does_not_survive` and the JSON texts of `ktor_json`: all of them.
    assert_eq!(of_kind(KTOR, "serializer", 10).len() + of_kind(KTOR_2, "serializer", 3).len(), 13);
    for (file, name, form) in [
        (KTOR_2, "simple", simple()),
        (KTOR_2, "empty", empty_of_2()),
        (KTOR, "ktor2-empty", empty_of_2()),
        (KTOR, "legacy-reflection-simple", simple()),
        (KTOR, "legacy-reflection-defaults-changed", defaults_changed()),
    ] {
        let case = named(file, name);
        assert_eq!(case["round_trip"], true, "{name}");
        assert_eq!(TypedForm::parse(text(&case, "text")).as_ref(), Some(&form), "{name}");
        assert_eq!(form.to_text().unwrap(), text(&case, "text"), "{name}");
    }
    let in_order_of_declaration = [
        (
            "legacy-kotlinx-empty",
            empty().with("c", TypedValue::Char('x')).with("colour", words("RED")),
        ),
        ("legacy-kotlinx-defaults-changed", defaults_changed()),
    ];
    for (name, form) in in_order_of_declaration {
        let case = named(KTOR, name);
        assert_eq!(TypedForm::parse(text(&case, "text")).as_ref(), Some(&form), "{name}");
        let mut sorted: Vec<&str> = text(&case, "text").split('&').collect();
        sorted.sort_unstable();
        assert_eq!(form.to_text().unwrap(), sorted.join("&"), "{name}");
    }
}

/// K18: a list's element with `&`, a map's key with `=`: Ktor writes them and fails to read them. Here
/// reading is none, and writing an error; all other members are as there.
#[test]
fn k18_what_does_not_survive() {
    let of_3 = types().with("c", TypedValue::Char('é')).with("colour", words("GREEN"));
    let of_2 = types()
        .with("set", TypedValue::Set(vec![words("x")]))
        .with("bd", TypedValue::BigDecimal("1.50".to_owned()))
        .with("uuid", words("00000000-0000-0001-0000-000000000002"));
    for (file, name, rest) in [(KTOR, "legacy-reflection-types", of_3), (KTOR_2, "types", of_2)] {
        let case = named(file, name);
        assert_eq!(case["round_trip"], "java.lang.IllegalArgumentException: Bad serialized value");
        assert_eq!(TypedForm::parse(text(&case, "text")), None);

        let broken = |pair: &&str| pair.starts_with("list=") || pair.starts_with("map=");
        let pairs = text(&case, "text").split('&');
        let whole: Vec<&str> = pairs.clone().filter(|pair| !broken(pair)).collect();
        assert_eq!(pairs.count() - whole.len(), 2);
        assert_eq!(TypedForm::parse(&whole.join("&")), Some(rest.clone()), "{name}");
        assert_eq!(rest.to_text().unwrap(), whole.join("&"), "{name}");

        let list = TypedValue::List(vec![words("a"), words(""), words(SPECIAL)]);
        assert!(rest.clone().with("list", list).to_text().is_err());
        let map = |key: &str, value: &str| TypedValue::Map(vec![(words(key), words(value))]);
        for (key, value) in [("ключ=", "v"), ("k", SPECIAL), ("a&b", "v")] {
            assert!(rest.clone().with("map", map(key, value)).to_text().is_err(), "{key} {value}");
        }
        let set = TypedValue::Set(vec![words("a&b")]);
        assert!(rest.clone().with("set", set).to_text().is_err());
        let nested = TypedValue::List(vec![TypedValue::List(vec![words("a"), words("b")])]);
        assert!(rest.clone().with("list", nested).to_text().is_err());
        let object = TypedValue::List(vec![TypedValue::Object(TypedForm::new())]);
        assert!(rest.with("list", object).to_text().is_err());
    }
    // The parts of those elements that do survive.
    let form = TypedForm::new().with(
        "list",
        TypedValue::List(vec![words("a"), words(""), words("c d+e%f#g/h\"q\\z;,\t\n")]),
    );
    let recorded = "list=%23cl%23sa%26%23s%26%23sc%252520d%2Be%252525f%23g%2Fh%252522q%25255Cz%3B%2C%252509%25250A";
    assert_eq!(form.to_text().unwrap(), recorded);
    assert_eq!(TypedForm::parse(recorded), Some(form));
}

/// A member may be an object, optional, or of a sealed class.
#[test]
fn k18_objects_optionals_and_sealed_classes() {
    let inner = TypedForm::new()
        .with("t", words("x&y=z"))
        .with("n", TypedValue::Int(-1))
        .with_type_name("Inner");
    let form = TypedForm::new()
        .with("inner", TypedValue::Object(inner))
        .with("none", TypedValue::Optional(None))
        .with("some", TypedValue::Optional(Some(Box::new(words("a b")))))
        .with("big", TypedValue::BigInteger("-123456789012345678901234567890".to_owned()))
        .with("far", TypedValue::Double(f64::NEG_INFINITY))
        .with("map", TypedValue::Map(vec![(TypedValue::Int(1), words("a=b"))]));
    let text = form.to_text().unwrap();
    assert!(
        text.contains("inner=%23%23n%3D%2523i-1%26t%3D%2523sx%2526y%253Dz%26%2524type%3DInner"),
        "{text}"
    );
    assert!(text.contains("none=%23om&some=%23op%23sa+b"), "{text}");
    assert!(text.contains("far=%23f-Infinity"), "{text}");
    assert_eq!(TypedForm::parse(&text), Some(form));
}

#[test]
fn k18_between_form_and_json() {
    let json = serde_json::json!({
        "b": true, "d": 1.5, "i": 1, "l": 5_000_000_000_i64, "list": ["a", null], "maybe": null,
        "o": { "n": -7, "$type": "Inner" }, "s": UNICODE,
    });
    let form = TypedForm::from_json(&json).unwrap();
    assert_eq!(form.get("l"), Some(&TypedValue::Long(5_000_000_000)));
    assert_eq!(form.to_json().unwrap(), json);
    assert_eq!(TypedForm::parse(&form.to_text().unwrap()), Some(form));
    for wrong in [serde_json::json!([]), serde_json::json!({ "n": u64::MAX })] {
        assert!(TypedForm::from_json(&wrong).is_err(), "{wrong}");
    }
    let not_finite = TypedForm::new().with("d", TypedValue::Double(f64::NAN));
    assert!(not_finite.to_json().is_err());
    let map = TypedValue::Map(vec![(TypedValue::Int(1), TypedValue::Null)]);
    assert!(TypedForm::new().with("map", map).to_json().is_err());
    let map = TypedValue::Map(vec![(words("k"), words("v"))]);
    let json = TypedForm::new().with("map", map).to_json().unwrap();
    assert_eq!(json, serde_json::json!({ "map": { "k": "v" } }));
}

#[test]
fn k18_malformed_forms_are_none() {
    for wrong in [
        "a",
        "a=",
        "a=b",
        "a=%23",
        "a=%23x",
        "a=%23i",
        "a=%23i1.0",
        "a=%23i2147483648",
        "a=%23l9e9",
        "a=%23b",
        "a=%23bo",
        "a=%23botx",
        "a=%23bdx",
        "a=%23bi1.5",
        "a=%23ch",
        "a=%23chab",
        "a=%23nx",
        "a=%23o",
        "a=%23op",
        "a=%23opx",
        "a=%23c",
        "a=%23cx",
        "a=%23clx",
        "a=%23m%23sa",
        "a=%23i1&a=%23i2",
        "a=%2",
        "a=%zz",
        "%ff=%23n",
        "a=%23s%ff",
        "$type=A&$type=B",
        "a=%23%23b",
        "a=%23é",
    ] {
        assert_eq!(TypedForm::parse(wrong), None, "{wrong}");
    }
    assert_eq!(TypedForm::parse(""), Some(TypedForm::new()));
}

/// T-DESER-1: nesting ends at 32, and a mebibyte is read in time that grows with it alone.
#[test]
fn t_deser_1_typed_forms_are_bounded() {
    let nested = |depth: usize| format!("a={}%23n", "%23op".repeat(depth - 1));
    assert!(TypedForm::parse(&nested(32)).is_some());
    assert_eq!(TypedForm::parse(&nested(33)), None);
    assert_eq!(TypedForm::parse(&nested(200_000)), None);
    assert_eq!(TypedForm::parse(&format!("a=%23%23{}", "a%3D%2523%2523".repeat(50_000))), None);
    for sign in ["&", "=", "%", "a", "a=%23n&", "%26"] {
        let long = sign.repeat((1 << 20) / sign.len());
        assert!(TypedForm::parse(&long).is_none_or(|form| form == TypedForm::new()), "{sign}");
        let list = TypedForm::parse(&format!("a=%23cl{long}"));
        assert!(list.is_none_or(|form| form.get("a") == Some(&TypedValue::List(vec![]))), "{sign}");
    }
    let mut deep = TypedValue::Null;
    for _ in 0..40 {
        deep = TypedValue::Optional(Some(Box::new(deep)));
    }
    assert!(TypedForm::new().with("a", deep).to_text().is_err());
}

proptest! {
    #[test]
    fn k18_any_text_survives_in_a_member(name in "[^$].*", value in any::<String>()) {
        let form = TypedForm::new().with(name, words(&value));
        prop_assert_eq!(TypedForm::parse(&form.to_text().unwrap()), Some(form));
    }

    #[test]
    fn k18_what_is_written_of_a_list_survives(values in proptest::collection::vec(any::<String>(), 0..4)) {
        let list = TypedValue::List(values.iter().map(|value| words(value)).collect());
        let form = TypedForm::new().with("list", list);
        match form.to_text() {
            Ok(text) => prop_assert_eq!(TypedForm::parse(&text), Some(form)),
            Err(_) => prop_assert!(values.iter().any(|value| value.contains('&'))),
        }
    }

    #[test]
    fn k18_any_text_is_read_or_none(text in any::<String>()) {
        if let Some(form) = TypedForm::parse(&text) {
            let written = form.to_text();
            prop_assert!(written.is_err() || TypedForm::parse(&written.unwrap()).is_some());
        }
    }
}
