//! Paths into values: `items.0.sku`.

use std::borrow::Cow;
use std::collections::HashMap;

use serde_json::value::RawValue;

/// The part of a value at a path of field names and of places in lists, from zero on.
pub(crate) fn descend<'a>(value: &'a str, path: &str) -> Option<&'a str> {
    path.split('.').try_fold(value, member)
}

/// The path and all that it begins with, the longest first, of which one may be a key.
pub(crate) fn beginnings(path: &str) -> impl Iterator<Item = &str> {
    let dots = path.match_indices('.').map(|(at, _)| &path[..at]);
    std::iter::once(path).chain(dots.rev())
}

fn member<'a>(value: &'a str, name: &str) -> Option<&'a str> {
    match value.trim_ascii_start().as_bytes().first()? {
        b'{' => {
            let fields: HashMap<Cow<'a, str>, &'a RawValue> = serde_json::from_str(value).ok()?;
            fields.get(name).map(|field| field.get())
        }
        b'[' => {
            let items: Vec<&'a RawValue> = serde_json::from_str(value).ok()?;
            items.get(place(name)?).map(|item| item.get())
        }
        _ => None,
    }
}

/// A place as it is usually written: `0`, `12`, but not `+1` or `01`.
fn place(name: &str) -> Option<usize> {
    let is_plain = name == "0" || name.starts_with(|first: char| ('1'..='9').contains(&first));
    name.parse().ok().filter(|_| is_plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    const ORDER: &str = r#" { "items": [{"sku": "tea", "price": 9007199254740993.50}, [1, [2]]],
        "a\tb": {"": 1}, "0": "zero", "nothing": null, "twice": 1, "twice": 2 } "#;

    #[test]
    fn paths_lead_into_objects_and_lists() {
        for (path, value) in [
            ("items.0.sku", "\"tea\""),
            ("items.0.price", "9007199254740993.50"),
            ("items.1", "[1, [2]]"),
            ("items.1.1.0", "2"),
            ("a\tb", r#"{"": 1}"#),
            ("a\tb.", "1"),
            ("0", "\"zero\""),
            ("nothing", "null"),
            ("twice", "2"),
        ] {
            assert_eq!(descend(ORDER, path), Some(value), "{path}");
        }
    }

    #[test]
    fn paths_into_nothing_are_none() {
        for path in [
            "",
            ".",
            "..",
            "items.",
            "items.2",
            "items.-1",
            "items.+0",
            "items.00",
            "items.0.sku.0",
            "items.0x0",
            "items.99999999999999999999",
            "items.length",
            "nothing.more",
            "😀",
            "items\0",
            "a\\tb",
            "items.0.sku.",
        ] {
            assert_eq!(descend(ORDER, path), None, "{path:?}");
        }
        for value in ["", "  ", "1", "null", "\"{}\"", "{", "[", "{\"a\":", "[1 2]"] {
            assert_eq!(descend(value, "a"), None, "{value}");
            assert_eq!(descend(value, "0"), None, "{value}");
        }
    }
}
