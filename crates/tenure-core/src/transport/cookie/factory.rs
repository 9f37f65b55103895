//! The cookie of one response, and the function that may change it.

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use super::attributes::{Attributes, Priority, SameSite, Secure};
use crate::transport::ResponseContext;

/// What [`Cookie::factory`](super::Cookie::factory) takes.
pub(super) type Factory =
    Arc<dyn Fn(&ResponseContext<'_>, SetCookie) -> SetCookie + Send + Sync + 'static>;

/// The cookie of one response, on its way through a [`Cookie::factory`](super::Cookie::factory).
///
/// It begins with what was configured, and its name stays: another one would never be read. A
/// removal stays a removal, whatever value and lifetime the factory gives it.
///
/// What it reads:
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
/// let cookie = Cookie::default().factory(|_, cookie| {
///     assert_eq!(cookie.name(), "__Host-id");
///     assert!(cookie.is_removal() || !cookie.danger_expose_value().is_empty());
///     let value = format!("v1.{}", cookie.danger_expose_value()); // for a token scheme that knows it
///     cookie.value(value)
/// });
/// assert!(set_cookie(cookie)?.starts_with("__Host-id=v1."));
/// # Ok::<(), tenure_core::Error>(())
/// ```
///
/// What it sets, for one response alone:
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
/// # use tenure_core::transport::{Priority, SameSite, Secure};
/// let cookie = Cookie::named("__Secure-id").factory(|_, cookie| {
///     cookie
///         .path("/embed")
///         .domain("example.com")
///         .secure(Secure::Always)
///         .same_site(SameSite::None)
///         .partitioned(true)
///         .priority(Priority::Low)
///         .extension("X-Zone", Some("eu"))
/// });
/// let line = set_cookie(cookie)?;
/// for part in ["/embed", "example.com", "None", "Partitioned", "Priority=Low", "X-Zone=eu"] {
///     assert!(line.contains(part), "{line} lacks {part}");
/// }
///
/// let dated = Cookie::default().factory(|context, cookie| {
///     let cookie = cookie.lifetime(Duration::from_secs(60)).insecure_allow_scripts();
///     cookie.expires(context.now() + Duration::from_secs(3_600)) // instead of the lifetime
/// });
/// let line = set_cookie(dated)?;
/// assert!(line.contains("Expires=") && !line.contains("HttpOnly"));
///
/// let plain = Cookie::default().lifetime(Duration::from_secs(3_600)).insecure_allow_scripts();
/// let plain = plain.factory(|_, cookie| cookie.browser_session().http_only());
/// let line = set_cookie(plain)?;
/// assert!(!line.contains("Max-Age") && line.contains("HttpOnly"));
/// # Ok::<(), tenure_core::Error>(())
/// ```
///
/// A session that its [client keeps](crate::SessionsBuilder::client_store) travels in several cookies
/// where one is too small. The factory is called once for each, also for those of an earlier, longer
/// value that are removed: the name tells which, and the value is the part that this cookie holds.
/// All parts need the same path and domain.
///
/// ```
/// # use std::sync::{Arc, Mutex};
/// # use tenure_core::{Sessions, engine::Connection, store::ClientStore, transport::Cookie};
/// # use tenure_core::transform::{Keyring, SecretKey};
/// # let names = Arc::new(Mutex::new(Vec::new()));
/// # let seen = Arc::clone(&names);
/// let cookie = Cookie::default().factory(move |_, cookie| {
///     seen.lock().unwrap().push(cookie.name().to_owned());
///     cookie
/// });
/// # let client = ClientStore::sealed(Keyring::new([SecretKey::generate()?]));
/// let sessions = Sessions::builder().client_store(client).cookie(cookie).build()?;
/// # let (parts, ()) = http::Request::new(()).into_parts();
/// # let exchange = sessions.open(&parts, Connection::new().secure(true));
/// exchange.session().set("essay", "x".repeat(5_000))?;
/// # let (sealed, mut headers) = (exchange.seal(http::StatusCode::OK), http::HeaderMap::new());
/// # sealed.commit_at_once().unwrap()?;
/// sealed.write_headers(&mut headers)?;
/// assert_eq!(*names.lock().unwrap(), ["__Host-id", "__Host-id.1"]);
/// # Ok::<(), tenure_core::Error>(())
/// ```
pub struct SetCookie {
    pub(super) name: String,
    pub(super) value: String,
    pub(super) removal: bool,
    pub(super) attributes: Attributes,
}

impl SetCookie {
    /// The name on this request's scheme; that of the part, with `.1` or `.2` behind it, where a value
    /// takes several cookies.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Whether this cookie takes away the one that the client has.
    #[must_use]
    pub fn is_removal(&self) -> bool {
        self.removal
    }

    /// The credential, or the part of it that this cookie holds: whoever has it, has the session.
    #[must_use]
    pub fn danger_expose_value(&self) -> &str {
        &self.value
    }

    /// Sends another value, in octets that RFC 6265 §4.1.1 allows; the session is found again
    /// only if the token scheme understands it.
    #[must_use]
    pub fn value(mut self, value: impl Into<String>) -> Self {
        self.value = value.into();
        self
    }

    /// As [`Cookie::path`](super::Cookie::path).
    #[must_use]
    pub fn path(mut self, path: impl Into<String>) -> Self {
        self.attributes.path = path.into();
        self
    }

    /// As [`Cookie::domain`](super::Cookie::domain).
    #[must_use]
    pub fn domain(mut self, domain: impl Into<String>) -> Self {
        self.attributes.domain = Some(domain.into());
        self
    }

    /// As [`Cookie::lifetime`](super::Cookie::lifetime).
    #[must_use]
    pub fn lifetime(mut self, lifetime: Duration) -> Self {
        self.attributes.lifetime = Some(lifetime);
        self
    }

    /// As [`Cookie::expires`](super::Cookie::expires), but instead of a lifetime that was set
    /// before.
    #[must_use]
    pub fn expires(mut self, date: SystemTime) -> Self {
        self.attributes.lifetime = None;
        self.attributes.expires = Some(date);
        self
    }

    /// Ends the cookie with the browser session, whatever lifetime or date was set before.
    #[must_use]
    pub fn browser_session(mut self) -> Self {
        self.attributes.lifetime = None;
        self.attributes.expires = None;
        self
    }

    /// As [`Cookie::secure`](super::Cookie::secure).
    #[must_use]
    pub fn secure(mut self, secure: Secure) -> Self {
        self.attributes.secure = secure;
        self
    }

    /// Keeps the cookie from scripts, where
    /// [`Cookie::insecure_allow_scripts`](super::Cookie::insecure_allow_scripts) had let them in.
    #[must_use]
    pub fn http_only(mut self) -> Self {
        self.attributes.http_only = true;
        self
    }

    /// As [`Cookie::insecure_allow_scripts`](super::Cookie::insecure_allow_scripts).
    #[must_use]
    pub fn insecure_allow_scripts(mut self) -> Self {
        self.attributes.http_only = false;
        self
    }

    /// As [`Cookie::same_site`](super::Cookie::same_site).
    #[must_use]
    pub fn same_site(mut self, same_site: SameSite) -> Self {
        self.attributes.same_site = same_site;
        self
    }

    /// As [`Cookie::partitioned`](super::Cookie::partitioned).
    #[must_use]
    pub fn partitioned(mut self, partitioned: bool) -> Self {
        self.attributes.partitioned = partitioned;
        self
    }

    /// As [`Cookie::priority`](super::Cookie::priority).
    #[must_use]
    pub fn priority(mut self, priority: Priority) -> Self {
        self.attributes.priority = Some(priority);
        self
    }

    /// As [`Cookie::extension`](super::Cookie::extension).
    #[must_use]
    pub fn extension(mut self, name: impl Into<String>, value: Option<&str>) -> Self {
        self.attributes.extend(name.into(), value.map(str::to_owned));
        self
    }
}

impl fmt::Debug for SetCookie {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SetCookie")
            .field("name", &self.name)
            .field("removal", &self.removal)
            .field("attributes", &self.attributes)
            .finish_non_exhaustive()
    }
}
