use super::sessions::Sessions;

impl Sessions {
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
        self.manager().cookie.covers(path)
    }
}
