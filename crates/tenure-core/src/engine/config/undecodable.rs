//! Setting: what becomes of values that do not decode any more.

use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use super::SessionsBuilder;
use crate::error::{Error, ErrorKind, Result};
use crate::value::Json;

/// What becomes of a value that is not of the type that a read asks for, such as one that was
/// written before a deployment changed the type.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Undecodable {
    /// The read is an error, and the value stays.
    #[default]
    Fail,
    /// It reads as absent, and is removed with the commit unless it has changed by then.
    Reset,
    /// This takes its place in the same way.
    Replace(Json),
}

type Hook = Arc<dyn Fn(&str, &Json, &Error) -> Undecodable + Send + Sync>;

/// Who decides.
#[derive(Clone)]
pub(crate) enum Policy {
    Fixed(Undecodable),
    Hook(Hook),
}

impl Policy {
    /// What becomes of `value`, which `error` says does not decode. Runs a hook: under no lock.
    pub(crate) fn decide(&self, key: &str, value: &Json, error: &Error) -> Result<Undecodable> {
        let hook = match self {
            Self::Fixed(decision) => return Ok(decision.clone()),
            Self::Hook(hook) => hook,
        };
        catch_unwind(AssertUnwindSafe(|| hook(key, value, error))).map_err(|_| {
            let message = format!("the hook `on_undecodable` panicked on the value of {key:?}");
            Error::new(ErrorKind::Other, "get", message)
        })
    }
}

impl SessionsBuilder {
    /// What becomes of a value that does not decode into the type that is asked for;
    /// [`Undecodable::Fail`] by default.
    ///
    /// It holds for [`get`](crate::Session::get), `get_or`, `get_or_insert_with`, `take`,
    /// `take_once`, `get_path`, `update` and `update_with`; [`all`](crate::Session::all), which decodes many at
    /// once, always fails. Mind that [`Undecodable::Reset`] drops a value, too, that a handler reads
    /// as a wrong type by mistake.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> tenure_core::Result<()> {
    /// # use tenure_core::{Sessions, engine::Undecodable, store::MemoryStore};
    /// let builder = Sessions::builder().store(MemoryStore::new());
    /// let sessions = builder.undecodable(Undecodable::Reset).build()?;
    /// let session = sessions.start().await?;
    /// session.set("theme", 7)?; // by the release before this one
    /// assert_eq!(session.get_or("theme", "light".to_owned())?, "light");
    /// assert!(!session.contains("theme"));
    /// # Ok(())
    /// # }
    /// ```
    pub fn undecodable(mut self, decision: Undecodable) -> Self {
        self.settings.undecodable = Policy::Fixed(decision);
        self
    }

    /// As [`undecodable`](Self::undecodable), decided by a function of the key, the value and the
    /// error, which can also bring the value into its new form. For `get_path` the first two are the
    /// path and what is there. It runs under no lock, and for `update` again when another request has
    /// changed the value; a panic in it makes the read an error.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> tenure_core::Result<()> {
    /// # use tenure_core::{Sessions, engine::Undecodable, store::MemoryStore, value::Json};
    /// # let builder = Sessions::builder().store(MemoryStore::new());
    /// let sessions = builder
    ///     .on_undecodable(|key, value, _error| match key {
    ///         "cart" => Json::parse(&format!("[{}]", value.as_str()))
    ///             .map_or(Undecodable::Fail, Undecodable::Replace),
    ///         _ => Undecodable::Reset,
    ///     })
    ///     .build()?;
    /// let session = sessions.start().await?;
    /// session.set("cart", "tea")?; // once there was one article at most
    /// assert_eq!(session.get::<Vec<String>>("cart")?.unwrap(), ["tea"]);
    /// # Ok(())
    /// # }
    /// ```
    pub fn on_undecodable(
        mut self,
        hook: impl Fn(&str, &Json, &Error) -> Undecodable + Send + Sync + 'static,
    ) -> Self {
        self.settings.undecodable = Policy::Hook(Arc::new(hook));
        self
    }
}

impl fmt::Debug for Policy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Fixed(decision) => decision.fmt(f),
            Self::Hook(_) => f.write_str("Hook"),
        }
    }
}
