use serde::de::{DeserializeOwned, IgnoredAny};
use tenure_core::session::FlashMessages;
use tenure_core::{Error, ErrorKind, Result, Session, UserId};

use crate::html::escaped;

/// What a page may see of a session: made once a page, cheap to clone.
///
/// Nothing is read before the page asks for it, and nothing can be written, with two exceptions that
/// follow from what the page shows: messages that it reads are
/// [used up](Session::flash_messages), and a [token](Self::csrf_token) for a visitor who has no
/// session begins one.
///
/// The names that templates see are in the [crate's documentation](crate). askama, maud and other
/// compiled templates call the methods below.
///
/// ```
/// use tenure_template::SessionView;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> tenure_core::Result<()> {
/// # let sessions = tenure_core::Sessions::in_memory()?;
/// # let session = sessions.start().await?;
/// # use std::collections::BTreeMap;
/// session.flash_all(&BTreeMap::from([("email", "ada@example")]))?;
/// session.flash_errors([("email", "is no address")])?;
/// # session.save().await?;
/// # let token = session.danger_expose_token().unwrap();
/// let next = sessions.open_token(&token).await?.unwrap(); // the page with the form
/// let view = SessionView::new(&next);
/// assert_eq!(view.old("email", "")?, "ada@example");
/// assert_eq!(view.error("email")?.as_deref(), Some("is no address"));
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct SessionView {
    session: Option<Session>,
}

impl SessionView {
    /// A view of this session. One of a [handle for reading only](Session::read_only) shows messages
    /// without using them up.
    #[must_use]
    pub fn new(session: &Session) -> Self {
        Self { session: Some(session.clone()) }
    }

    /// The view for a visitor without a session: empty, and without tokens.
    ///
    /// ```
    /// use tenure_core::{ErrorKind, Session};
    /// use tenure_template::SessionView;
    ///
    /// fn view(session: Option<&Session>) -> SessionView {
    ///     session.map_or_else(SessionView::absent, SessionView::new)
    /// }
    ///
    /// assert_eq!(view(None).get::<String>("theme")?, None);
    /// assert_eq!(view(None).csrf_token().unwrap_err().kind(), ErrorKind::Misuse);
    /// # Ok::<(), tenure_core::Error>(())
    /// ```
    #[must_use]
    pub fn absent() -> Self {
        Self { session: None }
    }

    /// What is at a [path](Session::get_path) such as `cart.0.sku`; none where there is nothing or a
    /// null.
    ///
    /// ```
    /// # use tenure_template::SessionView;
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> tenure_core::Result<()> {
    /// # let sessions = tenure_core::Sessions::in_memory()?;
    /// # let session = sessions.start().await?;
    /// session.set("cart", ["tea", "milk"])?;
    /// let view = SessionView::new(&session);
    /// assert_eq!(view.get::<String>("cart.1")?.as_deref(), Some("milk"));
    /// assert_eq!(view.get::<String>("cart.2")?, None);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::Type`] when there is a value but of another type.
    pub fn get<T: DeserializeOwned>(&self, path: &str) -> Result<Option<T>> {
        let found = self.session.as_ref().map(|session| session.get_path::<Option<T>>(path));
        Ok(found.transpose()?.flatten().flatten())
    }

    /// Whether there is anything at a path, be it a null.
    ///
    /// ```
    /// # use tenure_template::SessionView;
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> tenure_core::Result<()> {
    /// # let sessions = tenure_core::Sessions::in_memory()?;
    /// # let session = sessions.start().await?;
    /// session.set("consent", false)?;
    /// let view = SessionView::new(&session);
    /// assert!(view.contains("consent")? && !view.contains("consent.date")?);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As [`get`](Self::get).
    pub fn contains(&self, path: &str) -> Result<bool> {
        let found = self.session.as_ref().map(|session| session.get_path::<IgnoredAny>(path));
        Ok(found.transpose()?.flatten().is_some())
    }

    /// All keys, in order.
    ///
    /// ```
    /// # use tenure_template::SessionView;
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> tenure_core::Result<()> {
    /// # let sessions = tenure_core::Sessions::in_memory()?;
    /// # let session = sessions.start().await?;
    /// session.set("theme", "dark")?;
    /// assert_eq!(SessionView::new(&session).keys(), ["theme"]);
    /// assert!(SessionView::absent().keys().is_empty());
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn keys(&self) -> Vec<String> {
        self.session.as_ref().map(Session::keys).unwrap_or_default()
    }

    /// Who is logged in.
    ///
    /// ```
    /// # use tenure_template::SessionView;
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> tenure_core::Result<()> {
    /// # let sessions = tenure_core::Sessions::in_memory()?;
    /// # let session = sessions.start().await?;
    /// session.login("ada")?;
    /// assert_eq!(SessionView::new(&session).user().unwrap().as_str(), "ada");
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn user(&self) -> Option<UserId> {
        self.session.as_ref().and_then(Session::user)
    }

    /// The messages that earlier requests left, which are used up by this call: see
    /// [`Session::flash_messages`].
    ///
    /// ```
    /// # use tenure_template::SessionView;
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> tenure_core::Result<()> {
    /// # let sessions = tenure_core::Sessions::in_memory()?;
    /// # let session = sessions.start().await?;
    /// session.flash("success", "Saved.")?;
    /// # session.save().await?;
    /// # let token = session.danger_expose_token().unwrap();
    /// let next = sessions.open_token(&token).await?.unwrap(); // the next request
    /// let messages = SessionView::new(&next).flash_messages()?;
    /// assert_eq!(messages.get::<String>("success")?.as_deref(), Some("Saved."));
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::Sealed`] when the response head has been sent: render the page before.
    pub fn flash_messages(&self) -> Result<FlashMessages> {
        self.session.as_ref().map_or_else(|| Ok(FlashMessages::default()), Session::flash_messages)
    }

    /// What the user had typed into a field of the form, or the default: see
    /// [`FlashMessages::old`].
    ///
    /// # Errors
    /// As [`flash_messages`](Self::flash_messages).
    pub fn old(&self, field: &str, default: &str) -> Result<String> {
        Ok(self.flash_messages()?.old(field).unwrap_or_else(|| default.to_owned()))
    }

    /// The first of the [`errors`](Self::errors) of a field.
    ///
    /// # Errors
    /// As [`flash_messages`](Self::flash_messages).
    pub fn error(&self, field: &str) -> Result<Option<String>> {
        Ok(self.errors(field)?.into_iter().next())
    }

    /// What is wrong with a field of the form: see [`FlashMessages::errors`].
    ///
    /// ```
    /// # use tenure_template::SessionView;
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> tenure_core::Result<()> {
    /// # let sessions = tenure_core::Sessions::in_memory()?;
    /// # let session = sessions.start().await?;
    /// session.flash_errors([("name", "is too long"), ("name", "is no name")])?;
    /// # session.save().await?;
    /// # let token = session.danger_expose_token().unwrap();
    /// let next = sessions.open_token(&token).await?.unwrap(); // the next request
    /// let view = SessionView::new(&next);
    /// assert_eq!(view.errors("name")?, ["is too long", "is no name"]);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As [`flash_messages`](Self::flash_messages).
    pub fn errors(&self, field: &str) -> Result<Vec<String>> {
        Ok(self.flash_messages()?.errors(field))
    }

    /// A [request forgery token](Session::csrf_token), another text with every call. For a visitor
    /// without a session it begins one.
    ///
    /// ```
    /// # use tenure_template::SessionView;
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> tenure_core::Result<()> {
    /// # let sessions = tenure_core::Sessions::in_memory()?;
    /// # let session = sessions.start().await?;
    /// let token = SessionView::new(&session).csrf_token()?;
    /// assert!(session.verify_csrf(&token)?);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::Misuse`] for the [absent](Self::absent) session; otherwise as
    /// [`Session::csrf_token`].
    pub fn csrf_token(&self) -> Result<String> {
        self.present()?.csrf_token()
    }

    /// A hidden field with a [token](Self::csrf_token), as HTML: not to be escaped again. Its name is
    /// the one by which forms are checked,
    /// [`SessionsBuilder::csrf_field`](tenure_core::SessionsBuilder::csrf_field).
    ///
    /// ```
    /// # use tenure_template::SessionView;
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> tenure_core::Result<()> {
    /// # let sessions = tenure_core::Sessions::in_memory()?;
    /// # let session = sessions.start().await?;
    /// let field = SessionView::new(&session).csrf_field()?;
    /// assert!(field.starts_with(r#"<input type="hidden" name="_csrf" value=""#));
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As [`csrf_token`](Self::csrf_token).
    pub fn csrf_field(&self) -> Result<String> {
        let session = self.present()?;
        let (name, token) = (escaped(session.csrf_field()), escaped(&session.csrf_token()?));
        Ok(format!(r#"<input type="hidden" name="{name}" value="{token}">"#))
    }

    fn present(&self) -> Result<&Session> {
        self.session.as_ref().ok_or_else(|| {
            Error::new(
                ErrorKind::Misuse,
                "csrf_token",
                "the view was made without a session; a page with a form has to be given the \
                 session also of visitors who have none yet",
            )
        })
    }
}
