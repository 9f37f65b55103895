use std::fmt;
use std::sync::Arc;

use serde::Serialize;

use super::handle::Session;
use super::key::{AsKey, AsName, CounterKey};
use crate::engine::{Sessions, Slot};
use crate::error::Result;
use crate::value::{By, Json};

/// A session that is not loaded: it costs nothing until it is.
///
/// Blind writes need no load. One that meets a session which has ended makes a fresh one; a type
/// that does not fit is seen only at the commit.
///
/// ```
/// use tenure_core::Sessions;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> tenure_core::Result<()> {
/// let sessions = Sessions::in_memory()?;
/// let session = sessions.start().await?.lazy();
/// session.increment("hits", 1)?;
/// assert_eq!(session.load().await?.get::<u32>("hits")?, Some(1));
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct LazySession {
    pub(super) slot: Arc<Slot>,
}

impl LazySession {
    pub(crate) fn new(slot: Arc<Slot>) -> Self {
        Self { slot }
    }

    /// Loads the session, with one store call a request; without a credential with none.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> tenure_core::Result<()> {
    /// # let store = tenure_core::store::MemoryStore::new();
    /// # let sessions = tenure_core::Sessions::builder().store(store).build()?;
    /// let lazy = sessions.start().await?.lazy();
    /// let session = lazy.load().await?;
    /// assert!(!session.exists());
    /// assert_eq!(sessions.counts().loads, 0, "no credential, no store call");
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// When the store cannot answer.
    pub async fn load(&self) -> Result<Session> {
        self.slot.load().await?;
        Ok(Session::new(Arc::clone(&self.slot)))
    }

    /// The manager that the session belongs to.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> tenure_core::Result<()> {
    /// # let sessions = tenure_core::Sessions::in_memory()?;
    /// # let session = sessions.start().await?;
    /// let lazy = session.lazy();
    /// assert_eq!(lazy.sessions().name(), sessions.name());
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn sessions(&self) -> Sessions {
        Sessions::from_shared(Arc::clone(&self.slot.manager))
    }

    /// Whether the request came by HTTPS, as far as the adapter was told.
    ///
    /// ```
    /// # fn main() -> tenure_core::Result<()> {
    /// # use tenure_core::{Sessions, engine::Connection};
    /// # let sessions = Sessions::in_memory()?;
    /// # let (parts, ()) = http::Request::new(()).into_parts();
    /// let exchange = sessions.open(&parts, Connection::new().secure(true));
    /// assert!(exchange.session().is_secure());
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn is_secure(&self) -> bool {
        self.slot.secure
    }

    /// Whether another site may have made a browser send this request with the session's credential.
    /// It may not if the request came by a transport whose credential a client puts there on purpose,
    /// as a bearer token, good or bad: such a request needs no
    /// [token](Session::csrf_token) against forgery. A request that came by no transport says nothing,
    /// and counts as one that another site may have made.
    ///
    /// ```
    /// # use http::header::{AUTHORIZATION, COOKIE, HeaderName};
    /// # use tenure_core::{Sessions, engine::Connection, store::MemoryStore, transport::*};
    /// # fn main() -> tenure_core::Result<()> {
    /// # let sessions = Sessions::builder()
    /// #     .store(MemoryStore::new()).cookie(Cookie::default()).bearer(Bearer::new()).build()?;
    /// let is_ambient = |name: HeaderName, value: &str| {
    ///     let (parts, ()) = http::Request::builder().header(name, value).body(()).unwrap().into_parts();
    ///     sessions.open(&parts, Connection::new().secure(true)).session().is_ambient()
    /// };
    /// assert!(is_ambient(COOKIE, "__Host-id=…"));
    /// assert!(!is_ambient(AUTHORIZATION, "Bearer …"));
    /// assert!(is_ambient(AUTHORIZATION, "Basic …"), "which browsers send by themselves");
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Deployment caveat
    /// Browsers ask before they send such a header to another origin (Fetch, section 3.3). What CORS
    /// answers must name the origins that may.
    #[must_use]
    pub fn is_ambient(&self) -> bool {
        self.slot.is_ambient()
    }

    /// Puts `value` under `key`.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> tenure_core::Result<()> {
    /// # let sessions = tenure_core::Sessions::in_memory()?;
    /// # let session = sessions.start().await?;
    /// # let lazy = session.lazy();
    /// lazy.set("theme", "dark")?;
    /// assert_eq!(lazy.load().await?.get::<String>("theme")?.as_deref(), Some("dark"));
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As [`Session::set`].
    pub fn set<T: Serialize>(&self, key: impl AsKey<T>, value: T) -> Result<()> {
        self.slot.put(key.as_name(), Some(Json::of(&value)?))
    }

    /// Removes `key`.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> tenure_core::Result<()> {
    /// # let sessions = tenure_core::Sessions::in_memory()?;
    /// # let session = sessions.start().await?;
    /// # session.set("draft", "Dear …")?;
    /// # let lazy = session.lazy();
    /// lazy.remove("draft")?;
    /// assert!(!lazy.load().await?.contains("draft"));
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As every write.
    pub fn remove(&self, key: impl AsName) -> Result<()> {
        self.slot.put(key.as_name(), None)
    }

    /// Adds to the number under `key`.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> tenure_core::Result<()> {
    /// # let sessions = tenure_core::Sessions::in_memory()?;
    /// # let session = sessions.start().await?;
    /// # let lazy = session.lazy();
    /// lazy.increment("hits", 1)?;
    /// lazy.increment("hits", 2)?;
    /// assert_eq!(lazy.load().await?.get("hits")?, Some(3));
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As every write.
    pub fn increment(&self, key: impl CounterKey, by: impl Into<By>) -> Result<()> {
        self.slot.add(key.as_name(), by.into().into())
    }

    /// Appends `item` to the list under `key`.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> tenure_core::Result<()> {
    /// # let sessions = tenure_core::Sessions::in_memory()?;
    /// # let session = sessions.start().await?;
    /// # let lazy = session.lazy();
    /// lazy.push("seen", "/tea")?;
    /// lazy.push("seen", "/milk")?;
    /// assert_eq!(lazy.load().await?.get::<Vec<String>>("seen")?.unwrap(), ["/tea", "/milk"]);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As every write.
    pub fn push<T: Serialize>(&self, key: impl AsKey<Vec<T>>, item: T) -> Result<()> {
        self.slot.push(key.as_name(), Json::of(&item)?)
    }

    /// Ends the session, as [`Session::logout`], without a load.
    ///
    /// ```
    /// # use tenure_core::engine::Connection;
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let sessions = tenure_core::Sessions::in_memory()?;
    /// # let session = sessions.start().await?;
    /// # session.login("ada")?;
    /// # session.save().await?;
    /// # let token = session.danger_expose_token().unwrap();
    /// # let cookie = format!("__Host-id={token}");
    /// # let request = http::Request::builder().header("cookie", cookie).body(())?;
    /// # let (parts, ()) = request.into_parts();
    /// # let exchange = sessions.open(&parts, Connection::new().secure(true));
    /// # let mut response = http::Response::new(());
    /// exchange.session().logout()?; // a handler that does no more
    ///
    /// exchange.close(response.status(), response.headers_mut()).await?;
    /// assert!(sessions.open_token(&token).await?.is_none());
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As every write.
    pub fn logout(&self) -> Result<()> {
        self.slot.log_out()
    }
}

impl fmt::Debug for LazySession {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("LazySession")
    }
}
