use std::fmt;
use std::ops::{Deref, DerefMut};

use axum_core::extract::{FromRequestParts, OptionalFromRequestParts};
use axum_core::response::{IntoResponse, Response};
use http::request::Parts;
use tenure_core::ErrorKind;
use tenure_core::session::{LocalPath, Principal};

use super::extract::loaded;
use super::{Error, Redirect};
use crate::require_auth::Answer;

/// Who is logged in, as an extractor: a [`UserId`](tenure_core::UserId), or a class of the
/// application that is a [`Principal`].
///
/// Without one the handler does not run: the client gets `401 Unauthorized`, as an
/// [error](Error) of the session, or, with a [`RequireAuth`](crate::RequireAuth) that has a
/// log-in page around the route, a redirect. `Option<Auth<P>>` is none then.
///
/// ```
/// use tenure_core::UserId;
/// use tenure_tower::axum::Auth;
///
/// async fn orders(Auth(user): Auth<UserId>) -> String {
///     format!("What {user} has bought")
/// }
///
/// async fn greet(user: Option<Auth<UserId>>) -> String {
///     user.map_or_else(|| "Hello".into(), |user| format!("Hello {}", user.as_str()))
/// }
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Auth<P>(pub P);

impl<S: Send + Sync, P: Principal> FromRequestParts<S> for Auth<P> {
    type Rejection = AuthRejection;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, AuthRejection> {
        let session = loaded(parts, P::SESSION).await?;
        if let Some(principal) = session.principal().map_err(Error::from)? {
            return Ok(Self(principal));
        }
        let answer = parts.extensions.get::<Answer>();
        Err(AuthRejection(match answer.and_then(|answer| answer.redirects(&session, parts)) {
            Some(login_page) => Inner::Redirect(login_page),
            None => Inner::Error(unauthenticated(&session).into()),
        }))
    }
}

impl<S: Send + Sync, P: Principal> OptionalFromRequestParts<S> for Auth<P> {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Option<Self>, Error> {
        let session = loaded(parts, P::SESSION).await?;
        Ok(session.principal()?.map(Self))
    }
}

fn unauthenticated(session: &tenure_core::Session) -> tenure_core::Error {
    let why = "the user who is logged in is no such principal";
    let other = |_| tenure_core::Error::new(ErrorKind::Unauthenticated, "auth", why);
    session.require_user().map_or_else(|error| error, other)
}

/// The answer to whoever is not logged in, or the error on the way to know.
pub struct AuthRejection(Inner);

enum Inner {
    Error(Error),
    Redirect(LocalPath),
}

impl From<Error> for AuthRejection {
    fn from(error: Error) -> Self {
        Self(Inner::Error(error))
    }
}

impl IntoResponse for AuthRejection {
    fn into_response(self) -> Response {
        match self.0 {
            Inner::Error(error) => error.into_response(),
            Inner::Redirect(login_page) => Redirect::to(login_page).into_response(),
        }
    }
}

impl fmt::Display for AuthRejection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Inner::Error(error) => error.fmt(f),
            Inner::Redirect(login_page) => write!(f, "nobody is logged in; to {login_page}"),
        }
    }
}

impl fmt::Debug for AuthRejection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Inner::Error(error) => error.fmt(f),
            Inner::Redirect(login_page) => f.debug_tuple("Redirect").field(login_page).finish(),
        }
    }
}

impl std::error::Error for AuthRejection {}

impl<P> Deref for Auth<P> {
    type Target = P;

    fn deref(&self) -> &P {
        &self.0
    }
}

impl<P> DerefMut for Auth<P> {
    fn deref_mut(&mut self) -> &mut P {
        &mut self.0
    }
}
