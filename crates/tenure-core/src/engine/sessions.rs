use std::fmt;
use std::sync::Arc;

use super::config::SessionsBuilder;
use super::counters::Counts;
use super::events::Event;
use super::exchange::Exchange;
use super::manager::Manager;
use super::request::Connection;
use super::slot::Slot;
use super::sweeper::Sweeper;
use crate::clock::{Clock, Random};
use crate::error::{Error, Result};
use crate::id::Namespace;
use crate::store::{AnyStore, MemoryStore, Store};
use crate::transport::{Cookie, CookieTransport, Transports};

/// The manager of an application's sessions: configuration, store and keys; cheap to clone.
///
/// ```
/// use tenure_core::{Sessions, store::MemoryStore};
///
/// let sessions = Sessions::builder().store(MemoryStore::new()).build()?;
/// assert_eq!(sessions.name(), "__Host-id");
/// # Ok::<(), tenure_core::Error>(())
/// ```
#[derive(Clone)]
pub struct Sessions(Arc<Manager>);

impl Sessions {
    /// Starts a configuration.
    pub fn builder() -> SessionsBuilder {
        SessionsBuilder::new()
    }

    /// Sessions in memory with all defaults, the shortest way to begin.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> tenure_core::Result<()> {
    /// # use tenure_core::Sessions;
    /// let sessions = Sessions::in_memory()?;
    /// let session = sessions.start().await?;
    /// session.set("theme", "dark")?;
    /// session.commit().await?;
    /// assert!(session.exists());
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// When the operating system has no random numbers.
    pub fn in_memory() -> Result<Self> {
        Self::builder().store(MemoryStore::new()).build()
    }

    pub(super) fn from_manager(manager: Manager) -> Self {
        Self(Arc::new(manager))
    }

    pub(crate) fn from_shared(manager: Arc<Manager>) -> Self {
        Self(manager)
    }

    /// The same sessions by another cookie: store, keys, namespace, settings and counts are those
    /// of this manager, and `cookie` takes the place of its own.
    ///
    /// With other options but the same name, each opens the tokens of the other. Under another
    /// name a part of the application has sessions of its own, which still belong to the same
    /// users: a signed token is bound to the name of its cookie, so those of one name do not open
    /// by the other. Unsigned tokens do, and those of another scheme unless it binds them. Mind
    /// that [`Secure::Auto`](crate::transport::Secure::Auto) takes the prefix off a name on plain
    /// HTTP.
    ///
    /// ```
    /// use std::time::Duration;
    /// use tenure_core::{Sessions, transport::Cookie};
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> tenure_core::Result<()> {
    /// let sessions = Sessions::in_memory()?;
    /// let month = Duration::from_secs(30 * 24 * 60 * 60);
    /// let lasting = sessions.with_cookie(Cookie::default().lifetime(month))?;
    /// let admin = sessions.with_cookie(Cookie::named("__Host-admin"))?;
    ///
    /// let session = sessions.start().await?;
    /// session.set("theme", "dark")?;
    /// session.commit().await?;
    /// let token = session.danger_expose_token().unwrap();
    /// assert!(lasting.open_token(&token).await?.is_some());
    /// assert!(admin.open_token(&token).await?.is_none());
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::Config`](crate::ErrorKind::Config) as when sessions are built: for what a browser would refuse or cut
    /// off, with the setting and the remedy.
    ///
    /// # Deployment caveat
    /// A browser sends all cookies of one name whose paths and domains fit. Two valid tokens in one
    /// request are refused, since one may have been planted: where paths or domains overlap, take
    /// another name.
    pub fn with_cookie(&self, cookie: Cookie) -> Result<Self> {
        let cookie = CookieTransport::new(cookie, self.clock().now())?;
        let transports = Transports::new(vec![Arc::new(cookie)])?;
        Ok(Self::from_manager(Manager { transports, ..Manager::clone(&self.0) }))
    }

    /// Begins the exchange of one request, without any I/O and without looking at the credential.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> tenure_core::Result<()> {
    /// # use tenure_core::{Sessions, engine::Connection};
    /// # let sessions = Sessions::in_memory()?;
    /// let request = http::Request::builder().header("cookie", "__Host-id=forged").body(()).unwrap();
    /// let exchange = sessions.open(&request.into_parts().0, Connection::new().secure(true));
    /// assert_eq!(sessions.counts().rejected, 0, "nobody has asked yet");
    /// exchange.session().load().await?;
    /// assert_eq!(sessions.counts().rejected, 1);
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn open(&self, parts: &http::request::Parts, connection: Connection) -> Exchange {
        Exchange::new(Arc::new(Slot::of_request(self.shared(), parts, connection)))
    }

    /// Asks the store for a session that nobody has, to learn whether it answers: for readiness
    /// probes. It takes at most the [`store_timeout`](SessionsBuilder::store_timeout).
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> tenure_core::Result<()> {
    /// let sessions = tenure_core::Sessions::in_memory()?;
    /// assert!(sessions.ping().await.is_ok());
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// When the store cannot answer.
    pub async fn ping(&self) -> Result<()> {
        let manager = &*self.0;
        let token = manager.scheme.mint(&manager.token_context(self.name(), None))?;
        let (key, now) = (manager.key(&token), manager.settings.clock.now());
        let load = |now, _| manager.store.load(&key, now);
        manager.call("ping", now, load).await.map(|_| ())
    }

    /// Closes the store, on shutdown: what is committed is safe without it, but SQLite puts its
    /// log away and servers see their connections end. Requests that come later are answered as
    /// with a store that is down.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> tenure_core::Result<()> {
    /// let sessions = tenure_core::Sessions::in_memory()?;
    /// // … serve until the signal to stop, then:
    /// sessions.close().await;
    /// # Ok(())
    /// # }
    /// ```
    pub async fn close(&self) {
        self.0.store.close().await;
    }

    /// The task that clears expired sessions away.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> tenure_core::Result<()> {
    /// # use std::time::Duration;
    /// # use tenure_core::{Sessions, store::MemoryStore};
    /// # let clock = tenure_testkit::ManualClock::new();
    /// # let sessions = Sessions::builder().store(MemoryStore::new()).clock(clock.clone()).build()?;
    /// # let session = sessions.start().await?;
    /// # session.login("ada")?;
    /// # session.commit().await?;
    /// clock.advance(Duration::from_secs(30 * 60)); // the one session ends
    /// assert_eq!(sessions.sweeper().once().await?, 1);
    /// # Ok(())
    /// # }
    /// ```
    pub fn sweeper(&self) -> Sweeper {
        Sweeper::new(self.clone())
    }

    pub(super) fn manager(&self) -> &Manager {
        &self.0
    }

    pub(super) fn shared(&self) -> Arc<Manager> {
        Arc::clone(&self.0)
    }

    pub(super) fn clock(&self) -> &dyn Clock {
        self.0.settings.clock.as_ref()
    }

    pub(super) fn random(&self) -> &dyn Random {
        self.0.settings.random.as_ref()
    }

    pub(super) fn report(&self, error: &Error) {
        self.0.report(error);
    }

    pub(super) fn emit(&self, event: Event<'_>) {
        self.0.emit(event);
    }

    /// The name of the cookie on HTTPS; it tells session layers apart.
    #[must_use]
    pub fn name(&self) -> &str {
        self.0.transports.main().name(true)
    }

    /// Whether a browser sends the cookie with requests for this path (RFC 6265 §5.1.4), which is
    /// as the browser sees it, without the query. An adapter gives other requests no session.
    ///
    /// Every path is covered where a [cookie factory](crate::transport::Cookie::factory) may set
    /// another one.
    ///
    /// ```
    /// # use tenure_core::{Sessions, store::MemoryStore, transport::Cookie};
    /// let cookie = Cookie::named("__Secure-shop").path("/shop");
    /// let sessions = Sessions::builder().store(MemoryStore::new()).cookie(cookie).build()?;
    /// assert!(sessions.covers("/shop") && sessions.covers("/shop/cart"));
    /// assert!(!sessions.covers("/") && !sessions.covers("/shopping"));
    /// # Ok::<(), tenure_core::Error>(())
    /// ```
    #[must_use]
    pub fn covers(&self, path: &str) -> bool {
        self.0.transports.iter().any(|transport| transport.covers(path))
    }

    /// Whether whatever parallel requests do to one session merges: not where the clients keep the
    /// sessions, since the last response wins there.
    ///
    /// ```
    /// # use tenure_core::Sessions;
    /// assert!(Sessions::in_memory()?.merges());
    /// # Ok::<(), tenure_core::Error>(())
    /// ```
    #[must_use]
    pub fn merges(&self) -> bool {
        self.0.sealer.is_none()
    }

    /// The namespace in the store.
    ///
    /// ```
    /// # use tenure_core::Sessions;
    /// let sessions = Sessions::in_memory()?;
    /// assert_eq!(sessions.namespace().as_str(), sessions.name(), "by default");
    /// # Ok::<(), tenure_core::Error>(())
    /// ```
    #[must_use]
    pub fn namespace(&self) -> &Namespace {
        &self.0.namespace
    }

    /// The store.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # use tenure_core::{Clock, SystemClock};
    /// use tenure_core::store::{Store, StoreKey};
    ///
    /// # let sessions = tenure_core::Sessions::in_memory()?;
    /// # let session = sessions.start().await?;
    /// # session.login("ada")?;
    /// # session.commit().await?;
    /// # let handle = session.handle().unwrap();
    /// let key = StoreKey::new(sessions.namespace().clone(), handle); // of a device that was lost
    /// assert!(sessions.store().delete(&key, SystemClock.now()).await?);
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn store(&self) -> &AnyStore {
        &self.0.store
    }

    /// What has been counted so far.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> tenure_core::Result<()> {
    /// # let sessions = tenure_core::Sessions::in_memory()?;
    /// let before = sessions.counts();
    /// sessions.open_token("forged").await?;
    /// assert_eq!(sessions.counts().rejected - before.rejected, 1);
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn counts(&self) -> Counts {
        self.0.counters.read()
    }
}

impl fmt::Debug for Sessions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sessions")
            .field("name", &self.name())
            .field("namespace", &self.0.namespace.as_str())
            .finish_non_exhaustive()
    }
}
