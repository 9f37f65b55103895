//! The headers in which the credential travels, for whoever lets other origins send and read them.

use http::HeaderName;
use http::header::COOKIE;

use super::sessions::Sessions;

impl Sessions {
    /// The headers of requests that scripts put the credential into: those of all transports but the
    /// cookie's, which browsers send by themselves. A front end at another origin may send them only
    /// if CORS allows it (K4).
    ///
    /// ```
    /// # use tenure_core::{Sessions, store::MemoryStore, transport::{Bearer, Cookie, Header}};
    /// let sessions = Sessions::builder()
    ///     .store(MemoryStore::new())
    ///     .cookie(Cookie::default())
    ///     .bearer(Bearer::new())
    ///     .header(Header::named("x-session"))
    ///     .build()?;
    /// assert_eq!(sessions.request_headers(), ["authorization", "x-session"]);
    /// # Ok::<(), tenure_core::Error>(())
    /// ```
    #[must_use]
    pub fn request_headers(&self) -> Vec<HeaderName> {
        let transports = self.manager().transports.iter();
        once(transports.map(|transport| transport.request_header()).filter(|name| *name != COOKIE))
    }

    /// The headers of responses in which scripts find a new credential, which a front end at another
    /// origin may read only if CORS exposes them.
    ///
    /// ```
    /// # use tenure_core::{Sessions, store::MemoryStore, transport::{Bearer, Cookie}};
    /// let bearer = Bearer::new().response_header("x-new-token");
    /// let builder = Sessions::builder().store(MemoryStore::new()).cookie(Cookie::default());
    /// assert_eq!(builder.bearer(bearer).build()?.response_headers(), ["x-new-token"]);
    /// # Ok::<(), tenure_core::Error>(())
    /// ```
    #[must_use]
    pub fn response_headers(&self) -> Vec<HeaderName> {
        once(self.manager().transports.iter().filter_map(|transport| transport.response_header()))
    }
}

/// Each name once, in order.
fn once<'a>(names: impl Iterator<Item = &'a HeaderName>) -> Vec<HeaderName> {
    let mut found: Vec<HeaderName> = Vec::new();
    for name in names {
        if !found.contains(name) {
            found.push(name.clone());
        }
    }
    found
}
