use serde_json::json;

use super::*;

/// Which methods of a type with these docs lack an example: it has `get`, whose docs may link to
/// another type, and `len`, which belongs to a trait.
fn missing(of_type: &str, of_get: &str) -> Vec<String> {
    let function = json!({ "function": {} });
    let links = if of_get.contains("Map") { json!({ "Map": 6 }) } else { json!({}) };
    let description = json!({
        "index": {
            "1": { "docs": of_type, "inner": { "struct": {} } },
            "2": { "inner": { "impl": {
                "trait": null, "for": { "resolved_path": { "id": 1 } }, "items": [4],
            } } },
            "3": { "inner": { "impl": {
                "trait": { "id": 9 }, "for": { "resolved_path": { "id": 1 } }, "items": [5],
            } } },
            "4": { "name": "get", "docs": of_get, "links": links, "inner": function },
            "5": { "name": "len", "docs": null, "inner": function },
            "6": { "docs": "```\nmap.get(1);\n```", "inner": { "struct": {} } },
        },
        "paths": {},
    });
    let functions = functions(&description);
    let missing = functions.iter().filter(|function| !function.is_shown());
    missing.map(|function| function.item["name"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn a_method_without_an_example_is_found() {
    assert_eq!(missing("A map.", "The value."), ["get"]);
    assert_eq!(missing("A map, with `get(1)`.", "The value."), ["get"], "that is no example");
}

#[test]
fn an_example_of_its_own_is_enough() {
    assert!(missing("A map.", "The value.\n\n```\nassert!(true);\n```").is_empty());
}

#[test]
fn an_example_of_its_type_must_call_it() {
    assert!(missing("```\nlet one = map.get(1);\n```", "The value.").is_empty());
    assert!(missing("```\nlet one = map.get::<u8>(1);\n```", "The value.").is_empty());
    assert_eq!(missing("```\nlet get = map.get_or(1);\n```", "The value."), ["get"]);
    assert_eq!(missing("```\nmap.budget(1);\n```", "The value."), ["get"]);
}

#[test]
fn an_example_that_it_links_to_may_call_it() {
    assert!(missing("A list.", "See the example of [`Map`](Map).").is_empty());
}
