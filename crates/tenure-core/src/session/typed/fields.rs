//! The fields of a type, as serde tells them, and the keys that they have.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::fmt;

use serde::de::{DeserializeOwned, Visitor};
use serde::{Deserializer, Serialize};
use serde_json::value::RawValue;

use crate::error::{Error, ErrorKind, Result};
use crate::session::Journal;
use crate::session::reserved::is_reserved;
use crate::value::{Json, decode};

/// A value, field by field.
pub(super) type Object = BTreeMap<String, Json>;

/// Which keys of a session belong to a type.
#[derive(Clone)]
pub(super) struct Scope {
    /// With its dot, if there is one.
    prefix: String,
    fields: Option<&'static [&'static str]>,
    name: &'static str,
}

impl Scope {
    pub(super) fn of<T: DeserializeOwned>(prefix: &str, operation: &'static str) -> Result<Self> {
        let name = name_of::<T>();
        let fields = match shape::<T>() {
            Shape::Struct(fields) => Some(fields),
            Shape::Open if prefix.is_empty() => {
                return Err(Error::new(
                    ErrorKind::Misuse,
                    operation,
                    format!(
                        "only a value of {name} tells what fields it has, by `#[serde(flatten)]` \
                         say; give it a `SessionData::PREFIX`, so that its keys are known"
                    ),
                ));
            }
            Shape::Open => None,
            Shape::Other => {
                return Err(Error::new(
                    ErrorKind::Type,
                    operation,
                    format!("{name} has no named fields; make it a struct that has"),
                ));
            }
        };
        let prefix = if prefix.is_empty() { String::new() } else { format!("{prefix}.") };
        let first = fields.and_then(|fields| fields.iter().find(|field| is_reserved(field)));
        if is_reserved(&prefix) || prefix.is_empty() && first.is_some() {
            return Err(Error::new(
                ErrorKind::Misuse,
                operation,
                format!("a key of {name} begins with NUL, as the library's own do; rename it"),
            ));
        }
        Ok(Self { prefix, fields, name })
    }

    /// The names of all fields, unless only a value tells.
    pub(super) fn names(&self) -> Option<Vec<String>> {
        self.fields.map(|fields| fields.iter().map(|&field| field.to_owned()).collect())
    }

    pub(super) fn key(&self, field: &str) -> String {
        format!("{}{field}", self.prefix)
    }

    pub(super) fn read(&self, journal: &Journal) -> Result<Object> {
        let names = self.names().unwrap_or_else(|| {
            let keys = journal.keys().into_iter();
            keys.filter_map(|key| Some(key.strip_prefix(&self.prefix)?.to_owned())).collect()
        });
        let mut object = Object::new();
        for field in names {
            if let Some(value) = journal.view(&self.key(&field))? {
                object.insert(field, value);
            }
        }
        Ok(object)
    }
}

/// The fields that a value writes.
pub(super) fn encoded<T: Serialize>(value: &T, scope: &Scope) -> Result<Object> {
    let value = Json::of(value)?;
    let fields = serde_json::from_str::<BTreeMap<String, &RawValue>>(value.as_str());
    let fields = fields.map_err(|error| {
        let why = format!("{} is not written as an object with named fields", scope.name);
        Error::new(ErrorKind::Type, "set", why).with_source(error)
    })?;
    let read = |field: &str| scope.fields.is_none_or(|fields| fields.contains(&field));
    if let Some(field) = fields.keys().find(|field| !read(field)) {
        let why = format!(
            "{} writes the field {field:?} and does not read it; give it one name",
            scope.name
        );
        return Err(Error::new(ErrorKind::Type, "set", why));
    }
    Ok(fields.into_iter().map(|(field, value)| (field, Json::trusted(value.get()))).collect())
}

/// The value that has these fields.
pub(super) fn decoded<'a, T: DeserializeOwned>(
    fields: impl IntoIterator<Item = (&'a String, &'a Json)>,
) -> Result<T> {
    let mut text = String::from("{");
    for (field, value) in fields {
        if text.len() > 1 {
            text.push(',');
        }
        text += Json::of(field)?.as_str();
        text.push(':');
        text += value.as_str();
    }
    text.push('}');
    decode(&text)
}

/// The type as messages name it.
pub(super) fn name_of<T>() -> &'static str {
    std::any::type_name::<T>()
}

/// What a type asks of a deserializer.
#[derive(Clone, Copy)]
enum Shape {
    /// These fields, former names included.
    Struct(&'static [&'static str]),
    /// Named fields, but only values tell which.
    Open,
    Other,
}

fn shape<T: DeserializeOwned>() -> Shape {
    let shape = Cell::new(Shape::Other);
    let _ = T::deserialize(Probe(&shape));
    shape.get()
}

macro_rules! without_fields {
    ($($method:ident)*) => {$(
        fn $method<V: Visitor<'de>>(self, _visitor: V) -> Result<V::Value, Nothing> {
            Err(Nothing)
        }
    )*};
}

/// Notes what is asked for, and has nothing to give.
struct Probe<'a>(&'a Cell<Shape>);

impl<'de> Deserializer<'de> for Probe<'_> {
    type Error = Nothing;

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        fields: &'static [&'static str],
        _visitor: V,
    ) -> Result<V::Value, Nothing> {
        self.0.set(Shape::Struct(fields));
        Err(Nothing)
    }

    fn deserialize_map<V: Visitor<'de>>(self, _visitor: V) -> Result<V::Value, Nothing> {
        self.0.set(Shape::Open);
        Err(Nothing)
    }

    /// Enums with a tag, and values of any form.
    fn deserialize_any<V: Visitor<'de>>(self, _visitor: V) -> Result<V::Value, Nothing> {
        self.0.set(Shape::Open);
        Err(Nothing)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        visitor: V,
    ) -> Result<V::Value, Nothing> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_unit_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        _visitor: V,
    ) -> Result<V::Value, Nothing> {
        Err(Nothing)
    }

    fn deserialize_tuple_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        _len: usize,
        _visitor: V,
    ) -> Result<V::Value, Nothing> {
        Err(Nothing)
    }

    fn deserialize_tuple<V: Visitor<'de>>(
        self,
        _len: usize,
        _visitor: V,
    ) -> Result<V::Value, Nothing> {
        Err(Nothing)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _name: &'static str,
        _variants: &'static [&'static str],
        _visitor: V,
    ) -> Result<V::Value, Nothing> {
        Err(Nothing)
    }

    without_fields! {
        deserialize_bool deserialize_i8 deserialize_i16 deserialize_i32 deserialize_i64
        deserialize_i128 deserialize_u8 deserialize_u16 deserialize_u32 deserialize_u64
        deserialize_u128 deserialize_f32 deserialize_f64 deserialize_char deserialize_str
        deserialize_string deserialize_bytes deserialize_byte_buf deserialize_option
        deserialize_unit deserialize_seq deserialize_identifier deserialize_ignored_any
    }
}

#[derive(Debug)]
struct Nothing;

impl fmt::Display for Nothing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("nothing to read")
    }
}

impl std::error::Error for Nothing {}

impl serde::de::Error for Nothing {
    fn custom<T: fmt::Display>(_: T) -> Self {
        Self
    }
}
