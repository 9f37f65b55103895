use std::fmt;
use std::sync::Arc;

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::value::RawValue;

use super::Number;
use crate::error::{Error, ErrorKind, Result};

/// A value as JSON text, kept byte for byte as it was written.
///
/// ```
/// use tenure_core::value::Json;
///
/// let value = Json::of(&vec![1, 2])?;
/// assert_eq!(value.as_str(), "[1,2]");
/// assert_eq!(value.decode::<Vec<u8>>()?, [1, 2]);
/// assert_eq!(Json::parse("12345678901234567890.10")?.as_str(), "12345678901234567890.10");
/// assert!(Json::parse("[1,").is_err());
/// # Ok::<(), tenure_core::Error>(())
/// ```
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Json(Arc<str>);

impl Json {
    /// How deep lists and objects may nest.
    pub const MAX_DEPTH: usize = 32;

    /// The JSON text of `value`.
    ///
    /// # Errors
    /// [`ErrorKind::Type`] when it cannot be written as JSON or nests deeper than
    /// [`Self::MAX_DEPTH`].
    pub fn of<T: Serialize + ?Sized>(value: &T) -> Result<Self> {
        let text = serde_json::to_string(value).map_err(|error| {
            Error::new(ErrorKind::Type, "set", "the value cannot be written as JSON")
                .with_source(error)
        })?;
        check_depth(&text).map_err(|error| {
            Error::new(ErrorKind::Type, "set", "the value nests too deeply").with_source(error)
        })?;
        Ok(Self(text.into()))
    }

    /// The value that `text` is, without white space around it.
    ///
    /// # Errors
    /// When the text is not JSON, or nests deeper than [`Self::MAX_DEPTH`].
    pub fn parse(text: &str) -> Result<Self, InvalidJson> {
        let raw: &RawValue = serde_json::from_str(text).map_err(|_| InvalidJson)?;
        check_depth(raw.get())?;
        Ok(Self(raw.get().into()))
    }

    /// Text that is known to be a JSON value.
    pub(crate) fn trusted(text: &str) -> Self {
        Self(text.into())
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The value in Rust.
    ///
    /// # Errors
    /// [`ErrorKind::Type`] when it is of another type.
    pub fn decode<T: DeserializeOwned>(&self) -> Result<T> {
        decode(&self.0)
    }

    pub(crate) fn to_raw(&self) -> Result<Box<RawValue>> {
        decode(&self.0)
    }

    /// The value as a number that can be counted, if it is one.
    ///
    /// ```
    /// # use tenure_core::value::{Json, Number};
    /// assert_eq!(Json::of(&41)?.as_number(), Some(Number::Int(41)));
    /// assert_eq!(Json::of("41")?.as_number(), None);
    /// # Ok::<(), tenure_core::Error>(())
    /// ```
    #[must_use]
    pub fn as_number(&self) -> Option<Number> {
        Number::parse(&self.0)
    }

    /// The list with `items` appended, or none if this is not a list.
    pub(crate) fn pushed<'a>(
        list: Option<&str>,
        items: impl IntoIterator<Item = &'a Self>,
    ) -> Option<Self> {
        let inner = match list {
            None => "",
            Some(text) => text.strip_prefix('[')?.strip_suffix(']')?.trim_ascii(),
        };
        let mut text = String::with_capacity(inner.len() + 16);
        text.push('[');
        text.push_str(inner);
        for item in items {
            if text.len() > 1 {
                text.push(',');
            }
            text.push_str(item.as_str());
        }
        text.push(']');
        Some(Self(text.into()))
    }
}

impl AsRef<str> for Json {
    fn as_ref(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Json {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

pub(crate) fn decode<T: DeserializeOwned>(text: &str) -> Result<T> {
    serde_json::from_str(text).map_err(|error| {
        Error::new(
            ErrorKind::Type,
            "get",
            format!("the stored value is no {}", std::any::type_name::<T>()),
        )
        .with_source(error)
    })
}

/// Refuses text that nests deeper than [`Json::MAX_DEPTH`]. The text is valid JSON, so brackets
/// count outside strings only.
fn check_depth(text: &str) -> Result<(), InvalidJson> {
    let (mut depth, mut in_string, mut escaped) = (0_usize, false, false);
    for octet in text.bytes() {
        match octet {
            _ if escaped => escaped = false,
            b'\\' if in_string => escaped = true,
            b'"' => in_string = !in_string,
            _ if in_string => {}
            b'[' | b'{' => {
                depth += 1;
                if depth > Json::MAX_DEPTH {
                    return Err(InvalidJson);
                }
            }
            b']' | b'}' => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    Ok(())
}

/// The text is not JSON, or nests deeper than [`Json::MAX_DEPTH`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InvalidJson;

impl fmt::Display for InvalidJson {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "not JSON, or nested deeper than {} levels", Json::MAX_DEPTH)
    }
}

impl std::error::Error for InvalidJson {}

impl From<InvalidJson> for Error {
    fn from(error: InvalidJson) -> Self {
        Self::new(ErrorKind::Type, "set", "the text is not usable JSON").with_source(error)
    }
}
