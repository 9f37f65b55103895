use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use http::header::{CACHE_CONTROL, HeaderValue, LOCATION};
use http::{Request, Response, StatusCode};
use tenure_core::session::LocalPath;
use tower_service::Service;

use super::RequireAuth;
use crate::installed::Installed;
use crate::respond::{failed, text};

/// A service for those alone who are logged in; made by [`RequireAuth`].
#[derive(Clone)]
pub struct RequireAuthService<S> {
    inner: S,
    layer: Arc<RequireAuth>,
}

const MISSING: &str = "Nobody can be asked for who is logged in: there is no SessionLayer around \
                       RequireAuth, or none of the name that it was given. Add \
                       `.layer(SessionLayer::new(sessions))` after it.";

impl<S> RequireAuthService<S> {
    pub(super) fn new(inner: S, layer: Arc<RequireAuth>) -> Self {
        Self { inner, layer }
    }
}

impl<S, ReqBody, ResBody> Service<Request<ReqBody>> for RequireAuthService<S>
where
    S: Service<Request<ReqBody>, Response = Response<ResBody>> + Clone + Send + 'static,
    S::Future: Send,
    ReqBody: Send + 'static,
    ResBody: From<&'static str>,
{
    type Response = Response<ResBody>;
    type Error = S::Error;
    type Future = Pin<Box<dyn Future<Output = Result<Response<ResBody>, S::Error>> + Send>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request<ReqBody>) -> Self::Future {
        let layer = Arc::clone(&self.layer);
        let (mut parts, body) = request.into_parts();
        parts.extensions.insert(layer.answer.clone());
        if !layer.paths.guards(layer.answer.uri(&parts).path()) {
            return Box::pin(self.inner.call(Request::from_parts(parts, body)));
        }
        // The clone may not be ready; what was asked whether it is, is taken.
        let clone = self.inner.clone();
        let mut inner = std::mem::replace(&mut self.inner, clone);
        Box::pin(async move {
            let Some(lazy) = Installed::session_of(&parts.extensions, layer.session.as_deref())
            else {
                #[cfg(feature = "tracing")]
                tracing::error!("{MISSING}");
                return Ok(text(StatusCode::INTERNAL_SERVER_ERROR, MISSING));
            };
            let session = match lazy.clone().load().await {
                Ok(session) => session,
                Err(error) => return Ok(failed(error)),
            };
            let user = match layer.level {
                None => session.require_user(),
                Some(level) => session.require_level(level),
            };
            let Err(error) = user else {
                return inner.call(Request::from_parts(parts, body)).await;
            };
            Ok(match layer.answer.redirects(&session, &parts) {
                Some(login_page) => redirect(&login_page),
                None => failed(error),
            })
        })
    }
}

/// A redirect that the browser follows by GET, and does not keep.
pub(crate) fn redirect<B: From<&'static str>>(to: &LocalPath) -> Response<B> {
    let mut response = Response::new(B::from(""));
    *response.status_mut() = StatusCode::SEE_OTHER;
    let location = HeaderValue::from_str(to.as_str()).expect("visible ASCII characters alone");
    response.headers_mut().insert(LOCATION, location);
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

impl<S: fmt::Debug> fmt::Debug for RequireAuthService<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RequireAuthService")
            .field("inner", &self.inner)
            .field("layer", &self.layer)
            .finish()
    }
}
