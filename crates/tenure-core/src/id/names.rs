use std::fmt;
use std::sync::Arc;

use crate::error::{Error, ErrorKind, Result};

/// What keeps the sessions of one application apart from all others in the same store.
///
/// It enters every proof and every store key, so a token of one namespace is worth nothing in
/// another. By default it is the cookie's name.
///
/// ```
/// use tenure_core::Namespace;
///
/// assert_eq!(Namespace::new("shop")?.as_str(), "shop");
/// assert!(Namespace::new("").is_err());
/// assert!(Namespace::new("x".repeat(65)).is_err());
/// # Ok::<(), tenure_core::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Namespace(Arc<str>);

impl Namespace {
    /// The longest namespace, in octets.
    pub const MAX_LEN: usize = 64;

    /// The namespace of this name: 1 to 64 visible ASCII characters.
    ///
    /// # Errors
    /// [`ErrorKind::Config`] for any other name.
    pub fn new(name: impl AsRef<str>) -> Result<Self> {
        let name = name.as_ref();
        if name.is_empty()
            || name.len() > Self::MAX_LEN
            || !name.bytes().all(|octet| octet.is_ascii_graphic())
        {
            return Err(Error::config(format!(
                "namespace: {name:?} is not 1 to {} visible ASCII characters; choose a short name \
                 such as that of the application",
                Self::MAX_LEN
            )));
        }
        Ok(Self(name.into()))
    }

    /// The name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    #[cfg(feature = "metrics")]
    pub(crate) fn shared(&self) -> Arc<str> {
        Arc::clone(&self.0)
    }
}

/// Whose session it is: the application's own id of a user, as text.
///
/// ```
/// use tenure_core::UserId;
///
/// assert_eq!(UserId::new(42)?.as_str(), "42");
/// assert_eq!(UserId::new("ada")?.to_string(), "ada");
/// assert!(UserId::new("").is_err(), "nobody cannot log in");
/// # Ok::<(), tenure_core::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct UserId(Arc<str>);

impl UserId {
    /// The longest user id, in octets.
    pub const MAX_LEN: usize = 255;

    /// The user whose id is written like this.
    ///
    /// # Errors
    /// [`ErrorKind::Misuse`] for an empty id, [`ErrorKind::TooLarge`] for one of more than 255
    /// octets.
    pub fn new(id: impl ToString) -> Result<Self> {
        let id = id.to_string();
        if id.is_empty() {
            return Err(Error::new(ErrorKind::Misuse, "login", "a user id cannot be empty"));
        }
        if id.len() > Self::MAX_LEN {
            return Err(Error::new(
                ErrorKind::TooLarge,
                "login",
                format!("a user id of {} octets is over the limit of {}", id.len(), Self::MAX_LEN),
            ));
        }
        Ok(Self(id.into()))
    }

    /// The id.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for UserId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
