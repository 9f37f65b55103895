use std::sync::Arc;

use http::Extensions;
use tenure_core::{LazySession, Sessions};

/// The sessions that layers have put on a request, the innermost layer's first; an extension of
/// the request.
///
/// ```
/// use http::{Request, Response};
/// use tenure_tower::Installed;
///
/// async fn greet(request: Request<()>) -> Result<Response<String>, tenure_core::Error> {
///     let Some(installed) = Installed::of(request.extensions()) else {
///         return Ok(Response::new("outside of the layer".into()));
///     };
///     let session = installed.session().load().await?;
///     let name = session.get::<String>("name")?.unwrap_or_else(|| "stranger".into());
///     Ok(Response::new(format!("Hello {name}")))
/// }
/// # drop(greet(Request::new(())));
/// ```
#[derive(Clone, Debug)]
pub struct Installed {
    session: LazySession,
    outer: Option<Arc<Self>>,
}

impl Installed {
    /// What is on the request with these extensions.
    #[must_use]
    pub fn of(extensions: &Extensions) -> Option<&Self> {
        extensions.get()
    }

    /// Puts one more on the request, in front of those that are there.
    pub(crate) fn put(extensions: &mut Extensions, session: LazySession) {
        let outer = Self::of(extensions).cloned().map(Arc::new);
        extensions.insert(Self { session, outer });
    }

    /// The session of this request, not loaded.
    #[must_use]
    pub fn session(&self) -> &LazySession {
        &self.session
    }

    /// The manager that it belongs to.
    ///
    /// ```
    /// # use http::{Request, Response};
    /// # use tenure_core::Sessions;
    /// # use tenure_tower::{Installed, SessionLayer};
    /// # use tower::{Layer, ServiceExt, service_fn};
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> tenure_core::Result<()> {
    /// async fn which(request: Request<()>) -> Result<Response<String>, tenure_core::Error> {
    ///     let installed = Installed::of(request.extensions()).unwrap();
    ///     Ok(Response::new(installed.sessions().name().to_owned()))
    /// }
    ///
    /// let service = SessionLayer::new(Sessions::in_memory()?).layer(service_fn(which));
    /// assert_eq!(service.oneshot(Request::new(())).await?.body(), "__Host-id");
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn sessions(&self) -> Sessions {
        self.session.sessions()
    }

    /// What the next layer outside has put there.
    ///
    /// ```
    /// # use http::{Request, Response};
    /// # use tenure_core::Sessions;
    /// # use tenure_tower::{Installed, SessionLayer};
    /// # use tower::{Layer, ServiceExt, service_fn};
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> tenure_core::Result<()> {
    /// # use tenure_core::{store::MemoryStore, transport::Cookie};
    /// # let builder = Sessions::builder().store(MemoryStore::new());
    /// # let cart = builder.cookie(Cookie::named("__Host-cart")).build()?;
    /// async fn which(request: Request<()>) -> Result<Response<String>, tenure_core::Error> {
    ///     let inner = Installed::of(request.extensions()).unwrap();
    ///     let outer = inner.outer().unwrap();
    ///     Ok(Response::new(format!("{} in {}", inner.sessions().name(), outer.sessions().name())))
    /// }
    ///
    /// let service = SessionLayer::new(cart).layer(service_fn(which));
    /// let service = SessionLayer::new(Sessions::in_memory()?).layer(service);
    /// assert_eq!(service.oneshot(Request::new(())).await?.body(), "__Host-cart in __Host-id");
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn outer(&self) -> Option<&Self> {
        self.outer.as_deref()
    }

    /// The one whose [`Sessions::name`] is this.
    ///
    /// ```
    /// use tenure_tower::Installed;
    ///
    /// async fn cart(installed: &Installed) -> Result<Vec<String>, tenure_core::Error> {
    ///     let Some(cart) = installed.named("__Host-cart") else { return Ok(Vec::new()) };
    ///     Ok(cart.session().load().await?.get("items")?.unwrap_or_default())
    /// }
    /// ```
    #[must_use]
    pub fn named(&self, name: &str) -> Option<&Self> {
        let mut found = Some(self);
        while let Some(installed) = found {
            if installed.sessions().name() == name {
                break;
            }
            found = installed.outer();
        }
        found
    }

    /// The session of this name, or the innermost layer's.
    pub(crate) fn session_of<'a>(
        extensions: &'a Extensions,
        name: Option<&str>,
    ) -> Option<&'a LazySession> {
        let innermost = Self::of(extensions)?;
        let installed = name.map_or(Some(innermost), |name| innermost.named(name));
        installed.map(Self::session)
    }
}
