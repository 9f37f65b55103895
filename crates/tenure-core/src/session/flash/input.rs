//! The fields of a form, of whatever type it is.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::value::RawValue;

use crate::error::{Error, ErrorKind, Result};
use crate::value::Json;

/// Whether a field may lie in the session until the form is shown again.
pub(super) fn is_public(field: &str) -> bool {
    !matches!(field, "password" | "_csrf" | "_method") && !field.ends_with("_confirmation")
}

/// The fields that are `wanted`, at every depth.
pub(super) fn fields<T: Serialize + ?Sized>(
    input: &T,
    wanted: fn(&str) -> bool,
) -> Result<Vec<(String, Json)>> {
    let input = Json::of(input)?;
    let fields = serde_json::from_str::<BTreeMap<String, &RawValue>>(input.as_str());
    let fields = fields.map_err(|error| {
        Error::new(
            ErrorKind::Type,
            "flash_all",
            "the input has no named fields; give a struct or a map",
        )
        .with_source(error)
    })?;
    fields
        .into_iter()
        .filter(|(field, _)| wanted(field))
        .map(|(field, value)| Ok((field, filtered(value.get(), wanted)?)))
        .collect()
}

/// The value without what is not wanted, however deep; [`Json`] limits the depth.
fn filtered(value: &str, wanted: fn(&str) -> bool) -> Result<Json> {
    let inner = |value: &RawValue| filtered(value.get(), wanted)?.to_raw();
    match value.as_bytes().first() {
        Some(b'{') => {
            let fields = serde_json::from_str::<BTreeMap<String, &RawValue>>(value);
            let fields = fields.map_err(unreadable)?.into_iter();
            let fields = fields.filter(|(field, _)| wanted(field));
            let fields = fields.map(|(field, value)| Ok((field, inner(value)?)));
            Json::of(&fields.collect::<Result<BTreeMap<_, _>>>()?)
        }
        Some(b'[') => {
            let items = serde_json::from_str::<Vec<&RawValue>>(value).map_err(unreadable)?;
            Json::of(&items.into_iter().map(inner).collect::<Result<Vec<_>>>()?)
        }
        _ => Ok(Json::trusted(value)),
    }
}

fn unreadable(error: serde_json::Error) -> Error {
    Error::new(ErrorKind::Type, "flash_all", "the input cannot be read again").with_source(error)
}
