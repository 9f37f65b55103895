use std::fmt;
use std::ops::Deref;

use axum_core::extract::{FromRequestParts, OptionalFromRequestParts};
use http::request::Parts;

use super::Error;
use crate::Installed;
use crate::skip::Skipped;

/// The session of this request, loaded: [`tenure_core::Session`] as an extractor.
///
/// It makes no session and sets no cookie until something is written. `Option<Session>` is the
/// session of a visitor who has one, and otherwise none.
///
/// With several layers it is the innermost one's; the others are found by
/// [`Installed::named`] in `Extension<Installed>`.
///
/// ```
/// use tenure_tower::axum::{Error, Session};
///
/// async fn add(session: Session) -> Result<&'static str, Error> {
///     session.push("cart", "tea")?;
///     Ok("added")
/// }
///
/// async fn cart(session: Option<Session>) -> Result<String, Error> {
///     let Some(session) = session else { return Ok("nothing yet".into()) };
///     Ok(session.get::<Vec<String>>("cart")?.unwrap_or_default().join(", "))
/// }
/// ```
#[derive(Clone)]
pub struct Session(tenure_core::Session);

/// The session of this request, not loaded: [`tenure_core::LazySession`] as an extractor.
///
/// ```
/// use tenure_tower::axum::{Error, LazySession};
///
/// async fn count(session: LazySession) -> Result<(), Error> {
///     session.increment("hits", 1)?; // a blind write: one store call, none to load
///     Ok(())
/// }
/// ```
#[derive(Clone)]
pub struct LazySession(tenure_core::LazySession);

/// The manager of the session of this request: [`tenure_core::Sessions`] as an extractor.
///
/// ```
/// use tenure_tower::axum::Sessions;
///
/// async fn stats(sessions: Sessions) -> String {
///     format!("{} sessions began", sessions.counts().created)
/// }
/// ```
#[derive(Clone)]
pub struct Sessions(tenure_core::Sessions);

impl<S: Send + Sync> FromRequestParts<S> for Session {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Error> {
        let session = installed(parts)?.session().clone();
        Ok(Self(session.load().await?))
    }
}

impl<S: Send + Sync> OptionalFromRequestParts<S> for Session {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Option<Self>, Error> {
        let session = <Self as FromRequestParts<S>>::from_request_parts(parts, state).await?;
        Ok(session.exists().then_some(session))
    }
}

impl<S: Send + Sync> FromRequestParts<S> for LazySession {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Error> {
        Ok(Self(installed(parts)?.session().clone()))
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Sessions {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Error> {
        Ok(Self(installed(parts)?.sessions()))
    }
}

pub(super) fn installed(parts: &Parts) -> Result<&Installed, Error> {
    if let Some(reason) = Skipped::reason(&parts.extensions) {
        return Err(Error::skipped(reason));
    }
    Installed::of(&parts.extensions).ok_or_else(Error::missing_layer)
}

/// The session of this name, or the innermost layer's.
pub(super) async fn loaded(
    parts: &Parts,
    name: Option<&'static str>,
) -> Result<tenure_core::Session, Error> {
    let lazy = match name {
        None => installed(parts)?.session(),
        Some(name) => installed(parts)?.named(name).ok_or_else(|| Error::missing(name))?.session(),
    };
    Ok(lazy.load().await?)
}

macro_rules! wraps {
    ($($name:ident)*) => {$(
        impl $name {
            /// The type of the core, for functions that take it by value.
            ///
            /// ```
            /// # #[tokio::main(flavor = "current_thread")]
            /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
            /// # use axum::{Router, body::Body, extract::Request, routing::get};
            /// # use tower::ServiceExt;
            /// use tenure_tower::{SessionLayer, axum::{Error, LazySession, Session, Sessions}};
            ///
            /// async fn visit(session: Session, lazy: LazySession, sessions: Sessions) -> Result<(), Error> {
            ///     let session: tenure_core::Session = session.into_inner();
            ///     lazy.into_inner().increment("visits", 1)?;
            ///     assert_eq!(session.get("visits")?, Some(1));
            ///     assert_eq!(sessions.into_inner().counts().created, 0, "not yet committed");
            ///     Ok(())
            /// }
            /// # let sessions = tenure_core::Sessions::in_memory()?;
            /// # let app = Router::new().route("/", get(visit)).layer(SessionLayer::new(sessions.clone()));
            /// # assert_eq!(app.oneshot(Request::new(Body::empty())).await?.status(), 200);
            /// # assert_eq!(sessions.counts().created, 1);
            /// # Ok(())
            /// # }
            /// ```
            #[must_use]
            pub fn into_inner(self) -> tenure_core::$name {
                self.0
            }
        }

        impl Deref for $name {
            type Target = tenure_core::$name;

            fn deref(&self) -> &Self::Target {
                &self.0
            }
        }

        impl From<$name> for tenure_core::$name {
            fn from(wrapped: $name) -> Self {
                wrapped.0
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }
    )*};
}
wraps!(Session LazySession Sessions);
