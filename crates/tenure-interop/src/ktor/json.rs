use std::collections::BTreeMap;

use serde_json::{Map, Number, Value};
use tenure_core::{Error, ErrorKind, Result};

/// The members of a Ktor session class, to tell before writing whether Ktor will read a payload.
///
/// Its JSON is kotlinx.serialization's with the settings that Ktor takes, and strict: a member that
/// the class does not have, a null where there is no `?`, or a number with a point for an `Int` makes
/// the whole payload unreadable. From the client that is no session; from a storage of the server's
/// it is an error, so nothing else may be kept there, such as keys of a library. It is lenient in
/// this: integers may be quoted, members may stand in any order, and of one that is there twice the
/// last counts. Ktor leaves out members that equal their default when it writes.
///
/// ```
/// use tenure_interop::ktor::{JsonClass, JsonKind};
///
/// let cart = JsonClass::new()
///     .required("id", JsonKind::Text)
///     .defaulted("count", JsonKind::Int)
///     .defaulted("coupon", JsonKind::Text.nullable());
/// assert!(cart.check(r#"{"id":"abc","count":3,"coupon":null}"#).is_ok());
/// let error = cart.check(r#"{"id":"abc","\u0000csrf":1}"#).unwrap_err();
/// assert!(error.to_string().contains("no member"));
/// assert!(cart.check(r#"{"count":3}"#).is_err(), "no id");
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct JsonClass {
    members: BTreeMap<String, Member>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Member {
    kind: JsonKind,
    required: bool,
}

/// What a member of a [`JsonClass`] holds.
///
/// ```
/// use tenure_interop::ktor::{JsonClass, JsonKind};
///
/// let tags = |of: JsonKind| JsonClass::new().required("tags", JsonKind::List(Box::new(of)));
/// assert!(tags(JsonKind::Text).check(r#"{"tags":["a",""]}"#).is_ok());
/// assert!(tags(JsonKind::Text).check(r#"{"tags":["a",null]}"#).is_err());
/// assert!(tags(JsonKind::Text.nullable()).check(r#"{"tags":["a",null]}"#).is_ok());
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum JsonKind {
    /// `Int`: 32 bits.
    Int,
    /// `Long`: 64 bits.
    Long,
    /// `Float` or `Double`.
    Double,
    /// `Boolean`.
    Boolean,
    /// `String`, or the name of an enum's entry.
    Text,
    /// `Char`: one UTF-16 unit.
    Char,
    /// `List` or `Set`.
    List(Box<JsonKind>),
    /// `Map` with `String` keys.
    Map(Box<JsonKind>),
    /// Another class.
    Class(JsonClass),
    /// Of a type with `?`.
    Nullable(Box<JsonKind>),
}

impl JsonKind {
    /// The same, or null.
    #[must_use]
    pub fn nullable(self) -> Self {
        Self::Nullable(Box::new(self))
    }

    fn check(&self, value: &Value, at: &str) -> Result<()> {
        let fits = match (self, value) {
            (Self::Nullable(_), Value::Null) => true,
            (Self::Nullable(kind), _) => return kind.check(value, at),
            (Self::Int, _) => integer(value).is_some_and(|number| i32::try_from(number).is_ok()),
            (Self::Long, _) => integer(value).is_some(),
            (Self::Double, Value::Number(_)) | (Self::Boolean, Value::Bool(_)) => true,
            (Self::Text, Value::String(_)) => true,
            (Self::Char, Value::String(text)) => text.encode_utf16().count() == 1,
            (Self::List(kind), Value::Array(elements)) => {
                return elements.iter().try_for_each(|element| kind.check(element, at));
            }
            (Self::Map(kind), Value::Object(entries)) => {
                return entries.values().try_for_each(|entry| kind.check(entry, at));
            }
            (Self::Class(class), Value::Object(members)) => {
                return class.check_members(members, at);
            }
            _ => false,
        };
        if fits { Ok(()) } else { Err(refused(format!("{at} is no {self:?}"))) }
    }
}

/// An integer, bare or quoted.
fn integer(value: &Value) -> Option<i64> {
    match value {
        Value::Number(number) => Number::as_i64(number),
        Value::String(digits) => digits.parse().ok(),
        _ => None,
    }
}

impl JsonClass {
    /// A class without members.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a member that must be there.
    #[must_use]
    pub fn required(mut self, name: impl Into<String>, kind: JsonKind) -> Self {
        self.members.insert(name.into(), Member { kind, required: true });
        self
    }

    /// Adds a member that has a default, so that it may be left out.
    #[must_use]
    pub fn defaulted(mut self, name: impl Into<String>, kind: JsonKind) -> Self {
        self.members.insert(name.into(), Member { kind, required: false });
        self
    }

    /// Whether Ktor reads this JSON text as this class.
    ///
    /// # Errors
    /// [`ErrorKind::Type`] with the member that Ktor would refuse, and not with its value.
    pub fn check(&self, json: &str) -> Result<()> {
        let value: Value = serde_json::from_str(json)
            .map_err(|error| refused("the payload is no JSON").with_source(error))?;
        let Value::Object(members) = value else {
            return Err(refused("the payload is no JSON object"));
        };
        self.check_members(&members, "the payload")
    }

    fn check_members(&self, members: &Map<String, Value>, at: &str) -> Result<()> {
        for (name, value) in members {
            let member = self.members.get(name).ok_or_else(|| {
                refused(format!("the class has no member {name:?} ({at}); leave it out, or add it"))
            })?;
            member.kind.check(value, &format!("the member {name:?}"))?;
        }
        let missing = |(name, member): &(&String, &Member)| {
            member.required && !members.contains_key(name.as_str())
        };
        match self.members.iter().find(missing) {
            Some((name, _)) => {
                Err(refused(format!("{at} lacks the member {name:?}, which has no default")))
            }
            None => Ok(()),
        }
    }
}

fn refused(what: impl Into<std::borrow::Cow<'static, str>>) -> Error {
    Error::new(ErrorKind::Type, "ktor", what)
}
