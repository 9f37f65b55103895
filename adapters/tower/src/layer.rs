use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;

use http::request::Parts;
use http::{Response, Uri};
use tenure_core::engine::Connection;
use tenure_core::guard::TrustedProxies;
use tenure_core::{Error, Sessions};
use tower_layer::Layer;

use crate::respond::PlainText;
use crate::service::SessionService;
use crate::skip::Skip;

type Predicate = Arc<dyn Fn(&Parts) -> bool + Send + Sync>;
type PeerOf = Arc<dyn Fn(&Parts) -> Option<IpAddr> + Send + Sync>;

/// Puts a session on every request and commits it with the response, for a whole application or
/// for some of its routes.
///
/// Where a session of the same [name](Sessions::name) is on the request already, from a layer
/// further out, it stays, and this layer lets the request pass. So a group of routes can bring
/// its layer along and be mounted in an application that has one.
///
/// ```
/// # #[cfg(feature = "axum")] {
/// use axum::{Router, routing::get};
/// use tenure_core::{Sessions, store::MemoryStore};
/// use tenure_tower::{SessionLayer, axum::{Error, Session}};
///
/// async fn visits(session: Session) -> Result<String, Error> {
///     session.increment("visits", 1)?;
///     Ok(session.get::<u32>("visits")?.unwrap_or_default().to_string())
/// }
///
/// let sessions = Sessions::builder().store(MemoryStore::new()).build()?;
/// let app: Router = Router::new()
///     .route("/", get(visits))
///     .layer(SessionLayer::new(sessions))
///     .route("/health", get(|| async { "ok" })); // added later, so outside
/// # }
/// # Ok::<(), tenure_core::Error>(())
/// ```
///
/// # Deployment caveat
/// A response that never passes this layer carries no cookie: put the layer outside of whatever
/// answers in the handler's place, and inside of what must see every response, such as CORS and
/// compression.
#[derive(Clone)]
#[must_use = "a layer does nothing until a service is put into it"]
pub struct SessionLayer<R = PlainText> {
    pub(crate) sessions: Sessions,
    pub(crate) errors: R,
    pub(crate) skip: Skip,
    https_when: Option<Predicate>,
    peer_from: Option<PeerOf>,
    proxies: TrustedProxies,
}

impl SessionLayer {
    /// The layer of these sessions.
    pub fn new(sessions: Sessions) -> Self {
        Self {
            sessions,
            errors: PlainText,
            skip: Skip::default(),
            https_when: None,
            peer_from: None,
            proxies: TrustedProxies::none(),
        }
    }
}

impl<R> SessionLayer<R> {
    /// Decides whether a request came over HTTPS, which matters to cookies with
    /// [`Secure::Auto`](tenure_core::transport::Secure::Auto) alone. By default it is what a
    /// [`Connection`] among the request's extensions says, or else the scheme of the URI.
    ///
    /// ```
    /// use tenure_core::Sessions;
    /// use tenure_tower::SessionLayer;
    ///
    /// let behind_our_proxy = SessionLayer::new(Sessions::in_memory()?).https_when(|request| {
    ///     request.headers.get("x-forwarded-proto").is_some_and(|proto| proto == "https")
    /// });
    /// # Ok::<(), tenure_core::Error>(())
    /// ```
    ///
    /// # Deployment caveat
    /// Requests over HTTP/1 have no scheme in their URI, not even those over TLS: behind a proxy,
    /// use [`trusted_proxies`](Self::trusted_proxies), and with TLS of one's own this method or a
    /// [`Connection`]. A header such as `X-Forwarded-Proto` tells the truth only if the proxy
    /// overwrites it, and nobody reaches the application past the proxy.
    pub fn https_when(mut self, when: impl Fn(&Parts) -> bool + Send + Sync + 'static) -> Self {
        self.https_when = Some(Arc::new(when));
        self
    }

    /// Finds the address that a new session remembers as the one it began from. By default it is
    /// what a [`Connection`] among the request's extensions says.
    ///
    /// ```
    /// use std::net::SocketAddr;
    /// use axum::extract::ConnectInfo;
    /// use tenure_core::Sessions;
    /// use tenure_tower::SessionLayer;
    ///
    /// let layer = SessionLayer::new(Sessions::in_memory()?).peer_from(|request| {
    ///     request.extensions.get::<ConnectInfo<SocketAddr>>().map(|peer| peer.0.ip())
    /// });
    /// # Ok::<(), tenure_core::Error>(())
    /// ```
    ///
    /// # Deployment caveat
    /// Behind a proxy the peer of the connection is the proxy: say which ones to believe by
    /// [`trusted_proxies`](Self::trusted_proxies), rather than read a header here.
    pub fn peer_from(
        mut self,
        peer: impl Fn(&Parts) -> Option<IpAddr> + Send + Sync + 'static,
    ) -> Self {
        self.peer_from = Some(Arc::new(peer));
        self
    }

    /// Finds the client's address, and whether it came over HTTPS, behind proxies that are believed
    /// about both; by default none is. It begins from the peer, so the layer must know that one.
    ///
    /// ```
    /// # use axum::{Router, body::{Body, to_bytes}, extract::Request, routing::get};
    /// # use tenure_tower::axum::{Error, Session};
    /// # use tower::ServiceExt;
    /// use std::net::SocketAddr;
    /// use axum::extract::ConnectInfo;
    /// use tenure_core::{Sessions, guard::TrustedProxies};
    /// use tenure_tower::SessionLayer;
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let layer = SessionLayer::new(Sessions::in_memory()?)
    ///     .peer_from(|request| {
    ///         request.extensions.get::<ConnectInfo<SocketAddr>>().map(|peer| peer.0.ip())
    ///     })
    ///     .trusted_proxies(TrustedProxies::cidrs(["10.0.0.0/8"])?);
    ///
    /// async fn began(session: Session) -> Result<String, Error> {
    ///     session.login("ada")?;
    ///     session.save().await?;
    ///     Ok(format!("{:?}", session.ip()))
    /// }
    /// let app = Router::new().route("/", get(began)).layer(layer);
    /// // served by `app.into_make_service_with_connect_info::<SocketAddr>()`
    /// let proxy: SocketAddr = "10.0.0.2:4711".parse()?;
    /// let request = Request::get("/").header("x-forwarded-for", "192.0.2.7");
    /// let request = request.extension(ConnectInfo(proxy)).body(Body::empty())?;
    /// let body = to_bytes(app.oneshot(request).await?.into_body(), 64).await?;
    /// assert_eq!(body, "Some(192.0.2.7)");
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Deployment caveat
    /// As for [`TrustedProxies`]. What a trusted proxy says of the scheme goes before
    /// [`https_when`](Self::https_when), which then speaks of the connection from the proxy.
    pub fn trusted_proxies(mut self, proxies: TrustedProxies) -> Self {
        self.proxies = proxies;
        self
    }

    /// Makes the response for a session that could not be loaded or committed; by default it is
    /// [`PlainText`]. What it says goes to the client, so it should say nothing of the error but
    /// its [kind](Error::kind).
    ///
    /// A commit that failed replaces the whole response, since what the handler would tell has not
    /// happened. An error that a handler answers with (`axum::Error`) is rendered by it too; then
    /// headers that others have added to that answer stay.
    ///
    /// ```
    /// use axum::response::{Html, IntoResponse};
    /// use tenure_core::Sessions;
    /// use tenure_tower::{PlainText, SessionLayer};
    ///
    /// let layer = SessionLayer::new(Sessions::in_memory()?).error_response(|error| {
    ///     (PlainText::status(error), Html("<h1>Please try again</h1>")).into_response()
    /// });
    /// # Ok::<(), tenure_core::Error>(())
    /// ```
    pub fn error_response<F, B>(self, errors: F) -> SessionLayer<F>
    where
        F: Fn(&Error) -> Response<B> + Clone,
    {
        let Self { sessions, errors: _, skip, https_when, peer_from, proxies } = self;
        SessionLayer { sessions, errors, skip, https_when, peer_from, proxies }
    }

    /// What is known of the connection that a request came by.
    pub(crate) fn connection(&self, parts: &Parts) -> Connection {
        let known = parts.extensions.get::<Connection>().copied();
        let mut connection =
            known.unwrap_or_else(|| Connection::new().secure(is_https(&parts.uri)));
        if let Some(when) = &self.https_when {
            connection = connection.secure(when(parts));
        }
        if let Some(peer) = self.peer_from.as_ref().and_then(|find| find(parts)) {
            connection = connection.peer(peer);
        }
        self.proxies.resolve(&parts.headers, connection)
    }
}

impl<S, R: Clone> Layer<S> for SessionLayer<R> {
    type Service = SessionService<S, R>;

    fn layer(&self, inner: S) -> Self::Service {
        SessionService::new(inner, Arc::new(self.clone()))
    }
}

impl<R> fmt::Debug for SessionLayer<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SessionLayer")
            .field("sessions", &self.sessions)
            .field("https_when", &self.https_when.is_some())
            .field("peer_from", &self.peer_from.is_some())
            .field("proxies", &self.proxies)
            .finish_non_exhaustive()
    }
}

fn is_https(uri: &Uri) -> bool {
    uri.scheme_str() == Some("https")
}
