//! A class of the application as the session's data, one key a field.

mod data;
mod fields;
mod update;
mod writes;

use std::fmt;
use std::marker::PhantomData;
use std::sync::Arc;

pub use self::data::SessionData;
use self::data::validated;
use self::fields::{Object, Scope, decoded, encoded, name_of};
use self::update::Update;
use self::writes::Write;
use super::handle::Session;
use super::record::ATTEMPTS;
use crate::error::{Error, ErrorKind, Result};

/// The fields of a `T` in a session, one key each, so that parallel requests which change different
/// fields lose nothing. Made by [`Session::typed`].
///
/// What a field is and how it is written is for serde to say: renamed, optional and skipped fields
/// are what they are in JSON. A type with `#[serde(flatten)]`, or an enum with a tag, has fields that
/// only a value tells; it needs a [prefix](SessionData::PREFIX), and all keys behind it are its own.
///
/// ```
/// use serde::{Deserialize, Serialize};
/// use tenure_core::session::SessionData;
///
/// #[derive(Serialize, Deserialize, Default)]
/// #[serde(default)]
/// struct Visit {
///     theme: String,
///     pages: u32,
/// }
///
/// impl SessionData for Visit {}
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> tenure_core::Result<()> {
/// # let sessions = tenure_core::Sessions::in_memory()?;
/// # let session = sessions.start().await?;
/// let visit = session.typed::<Visit>();
/// visit.update(|visit| visit.pages += 1)?;
/// assert_eq!(visit.get()?.unwrap().pages, 1);
/// assert_eq!(session.get::<u32>("pages")?, Some(1), "the session's keys are still there");
/// # Ok(())
/// # }
/// ```
///
/// A type that is not the data of a session does not compile:
///
/// ```compile_fail
/// # fn wrong(session: tenure_core::Session) {
/// session.typed::<Vec<String>>();
/// # }
/// ```
pub struct Typed<T> {
    session: Session,
    data: PhantomData<fn(T) -> T>,
}

impl Session {
    /// The fields of a `T` in this session.
    ///
    /// See the example of [`Typed`].
    #[must_use]
    pub fn typed<T: SessionData>(&self) -> Typed<T> {
        Typed { session: self.clone(), data: PhantomData }
    }
}

impl<T: SessionData> Typed<T> {
    /// The value, or none where the session has none of its keys.
    ///
    /// ```
    /// # #[derive(serde::Serialize, serde::Deserialize)]
    /// # struct Visit { theme: String }
    /// # impl tenure_core::session::SessionData for Visit {}
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> tenure_core::Result<()> {
    /// # let sessions = tenure_core::Sessions::in_memory()?;
    /// # let session = sessions.start().await?;
    /// assert!(session.typed::<Visit>().get()?.is_none());
    /// session.set("theme", "dark")?;
    /// assert_eq!(session.typed::<Visit>().get()?.unwrap().theme, "dark");
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::Type`] when the keys do not make a `T`, or a `T` has no named fields.
    pub fn get(&self) -> Result<Option<T>> {
        let object = self.stored("get")?;
        if object.is_empty() { Ok(None) } else { decoded(&object).map(Some) }
    }

    /// The value, or the default where the session has none of its keys.
    ///
    /// ```
    /// # #[derive(serde::Serialize, serde::Deserialize, Default)]
    /// # struct Visit { pages: u32 }
    /// # impl tenure_core::session::SessionData for Visit {}
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> tenure_core::Result<()> {
    /// # let sessions = tenure_core::Sessions::in_memory()?;
    /// # let session = sessions.start().await?;
    /// assert_eq!(session.typed::<Visit>().get_or_default()?.pages, 0);
    /// assert!(session.is_empty(), "nothing is written");
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As [`get`](Self::get).
    pub fn get_or_default(&self) -> Result<T>
    where
        T: Default,
    {
        Ok(self.get()?.unwrap_or_default())
    }

    /// The value; where there is none, what `make` gives is put there first. Fields that another
    /// request was faster to put there stay.
    ///
    /// ```
    /// # #[derive(serde::Serialize, serde::Deserialize)]
    /// # struct Visit { seed: u64 }
    /// # impl tenure_core::session::SessionData for Visit {}
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> tenure_core::Result<()> {
    /// # let sessions = tenure_core::Sessions::in_memory()?;
    /// # let session = sessions.start().await?;
    /// let visit = session.typed::<Visit>();
    /// assert_eq!(visit.get_or_insert_with(|| Visit { seed: 7 })?.seed, 7);
    /// assert_eq!(visit.get_or_insert_with(|| Visit { seed: 8 })?.seed, 7);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As [`get`](Self::get) and [`set`](Self::set).
    pub fn get_or_insert_with(&self, make: impl FnOnce() -> T) -> Result<T> {
        if let Some(value) = self.get()? {
            return Ok(value);
        }
        let (made, scope) = (make(), self.scope("get_or_insert_with")?);
        validated("get_or_insert_with", &made)?;
        let writes = encoded(&made, &scope)?
            .into_iter()
            .map(|(field, value)| Write::absent(scope.key(&field), value))
            .collect();
        self.write("get_or_insert_with", writes)?;
        Ok(made)
    }

    /// Puts `value` there: fields that differ from what this request sees are written, fields that
    /// `value` does not write are removed. So a changed copy of what [`get`](Self::get) gave leaves
    /// alone what parallel requests do to other fields; of the same field the last writer's stays.
    ///
    /// ```
    /// # #[derive(serde::Serialize, serde::Deserialize)]
    /// # struct Visit { theme: String, pages: u32 }
    /// # impl tenure_core::session::SessionData for Visit {}
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> tenure_core::Result<()> {
    /// # let sessions = tenure_core::Sessions::in_memory()?;
    /// # let session = sessions.start().await?;
    /// let visit = session.typed::<Visit>();
    /// visit.set(&Visit { theme: "light".into(), pages: 1 })?;
    /// # session.save().await?;
    /// # let token = session.danger_expose_token().unwrap();
    /// let parallel = sessions.open_token(&token).await?.unwrap(); // another request
    /// parallel.increment("pages", 1)?;
    /// parallel.save().await?;
    ///
    /// let copy = Visit { theme: "dark".into(), ..visit.get()?.unwrap() };
    /// visit.set(&copy)?;
    /// session.save().await?;
    /// let both = visit.get()?.unwrap();
    /// assert_eq!((both.theme.as_str(), both.pages), ("dark", 2));
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::Type`] when `T` has no named fields, or writes one that it does not read;
    /// nothing is written then. [`ErrorKind::Invalid`] when the value
    /// [refuses itself](SessionData::validate). And as [`Session::set`].
    pub fn set(&self, value: &T) -> Result<()> {
        let scope = self.scope("set")?;
        validated("set", value)?;
        let (before, after) = (self.stored("set")?, encoded(value, &scope)?);
        let gone = before.keys().filter(|field| !after.contains_key(*field));
        let gone = gone.map(|field| Write::put(scope.key(field), None)).collect::<Vec<_>>();
        let changed = after.iter().filter(|(field, value)| before.get(*field) != Some(value));
        let changed = changed.map(|(field, value)| Write::put(scope.key(field), Some(value)));
        self.write("set", changed.chain(gone).collect()).map(drop)
    }

    /// Changes the value; an absent one begins as the default. Only the fields that `update` changes
    /// are written. If another request has changed one of them meanwhile, `update` runs again when
    /// this one commits, with the newest value of that field and the others as this request saw
    /// them, and that field alone is taken from it; one that was removed meanwhile stays removed.
    /// So `update` should do nothing but change the value, and only
    /// by what belongs to the same field.
    ///
    /// ```
    /// # #[derive(serde::Serialize, serde::Deserialize, Default)]
    /// # struct Visit { theme: String, pages: u32 }
    /// # impl tenure_core::session::SessionData for Visit {}
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> tenure_core::Result<()> {
    /// # let sessions = tenure_core::Sessions::in_memory()?;
    /// # let session = sessions.start().await?;
    /// # session.typed::<Visit>().set(&Visit::default())?;
    /// # session.save().await?;
    /// # let token = session.danger_expose_token().unwrap();
    /// let parallel = sessions.open_token(&token).await?.unwrap(); // another request
    /// parallel.typed::<Visit>().update(|visit| visit.pages += 1)?;
    /// session.typed::<Visit>().update(|visit| visit.pages += 1)?;
    /// parallel.save().await?;
    /// session.save().await?;
    /// assert_eq!(session.typed::<Visit>().get()?.unwrap().pages, 2);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As [`get`](Self::get) and [`set`](Self::set); [`ErrorKind::Conflict`] when `update` itself
    /// keeps changing the session.
    ///
    /// # Panics
    /// When `update` does; nothing is recorded then. When it panics as it runs again, the commit
    /// fails.
    pub fn update(&self, update: impl Fn(&mut T) + Send + Sync + 'static) -> Result<()>
    where
        T: Default,
    {
        let scope = self.scope("update")?;
        let update: Update<T> = Arc::new(update);
        for _ in 0..ATTEMPTS {
            let writes = update::writes(&update, &scope, self.stored("update")?)?;
            if self.write("update", writes)? {
                return Ok(());
            }
        }
        Err(Error::new(
            ErrorKind::Conflict,
            "update",
            format!("the closure changes the fields of {} by other means", name_of::<T>()),
        ))
    }

    /// Removes every field.
    ///
    /// ```
    /// # #[derive(serde::Serialize, serde::Deserialize, Default)]
    /// # struct Visit { pages: u32 }
    /// # impl tenure_core::session::SessionData for Visit {}
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> tenure_core::Result<()> {
    /// # let sessions = tenure_core::Sessions::in_memory()?;
    /// # let session = sessions.start().await?;
    /// session.set("theme", "dark")?;
    /// session.typed::<Visit>().set(&Visit { pages: 1 })?;
    /// session.typed::<Visit>().clear()?;
    /// assert_eq!(session.keys(), ["theme"], "which is no field of it");
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::Type`] when a `T` has no named fields. And as every write.
    pub fn clear(&self) -> Result<()> {
        let (scope, stored) = (self.scope("clear")?, self.stored("clear")?);
        // Also those that parallel requests add: half a value cannot be read.
        let fields = match scope.names() {
            Some(names) if !stored.is_empty() => names,
            _ => stored.into_keys().collect(),
        };
        let writes = fields.iter().map(|field| Write::put(scope.key(field), None));
        self.write("clear", writes.collect()).map(drop)
    }

    /// The session that keeps it.
    ///
    /// ```
    /// # #[derive(serde::Serialize, serde::Deserialize, Default)]
    /// # struct Visit { pages: u32 }
    /// # impl tenure_core::session::SessionData for Visit {}
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> tenure_core::Result<()> {
    /// # let sessions = tenure_core::Sessions::in_memory()?;
    /// # let session = sessions.start().await?;
    /// let visit = session.typed::<Visit>();
    /// visit.session().login("ada")?;
    /// assert!(session.user().is_some());
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn session(&self) -> &Session {
        &self.session
    }

    fn scope(&self, operation: &'static str) -> Result<Scope> {
        Scope::of::<T>(T::PREFIX, operation)
    }

    /// What the session has, as this request sees it at one instant.
    fn stored(&self, operation: &'static str) -> Result<Object> {
        self.scope(operation)?.read(&self.session.slot.readable().journal)
    }

    fn write(&self, operation: &'static str, writes: Vec<Write>) -> Result<bool> {
        self.session.writing(operation)?.write_fields(operation, writes)
    }
}

impl<T> Clone for Typed<T> {
    fn clone(&self) -> Self {
        Self { session: self.session.clone(), data: PhantomData }
    }
}

impl<T> fmt::Debug for Typed<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Typed")
            .field("type", &name_of::<T>())
            .field("session", &self.session)
            .finish()
    }
}
