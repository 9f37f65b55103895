use std::net::IpAddr;

/// What an adapter knows of the connection that a request came by, beside the request itself.
///
/// ```
/// use tenure_core::engine::Connection;
///
/// let connection = Connection::new().secure(true).peer("192.0.2.7".parse()?);
/// # let _ = connection;
/// # Ok::<(), std::net::AddrParseError>(())
/// ```
///
/// # Deployment caveat
/// Behind a proxy that ends TLS the connection is plain HTTP from the proxy's address, unless the
/// adapter is told otherwise.
#[derive(Clone, Copy, Debug, Default)]
pub struct Connection {
    pub(crate) secure: bool,
    pub(crate) peer: Option<IpAddr>,
}

impl Connection {
    /// Plain HTTP from an unknown address.
    #[must_use]
    pub const fn new() -> Self {
        Self { secure: false, peer: None }
    }

    /// Whether it is HTTPS.
    #[must_use]
    pub const fn secure(mut self, secure: bool) -> Self {
        self.secure = secure;
        self
    }

    /// The client's address.
    #[must_use]
    pub const fn peer(mut self, peer: IpAddr) -> Self {
        self.peer = Some(peer);
        self
    }

    /// What [`secure`](Self::secure) was told.
    ///
    /// ```
    /// # use tenure_core::engine::Connection;
    /// assert!(Connection::new().secure(true).is_secure());
    /// ```
    #[must_use]
    pub const fn is_secure(&self) -> bool {
        self.secure
    }

    /// The address that [`peer`](Self::peer) was told.
    ///
    /// ```
    /// # use tenure_core::engine::Connection;
    /// let connection = Connection::new().peer("192.0.2.7".parse()?);
    /// assert_eq!(connection.ip(), Some("192.0.2.7".parse()?));
    /// assert_eq!(Connection::new().ip(), None);
    /// # Ok::<(), std::net::AddrParseError>(())
    /// ```
    #[must_use]
    pub const fn ip(&self) -> Option<IpAddr> {
        self.peer
    }
}
