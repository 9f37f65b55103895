//! The configuration of the session cookie.

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use super::attributes::{Attributes, Priority, SameSite, Secure};
use super::encoding::CookieEncoding;
use super::factory::{Factory, SetCookie};
use crate::transport::ResponseContext;

/// The session cookie: its name and its attributes.
///
/// The default is `__Host-id=…; Path=/; Secure; HttpOnly; SameSite=Lax`, which ends with the
/// browser session. It is what OWASP's Session Management Cheat Sheet and NIST SP 800-63B §5.1.1
/// ask for: a name that says nothing, and a prefix that keeps every other host, and plain HTTP,
/// from setting it (RFC 6265bis §4.1.3.2).
///
/// Everything is checked when the sessions are built. What a browser would silently refuse or
/// cut off, such as `__Host-` with a domain or an attribute of more than 1024 octets, is an error
/// there, which names the setting and the remedy.
///
/// ```
/// use std::time::Duration;
/// use tenure_core::transport::{Cookie, SameSite};
///
/// let cookie = Cookie::named("__Secure-shop")
///     .domain("example.com")
///     .path("/shop")
///     .same_site(SameSite::Strict)
///     .lifetime(Duration::from_secs(14 * 24 * 60 * 60));
/// ```
///
/// # Deployment caveat
/// A proxy that rewrites `Set-Cookie` (nginx's `proxy_cookie_path`, `proxy_cookie_domain`,
/// `proxy_cookie_flags`) defeats what was checked here; so does one that folds several `Cookie`
/// lines with a comma. Requests with more than 64 cookies or 16 KiB of them have no session.
#[derive(Clone)]
pub struct Cookie {
    pub(super) name: String,
    pub(super) attributes: Attributes,
    pub(super) factory: Option<Factory>,
    pub(super) encoding: CookieEncoding,
}

impl Cookie {
    /// The name of the cookie when none is given.
    pub const DEFAULT_NAME: &'static str = "__Host-id";

    /// A cookie of this name with the default attributes.
    ///
    /// The prefixes `__Host-`, `__Secure-`, `__Host-Http-` and `__Http-` bind browsers to rules
    /// (RFC 6265bis §4.1.3), which are checked in whatever case the prefix is written.
    ///
    /// ```
    /// use tenure_core::transport::Cookie;
    ///
    /// let cookie = Cookie::named("__Host-shop");
    /// ```
    #[must_use]
    pub fn named(name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            attributes: Attributes::default(),
            factory: None,
            encoding: CookieEncoding::default(),
        }
    }

    /// Sends the cookie only for this path and what is below it; `/` by default.
    ///
    /// Requests for other paths have no session, and a handler that asks for one there gets an
    /// error: browsers would keep the cookie and not send it back. This keeps the cookie out of
    /// other requests, but protects it from nobody: scripts of one
    /// path can read what belongs to another one of the same host.
    ///
    /// ```
    /// # use tenure_core::{Sessions, engine::Connection, store::MemoryStore, transport::Cookie};
    /// # fn set_cookie(cookie: Cookie) -> tenure_core::Result<String> {
    /// #     let sessions = Sessions::builder().store(MemoryStore::new()).cookie(cookie).build()?;
    /// #     let (parts, ()) = http::Request::new(()).into_parts();
    /// #     let exchange = sessions.open(&parts, Connection::new().secure(true));
    /// #     exchange.session().set("theme", "dark")?;
    /// #     let (sealed, mut headers) = (exchange.seal(http::StatusCode::OK), http::HeaderMap::new());
    /// #     sealed.commit_at_once().unwrap()?;
    /// #     sealed.write_headers(&mut headers)?;
    /// #     Ok(headers["set-cookie"].to_str().unwrap().to_owned())
    /// # }
    /// let cookie = Cookie::named("__Secure-id").path("/shop");
    /// assert!(set_cookie(cookie)?.contains("Path=/shop"));
    /// # Ok::<(), tenure_core::Error>(())
    /// ```
    ///
    /// # Deployment caveat
    /// Where a proxy or a router has taken a prefix off the paths, tell the adapter which, such as
    /// by `SessionLayer::mounted_at`, or no request seems to be for the cookie's path.
    #[must_use]
    pub fn path(mut self, path: impl Into<String>) -> Self {
        self.attributes.path = path.into();
        self
    }

    /// Sends the cookie to this host and all below it; by default to the one host that set it.
    ///
    /// Every host under the domain can then read, replace and plant the cookie, and a name with
    /// `__Host-` is refused. IP addresses are refused: a cookie without a domain already belongs
    /// to its address.
    ///
    /// ```
    /// use tenure_core::transport::Cookie;
    ///
    /// let cookie = Cookie::named("__Secure-id").domain("example.com");
    /// ```
    #[must_use]
    pub fn domain(mut self, domain: impl Into<String>) -> Self {
        self.attributes.domain = Some(domain.into());
        self
    }

    /// Keeps the cookie for this long, beyond the browser session: writes `Max-Age` and an
    /// `Expires` that says the same; from one second to 400 days (RFC 6265bis §5.5).
    ///
    /// What ends a session is the server's idle and absolute timeouts; the cookie's lifetime is
    /// no protection. NIST SP 800-63B §5.1 wants credentials such as this not to outlast the
    /// browser session, which is why there is none by default.
    ///
    /// ```
    /// # use tenure_core::{Sessions, engine::Connection, store::MemoryStore, transport::Cookie};
    /// # fn set_cookie(cookie: Cookie) -> tenure_core::Result<String> {
    /// #     let sessions = Sessions::builder().store(MemoryStore::new()).cookie(cookie).build()?;
    /// #     let (parts, ()) = http::Request::new(()).into_parts();
    /// #     let exchange = sessions.open(&parts, Connection::new().secure(true));
    /// #     exchange.session().set("theme", "dark")?;
    /// #     let (sealed, mut headers) = (exchange.seal(http::StatusCode::OK), http::HeaderMap::new());
    /// #     sealed.commit_at_once().unwrap()?;
    /// #     sealed.write_headers(&mut headers)?;
    /// #     Ok(headers["set-cookie"].to_str().unwrap().to_owned())
    /// # }
    /// # use std::time::Duration;
    /// let cookie = Cookie::default().lifetime(Duration::from_secs(7 * 24 * 60 * 60));
    /// let line = set_cookie(cookie)?;
    /// assert!(line.contains("Max-Age=604800") && line.contains("Expires="));
    /// # Ok::<(), tenure_core::Error>(())
    /// ```
    #[must_use]
    pub fn lifetime(mut self, lifetime: Duration) -> Self {
        self.attributes.lifetime = Some(lifetime);
        self
    }

    /// Keeps the cookie until this date, at most 400 days ahead; [`Cookie::lifetime`] wins when
    /// both are set.
    ///
    /// A date in the past is refused when the sessions are built, and issuing a cookie once the
    /// date has passed is an error: browsers would drop it, and nobody would keep a session.
    ///
    /// ```
    /// # use tenure_core::{Sessions, engine::Connection, store::MemoryStore, transport::Cookie};
    /// # fn set_cookie(cookie: Cookie) -> tenure_core::Result<String> {
    /// #     let sessions = Sessions::builder().store(MemoryStore::new()).cookie(cookie).build()?;
    /// #     let (parts, ()) = http::Request::new(()).into_parts();
    /// #     let exchange = sessions.open(&parts, Connection::new().secure(true));
    /// #     exchange.session().set("theme", "dark")?;
    /// #     let (sealed, mut headers) = (exchange.seal(http::StatusCode::OK), http::HeaderMap::new());
    /// #     sealed.commit_at_once().unwrap()?;
    /// #     sealed.write_headers(&mut headers)?;
    /// #     Ok(headers["set-cookie"].to_str().unwrap().to_owned())
    /// # }
    /// # use std::time::{Duration, SystemTime};
    /// let end_of_sale = SystemTime::now() + Duration::from_secs(48 * 60 * 60);
    /// assert!(set_cookie(Cookie::default().expires(end_of_sale))?.contains("Expires="));
    /// assert!(set_cookie(Cookie::default().expires(SystemTime::UNIX_EPOCH)).is_err(), "long past");
    /// # Ok::<(), tenure_core::Error>(())
    /// ```
    #[must_use]
    pub fn expires(mut self, date: SystemTime) -> Self {
        self.attributes.expires = Some(date);
        self
    }

    /// Whether the cookie travels over HTTPS only; [`Secure::Always`] by default.
    ///
    /// ```
    /// # use tenure_core::{Sessions, engine::Connection, store::MemoryStore, transport::Cookie};
    /// # fn set_cookie(cookie: Cookie) -> tenure_core::Result<String> {
    /// #     let sessions = Sessions::builder().store(MemoryStore::new()).cookie(cookie).build()?;
    /// #     let (parts, ()) = http::Request::new(()).into_parts();
    /// #     let exchange = sessions.open(&parts, Connection::new().secure(true));
    /// #     exchange.session().set("theme", "dark")?;
    /// #     let (sealed, mut headers) = (exchange.seal(http::StatusCode::OK), http::HeaderMap::new());
    /// #     sealed.commit_at_once().unwrap()?;
    /// #     sealed.write_headers(&mut headers)?;
    /// #     Ok(headers["set-cookie"].to_str().unwrap().to_owned())
    /// # }
    /// # use tenure_core::transport::Secure;
    /// assert!(set_cookie(Cookie::default())?.contains("Secure"));
    /// let cookie = Cookie::named("id").secure(Secure::InsecureNever); // in a test
    /// assert!(!set_cookie(cookie)?.contains("Secure"));
    /// # Ok::<(), tenure_core::Error>(())
    /// ```
    #[must_use]
    pub fn secure(mut self, secure: Secure) -> Self {
        self.attributes.secure = secure;
        self
    }

    /// Leaves out `HttpOnly`: every script on the page can then read the credential and send it
    /// elsewhere, so that one injected script is enough to take over sessions for good.
    ///
    /// ```
    /// # use tenure_core::{Sessions, engine::Connection, store::MemoryStore, transport::Cookie};
    /// # fn set_cookie(cookie: Cookie) -> tenure_core::Result<String> {
    /// #     let sessions = Sessions::builder().store(MemoryStore::new()).cookie(cookie).build()?;
    /// #     let (parts, ()) = http::Request::new(()).into_parts();
    /// #     let exchange = sessions.open(&parts, Connection::new().secure(true));
    /// #     exchange.session().set("theme", "dark")?;
    /// #     let (sealed, mut headers) = (exchange.seal(http::StatusCode::OK), http::HeaderMap::new());
    /// #     sealed.commit_at_once().unwrap()?;
    /// #     sealed.write_headers(&mut headers)?;
    /// #     Ok(headers["set-cookie"].to_str().unwrap().to_owned())
    /// # }
    /// assert!(set_cookie(Cookie::default())?.contains("HttpOnly"));
    /// assert!(!set_cookie(Cookie::default().insecure_allow_scripts())?.contains("HttpOnly"));
    /// # Ok::<(), tenure_core::Error>(())
    /// ```
    #[must_use]
    pub fn insecure_allow_scripts(mut self) -> Self {
        self.attributes.http_only = false;
        self
    }

    /// Which requests from other sites carry the cookie; [`SameSite::Lax`] by default.
    ///
    /// ```
    /// # use tenure_core::{Sessions, engine::Connection, store::MemoryStore, transport::Cookie};
    /// # fn set_cookie(cookie: Cookie) -> tenure_core::Result<String> {
    /// #     let sessions = Sessions::builder().store(MemoryStore::new()).cookie(cookie).build()?;
    /// #     let (parts, ()) = http::Request::new(()).into_parts();
    /// #     let exchange = sessions.open(&parts, Connection::new().secure(true));
    /// #     exchange.session().set("theme", "dark")?;
    /// #     let (sealed, mut headers) = (exchange.seal(http::StatusCode::OK), http::HeaderMap::new());
    /// #     sealed.commit_at_once().unwrap()?;
    /// #     sealed.write_headers(&mut headers)?;
    /// #     Ok(headers["set-cookie"].to_str().unwrap().to_owned())
    /// # }
    /// # use tenure_core::transport::SameSite;
    /// let cookie = Cookie::default().same_site(SameSite::Strict);
    /// assert!(set_cookie(cookie)?.contains("SameSite=Strict"));
    /// # Ok::<(), tenure_core::Error>(())
    /// ```
    #[must_use]
    pub fn same_site(mut self, same_site: SameSite) -> Self {
        self.attributes.same_site = same_site;
        self
    }

    /// Gives each site that embeds this one a cookie jar of its own (CHIPS); needs `Secure` and
    /// [`SameSite::None`].
    ///
    /// ```
    /// use tenure_core::transport::{Cookie, SameSite};
    ///
    /// let widget = Cookie::named("__Host-chat").same_site(SameSite::None).partitioned(true);
    /// ```
    #[must_use]
    pub fn partitioned(mut self, partitioned: bool) -> Self {
        self.attributes.partitioned = partitioned;
        self
    }

    /// Which cookies the browser gives up last; not written by default.
    ///
    /// ```
    /// # use tenure_core::{Sessions, engine::Connection, store::MemoryStore, transport::Cookie};
    /// # fn set_cookie(cookie: Cookie) -> tenure_core::Result<String> {
    /// #     let sessions = Sessions::builder().store(MemoryStore::new()).cookie(cookie).build()?;
    /// #     let (parts, ()) = http::Request::new(()).into_parts();
    /// #     let exchange = sessions.open(&parts, Connection::new().secure(true));
    /// #     exchange.session().set("theme", "dark")?;
    /// #     let (sealed, mut headers) = (exchange.seal(http::StatusCode::OK), http::HeaderMap::new());
    /// #     sealed.commit_at_once().unwrap()?;
    /// #     sealed.write_headers(&mut headers)?;
    /// #     Ok(headers["set-cookie"].to_str().unwrap().to_owned())
    /// # }
    /// # use tenure_core::transport::Priority;
    /// let cookie = Cookie::default().priority(Priority::High);
    /// assert!(set_cookie(cookie)?.contains("Priority=High"));
    /// # Ok::<(), tenure_core::Error>(())
    /// ```
    #[must_use]
    pub fn priority(mut self, priority: Priority) -> Self {
        self.attributes.priority = Some(priority);
        self
    }

    /// Adds an attribute that this library does not know, or replaces the one of that name.
    ///
    /// ```
    /// use tenure_core::transport::Cookie;
    ///
    /// let cookie = Cookie::default().extension("X-Zone", Some("eu")).extension("X-Bare", None);
    /// ```
    #[must_use]
    pub fn extension(mut self, name: impl Into<String>, value: Option<&str>) -> Self {
        self.attributes.extend(name.into(), value.map(str::to_owned));
        self
    }

    /// Spells values as another system does, to share its cookies; by default as they are, since ours
    /// need no spelling.
    ///
    /// ```
    /// # use tenure_core::{Sessions, store::MemoryStore};
    /// use tenure_core::transport::{Cookie, CookieEncoding};
    ///
    /// let cookie = Cookie::named("SESSION").encoding(CookieEncoding::Form); // as Ktor does
    /// let sessions = Sessions::builder().store(MemoryStore::new()).cookie(cookie).build()?;
    /// assert_eq!(sessions.name(), "SESSION");
    /// # Ok::<(), tenure_core::Error>(())
    /// ```
    #[must_use]
    pub fn encoding(mut self, encoding: CookieEncoding) -> Self {
        self.encoding = encoding;
        self
    }

    /// Lets a function change the cookie of one response; what it returns is checked like this
    /// configuration, and what does not pass is an error, never sent.
    ///
    /// It is called for removals too, and must set the same path and domain there: browsers
    /// remove a cookie only by all three, name, path and domain. A session that its client keeps may
    /// take several cookies: then it is called once for each of them, as [`SetCookie`] tells.
    ///
    /// ```
    /// use std::time::Duration;
    /// use tenure_core::transport::Cookie;
    ///
    /// let cookie = Cookie::default().factory(|context, cookie| {
    ///     let kiosk = context.request().is_some_and(|request| request.uri.path() == "/kiosk");
    ///     if kiosk { cookie.lifetime(Duration::from_secs(300)) } else { cookie }
    /// });
    /// ```
    #[must_use]
    pub fn factory<F>(mut self, factory: F) -> Self
    where
        F: Fn(&ResponseContext<'_>, SetCookie) -> SetCookie + Send + Sync + 'static,
    {
        self.factory = Some(Arc::new(factory));
        self
    }
}

impl Default for Cookie {
    fn default() -> Self {
        Self::named(Self::DEFAULT_NAME)
    }
}

impl fmt::Debug for Cookie {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Cookie")
            .field("name", &self.name)
            .field("attributes", &self.attributes)
            .field("factory", &self.factory.is_some())
            .finish()
    }
}
