use std::fmt;
use std::ops::Deref;

use axum_core::extract::FromRequestParts;
use http::request::Parts;
use tenure_core::session::SessionData;

use super::Error;
use super::extract::loaded;

/// A class of the application as the session: [`tenure_core::session::Typed`] as an extractor.
///
/// With several layers it is in the session whose name [`SessionData::SESSION`] is, or else in the
/// innermost layer's.
///
/// ```
/// use serde::{Deserialize, Serialize};
/// use tenure_core::session::SessionData;
/// use tenure_tower::axum::{Error, Typed};
///
/// #[derive(Serialize, Deserialize, Default)]
/// #[serde(default)]
/// struct Cart {
///     items: Vec<String>,
/// }
///
/// impl SessionData for Cart {
///     const SESSION: Option<&'static str> = Some("__Host-cart");
/// }
///
/// async fn add(cart: Typed<Cart>) -> Result<String, Error> {
///     cart.update(|cart| cart.items.push("tea".into()))?;
///     Ok(cart.get_or_default()?.items.join(", "))
/// }
/// ```
pub struct Typed<T>(tenure_core::session::Typed<T>);

impl<S: Send + Sync, T: SessionData> FromRequestParts<S> for Typed<T> {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Error> {
        Ok(Self(loaded(parts, T::SESSION).await?.typed()))
    }
}

impl<T> Deref for Typed<T> {
    type Target = tenure_core::session::Typed<T>;

    fn deref(&self) -> &Self::Target {
        &self.0
    }
}

impl<T> Clone for Typed<T> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<T> From<Typed<T>> for tenure_core::session::Typed<T> {
    fn from(typed: Typed<T>) -> Self {
        typed.0
    }
}

impl<T> fmt::Debug for Typed<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
