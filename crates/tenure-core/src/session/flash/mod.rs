//! Messages for the next request that reads them.
//!
//! They lie in the session's data as a list of entries under a reserved key. A request appends its
//! own; one that reads takes away exactly the entries that it has seen. So what parallel requests
//! append stays, and a request never sees its own.

mod input;
mod messages;

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

pub use self::messages::{FlashMessages, Level};
use super::handle::Session;
use super::key::AsKey;
use super::lazy::LazySession;
use super::reserved::FLASH;
use crate::engine::Slot;
use crate::error::{Error, ErrorKind, Result};
use crate::store::changes::Call;
use crate::value::Json;

/// Where messages about the fields of a form are.
const ERRORS: &str = "errors";

/// What one request has to do with them.
#[derive(Default)]
pub(crate) struct Flash {
    shown: Option<FlashMessages>,
    own: Vec<String>,
}

#[derive(Serialize, Deserialize)]
struct Entry {
    #[serde(rename = "i")]
    id: String,
    #[serde(rename = "v")]
    values: BTreeMap<String, Box<RawValue>>,
}

impl Session {
    /// Leaves a message for the next request that reads messages, whichever it is: after a redirect,
    /// say. Images and polls, which do not read them, leave them alone.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> tenure_core::Result<()> {
    /// # let sessions = tenure_core::Sessions::in_memory()?;
    /// # let session = sessions.start().await?;
    /// session.flash("success", "Added to the cart.")?;
    /// # session.save().await?;
    /// # let token = session.danger_expose_token().unwrap();
    /// let next = sessions.open_token(&token).await?.unwrap(); // the next request
    /// let messages = next.flash_messages()?;
    /// assert_eq!(messages.get::<String>("success")?.as_deref(), Some("Added to the cart."));
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::TooLarge`] when there would be more octets of messages than
    /// [`max_flash_bytes`](crate::SessionsBuilder::max_flash_bytes). And as every write.
    pub fn flash<T: Serialize>(&self, key: impl AsKey<T>, value: T) -> Result<()> {
        let value = Json::of(&value)?;
        self.writing("flash")?.flash([(key.as_name().to_owned(), value)])
    }

    /// Leaves what the user has typed into a form, so that the page that shows it again has it; see
    /// [`FlashMessages::old`]. Fields named `password`, `_csrf` or `_method`, or so that the name
    /// ends in `_confirmation`, are left out at every depth.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> tenure_core::Result<()> {
    /// # let sessions = tenure_core::Sessions::in_memory()?;
    /// # let session = sessions.start().await?;
    /// # use std::collections::HashMap;
    /// let form = HashMap::from([("email", "ada@example"), ("password", "secret")]);
    /// session.flash_all(&form)?;
    /// # session.save().await?;
    /// # let token = session.danger_expose_token().unwrap();
    /// let next = sessions.open_token(&token).await?.unwrap(); // the next request
    /// let messages = next.flash_messages()?;
    /// assert_eq!(messages.old("email").as_deref(), Some("ada@example"));
    /// assert!(!messages.contains("password"));
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::Type`] when the input has no named fields. And as [`flash`](Self::flash).
    pub fn flash_all<T: Serialize + ?Sized>(&self, input: &T) -> Result<()> {
        let slot = self.writing("flash_all")?;
        slot.flash(input::fields(input, input::is_public)?)
    }

    /// Leaves these fields of a form and no others.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> tenure_core::Result<()> {
    /// # let sessions = tenure_core::Sessions::in_memory()?;
    /// # let session = sessions.start().await?;
    /// # use std::collections::HashMap;
    /// let form = HashMap::from([("email", "ada@example"), ("card", "4000 0000")]);
    /// session.flash_only(&form, &["email"])?;
    /// # session.save().await?;
    /// # let token = session.danger_expose_token().unwrap();
    /// let next = sessions.open_token(&token).await?.unwrap(); // the next request
    /// assert_eq!(next.flash_messages()?.keys(), ["email"]);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As [`flash_all`](Self::flash_all).
    pub fn flash_only<T: Serialize + ?Sized>(&self, input: &T, fields: &[&str]) -> Result<()> {
        let slot = self.writing("flash_only")?;
        let mut input = input::fields(input, |_| true)?;
        input.retain(|(field, _)| fields.contains(&field.as_str()));
        slot.flash(input)
    }

    /// Leaves the fields of a form but these, and but those that [`flash_all`](Self::flash_all)
    /// leaves out.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> tenure_core::Result<()> {
    /// # let sessions = tenure_core::Sessions::in_memory()?;
    /// # let session = sessions.start().await?;
    /// # use std::collections::HashMap;
    /// let form = HashMap::from([("email", "ada@example"), ("card", "4000 0000")]);
    /// session.flash_except(&form, &["card"])?;
    /// # session.save().await?;
    /// # let token = session.danger_expose_token().unwrap();
    /// let next = sessions.open_token(&token).await?.unwrap(); // the next request
    /// assert_eq!(next.flash_messages()?.keys(), ["email"]);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As [`flash_all`](Self::flash_all).
    pub fn flash_except<T: Serialize + ?Sized>(&self, input: &T, fields: &[&str]) -> Result<()> {
        let slot = self.writing("flash_except")?;
        let mut input = input::fields(input, input::is_public)?;
        input.retain(|(field, _)| !fields.contains(&field.as_str()));
        slot.flash(input)
    }

    /// Leaves what is wrong with the fields of a form, each with any number of messages; see
    /// [`FlashMessages::errors`].
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> tenure_core::Result<()> {
    /// # let sessions = tenure_core::Sessions::in_memory()?;
    /// # let session = sessions.start().await?;
    /// session.flash_errors([("email", "is no address"), ("name", "is missing")])?;
    /// # session.save().await?;
    /// # let token = session.danger_expose_token().unwrap();
    /// let next = sessions.open_token(&token).await?.unwrap(); // the next request
    /// assert_eq!(next.flash_messages()?.errors("email"), ["is no address"]);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As [`flash`](Self::flash).
    pub fn flash_errors<F: Into<String>, M: Into<String>>(
        &self,
        errors: impl IntoIterator<Item = (F, M)>,
    ) -> Result<()> {
        let mut fields = BTreeMap::<String, Vec<String>>::new();
        for (field, message) in errors {
            fields.entry(field.into()).or_default().push(message.into());
        }
        self.flash(ERRORS, fields)
    }

    /// The messages that earlier requests left: all of them, for this request alone. Later ones do
    /// not see them; this one sees them as often as it asks. A handle for reading only looks without
    /// taking them.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> tenure_core::Result<()> {
    /// # let sessions = tenure_core::Sessions::in_memory()?;
    /// # let session = sessions.start().await?;
    /// session.flash("success", "Saved.")?;
    /// assert!(session.flash_messages()?.is_empty(), "not for the request itself");
    /// # session.save().await?;
    /// # let token = session.danger_expose_token().unwrap();
    /// for shown in [true, false] {
    ///     let next = sessions.open_token(&token).await?.unwrap(); // a later request
    ///     assert_eq!(next.flash_messages()?.contains("success"), shown, "once");
    ///     next.save().await?;
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::Sealed`] after the response head was sent, since they would be shown again.
    pub fn flash_messages(&self) -> Result<FlashMessages> {
        self.slot.flash_messages(!self.read_only)
    }

    /// Leaves the messages of this request for the next one, too.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> tenure_core::Result<()> {
    /// # let sessions = tenure_core::Sessions::in_memory()?;
    /// # let session = sessions.start().await?;
    /// session.flash("success", "Saved.")?;
    /// # session.save().await?;
    /// # let token = session.danger_expose_token().unwrap();
    /// for _ in 0..3 {
    ///     let next = sessions.open_token(&token).await?.unwrap(); // a request that redirects
    ///     next.reflash()?;
    ///     assert!(next.flash_messages()?.contains("success"));
    ///     next.save().await?;
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As [`flash`](Self::flash).
    pub fn reflash(&self) -> Result<()> {
        self.again(|_| true)
    }

    /// Leaves these messages of this request for the next one, too.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> tenure_core::Result<()> {
    /// # let sessions = tenure_core::Sessions::in_memory()?;
    /// # let session = sessions.start().await?;
    /// session.flash("success", "Saved.")?;
    /// session.flash("intended", "/orders")?;
    /// # session.save().await?;
    /// # let token = session.danger_expose_token().unwrap();
    /// let next = sessions.open_token(&token).await?.unwrap(); // the login page
    /// next.reflash_only(&["intended"])?;
    /// next.save().await?;
    /// let later = sessions.open_token(&token).await?.unwrap();
    /// assert_eq!(later.flash_messages()?.keys(), ["intended"]);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As [`flash`](Self::flash).
    pub fn reflash_only(&self, keys: &[&str]) -> Result<()> {
        self.again(|key| keys.contains(&key))
    }

    /// Leaves all but these messages of this request for the next one, too.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> tenure_core::Result<()> {
    /// # let sessions = tenure_core::Sessions::in_memory()?;
    /// # let session = sessions.start().await?;
    /// session.flash("success", "Saved.")?;
    /// session.flash("intended", "/orders")?;
    /// # session.save().await?;
    /// # let token = session.danger_expose_token().unwrap();
    /// let next = sessions.open_token(&token).await?.unwrap(); // the login page
    /// next.reflash_except(&["success"])?;
    /// next.save().await?;
    /// let later = sessions.open_token(&token).await?.unwrap();
    /// assert_eq!(later.flash_messages()?.keys(), ["intended"]);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As [`flash`](Self::flash).
    pub fn reflash_except(&self, keys: &[&str]) -> Result<()> {
        self.again(|key| !keys.contains(&key))
    }

    fn again(&self, keeps: impl Fn(&str) -> bool) -> Result<()> {
        let slot = self.writing("reflash")?;
        // One entry each, since one key may have several messages.
        slot.flash_messages(true)?
            .iter()
            .filter(|(key, _)| keeps(key))
            .try_for_each(|(key, value)| slot.flash([(key.to_owned(), value.clone())]))
    }
}

impl LazySession {
    /// Leaves a message for the next request that reads messages, as [`Session::flash`] does.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> tenure_core::Result<()> {
    /// # let sessions = tenure_core::Sessions::in_memory()?;
    /// # let session = sessions.start().await?;
    /// let lazy = session.lazy();
    /// lazy.flash("success", "Subscribed.")?;
    /// # session.save().await?;
    /// # let token = session.danger_expose_token().unwrap();
    /// let next = sessions.open_token(&token).await?.unwrap(); // the next request
    /// assert!(next.flash_messages()?.contains("success"));
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As [`Session::flash`].
    pub fn flash<T: Serialize>(&self, key: impl AsKey<T>, value: T) -> Result<()> {
        self.slot.flash([(key.as_name().to_owned(), Json::of(&value)?)])
    }
}

impl Slot {
    fn flash(&self, values: impl IntoIterator<Item = (String, Json)>) -> Result<()> {
        let values: BTreeMap<_, _> = values.into_iter().collect();
        if values.is_empty() {
            return Ok(());
        }
        let id = u128::from_be_bytes(*self.manager.commit_ids.next().as_bytes());
        let id = format!("{id:x}");
        let entry = Json::of(&Entry { id: id.clone(), values: raw(&values)? })?;
        let limit = self.manager.settings.limits.flash;
        let waiting = self.find_reserved(FLASH).ok().flatten();
        let size = waiting.map_or(0, |waiting| waiting.as_str().len()) + entry.as_str().len();
        if size > limit {
            return Err(Error::new(
                ErrorKind::TooLarge,
                "flash",
                format!(
                    "the messages that wait would take {size} octets, and `max_flash_bytes` is \
                     {limit}; leave out large fields, or show messages on more pages"
                ),
            ));
        }
        self.push_reserved(FLASH, entry)?;
        self.state().flash.own.push(id);
        Ok(())
    }

    fn flash_messages(&self, takes: bool) -> Result<FlashMessages> {
        let (messages, ids) = {
            let state = self.readable();
            if let Some(shown) = &state.flash.shown {
                return Ok(shown.clone());
            }
            let seen = state.journal.seen(FLASH);
            let entries = seen.as_ref().map(entries).unwrap_or_default();
            let others = entries.iter().filter(|entry| !state.flash.own.contains(&entry.id));
            let values = others.clone().flat_map(|entry| &entry.values);
            let values = values.map(|(key, value)| (key.clone(), Json::trusted(value.get())));
            (FlashMessages::new(values.collect()), others.map(|entry| entry.id.clone()).collect())
        };
        if !takes {
            return Ok(messages);
        }
        if !messages.is_empty() {
            self.update_reserved(FLASH, without(ids))?;
        }
        self.state().flash.shown = Some(messages.clone());
        Ok(messages)
    }
}

/// Takes these entries out of the list, and the list away when it is empty.
fn without(ids: Vec<String>) -> Call {
    Arc::new(move |waiting| {
        let Some(waiting) = waiting else { return Ok(None) };
        let left = entries(waiting);
        let left: Vec<_> = left.iter().filter(|entry| !ids.contains(&entry.id)).collect();
        if left.is_empty() { Ok(None) } else { Json::of(&left).map(Some) }
    })
}

/// The entries of the list; none if this version cannot read it.
fn entries(waiting: &Json) -> Vec<Entry> {
    serde_json::from_str(waiting.as_str()).unwrap_or_default()
}

fn raw(values: &BTreeMap<String, Json>) -> Result<BTreeMap<String, Box<RawValue>>> {
    values.iter().map(|(key, value)| Ok((key.clone(), value.to_raw()?))).collect()
}
