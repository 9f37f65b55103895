//! Settings: how the credential travels.

use std::sync::Arc;

use super::SessionsBuilder;
use crate::clock::Timestamp;
use crate::error::Result;
use crate::transport::{Bearer, Cookie, CookieTransport, Header, Transport, Transports};

/// A transport as it was configured.
pub(super) enum Way {
    Cookie(Box<Cookie>),
    Header(Header),
    Bearer(Bearer),
    Other(Arc<dyn Transport>),
}

/// The checked transports; the default cookie where none was configured. `chunked` lets a value take
/// several cookies.
pub(super) fn build(mut ways: Vec<Way>, chunked: bool, now: Timestamp) -> Result<Transports> {
    if ways.is_empty() {
        ways.push(Way::Cookie(Box::default()));
    }
    let checked = ways.into_iter().map(|way| -> Result<Arc<dyn Transport>> {
        Ok(match way {
            Way::Cookie(cookie) => {
                let cookie = CookieTransport::new(*cookie, now)?;
                Arc::new(if chunked { cookie.chunked() } else { cookie })
            }
            Way::Header(header) => Arc::new(header.check()?),
            Way::Bearer(bearer) => Arc::new(bearer.check()?),
            Way::Other(transport) => transport,
        })
    });
    Transports::new(checked.collect::<Result<_>>()?)
}

impl SessionsBuilder {
    /// The cookie; by default `__Host-id`, `Secure`, `HttpOnly`, `SameSite=Lax`, until the browser
    /// is closed.
    ///
    /// ```
    /// # use tenure_core::{Sessions, store::MemoryStore, transport::Cookie};
    /// let cookie = Cookie::named("__Host-shop");
    /// let sessions = Sessions::builder().store(MemoryStore::new()).cookie(cookie).build()?;
    /// assert_eq!(sessions.name(), "__Host-shop");
    /// # Ok::<(), tenure_core::Error>(())
    /// ```
    pub fn cookie(mut self, cookie: Cookie) -> Self {
        let cookie = Way::Cookie(Box::new(cookie));
        match self.transports.iter_mut().find(|way| matches!(way, Way::Cookie(_))) {
            Some(former) => *former = cookie,
            None => self.transports.push(cookie),
        }
        self
    }

    /// A header of the application's own, in requests and responses (K4).
    ///
    /// ```
    /// # use tenure_core::{Sessions, store::MemoryStore, transport::Header};
    /// let builder = Sessions::builder().store(MemoryStore::new());
    /// let sessions = builder.header(Header::named("x-session")).build()?;
    /// assert_eq!(sessions.name(), "x-session", "and no cookie");
    /// # Ok::<(), tenure_core::Error>(())
    /// ```
    pub fn header(mut self, header: Header) -> Self {
        self.transports.push(Way::Header(header));
        self
    }

    /// Bearer tokens (P3), alone or beside a cookie: of several transports the first by which a
    /// request came is read, and answers; where none matches, the cookie answers, or else the first.
    ///
    /// ```
    /// # use tenure_core::{Sessions, store::MemoryStore, transport::{Bearer, Cookie}};
    /// let sessions = Sessions::builder()
    ///     .store(MemoryStore::new())
    ///     .cookie(Cookie::default()) // browsers
    ///     .bearer(Bearer::new()) // other clients
    ///     .build()?;
    /// assert_eq!(sessions.name(), "__Host-id");
    /// # Ok::<(), tenure_core::Error>(())
    /// ```
    pub fn bearer(mut self, bearer: Bearer) -> Self {
        self.transports.push(Way::Bearer(bearer));
        self
    }

    /// A transport of the application's own.
    ///
    /// ```
    /// # use tenure_core::{Sessions, store::MemoryStore, transport::Bearer};
    /// let transport = Bearer::new(); // or another type that implements `Transport`
    /// let sessions = Sessions::builder().store(MemoryStore::new()).transport(transport).build()?;
    /// assert_eq!(sessions.name(), "bearer");
    /// # Ok::<(), tenure_core::Error>(())
    /// ```
    pub fn transport(mut self, transport: impl Transport) -> Self {
        self.transports.push(Way::Other(Arc::new(transport)));
        self
    }
}
