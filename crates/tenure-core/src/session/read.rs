//! Reading: by key, with a default, into values, and all at once.

use std::sync::Arc;

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::handle::Session;
use super::journal::Found;
use super::key::{AsKey, AsName};
use super::reserved::is_reserved;
use crate::error::Result;
use crate::store::changes::Call;
use crate::value::{Json, beginnings, decode, descend};

const NULL: &str = "null";

impl Session {
    /// The value under `key`, or none.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> tenure_core::Result<()> {
    /// # let sessions = tenure_core::Sessions::in_memory()?;
    /// # let session = sessions.start().await?;
    /// # use tenure_core::ErrorKind;
    /// session.set("age", 36)?;
    /// assert_eq!(session.get::<u8>("age")?, Some(36));
    /// assert_eq!(session.get::<u8>("height")?, None);
    /// assert_eq!(session.get::<bool>("age").unwrap_err().kind(), ErrorKind::Type);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::Type`](crate::ErrorKind::Type) when there is a value but of another type, unless
    /// the configuration [says otherwise](crate::SessionsBuilder::undecodable).
    pub fn get<T: DeserializeOwned>(&self, key: impl AsKey<T>) -> Result<Option<T>> {
        let key = key.as_name();
        match self.slot.find(key)? {
            None => Ok(None),
            Some(found) => match found.text(key) {
                None => Ok(None),
                Some(text) => decode(text)
                    .map(Some)
                    .or_else(|error| self.replaced(key, &Json::trusted(text), error)),
            },
        }
    }

    /// Whether there is a value under `key`.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> tenure_core::Result<()> {
    /// # let sessions = tenure_core::Sessions::in_memory()?;
    /// # let session = sessions.start().await?;
    /// session.set("consent", false)?;
    /// assert!(session.contains("consent"), "whatever the value");
    /// assert!(!session.contains("theme"));
    /// # Ok(())
    /// # }
    /// ```
    pub fn contains(&self, key: impl AsName) -> bool {
        !matches!(self.slot.find(key.as_name()), Ok(None))
    }

    /// All keys, in order.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> tenure_core::Result<()> {
    /// # let sessions = tenure_core::Sessions::in_memory()?;
    /// # let session = sessions.start().await?;
    /// session.set("theme", "dark")?;
    /// session.set("cart", ["tea"])?;
    /// assert_eq!(session.keys(), ["cart", "theme"]);
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn keys(&self) -> Vec<String> {
        let mut keys = self.slot.readable().journal.keys();
        keys.retain(|key| !is_reserved(key));
        keys
    }

    /// How many keys there are.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> tenure_core::Result<()> {
    /// # let sessions = tenure_core::Sessions::in_memory()?;
    /// # let session = sessions.start().await?;
    /// session.set("theme", "dark")?;
    /// session.set("theme", "light")?;
    /// assert_eq!(session.len(), 1);
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn len(&self) -> usize {
        self.keys().len()
    }

    /// Whether there is no key.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> tenure_core::Result<()> {
    /// # let sessions = tenure_core::Sessions::in_memory()?;
    /// # let session = sessions.start().await?;
    /// session.login("ada")?;
    /// assert!(session.is_empty(), "a user is no key");
    /// session.set("theme", "dark")?;
    /// assert!(!session.is_empty());
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.keys().is_empty()
    }

    /// The JSON text under `key`, as it is stored.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> tenure_core::Result<()> {
    /// # let sessions = tenure_core::Sessions::in_memory()?;
    /// # let session = sessions.start().await?;
    /// session.set("cart", ["tea", "milk"])?;
    /// assert_eq!(session.raw("cart")?.unwrap().as_str(), r#"["tea","milk"]"#);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::Type`](crate::ErrorKind::Type) when a write before the load does not fit the
    /// value.
    pub fn raw(&self, key: impl AsName) -> Result<Option<Json>> {
        let key = key.as_name();
        Ok(self.slot.find(key)?.and_then(|found| match found {
            Found::Written(value) => Some(value),
            Found::Stored(data) => data.get(key).map(Json::trusted),
        }))
    }

    /// The value under `key`, or `default` where there is none or a null.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> tenure_core::Result<()> {
    /// # let sessions = tenure_core::Sessions::in_memory()?;
    /// # let session = sessions.start().await?;
    /// assert_eq!(session.get_or("theme", "light".to_owned())?, "light");
    /// session.set("theme", "dark")?;
    /// assert_eq!(session.get_or("theme", "light".to_owned())?, "dark");
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::Type`](crate::ErrorKind::Type) when there is a value but of another type.
    pub fn get_or<T: DeserializeOwned>(&self, key: impl AsKey<T>, default: T) -> Result<T> {
        let key = key.as_name();
        match self.raw(key)? {
            Some(value) if value.as_str() != NULL => {
                Ok(self.decode(key, &value)?.unwrap_or(default))
            }
            _ => Ok(default),
        }
    }

    /// The value under `key`; where there is none or a null, what `make` gives is put there first.
    /// If another request was faster, its value is the one that stays.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> tenure_core::Result<()> {
    /// # let sessions = tenure_core::Sessions::in_memory()?;
    /// # let session = sessions.start().await?;
    /// let seed: u64 = session.get_or_insert_with("seed", || 7)?; // a random one, say
    /// assert_eq!(session.get_or_insert_with("seed", || 8)?, seed);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As [`get`](Self::get) and [`set`](Self::set).
    pub fn get_or_insert_with<T: Serialize + DeserializeOwned>(
        &self,
        key: impl AsKey<T>,
        make: impl FnOnce() -> T,
    ) -> Result<T> {
        let name = key.as_name();
        let present = self.raw(name)?.filter(|value| value.as_str() != NULL);
        if let Some(value) = present.map(|value| self.decode(name, &value)).transpose()?.flatten() {
            return Ok(value);
        }
        let made = make();
        let value = Json::of(&made)?;
        let call: Call = Arc::new(move |present| {
            let present = present.filter(|present| present.as_str() != NULL);
            Ok(Some(present.unwrap_or(&value).clone()))
        });
        self.writing("get_or_insert_with")?.update(name, call)?;
        Ok(made)
    }

    /// The value under `key`, which is removed. Two parallel requests may both get it; what only one
    /// of them may have needs an atomic operation of the store.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> tenure_core::Result<()> {
    /// # let sessions = tenure_core::Sessions::in_memory()?;
    /// # let session = sessions.start().await?;
    /// session.set("return_to", "/cart")?;
    /// assert_eq!(session.take::<String>("return_to")?.as_deref(), Some("/cart"));
    /// assert_eq!(session.take::<String>("return_to")?, None);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As [`get`](Self::get) and [`remove`](Self::remove); a value of another type stays.
    pub fn take<T: DeserializeOwned>(&self, key: impl AsKey<T>) -> Result<Option<T>> {
        let name = key.as_name();
        let Some(value) = self.raw(name)? else { return Ok(None) };
        let value = self.decode(name, &value)?;
        if value.is_some() {
            self.remove(name)?;
        }
        Ok(value)
    }

    /// What is at a path: a key, then names of fields and places in lists, with dots between them.
    /// Where keys have dots of their own, the longest beginning of the path that is a key counts.
    /// Paths that lead nowhere give none.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> tenure_core::Result<()> {
    /// # let sessions = tenure_core::Sessions::in_memory()?;
    /// # let session = sessions.start().await?;
    /// # use std::collections::BTreeMap;
    /// session.set("cart", [BTreeMap::from([("sku", "tea-7")])])?;
    /// assert_eq!(session.get_path::<String>("cart.0.sku")?.as_deref(), Some("tea-7"));
    /// assert_eq!(session.get_path::<String>("cart.1.sku")?, None);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::Type`](crate::ErrorKind::Type) when there is a value but of another type.
    pub fn get_path<T: DeserializeOwned>(&self, path: &str) -> Result<Option<T>> {
        let Some(key) = beginnings(path).find(|key| self.contains(*key)) else { return Ok(None) };
        let Some(value) = self.raw(key)? else { return Ok(None) };
        match path.get(key.len() + 1..) {
            // Where only a part does not decode, the rest is not touched.
            Some(rest) => match descend(value.as_str(), rest) {
                Some(part) => self.policy().decode(path, &Json::trusted(part)),
                None => Ok(None),
            },
            None => self.decode(key, &value),
        }
    }

    /// All values, as a map or as a type with the keys as its fields.
    ///
    /// ```
    /// use serde::Deserialize;
    ///
    /// #[derive(Deserialize)]
    /// struct Settings {
    ///     theme: String,
    ///     #[serde(default)]
    ///     columns: u8,
    /// }
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> tenure_core::Result<()> {
    /// # let sessions = tenure_core::Sessions::in_memory()?;
    /// # let session = sessions.start().await?;
    /// session.set("theme", "dark")?;
    /// let settings: Settings = session.all()?;
    /// assert_eq!((settings.theme.as_str(), settings.columns), ("dark", 0));
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::Type`](crate::ErrorKind::Type) when the values do not fit, whatever is to become
    /// of [undecodable](crate::SessionsBuilder::undecodable) ones.
    pub fn all<T: DeserializeOwned>(&self) -> Result<T> {
        let mut text = String::from("{");
        for key in self.keys() {
            let Some(value) = self.raw(&key)? else { continue };
            if text.len() > 1 {
                text.push(',');
            }
            text += Json::of(&key)?.as_str();
            text.push(':');
            text += value.as_str();
        }
        text.push('}');
        decode(&text)
    }
}
