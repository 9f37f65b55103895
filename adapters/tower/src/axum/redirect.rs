use axum_core::response::{IntoResponse, Response};
use tenure_core::session::LocalPath;

use super::Error;
use crate::require_auth::redirect;

/// A redirect to a page of the own origin, `303 See Other`. What the handler did to the session is
/// committed before it is sent, as with every response.
///
/// ```
/// use tenure_core::session::LocalPath;
/// use tenure_tower::axum::{Error, Redirect, Session};
///
/// const LOGIN: LocalPath = LocalPath::from_static("/login");
///
/// async fn logout(session: Session) -> Result<Redirect, Error> {
///     session.logout()?;
///     Ok(Redirect::to(LOGIN))
/// }
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use = "a redirect does nothing until a handler returns it"]
pub struct Redirect(LocalPath);

impl Redirect {
    /// To this page.
    pub fn to(page: LocalPath) -> Self {
        Self(page)
    }

    /// To the [page before](tenure_core::Session::previous_url), such as the one with the form that
    /// was sent, or to `default` if none was noted; see [`PreviousUrl`](crate::PreviousUrl).
    ///
    /// ```
    /// use tenure_core::session::LocalPath;
    /// use tenure_tower::axum::{Error, Redirect, Session};
    ///
    /// async fn add(session: Session) -> Result<Redirect, Error> {
    ///     session.push("cart", "tea")?;
    ///     Redirect::back(&session, LocalPath::ROOT)
    /// }
    /// ```
    ///
    /// # Errors
    /// As [`previous_url`](tenure_core::Session::previous_url).
    pub fn back(session: &tenure_core::Session, default: LocalPath) -> Result<Self, Error> {
        Ok(Self(session.previous_url()?.unwrap_or(default)))
    }

    /// Logs `user` in, and goes to where they were [going](tenure_core::Session::intended_url)
    /// before the log-in got in the way, or to `default`.
    ///
    /// ```
    /// use tenure_core::session::LocalPath;
    /// use tenure_tower::axum::{Error, Redirect, Session};
    ///
    /// async fn login(session: Session) -> Result<Redirect, Error> {
    ///     Redirect::login_intended(&session, "ada", LocalPath::ROOT)
    /// }
    /// ```
    ///
    /// # Errors
    /// As [`login`](tenure_core::Session::login).
    pub fn login_intended(
        session: &tenure_core::Session,
        user: impl ToString,
        default: LocalPath,
    ) -> Result<Self, Error> {
        Ok(Self(session.login_intended(user)?.unwrap_or(default)))
    }

    /// To where the visitor was [going](tenure_core::Session::intended_url), which is forgotten, or
    /// to `default`. After a login it is forgotten already: [`login_intended`](Self::login_intended).
    ///
    /// ```
    /// use tenure_core::session::LocalPath;
    /// use tenure_tower::axum::{Error, Redirect, Session};
    ///
    /// async fn consent(session: Session) -> Result<Redirect, Error> {
    ///     session.set("consent", true)?; // which another page had asked for
    ///     Redirect::intended(&session, LocalPath::ROOT)
    /// }
    /// ```
    ///
    /// # Errors
    /// As [`take_intended_url`](tenure_core::Session::take_intended_url).
    pub fn intended(session: &tenure_core::Session, default: LocalPath) -> Result<Self, Error> {
        Ok(Self(session.take_intended_url()?.unwrap_or(default)))
    }
}

impl IntoResponse for Redirect {
    fn into_response(self) -> Response {
        redirect(&self.0)
    }
}
