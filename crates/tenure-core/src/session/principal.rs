use super::handle::Session;
use crate::error::Result;
use crate::id::UserId;

/// Who is logged in, as the application knows them: a [`UserId`], or a class of its own that it
/// reads from the session.
///
/// It is asked for only where somebody is [logged in](Session::login), so that the secret was
/// replaced before; what is written to a session without a login makes nobody a principal.
///
/// ```
/// use serde::{Deserialize, Serialize};
/// use tenure_core::{Result, Session, UserId};
/// use tenure_core::session::{Principal, SessionData};
///
/// #[derive(Serialize, Deserialize)]
/// struct Account {
///     name: String,
///     admin: bool,
/// }
///
/// impl SessionData for Account {
///     const PREFIX: &'static str = "account";
/// }
///
/// impl Principal for Account {
///     fn of(_user: UserId, session: &Session) -> Result<Option<Self>> {
///         session.typed().get()
///     }
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> tenure_core::Result<()> {
/// # let sessions = tenure_core::Sessions::in_memory()?;
/// # let session = sessions.start().await?;
/// session.typed().set(&Account { name: "Ada".into(), admin: true })?;
/// assert!(session.principal::<Account>()?.is_none(), "nobody is logged in");
/// session.login("ada")?;
/// assert_eq!(session.principal::<Account>()?.unwrap().name, "Ada");
/// # Ok(())
/// # }
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no principal",
    note = "use `UserId`, or implement `Principal`: say how it is read from a session"
)]
pub trait Principal: Sized {
    /// The [name](crate::Sessions::name) of the sessions in which one logs in, where a request has
    /// several; by default the innermost layer's. Adapters look at it.
    const SESSION: Option<&'static str> = None;

    /// Who `user` is, or none if they are nobody after all.
    ///
    /// # Errors
    /// When the session cannot be read.
    fn of(user: UserId, session: &Session) -> Result<Option<Self>>;
}

impl Principal for UserId {
    fn of(user: UserId, _session: &Session) -> Result<Option<Self>> {
        Ok(Some(user))
    }
}

impl Session {
    /// Who is logged in, as a type of the application's.
    ///
    /// See the example of [`Principal`].
    ///
    /// # Errors
    /// When the principal cannot be read.
    pub fn principal<P: Principal>(&self) -> Result<Option<P>> {
        self.user().map_or(Ok(None), |user| P::of(user, self))
    }
}
