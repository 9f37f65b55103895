use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use serde::de::DeserializeOwned;
use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};

use super::ERRORS;
use crate::error::Result;
use crate::session::{AsKey, AsName};
use crate::value::{Json, beginnings, decode, descend};

/// The messages that earlier requests left for this one; cheap to clone, and serialized as a map,
/// for templates.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> tenure_core::Result<()> {
/// # let sessions = tenure_core::Sessions::in_memory()?;
/// # let session = sessions.start().await?;
/// use tenure_core::session::Level;
///
/// session.flash(Level::Success, "Saved.")?;
/// session.flash(Level::Warning, "The card expires soon.")?;
/// # session.save().await?;
/// # let token = session.danger_expose_token().unwrap();
/// let next = sessions.open_token(&token).await?.unwrap(); // the next request
/// let messages = next.flash_messages()?;
/// let lines: Vec<_> = messages.levels().map(|(level, text)| format!("{level}: {text}")).collect();
/// assert_eq!(lines, ["success: Saved.", "warning: The card expires soon."]);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Default)]
pub struct FlashMessages {
    /// In the order in which they were left.
    values: Arc<[(String, Json)]>,
}

/// How a message is meant: a key as any other, with a name that pages know.
///
/// ```
/// use tenure_core::session::{AsName, Level};
///
/// assert_eq!(Level::Success.as_name(), "success");
/// assert_eq!(Level::Error.to_string(), "error");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Level {
    /// Good to know.
    Info,
    /// It worked.
    Success,
    /// It worked, but.
    Warning,
    /// It did not work.
    Error,
}

impl Level {
    const ALL: [Self; 4] = [Self::Info, Self::Success, Self::Warning, Self::Error];
}

impl AsName for Level {
    fn as_name(&self) -> &str {
        match self {
            Self::Info => "info",
            Self::Success => "success",
            Self::Warning => "warning",
            Self::Error => "error",
        }
    }
}

impl<T> AsKey<T> for Level {}

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_name())
    }
}

impl FlashMessages {
    pub(super) fn new(values: Vec<(String, Json)>) -> Self {
        Self { values: values.into() }
    }

    /// What was left last under a key, or at a path that begins with one: `errors.title.0`. Paths
    /// that lead nowhere give none.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> tenure_core::Result<()> {
    /// # let sessions = tenure_core::Sessions::in_memory()?;
    /// # let session = sessions.start().await?;
    /// session.flash_errors([("title", "is missing")])?;
    /// # session.save().await?;
    /// # let token = session.danger_expose_token().unwrap();
    /// let next = sessions.open_token(&token).await?.unwrap(); // the next request
    /// let messages = next.flash_messages()?;
    /// let error = messages.get::<String>("errors.title.0")?;
    /// assert_eq!(error.as_deref(), Some("is missing"));
    /// assert_eq!(messages.get::<String>("errors.body.0")?, None);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::Type`](crate::ErrorKind::Type) when there is a value but of another type.
    pub fn get<T: DeserializeOwned>(&self, path: impl AsName) -> Result<Option<T>> {
        self.find(path.as_name()).map(decode).transpose()
    }

    /// Whether there is anything under a key or at a path.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> tenure_core::Result<()> {
    /// # let sessions = tenure_core::Sessions::in_memory()?;
    /// # let session = sessions.start().await?;
    /// let messages = session.flash_messages()?;
    /// assert!(!messages.contains("errors.title"));
    /// # Ok(())
    /// # }
    /// ```
    pub fn contains(&self, path: impl AsName) -> bool {
        self.find(path.as_name()).is_some()
    }

    /// Whether there is nothing.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> tenure_core::Result<()> {
    /// # let sessions = tenure_core::Sessions::in_memory()?;
    /// # let session = sessions.start().await?;
    /// assert!(session.flash_messages()?.is_empty());
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.values.is_empty()
    }

    /// The keys, in order, each once.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> tenure_core::Result<()> {
    /// # let sessions = tenure_core::Sessions::in_memory()?;
    /// # let session = sessions.start().await?;
    /// session.flash("success", "Saved.")?;
    /// session.flash("success", "Sent.")?;
    /// # session.save().await?;
    /// # let token = session.danger_expose_token().unwrap();
    /// let next = sessions.open_token(&token).await?.unwrap(); // the next request
    /// assert_eq!(next.flash_messages()?.keys(), ["success"]);
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn keys(&self) -> Vec<&str> {
        self.last().into_keys().collect()
    }

    /// Everything that was left, as keys and values, in that order.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> tenure_core::Result<()> {
    /// # let sessions = tenure_core::Sessions::in_memory()?;
    /// # let session = sessions.start().await?;
    /// session.flash("success", "Saved.")?;
    /// session.flash("success", "Sent.")?;
    /// # session.save().await?;
    /// # let token = session.danger_expose_token().unwrap();
    /// let next = sessions.open_token(&token).await?.unwrap(); // the next request
    /// let messages = next.flash_messages()?;
    /// let texts: Vec<_> = messages.iter().map(|(_, value)| value.as_str()).collect();
    /// assert_eq!(texts, [r#""Saved.""#, r#""Sent.""#]);
    /// # Ok(())
    /// # }
    /// ```
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Json)> {
        self.values.iter().map(|(key, value)| (key.as_str(), value))
    }

    /// The messages with a level, in the order in which they were left. See the example of
    /// [`FlashMessages`].
    pub fn levels(&self) -> impl Iterator<Item = (Level, String)> {
        self.iter().filter_map(|(key, value)| {
            let level = Level::ALL.into_iter().find(|level| level.as_name() == key)?;
            Some((level, text(value.as_str())?))
        })
    }

    /// What the user had typed into a field of the form, as text; see
    /// [`Session::flash_all`](crate::Session::flash_all).
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> tenure_core::Result<()> {
    /// # let sessions = tenure_core::Sessions::in_memory()?;
    /// # let session = sessions.start().await?;
    /// #[derive(serde::Serialize)]
    /// struct Form {
    ///     name: String,
    ///     guests: u8,
    /// }
    ///
    /// session.flash_all(&Form { name: "Ada".into(), guests: 3 })?;
    /// # session.save().await?;
    /// # let token = session.danger_expose_token().unwrap();
    /// let next = sessions.open_token(&token).await?.unwrap(); // the next request
    /// let messages = next.flash_messages()?;
    /// assert_eq!(messages.old("name").as_deref(), Some("Ada"));
    /// assert_eq!(messages.old("guests").as_deref(), Some("3"));
    /// assert_eq!(messages.old("comment"), None);
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn old(&self, field: &str) -> Option<String> {
        text(self.find(field)?)
    }

    /// What is wrong with a field of the form; see
    /// [`Session::flash_errors`](crate::Session::flash_errors).
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> tenure_core::Result<()> {
    /// # let sessions = tenure_core::Sessions::in_memory()?;
    /// # let session = sessions.start().await?;
    /// session.flash_errors([("name", "is missing"), ("name", "is no name")])?;
    /// # session.save().await?;
    /// # let token = session.danger_expose_token().unwrap();
    /// let next = sessions.open_token(&token).await?.unwrap(); // the next request
    /// let messages = next.flash_messages()?;
    /// assert_eq!(messages.errors("name"), ["is missing", "is no name"]);
    /// assert!(messages.errors("email").is_empty());
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn errors(&self, field: &str) -> Vec<String> {
        let all = self.values.iter().filter(|(key, _)| key == ERRORS);
        let fields =
            all.filter_map(|(_, value)| value.decode::<BTreeMap<String, Vec<String>>>().ok());
        fields.filter_map(|mut fields| fields.remove(field)).flatten().collect()
    }

    fn find(&self, path: &str) -> Option<&str> {
        let key = beginnings(path).find(|key| self.values.iter().any(|(name, _)| name == key))?;
        let (_, value) = self.values.iter().rev().find(|(name, _)| name == key)?;
        match path.get(key.len() + 1..) {
            Some(rest) => descend(value.as_str(), rest),
            None => Some(value.as_str()),
        }
    }

    /// The last value of each key.
    fn last(&self) -> BTreeMap<&str, &Json> {
        self.iter().collect()
    }
}

/// A value as a page shows it, if it is one piece.
fn text(value: &str) -> Option<String> {
    match value.as_bytes().first()? {
        b'"' => decode(value).ok(),
        b'{' | b'[' | b'n' => None,
        _ => Some(value.to_owned()),
    }
}

impl Serialize for FlashMessages {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let last = self.last();
        let mut map = serializer.serialize_map(Some(last.len()))?;
        for (key, value) in last {
            let value: serde_json::Value = value.decode().map_err(serde::ser::Error::custom)?;
            map.serialize_entry(key, &value)?;
        }
        map.end()
    }
}

impl fmt::Debug for FlashMessages {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // What users type is theirs.
        f.debug_tuple("FlashMessages").field(&self.keys()).finish()
    }
}
