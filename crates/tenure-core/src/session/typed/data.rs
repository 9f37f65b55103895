use serde::Serialize;
use serde::de::DeserializeOwned;

use super::fields::name_of;
use crate::error::Result;

/// A struct whose fields a session keeps, each under a key of its own: see [`Typed`](super::Typed).
///
/// ```
/// use serde::{Deserialize, Serialize};
/// use tenure_core::session::SessionData;
///
/// #[derive(Serialize, Deserialize, Default)]
/// #[serde(default)]
/// struct Cart {
///     items: Vec<String>,
///     voucher: Option<String>,
/// }
///
/// impl SessionData for Cart {
///     const PREFIX: &'static str = "cart"; // its keys are `cart.items` and `cart.voucher`
/// }
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not the data of a session",
    note = "derive `Serialize` and `Deserialize`, and add `impl SessionData for {Self} {{}}`"
)]
pub trait SessionData: Serialize + DeserializeOwned + 'static {
    /// What its keys begin with, with a dot behind it, so that types in one session do not collide;
    /// by default nothing, and the keys are the names of the fields.
    const PREFIX: &'static str = "";

    /// The [name](crate::Sessions::name) of the sessions that keep it, where a request has several;
    /// by default the innermost layer's. Adapters look at it.
    const SESSION: Option<&'static str> = None;

    /// Whether the value may be recorded: an error, of any kind, refuses it as
    /// [`ErrorKind::Invalid`](crate::ErrorKind::Invalid), and the session stays as it was.
    /// [`Typed::set`](super::Typed::set), [`Typed::update`](super::Typed::update) and
    /// [`Typed::get_or_insert_with`](super::Typed::get_or_insert_with) call it; where an update runs
    /// again at the commit, it looks at that result, too. Fields that parallel requests change
    /// meanwhile, and the session's keys used by themselves, are not seen: a condition on several
    /// fields holds for each request alone.
    ///
    /// ```
    /// use serde::{Deserialize, Serialize};
    /// use tenure_core::{Error, ErrorKind, Result, session::SessionData};
    ///
    /// #[derive(Serialize, Deserialize, Default)]
    /// #[serde(default)]
    /// struct Cart {
    ///     items: Vec<String>,
    /// }
    ///
    /// impl SessionData for Cart {
    ///     fn validate(&self) -> Result<()> {
    ///         match self.items.len() {
    ///             0..=20 => Ok(()),
    ///             _ => Err(Error::invalid("at most twenty articles")),
    ///         }
    ///     }
    /// }
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<()> {
    /// # let sessions = tenure_core::Sessions::in_memory()?;
    /// # let session = sessions.start().await?;
    /// let cart = session.typed::<Cart>();
    /// let error = cart.set(&Cart { items: vec!["tea".into(); 21] }).unwrap_err();
    /// assert_eq!(error.kind(), ErrorKind::Invalid);
    /// assert!(cart.get()?.is_none());
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// When the value is refused.
    fn validate(&self) -> Result<()> {
        Ok(())
    }
}

/// As [`SessionData::validate`], told as an error of `operation`.
pub(super) fn validated<T: SessionData>(operation: &'static str, value: &T) -> Result<()> {
    value
        .validate()
        .map_err(|error| error.refusal_of(operation, &format!("a value of {}", name_of::<T>())))
}
