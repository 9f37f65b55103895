//! The files, by case, and that none of their cases is left out.

use std::collections::BTreeMap;

use serde_json::Value;

pub(crate) const KTOR: &str = include_str!("../vectors/ktor.json");
pub(crate) const KTOR_2: &str = include_str!("../vectors/ktor-v2.json");
pub(crate) const FASTIFY: &str = include_str!("../vectors/fastify.json");
pub(crate) const FASTIFY_10: &str = include_str!("../vectors/fastify-v10.json");

/// The cases of a file.
pub(crate) fn cases(file: &str) -> Vec<Value> {
    let file: Value = serde_json::from_str(file).unwrap();
    file["cases"].as_array().unwrap().clone()
}

/// Those of one kind, of which there are so many.
pub(crate) fn of_kind(file: &str, kind: &str, count: usize) -> Vec<Value> {
    let mut cases = cases(file);
    cases.retain(|case| case["kind"] == kind);
    assert_eq!(cases.len(), count, "{kind}");
    cases
}

pub(crate) fn named(file: &str, name: &str) -> Value {
    cases(file).into_iter().find(|case| case["name"] == name).unwrap()
}

#[track_caller]
pub(crate) fn text<'a>(case: &'a Value, member: &str) -> &'a str {
    case[member].as_str().unwrap_or_else(|| panic!("{} has no {member}", case["name"]))
}

/// Each kind has a test that says how many cases it has used.
#[test]
fn every_kind_has_its_test() {
    let kinds = |file: &str| {
        let mut kinds = BTreeMap::<String, usize>::new();
        for case in cases(file) {
            *kinds.entry(text(&case, "kind").to_owned()).or_default() += 1;
        }
        kinds
    };
    let expected = |kinds: &[(&str, usize)]| {
        kinds.iter().map(|&(kind, count)| (kind.to_owned(), count)).collect::<BTreeMap<_, _>>()
    };
    assert_eq!(
        kinds(KTOR),
        expected(&[
            ("chain", 1),
            ("directory", 1),
            ("encrypt", 13),
            ("encrypt-old", 5),
            ("http", 7),
            ("ids", 1),
            ("json-reading", 1),
            ("serializer", 10),
            ("sign", 17),
        ])
    );
    assert_eq!(
        kinds(KTOR_2),
        expected(&[("encrypt-old", 5), ("encrypt-old-error", 2), ("serializer", 3)])
    );
}
