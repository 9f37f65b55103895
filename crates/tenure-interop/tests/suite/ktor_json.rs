//! Payloads as JSON: what Ktor writes, and what it refuses to read.

use std::collections::BTreeMap;

use serde::Serialize;
use tenure_interop::ktor::{JsonClass, JsonKind};

use crate::vectors::{KTOR, named, of_kind, text};

const SPECIAL: &str = "a&b=c d+e%f#g/h\"q\\z;,\t\n";

fn list(kind: JsonKind) -> JsonKind {
    JsonKind::List(Box::new(kind))
}

fn with_defaults() -> JsonClass {
    JsonClass::new()
        .defaulted("n", JsonKind::Int)
        .defaulted("s", JsonKind::Text)
        .defaulted("list", list(JsonKind::Text))
        .defaulted("maybe", JsonKind::Text.nullable())
}

/// K18: what Ktor refuses is told before it is written, and what it reads is not.
#[test]
fn k18_refused_as_ktor_refuses() {
    let case = &of_kind(KTOR, "json-reading", 1)[0];
    let tries = case["tries"].as_array().unwrap();
    assert_eq!(tries.len(), 10);
    for attempt in tries {
        let input = text(attempt, "input");
        let checked = with_defaults().check(input);
        assert_eq!(checked.is_err(), attempt["error"].is_string(), "{input} {checked:?}");
    }
}

#[derive(Serialize)]
struct Types<'a> {
    i: i32,
    l: i64,
    d: f64,
    f: f32,
    s: &'a str,
    b: bool,
    c: char,
    list: [&'a str; 3],
    ints: [i32; 2],
    map: BTreeMap<&'a str, &'a str>,
    maybe: Option<&'a str>,
    colour: &'a str,
}

#[derive(Serialize)]
struct Inner<'a> {
    n: i32,
    t: &'a str,
}

#[derive(Serialize)]
struct Nested<'a> {
    inner: Inner<'a>,
    name: &'a str,
}

/// K18: a struct of ours in the same order of members is the same text.
#[test]
fn k18_written_as_ktor_writes() {
    let expected = |name: &str| {
        let case = named(KTOR, name);
        assert_eq!(case["round_trip"], true, "{name}");
        text(&case, "text").to_owned()
    };
    let types = Types {
        i: 1,
        l: 5_000_000_000,
        d: 1.5,
        f: 2.25,
        s: "日本語 👩‍👩‍👧 naïve",
        b: true,
        c: 'é',
        list: ["a", "", SPECIAL],
        ints: [1, 2],
        map: BTreeMap::from([("k", "v"), ("ключ&=", SPECIAL)]),
        maybe: None,
        colour: "GREEN",
    };
    assert_eq!(serde_json::to_string(&types).unwrap(), expected("json-types"));
    let nested = Nested { inner: Inner { n: 1, t: "x&y=z" }, name: "é" };
    assert_eq!(serde_json::to_string(&nested).unwrap(), expected("json-nested"));

    let types = JsonClass::new()
        .required("i", JsonKind::Int)
        .required("l", JsonKind::Long)
        .required("d", JsonKind::Double)
        .required("f", JsonKind::Double)
        .required("s", JsonKind::Text)
        .required("b", JsonKind::Boolean)
        .required("c", JsonKind::Char)
        .required("list", list(JsonKind::Text))
        .required("ints", list(JsonKind::Int))
        .required("map", JsonKind::Map(Box::new(JsonKind::Text)))
        .required("maybe", JsonKind::Text.nullable())
        .required("colour", JsonKind::Text);
    types.check(&expected("json-types")).unwrap();
    let inner = JsonClass::new().required("n", JsonKind::Int).required("t", JsonKind::Text);
    let nested =
        JsonClass::new().required("inner", JsonKind::Class(inner)).required("name", JsonKind::Text);
    nested.check(&expected("json-nested")).unwrap();
    assert!(nested.check(r#"{"inner":{"n":1,"t":"x","u":1},"name":"é"}"#).is_err());
    assert!(nested.check(r#"{"inner":{"n":1},"name":"é"}"#).is_err());
    for name in ["json-defaults", "json-defaults-changed"] {
        with_defaults().check(&expected(name)).unwrap();
    }
    assert_eq!(expected("json-defaults"), "{}");
}

/// What is refused is named, and no value is told.
#[test]
fn k18_refusals_tell_no_value() {
    let error = with_defaults().check(r#"{"s":"a","n":"secret"}"#).unwrap_err().to_string();
    assert!(error.contains(r#"member "n""#) && !error.contains("secret"), "{error}");
    for wrong in [
        r#"{"n":2147483648}"#,
        r#"{"n":1e3}"#,
        r#"{"n":true}"#,
        r#"{"list":"a"}"#,
        r#"{"list":[1]}"#,
        r#"{"maybe":1}"#,
        r#"[]"#,
        r#"{"n":1}x"#,
        r#"{n:1}"#,
    ] {
        assert!(with_defaults().check(wrong).is_err(), "{wrong}");
    }
}
