use std::fmt;
use std::sync::Arc;

use http::request::Parts;
use http::{HeaderMap, HeaderName, Response};
use tenure_core::csrf::{OriginCheck, Refusal};
use tower_layer::Layer;

use super::respond::CsrfPage;
use super::service::CsrfService;
use super::settings::{CsrfAction, Settings};

/// Refuses forged requests before they reach a handler.
///
/// By itself it asks the browser, by an [`OriginCheck`], and needs no session. With
/// [`require_token`](Self::require_token) it belongs inside of the
/// [`SessionLayer`](crate::SessionLayer), which is a good place for it anyway; outside of it every
/// request that needs a token gets 500, and the log says why.
///
/// ```
/// use http::{Request, Response};
/// use tenure_core::csrf::OriginCheck;
/// use tenure_tower::csrf::CsrfLayer;
/// use tower::{Layer, ServiceExt, service_fn};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// async fn pay(_: Request<()>) -> Result<Response<String>, std::convert::Infallible> {
///     Ok(Response::new("paid".into()))
/// }
///
/// let service = CsrfLayer::new(OriginCheck::new()).layer(service_fn(pay));
/// let forged = Request::post("/pay").header("sec-fetch-site", "cross-site").body(())?;
/// assert_eq!(service.oneshot(forged).await?.status(), 403);
/// # Ok(())
/// # }
/// ```
///
/// # Deployment caveat
/// As with the [`OriginCheck`]: a proxy that changes `Host` needs the public origin as a trusted one,
/// and behind one that ends TLS the scheme is known only by [`https_when`](Self::https_when), or to a
/// [`SessionLayer`](crate::SessionLayer) around this layer, by its own or by its trusted proxies; a
/// [`Connection`](tenure_core::engine::Connection) that says nothing of HTTPS says HTTP. The paths of
/// exemptions are those that this layer sees: inside of axum's `nest` the beginning is gone.
#[derive(Clone)]
#[must_use = "a layer does nothing until a service is put into it"]
pub struct CsrfLayer<R = CsrfPage> {
    settings: Settings,
    refusals: R,
}

impl CsrfLayer {
    /// The layer of this check.
    pub fn new(check: OriginCheck) -> Self {
        Self { settings: Settings::new(check), refusals: CsrfPage }
    }
}

impl<R> CsrfLayer<R> {
    /// Asks every request that is checked for a [token](tenure_core::Session::csrf_token) of its
    /// session in the header `x-csrf-token`: for what scripts send. A browser's form cannot set a
    /// header and would be refused; routes for forms go outside of this layer, or into a group with
    /// one that asks for no token, and check the field by `axum::Csrf`.
    ///
    /// A request whose credential is no cookie, but a bearer token or a header of the application's
    /// own, needs no token: no site can make a browser send it
    /// ([`LazySession::is_ambient`](tenure_core::LazySession::is_ambient)). One that came with no
    /// credential at all needs one, so the route where such clients log in goes outside of this
    /// layer, or into its exemptions.
    ///
    /// It costs such requests the load of the session, if the handler would not load it.
    ///
    /// ```
    /// use tenure_core::csrf::OriginCheck;
    /// use tenure_tower::csrf::CsrfLayer;
    ///
    /// let for_scripts = CsrfLayer::new(OriginCheck::new()).require_token();
    /// # drop(for_scripts);
    /// ```
    pub fn require_token(mut self) -> Self {
        self.settings.requires_token = true;
        self
    }

    /// The header that carries the token, `x-csrf-token` by default. Front ends at another origin need
    /// a CORS layer that allows it by this name; [`cors`](crate::cors::request_headers) has the default.
    ///
    /// ```
    /// # use http::HeaderName;
    /// # use tenure_core::csrf::OriginCheck;
    /// # use tenure_tower::csrf::CsrfLayer;
    /// let layer = CsrfLayer::new(OriginCheck::new())
    ///     .require_token()
    ///     .token_header(HeaderName::from_static("x-xsrf-token"));
    /// # drop(layer);
    /// ```
    pub fn token_header(mut self, name: HeaderName) -> Self {
        self.settings.header = name;
        self
    }

    /// What becomes of forged requests; by default they fail.
    ///
    /// ```
    /// # use tenure_core::csrf::OriginCheck;
    /// # use tenure_tower::csrf::{CsrfAction, CsrfLayer};
    /// let trial = CsrfLayer::new(OriginCheck::new())
    ///     .action(CsrfAction::InsecureLog)
    ///     .on_refusal(|refusal, request| eprintln!("{}: {refusal}", request.uri));
    /// # drop(trial);
    /// ```
    pub fn action(mut self, action: CsrfAction) -> Self {
        self.settings.action = action;
        self
    }

    /// Calls `hook` with every refusal, be it one or only logged: to count them, say.
    ///
    /// ```
    /// # use http::{Request, Response};
    /// # use tenure_core::csrf::OriginCheck;
    /// # use tenure_tower::csrf::CsrfLayer;
    /// # use tower::{Layer, ServiceExt, service_fn};
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # async fn pay(_: Request<()>) -> Result<Response<String>, std::convert::Infallible> {
    /// #     Ok(Response::new("paid".into()))
    /// # }
    /// use std::sync::atomic::{AtomicU32, Ordering};
    ///
    /// static REFUSED: AtomicU32 = AtomicU32::new(0);
    /// let layer = CsrfLayer::new(OriginCheck::new()).on_refusal(|_, _| {
    ///     REFUSED.fetch_add(1, Ordering::Relaxed);
    /// });
    /// # let forged = Request::post("/pay").header("origin", "null").body(())?;
    /// # layer.layer(service_fn(pay)).oneshot(forged).await?;
    /// assert_eq!(REFUSED.load(Ordering::Relaxed), 1);
    /// # Ok(())
    /// # }
    /// ```
    pub fn on_refusal(mut self, hook: impl Fn(Refusal, &Parts) + Send + Sync + 'static) -> Self {
        self.settings.on_refusal = Some(Arc::new(hook));
        self
    }

    /// Decides whether a request came over HTTPS, which `Origin` then has to say, too. By default it
    /// did if a [`SessionLayer`](crate::SessionLayer) around this one says so; else it is what a
    /// [`Connection`](tenure_core::engine::Connection) among the request's extensions says,
    /// or else the scheme of the URI, or else not known.
    ///
    /// ```
    /// # use tenure_core::csrf::OriginCheck;
    /// # use tenure_tower::csrf::CsrfLayer;
    /// let behind_our_proxy = CsrfLayer::new(OriginCheck::new()).https_when(|_| true);
    /// # drop(behind_our_proxy);
    /// ```
    ///
    /// # Deployment caveat
    /// As with [`SessionLayer::https_when`](crate::SessionLayer::https_when): a header tells the truth
    /// only if the proxy overwrites it.
    pub fn https_when(mut self, when: impl Fn(&Parts) -> bool + Send + Sync + 'static) -> Self {
        self.settings.https_when = Some(Arc::new(when));
        self
    }

    /// Makes the response to a forged request, from why it is one and the request's headers; by
    /// default it is [`CsrfPage`]. What `axum::Csrf` refuses is answered by it, too.
    ///
    /// ```
    /// use axum::response::{Html, IntoResponse};
    /// use http::StatusCode;
    /// use tenure_core::csrf::OriginCheck;
    /// use tenure_tower::csrf::CsrfLayer;
    ///
    /// let layer = CsrfLayer::new(OriginCheck::new()).error_response(|refusal, _| {
    ///     let page = if refusal.is_of_token() { "Load the form again." } else { "Not from there." };
    ///     (StatusCode::FORBIDDEN, Html(page)).into_response()
    /// });
    /// # drop(layer);
    /// ```
    pub fn error_response<F, B>(self, refusals: F) -> CsrfLayer<F>
    where
        F: Fn(Refusal, &HeaderMap) -> Response<B> + Clone,
    {
        CsrfLayer { settings: self.settings, refusals }
    }
}

impl<S, R: Clone> Layer<S> for CsrfLayer<R> {
    type Service = CsrfService<S, R>;

    fn layer(&self, inner: S) -> Self::Service {
        CsrfService::new(inner, Arc::new(self.settings.clone()), self.refusals.clone())
    }
}

impl<R> fmt::Debug for CsrfLayer<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CsrfLayer")
            .field("check", &self.settings.check)
            .field("action", &self.settings.action)
            .field("requires_token", &self.settings.requires_token)
            .finish_non_exhaustive()
    }
}
