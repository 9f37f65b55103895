use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use http::header::CONTENT_TYPE;
use http::request::Parts;
use http::{Method, Request, Response, Uri};
use tenure_core::session::LocalPath;
use tenure_core::{LazySession, Session};
use tower_layer::Layer;
use tower_service::Service;

use crate::installed::Installed;
use crate::page;
use crate::require_auth::UriFrom;

/// Notes in the session which page its visitor was shown last, so that a form can go
/// [back](tenure_core::Session::previous_url) to it. Pages are answers in HTML to a GET that
/// succeeded; what scripts ask for, and prefetched pages, do not count.
///
/// It belongs inside of a [`SessionLayer`](crate::SessionLayer). It makes no session for a visitor
/// who has none, but each page that is another than the last costs a store call.
///
/// ```
/// # #[cfg(feature = "axum")] {
/// use axum::{Router, routing::get};
/// use tenure_core::Sessions;
/// use tenure_tower::{PreviousUrl, SessionLayer};
///
/// let app: Router = Router::new()
///     .route("/cart", get(|| async { "what is in the cart" }))
///     .layer(PreviousUrl::new())
///     .layer(SessionLayer::new(Sessions::in_memory()?));
/// # }
/// # Ok::<(), tenure_core::Error>(())
/// ```
///
/// # Deployment caveat
/// A page that a cache answers with is not seen here. Inside of a nested router, see
/// [`uri_from`](Self::uri_from).
#[derive(Clone, Default)]
#[must_use = "a layer does nothing until a service is put into it"]
pub struct PreviousUrl {
    uri_from: Option<UriFrom>,
}

impl PreviousUrl {
    /// Notes the pages of all routes inside of it.
    pub fn new() -> Self {
        Self::default()
    }

    /// Finds the URI that the client asked for, where this layer sees another one.
    ///
    /// ```
    /// use axum::extract::OriginalUri;
    /// use tenure_tower::PreviousUrl;
    ///
    /// let layer = PreviousUrl::new().uri_from(|request| {
    ///     request.extensions.get::<OriginalUri>().map(|uri| uri.0.clone())
    /// });
    /// # let _ = layer;
    /// ```
    pub fn uri_from(
        mut self,
        find: impl Fn(&Parts) -> Option<Uri> + Send + Sync + 'static,
    ) -> Self {
        self.uri_from = Some(std::sync::Arc::new(find));
        self
    }

    /// The session in which the page of this request is noted, and how.
    fn of(&self, parts: &Parts) -> Option<(LazySession, LocalPath)> {
        if parts.method != Method::GET || !page::is_wanted(parts) {
            return None;
        }
        let uri = self.uri_from.as_ref().and_then(|find| find(parts));
        let path = LocalPath::of_request(uri.as_ref().unwrap_or(&parts.uri))?;
        Some((Installed::session_of(&parts.extensions, None)?.clone(), path))
    }
}

impl<S> Layer<S> for PreviousUrl {
    type Service = PreviousUrlService<S>;

    fn layer(&self, inner: S) -> Self::Service {
        PreviousUrlService { inner, layer: self.clone() }
    }
}

/// A service whose pages are noted; made by [`PreviousUrl`].
#[derive(Clone)]
pub struct PreviousUrlService<S> {
    inner: S,
    layer: PreviousUrl,
}

impl<S, ReqBody, ResBody> Service<Request<ReqBody>> for PreviousUrlService<S>
where
    S: Service<Request<ReqBody>, Response = Response<ResBody>>,
    S::Future: Send + 'static,
    ResBody: Send,
{
    type Response = Response<ResBody>;
    type Error = S::Error;
    type Future = Pin<Box<dyn Future<Output = Result<Response<ResBody>, S::Error>> + Send>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request<ReqBody>) -> Self::Future {
        let (parts, body) = request.into_parts();
        let noted = self.layer.of(&parts);
        let response = self.inner.call(Request::from_parts(parts, body));
        let Some((lazy, path)) = noted else { return Box::pin(response) };
        Box::pin(async move {
            let response = response.await?;
            // A page that cannot be noted is a page nevertheless.
            if is_page(&response)
                && let Ok(session) = lazy.load().await
            {
                note(&session, &path);
            }
            Ok(response)
        })
    }
}

fn is_page<B>(response: &Response<B>) -> bool {
    let kind = response.headers().get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
    response.status().is_success() && kind.is_some_and(|kind| kind.starts_with("text/html"))
}

fn note(session: &Session, path: &LocalPath) {
    let is_there = session.exists() || session.is_modified();
    if is_there && session.previous_url().ok().flatten().as_ref() != Some(path) {
        let _ = session.set_previous_url(path);
    }
}

impl fmt::Debug for PreviousUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PreviousUrl").field("uri_from", &self.uri_from.is_some()).finish()
    }
}

impl<S: fmt::Debug> fmt::Debug for PreviousUrlService<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PreviousUrlService")
            .field("inner", &self.inner)
            .field("layer", &self.layer)
            .finish()
    }
}
