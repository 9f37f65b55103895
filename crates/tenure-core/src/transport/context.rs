use std::fmt;
use std::time::{Duration, SystemTime};

use http::request::Parts;

use super::Presented;
use crate::clock::Timestamp;

/// What is known when a response gives the client a credential, or takes it away.
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
/// let cookie = Cookie::named("__Secure-id").factory(|context, cookie| {
///     assert!(context.is_secure());
///     assert_eq!(context.handle().len(), 16, "what the application may keep");
///     assert!(context.now() > std::time::SystemTime::UNIX_EPOCH);
///     assert!(context.presented().is_none_or(|cookies| cookies.is_empty()), "it had none");
///     match context.request() {
///         Some(request) => cookie.path(request.uri.path()),
///         None => cookie, // without `keep_request`
///     }
/// });
/// assert!(set_cookie(cookie)?.contains("Path=/;"));
/// # Ok::<(), tenure_core::Error>(())
/// ```
#[derive(Clone, Copy)]
pub struct ResponseContext<'a> {
    handle: &'a str,
    secure: bool,
    now: Timestamp,
    request: Option<&'a Parts>,
    lifetime: Option<Duration>,
    presented: Option<&'a Presented>,
}

impl<'a> ResponseContext<'a> {
    pub(crate) fn new(
        handle: &'a str,
        secure: bool,
        now: Timestamp,
        request: Option<&'a Parts>,
    ) -> Self {
        Self { handle, secure, now, request, lifetime: None, presented: None }
    }

    /// For a session that asks for another lifetime of its cookie.
    pub(crate) fn lasting(mut self, lifetime: Option<Duration>) -> Self {
        self.lifetime = lifetime;
        self
    }

    /// For a request that presented this.
    pub(crate) fn answering(mut self, presented: &'a Presented) -> Self {
        self.presented = Some(presented);
        self
    }

    /// The public name of the session; empty when a removal does not know it.
    #[must_use]
    pub fn handle(&self) -> &'a str {
        self.handle
    }

    /// Whether the request came over HTTPS.
    #[must_use]
    pub fn is_secure(&self) -> bool {
        self.secure
    }

    /// The present time.
    #[must_use]
    pub fn now(&self) -> SystemTime {
        self.now.into()
    }

    /// How long the session asks to be [remembered](crate::Session::remember); it is the lifetime of
    /// the cookie that a factory is given.
    ///
    /// ```
    /// # use std::time::Duration;
    /// # use tenure_core::transport::Cookie;
    /// const WEEK: Duration = Duration::from_secs(7 * 24 * 60 * 60);
    /// let cookie = Cookie::default().factory(|context, cookie| match context.lifetime() {
    ///     Some(lifetime) => cookie.lifetime(lifetime.min(WEEK)), // remembered, but not for longer
    ///     None => cookie,
    /// });
    /// # drop(cookie);
    /// ```
    #[must_use]
    pub fn lifetime(&self) -> Option<Duration> {
        self.lifetime
    }

    /// The request, where the configuration [keeps](crate::SessionsBuilder::keep_request) it; none
    /// for a session that was opened outside of one.
    #[must_use]
    pub fn request(&self) -> Option<&'a Parts> {
        self.request
    }

    /// What the client presented in this transport's header.
    #[must_use]
    pub fn presented(&self) -> Option<&'a Presented> {
        self.presented
    }
}

impl fmt::Debug for ResponseContext<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ResponseContext")
            .field("handle", &self.handle)
            .field("secure", &self.secure)
            .field("now", &self.now)
            .finish_non_exhaustive()
    }
}
