//! Setting: which values a session accepts.

use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use super::SessionsBuilder;
use crate::error::{Error, ErrorKind, Result};
use crate::session::is_reserved;
use crate::store::changes::Check;
use crate::value::Json;

type Hook = Arc<dyn Fn(&str, &Json) -> Result<()> + Send + Sync>;

/// Who looks at values before they are recorded.
#[derive(Clone, Default)]
pub(crate) struct Validators(Vec<Hook>);

impl Validators {
    /// Whether anybody looks at values of `key`.
    pub(crate) fn sees(&self, key: &str) -> bool {
        !self.0.is_empty() && !is_reserved(key)
    }

    /// Refuses `value` for `key`, unless all accept it. Removing it is always good. Runs the hooks:
    /// under no lock.
    pub(crate) fn check(
        &self,
        operation: &'static str,
        key: &str,
        value: Option<&Json>,
    ) -> Result<()> {
        let Some(value) = value.filter(|_| !is_reserved(key)) else { return Ok(()) };
        self.0.iter().try_for_each(|hook| {
            let checked = catch_unwind(AssertUnwindSafe(|| hook(key, value))).map_err(|_| {
                let message = format!("a hook of `validate` panicked on the value of {key:?}");
                Error::new(ErrorKind::Other, operation, message)
            })?;
            checked.map_err(|error| error.refusal_of(operation, &format!("the value of {key:?}")))
        })
    }

    /// The same for a value that the record will tell.
    pub(crate) fn check_of(&self, key: &str) -> Option<Check> {
        if !self.sees(key) {
            return None;
        }
        let (validators, key) = (self.clone(), key.to_owned());
        Some(Arc::new(move |value| validators.check("commit", &key, Some(value))))
    }
}

impl SessionsBuilder {
    /// Has `hook` look at every value before it is recorded, with its key; an error of it, of any
    /// kind, refuses the value as [`ErrorKind::Invalid`], and the session stays as it was. May be
    /// given several times: then all must accept.
    ///
    /// It sees what `set`, `merge`, `increment`, `push`, `update` and typed sessions would put
    /// there: the whole list, not the item. Where that is not known before the commit, because the
    /// session is not loaded, or because another request has changed the value meanwhile, it looks
    /// at the newest value then; a refusal is an error of the commit, of which nothing is written.
    /// What is removed is not asked about, nor is what the session holds already, nor keys of this
    /// library such as messages. It runs under no lock, and a panic in it is an error of the write.
    ///
    /// With such a hook no store adds up numbers or lists by itself: each is read and swapped, as
    /// with [`update`](crate::Session::update).
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> tenure_core::Result<()> {
    /// # use tenure_core::{Error, ErrorKind, Sessions, store::MemoryStore};
    /// # let builder = Sessions::builder().store(MemoryStore::new());
    /// let sessions = builder
    ///     .validate(|key, value| match key {
    ///         "theme" if !["\"dark\"", "\"light\""].contains(&value.as_str()) => {
    ///             Err(Error::invalid("there are a dark and a light theme"))
    ///         }
    ///         "cart" => value.decode::<Vec<String>>().map(drop),
    ///         _ => Ok(()),
    ///     })
    ///     .build()?;
    /// let session = sessions.start().await?;
    /// session.set("theme", "dark")?;
    /// let error = session.set("theme", "pink").unwrap_err();
    /// assert_eq!(error.kind(), ErrorKind::Invalid);
    /// assert!(error.to_string().contains("there are a dark and a light theme"));
    /// assert!(session.push("cart", 7).is_err(), "which would be a list of numbers");
    /// assert_eq!(session.get::<String>("theme")?.unwrap(), "dark");
    /// # Ok(())
    /// # }
    /// ```
    pub fn validate(
        mut self,
        hook: impl Fn(&str, &Json) -> Result<()> + Send + Sync + 'static,
    ) -> Self {
        self.settings.validators.0.push(Arc::new(hook));
        self
    }
}

impl fmt::Debug for Validators {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Validators").field(&self.0.len()).finish()
    }
}
