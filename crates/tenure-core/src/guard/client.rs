use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use super::ip::IpLock;
use crate::csrf::check_field;
use crate::error::Result;
use crate::id::{Handle, UserId};
use crate::session::LANGUAGE;
use crate::store::{Client, Record, StoreKey};
use crate::value::Json;

type ChangeHook = Arc<dyn Fn(&ClientChange<'_>) + Send + Sync>;

/// Another client, as far as one can tell, than the one with which a session began; what a hook of
/// [`on_client_change`](crate::SessionsBuilder::on_client_change) is told.
///
/// ```
/// use tenure_core::guard::ClientChange;
///
/// fn alert(change: &ClientChange<'_>) -> Option<String> {
///     let (session, user) = (change.handle()?, change.user()?);
///     let (began, present) = (change.began(), change.present());
///     let other = change.user_agent_changed() || change.language_changed();
///     let what = match (change.ip_changed(), other) {
///         (true, true) => format!("{began:?} is now {present:?}"),
///         (true, false) => format!("{:?} is now at {:?}", began.ip, present.ip),
///         _ => return None, // a browser was updated, or another language chosen
///     };
///     let end = if change.ends_session() { ", and the session ends" } else { "" };
///     Some(format!("{session} of {}: {what}{end}", user.as_str()))
/// }
/// # let sessions = tenure_core::Sessions::builder().store(tenure_core::store::MemoryStore::new());
/// # let _ = sessions.on_client_change(|change| drop(alert(change)));
/// ```
#[derive(Clone, Copy, Debug)]
pub struct ClientChange<'a> {
    handle: Option<Handle>,
    user: Option<&'a UserId>,
    began: &'a Client,
    present: &'a Client,
    /// None where nobody noted it; empty where the client asked for nothing.
    began_language: Option<&'a str>,
    present_language: &'a str,
    ends: bool,
}

impl ClientChange<'_> {
    /// How much of `Accept-Language` is kept and compared, in octets.
    pub const MAX_LANGUAGE: usize = 128;

    /// Which session it is; none in a foreign format.
    #[must_use]
    pub fn handle(&self) -> Option<Handle> {
        self.handle
    }

    /// Whose session it is.
    #[must_use]
    pub fn user(&self) -> Option<&UserId> {
        self.user
    }

    /// The client with which the session began.
    #[must_use]
    pub fn began(&self) -> &Client {
        self.began
    }

    /// The client of this request.
    #[must_use]
    pub fn present(&self) -> &Client {
        self.present
    }

    /// Whether the address is another one; what is not known has not changed.
    #[must_use]
    pub fn ip_changed(&self) -> bool {
        let both = self.began.ip.zip(self.present.ip);
        both.is_some_and(|(began, present)| !IpLock::Exact.admits(began, present))
    }

    /// Whether the client says something else of itself.
    #[must_use]
    pub fn user_agent_changed(&self) -> bool {
        user_agent(self.began) != user_agent(self.present)
    }

    /// The `Accept-Language` with which the session began (RFC 9110 §12.5.4), of which the first
    /// [128 octets](Self::MAX_LANGUAGE) are kept; none if there was none, or nobody noted it.
    ///
    /// ```
    /// use tenure_core::guard::ClientChange;
    ///
    /// fn spoken(change: &ClientChange<'_>) -> Option<String> {
    ///     let (began, present) = (change.began_language(), change.present_language());
    ///     change.language_changed().then(|| format!("from {began:?} to {present:?}"))
    /// }
    /// # let sessions = tenure_core::Sessions::builder().store(tenure_core::store::MemoryStore::new());
    /// # let _ = sessions.on_client_change(|change| drop(spoken(change)));
    /// ```
    #[must_use]
    pub fn began_language(&self) -> Option<&str> {
        self.began_language.filter(|text| !text.is_empty())
    }

    /// The `Accept-Language` of this request, as much of it as is compared.
    ///
    /// See the example of [`began_language`](Self::began_language).
    #[must_use]
    pub fn present_language(&self) -> Option<&str> {
        Some(self.present_language).filter(|text| !text.is_empty())
    }

    /// Whether the client asks for other languages, or for some where it asked for none, or for none
    /// where it asked for some. What nobody noted has not changed: it is noted when a session begins
    /// in a request while there is a hook.
    #[must_use]
    pub fn language_changed(&self) -> bool {
        self.began_language.is_some_and(|began| began != self.present_language)
    }

    /// Whether the session ends by one of the locks.
    #[must_use]
    pub fn ends_session(&self) -> bool {
        self.ends
    }
}

/// None if it said nothing, in whatever way.
fn user_agent(client: &Client) -> Option<&str> {
    client.user_agent.as_deref().filter(|text| !text.is_empty())
}

/// Whom sessions are tied to, who is told, and where a form carries its token.
#[derive(Clone, Default)]
pub(crate) struct Guards {
    pub(crate) ip: Option<IpLock>,
    pub(crate) user_agent: bool,
    pub(crate) on_change: Option<ChangeHook>,
    pub(crate) csrf_field: Option<Box<str>>,
}

/// What the locks say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    Admitted,
    /// The session ends; why, for the log alone.
    Ends(&'static str),
    /// Nobody has told where the request comes from.
    UnknownAddress,
}

impl Guards {
    pub(crate) fn check(&self) -> Result<()> {
        self.ip.map_or(Ok(()), IpLock::check)?;
        self.csrf_field.as_deref().map_or(Ok(()), check_field)
    }

    /// Whether any session may be ended.
    pub(crate) fn locks(&self) -> bool {
        self.ip.is_some() || self.user_agent
    }

    /// Whether anybody wants to know what language clients ask for.
    pub(crate) fn compares_languages(&self) -> bool {
        self.on_change.is_some()
    }

    /// Whether anybody wants to know who comes.
    pub(crate) fn watch(&self) -> bool {
        self.locks() || self.on_change.is_some()
    }

    pub(crate) fn verdict(&self, began: &Client, present: &Client) -> Verdict {
        if let Some(lock) = self.ip {
            match (began.ip, present.ip) {
                (_, None) => return Verdict::UnknownAddress,
                (None, _) => return Verdict::Ends("it is not known from where it began"),
                (Some(began), Some(present)) if !lock.admits(began, present) => {
                    return Verdict::Ends("its client comes from another address");
                }
                _ => {}
            }
        }
        if self.user_agent && user_agent(began) != user_agent(present) {
            return Verdict::Ends("its client says to be another one");
        }
        Verdict::Admitted
    }

    /// Tells whoever wants to know. Runs the application's code, so under no lock.
    pub(crate) fn tell(
        &self,
        key: &StoreKey,
        record: &Record,
        present: &Client,
        present_language: &str,
        ends: bool,
    ) {
        let Some(hook) = &self.on_change else { return };
        let noted = record.data.get(LANGUAGE).map(Json::trusted);
        let noted = noted.and_then(|text| text.decode::<String>().ok());
        let change = ClientChange {
            handle: key.handle(),
            user: record.user.as_ref(),
            began: &record.client,
            present,
            began_language: noted.as_deref(),
            present_language,
            ends,
        };
        let changed =
            change.ip_changed() || change.user_agent_changed() || change.language_changed();
        if ends || changed {
            // What listens must not break what it listens to.
            let _ = catch_unwind(AssertUnwindSafe(|| hook(&change)));
        }
    }
}
