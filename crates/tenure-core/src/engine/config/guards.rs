//! Settings: whom a session is tied to, and where a form carries its token.

use std::sync::Arc;

use super::SessionsBuilder;
use crate::guard::{ClientChange, IpLock};

impl SessionsBuilder {
    /// Ties each session to the address from which it began; off by default. A request from
    /// elsewhere ends the session by force: its record is deleted, its cookie removed, and the
    /// request goes on without a session. So does one with a session that began nobody knows
    /// where, such as before this was configured. Whoever logs in afterwards, from wherever it is,
    /// gets a session that is tied to that place; a login in a session that exists moves nothing.
    ///
    /// ```
    /// use tenure_core::{Sessions, guard::IpLock, store::MemoryStore};
    /// # use tenure_core::engine::Connection;
    /// # use http::{HeaderMap, Request, StatusCode};
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let sessions = Sessions::builder()
    ///     .store(MemoryStore::new())
    ///     .lock_ip(IpLock::Prefix { v4: 24, v6: 64 })
    ///     .build()?;
    /// # let from = |ip: &str| Connection::new().secure(true).peer(ip.parse().unwrap());
    /// # let session = sessions.open(&Request::new(()).into_parts().0, from("192.0.2.7"));
    /// # let session = session.session().load().await?;
    /// # session.login("ada")?;
    /// # session.save().await?;
    /// # let cookie = format!("__Host-id={}", session.danger_expose_token().unwrap());
    /// # let (parts, ()) = Request::builder().header("cookie", cookie).body(())?.into_parts();
    /// let near = sessions.open(&parts, from("192.0.2.200")).session().load().await?;
    /// assert_eq!(near.user().unwrap().as_str(), "ada");
    /// let far = sessions.open(&parts, from("198.51.100.1")).session().load().await?;
    /// assert_eq!(far.user(), None);
    /// assert_eq!(sessions.counts().locked_out, 1, "and the session has ended for everybody");
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Deployment caveat
    /// The adapter must know the client's address, or every load of a session is an error that
    /// says so. Behind a proxy that is not [trusted](crate::guard::TrustedProxies) all clients
    /// have the proxy's address, and the lock holds nobody off. Visitors who change between
    /// networks, or between IPv4 and IPv6, are logged out; all who share a provider's or a
    /// company's address are one. Sessions opened outside a request
    /// ([`open_token`](crate::Sessions::open_token), [`open_headers`](crate::Sessions::open_headers))
    /// are not checked, nor are detached handles once they exist.
    pub fn lock_ip(mut self, lock: IpLock) -> Self {
        self.settings.guards.ip = Some(lock);
        self
    }

    /// Whether each session is tied to the `User-Agent` with which it began, of which the first 512
    /// octets count; off by default. A request with another one, or with none, ends the session as
    /// [`lock_ip`](Self::lock_ip) does.
    ///
    /// ```
    /// # use tenure_core::{Sessions, engine::Connection, store::MemoryStore};
    /// # use http::{Request, header::{COOKIE, USER_AGENT}};
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let sessions = Sessions::builder().store(MemoryStore::new()).lock_user_agent(true).build()?;
    /// # let (parts, ()) = Request::builder().header(USER_AGENT, "Lynx/2.9").body(())?.into_parts();
    /// # let session = sessions.open(&parts, Connection::new().secure(true));
    /// # let session = session.session().load().await?;
    /// # session.login("ada")?;
    /// # session.save().await?;
    /// # let cookie = format!("__Host-id={}", session.danger_expose_token().unwrap());
    /// let request = Request::builder().header(COOKIE, cookie).header(USER_AGENT, "curl/8.5");
    /// # let (parts, ()) = request.body(())?.into_parts();
    /// # let exchange = sessions.open(&parts, Connection::new().secure(true));
    /// assert!(!exchange.session().load().await?.exists());
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Deployment caveat
    /// Whoever steals a cookie often sees this header too and can send it. A browser's update
    /// changes it and logs its user out, and so does a page that asks for its desktop version.
    pub fn lock_user_agent(mut self, lock: bool) -> Self {
        self.settings.guards.user_agent = lock;
        self
    }

    /// Calls `hook` whenever a request loads a session that began from another address, or with
    /// another `User-Agent` or `Accept-Language`, whether or not a lock ends it (OWASP session
    /// management, "Detecting Session ID Anomalies"). What it does changes nothing, a panic
    /// included.
    ///
    /// It is told with every such request: what is to be noted once, such as a visitor who went from
    /// one network to another, is to be told apart by the [handle](ClientChange::handle). It runs on
    /// the way to the handler and should be quick.
    ///
    /// ```
    /// # use tenure_core::{Sessions, engine::Connection, store::MemoryStore};
    /// # use http::{Request, header::COOKIE};
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # use std::sync::{Arc, Mutex};
    /// # let log = Arc::new(Mutex::new(Vec::new()));
    /// # let sink = Arc::clone(&log);
    /// let sessions = Sessions::builder()
    ///     .store(MemoryStore::new())
    ///     .on_client_change(move |change| {
    ///         let (began, present) = (change.began().ip, change.present().ip);
    ///         sink.lock().unwrap().push((change.user().cloned(), began, present));
    ///     })
    ///     .build()?;
    /// # let from = |ip: &str| Connection::new().secure(true).peer(ip.parse().unwrap());
    /// # let session = sessions.open(&Request::new(()).into_parts().0, from("192.0.2.7"));
    /// # let session = session.session().load().await?;
    /// # session.login("ada")?;
    /// # session.save().await?;
    /// # let cookie = format!("__Host-id={}", session.danger_expose_token().unwrap());
    /// # let (parts, ()) = Request::builder().header(COOKIE, cookie).body(())?.into_parts();
    /// let session = sessions.open(&parts, from("198.51.100.1")).session().load().await?;
    /// assert!(session.exists(), "nothing ends it");
    /// let (user, began, present) = log.lock().unwrap().remove(0);
    /// assert_eq!(user.unwrap().as_str(), "ada");
    /// assert_eq!((began, present), (Some("192.0.2.7".parse()?), Some("198.51.100.1".parse()?)));
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Deployment caveat
    /// As for [`lock_ip`](Self::lock_ip): an address that the adapter was not told is none that
    /// changed, and behind a proxy that is not trusted none ever does. The language is noted in the
    /// data of sessions that begin in a request while there is a hook, in at most some 150 octets;
    /// of the others it is not known and never changes. A page's own scripts can ask for another
    /// language than its browser does.
    pub fn on_client_change(
        mut self,
        hook: impl Fn(&ClientChange<'_>) + Send + Sync + 'static,
    ) -> Self {
        self.settings.guards.on_change = Some(Arc::new(hook));
        self
    }

    /// The name of the field of a form that carries the [token](crate::Session::csrf_token), `_csrf`
    /// by default. What writes such fields and what checks them go by it, templates and adapters
    /// alike, so that they agree; a form written by hand asks
    /// [`Session::csrf_field`](crate::Session::csrf_field).
    ///
    /// ```
    /// # use tenure_core::{Sessions, store::MemoryStore};
    /// let builder = Sessions::builder().store(MemoryStore::new());
    /// let sessions = builder.csrf_field("authenticity_token").build()?;
    /// assert_eq!(sessions.csrf_field(), "authenticity_token");
    /// # Ok::<(), tenure_core::Error>(())
    /// ```
    pub fn csrf_field(mut self, name: impl Into<String>) -> Self {
        self.settings.guards.csrf_field = Some(name.into().into());
        self
    }
}
