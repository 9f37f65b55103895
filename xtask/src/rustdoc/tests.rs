use serde_json::{Value, json};

use super::*;

/// A crate with one item of this visibility and content, beside what it may name: 7 is its own,
/// 8 a type of `http`, 9 one of `leak`, 10 is known to nobody.
fn description(visibility: &str, inner: Value) -> Value {
    json!({
        "index": {
            "1": {
                "crate_id": 0,
                "name": "it",
                "visibility": visibility,
                "span": { "filename": "src/lib.rs", "begin": [3, 1] },
                "inner": inner,
            },
            "2": {
                "crate_id": 21,
                "name": "not_ours",
                "visibility": "public",
                "inner": { "struct_field": { "resolved_path": { "path": "Leak", "id": 9 } } },
            },
        },
        "paths": {
            "7": { "crate_id": 0, "path": ["ours", "Token"], "kind": "struct" },
            "8": { "crate_id": 20, "path": ["http", "HeaderMap"], "kind": "struct" },
            "9": { "crate_id": 21, "path": ["leak", "Leak"], "kind": "struct" },
        },
        "external_crates": { "20": { "name": "http" }, "21": { "name": "leak" } },
    })
}

fn crates(visibility: &str, inner: Value) -> Vec<String> {
    mentions(&description(visibility, inner)).into_iter().map(|mention| mention.krate).collect()
}

fn function(output: Value) -> Value {
    json!({ "function": { "sig": { "inputs": [["self", { "generic": "Self" }]], "output": output } } })
}

#[test]
fn a_type_of_another_crate_is_found_with_its_place() {
    let output =
        json!({ "borrowed_ref": { "type": { "resolved_path": { "path": "Leak", "id": 9 } } } });
    let found = mentions(&description("default", function(output)));
    assert_eq!(
        found,
        [Mention {
            item: "src/lib.rs:3: function `it`".into(),
            named: "leak::Leak".into(),
            krate: "leak".into(),
        }]
    );
}

#[test]
fn own_types_and_primitives_are_no_mention() {
    let own = json!({ "resolved_path": { "path": "Token", "id": 7 } });
    assert_eq!(crates("public", function(own)), Vec::<String>::new());
    assert_eq!(crates("public", function(json!({ "primitive": "u8" }))), Vec::<String>::new());
}

#[test]
fn arguments_of_generic_types_count() {
    let nested = json!({ "resolved_path": { "path": "HeaderMap", "id": 8, "args": {
        "angle_bracketed": { "args": [{ "type": { "resolved_path": { "path": "Leak", "id": 9 } } }] },
    } } });
    assert_eq!(crates("public", function(nested)), ["http", "leak"]);
}

#[test]
fn private_items_may_name_anything() {
    let leak = json!({ "struct_field": { "resolved_path": { "path": "Leak", "id": 9 } } });
    assert_eq!(crates("crate", leak.clone()), Vec::<String>::new());
    assert_eq!(crates("public", leak), ["leak"]);
}

#[test]
fn implementations_count_unless_the_compiler_adds_them() {
    let implementation = |synthetic: bool, blanket: Value| {
        json!({ "impl": {
            "trait": { "path": "Leak", "id": 9 },
            "for": { "resolved_path": { "path": "Token", "id": 7 } },
            "items": [9],
            "is_synthetic": synthetic,
            "blanket_impl": blanket,
        } })
    };
    assert_eq!(crates("default", implementation(false, Value::Null)), ["leak"]);
    assert_eq!(crates("default", implementation(true, Value::Null)), Vec::<String>::new());
    let blanket = implementation(false, json!({ "generic": "T" }));
    assert_eq!(crates("default", blanket), Vec::<String>::new());
}

#[test]
fn re_exports_count() {
    let re_export =
        json!({ "use": { "source": "leak::*", "name": "leak", "id": 9, "is_glob": true } });
    assert_eq!(crates("public", re_export), ["leak"]);
    assert_eq!(
        crates("public", json!({ "extern_crate": { "name": "leak", "rename": null } })),
        ["leak"]
    );
    let renamed = json!({ "extern_crate": { "name": "alias", "rename": "leak" } });
    assert_eq!(crates("public", renamed), ["leak"]);
}

#[test]
fn what_cannot_be_resolved_is_not_passed_over() {
    let unknown = json!({ "resolved_path": { "path": "Mystery", "id": 10 } });
    assert_eq!(crates("public", function(unknown)), ["?"]);
}
