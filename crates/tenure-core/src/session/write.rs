//! Writing: each call leaves an entry in the journal.

use std::sync::Arc;

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::handle::Session;
use super::key::{AsKey, AsName, CounterKey};
use super::reserved;
use crate::engine::Slot;
use crate::error::{Error, ErrorKind, Result};
use crate::store::changes::Call;
use crate::value::{By, Json};

impl Session {
    /// Puts `value` under `key`.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> tenure_core::Result<()> {
    /// # let sessions = tenure_core::Sessions::in_memory()?;
    /// # let session = sessions.start().await?;
    /// session.set("theme", "dark")?;
    /// session.set("theme", "light")?;
    /// assert_eq!(session.get::<String>("theme")?.as_deref(), Some("light"));
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::Type`] when it cannot be written as JSON, [`ErrorKind::TooLarge`] when the
    /// session would be over its limit, and as every write: [`ErrorKind::Invalid`] when
    /// [the application's own check](crate::SessionsBuilder::validate) refuses it,
    /// [`ErrorKind::Sealed`] after the response head was sent, [`ErrorKind::ReadOnly`],
    /// [`ErrorKind::Destroyed`].
    pub fn set<T: Serialize>(&self, key: impl AsKey<T>, value: T) -> Result<()> {
        self.writing("set")?.put(key.as_name(), Some(Json::of(&value)?))
    }

    /// Puts every entry of `values` under its key; keys that are not named stay.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> tenure_core::Result<()> {
    /// # let sessions = tenure_core::Sessions::in_memory()?;
    /// # let session = sessions.start().await?;
    /// session.set("theme", "dark")?;
    /// session.merge([("city", "Oslo"), ("street", "Torggata")])?; // the fields of a form, say
    /// assert_eq!(session.keys(), ["city", "street", "theme"]);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As [`set`](Self::set); then what came before is recorded.
    pub fn merge<K: AsRef<str>, T: Serialize>(
        &self,
        values: impl IntoIterator<Item = (K, T)>,
    ) -> Result<()> {
        let slot = self.writing("merge")?;
        values
            .into_iter()
            .try_for_each(|(key, value)| slot.put(key.as_ref(), Some(Json::of(&value)?)))
    }

    /// Removes `key`.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> tenure_core::Result<()> {
    /// # let sessions = tenure_core::Sessions::in_memory()?;
    /// # let session = sessions.start().await?;
    /// session.set("draft", "Dear …")?;
    /// session.remove("draft")?;
    /// assert!(!session.contains("draft"));
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As every write.
    pub fn remove(&self, key: impl AsName) -> Result<()> {
        self.writing("remove")?.put(key.as_name(), None)
    }

    /// Adds to the number under `key`; an absent one counts as zero. Parallel requests add up.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> tenure_core::Result<()> {
    /// # let sessions = tenure_core::Sessions::in_memory()?;
    /// # let session = sessions.start().await?;
    /// # session.set("visits", 1)?;
    /// # session.save().await?;
    /// # let token = session.danger_expose_token().unwrap();
    /// let parallel = sessions.open_token(&token).await?.unwrap(); // another request
    /// parallel.increment("visits", 1)?;
    /// session.increment("visits", 1)?;
    /// parallel.save().await?;
    /// session.save().await?;
    /// assert_eq!(session.get("visits")?, Some(3));
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::Type`] when the value is no number, [`ErrorKind::Overflow`] when the sum
    /// leaves its range; the session is unchanged then. And as every write.
    pub fn increment(&self, key: impl CounterKey, by: impl Into<By>) -> Result<()> {
        self.writing("increment")?.add(key.as_name(), by.into().into())
    }

    /// Subtracts from the number under `key`.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> tenure_core::Result<()> {
    /// # let sessions = tenure_core::Sessions::in_memory()?;
    /// # let session = sessions.start().await?;
    /// session.set("tries", 3)?;
    /// session.decrement("tries", 1)?;
    /// assert_eq!(session.get("tries")?, Some(2));
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As [`increment`](Self::increment).
    pub fn decrement(&self, key: impl CounterKey, by: impl Into<By>) -> Result<()> {
        self.writing("decrement")?.add(key.as_name(), by.into().negated()?.into())
    }

    /// Appends `item` to the list under `key`; an absent one counts as empty. Parallel requests
    /// all append.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> tenure_core::Result<()> {
    /// # let sessions = tenure_core::Sessions::in_memory()?;
    /// # let session = sessions.start().await?;
    /// # session.push("notes", "welcome")?;
    /// # session.save().await?;
    /// # let token = session.danger_expose_token().unwrap();
    /// let parallel = sessions.open_token(&token).await?.unwrap(); // another request
    /// parallel.push("notes", "order received")?;
    /// session.push("notes", "password changed")?;
    /// parallel.save().await?;
    /// session.save().await?;
    /// assert_eq!(session.get::<Vec<String>>("notes")?.unwrap().len(), 3, "with the first");
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::Type`] when the value is no list. And as every write.
    pub fn push<T: Serialize>(&self, key: impl AsKey<Vec<T>>, item: T) -> Result<()> {
        self.writing("push")?.push(key.as_name(), Json::of(&item)?)
    }

    /// Changes the value under `key`; an absent one begins as the default. If another request
    /// changed it meanwhile, `update` runs again on the newest value when this one commits, so it
    /// should do nothing but change the value.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> tenure_core::Result<()> {
    /// # let sessions = tenure_core::Sessions::in_memory()?;
    /// # let session = sessions.start().await?;
    /// session.set("scores", [7, 3])?;
    /// session.update("scores", |scores: &mut Vec<u32>| scores.sort())?;
    /// assert_eq!(session.get::<Vec<u32>>("scores")?.unwrap(), [3, 7]);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::Type`] when the value is of another type. And as every write.
    ///
    /// # Panics
    /// When `update` does; nothing is recorded then. When it panics as it runs again, the commit
    /// fails.
    pub fn update<T>(
        &self,
        key: impl AsKey<T>,
        update: impl Fn(&mut T) + Send + Sync + 'static,
    ) -> Result<()>
    where
        T: Default + Serialize + DeserializeOwned,
    {
        self.update_with(key, move |value: Option<T>| {
            let mut value = value.unwrap_or_default();
            update(&mut value);
            Some(value)
        })
    }

    /// The general form of [`update`](Self::update): sees whether there is a value, and removes
    /// the key by returning none.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> tenure_core::Result<()> {
    /// # let sessions = tenure_core::Sessions::in_memory()?;
    /// # let session = sessions.start().await?;
    /// session.set("tickets", 1)?;
    /// let take_one = |left: Option<u32>| left?.checked_sub(1).filter(|left| *left > 0);
    /// session.update_with("tickets", take_one)?;
    /// assert!(!session.contains("tickets"), "the last one was taken");
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As [`update`](Self::update).
    ///
    /// # Panics
    /// As [`update`](Self::update).
    pub fn update_with<T>(
        &self,
        key: impl AsKey<T>,
        update: impl Fn(Option<T>) -> Option<T> + Send + Sync + 'static,
    ) -> Result<()>
    where
        T: Serialize + DeserializeOwned,
    {
        let (key, policy) = (key.as_name(), self.policy().clone());
        let name = key.to_owned();
        let call: Call = Arc::new(move |value| {
            let value = value.map(|value| policy.decode(&name, value)).transpose()?.flatten();
            update(value).as_ref().map(Json::of).transpose()
        });
        self.writing("update")?.update(key, call)
    }

    /// Drops every key, those that parallel requests set included; messages that wait to be shown
    /// stay.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> tenure_core::Result<()> {
    /// # let sessions = tenure_core::Sessions::in_memory()?;
    /// # let session = sessions.start().await?;
    /// session.login("ada")?;
    /// session.set("cart", ["tea"])?;
    /// session.clear()?;
    /// assert!(session.is_empty());
    /// assert!(session.user().is_some(), "who is logged in is no key");
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As every write.
    pub fn clear(&self) -> Result<()> {
        self.writing("clear")?.writable("clear")?.journal.clear(&reserved::all());
        Ok(())
    }

    /// The slot, if this handle may write at all.
    pub(super) fn writing(&self, operation: &'static str) -> Result<&Slot> {
        if self.read_only {
            return Err(Error::new(
                ErrorKind::ReadOnly,
                operation,
                "this handle is for reading only",
            ));
        }
        Ok(&self.slot)
    }
}
