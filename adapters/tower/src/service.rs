use std::fmt;
use std::sync::Arc;
use std::task::{Context, Poll};

use http::{Request, Response};
use tower_service::Service;

use crate::future::ResponseFuture;
use crate::installed::Installed;
use crate::layer::SessionLayer;
use crate::respond::ErrorResponse;
use crate::skip::Skipped;

/// A service whose requests have a session; made by [`SessionLayer`].
#[derive(Clone)]
pub struct SessionService<S, R = crate::PlainText> {
    inner: S,
    layer: Arc<SessionLayer<R>>,
}

impl<S, R> SessionService<S, R> {
    pub(crate) fn new(inner: S, layer: Arc<SessionLayer<R>>) -> Self {
        Self { inner, layer }
    }
}

impl<S, R, ReqBody, ResBody> Service<Request<ReqBody>> for SessionService<S, R>
where
    S: Service<Request<ReqBody>, Response = Response<ResBody>>,
    R: ErrorResponse<ResBody>,
{
    type Response = Response<ResBody>;
    type Error = S::Error;
    type Future = ResponseFuture<S::Future, ResBody, R>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request<ReqBody>) -> Self::Future {
        let layer = &*self.layer;
        let installed = Installed::of(request.extensions());
        let name = layer.sessions.name();
        if installed.is_some_and(|outer| outer.named(name).is_some())
            || Skipped::by(request.extensions(), name)
        {
            return ResponseFuture::pass(self.inner.call(request), layer.errors.clone());
        }
        let (mut parts, body) = request.into_parts();
        if let Some(reason) = layer.skip.reason(&layer.sessions, &parts) {
            Skipped::put(&mut parts.extensions, layer.sessions.clone(), reason);
            let inner = self.inner.call(Request::from_parts(parts, body));
            return ResponseFuture::pass(inner, layer.errors.clone());
        }
        Skipped::end(&mut parts.extensions);
        let exchange = layer.sessions.open(&parts, layer.connection(&parts));
        Installed::put(&mut parts.extensions, exchange.session());
        let inner = self.inner.call(Request::from_parts(parts, body));
        ResponseFuture::run(inner, exchange, layer.errors.clone())
    }
}

impl<S: fmt::Debug, R> fmt::Debug for SessionService<S, R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SessionService")
            .field("inner", &self.inner)
            .field("layer", &self.layer)
            .finish()
    }
}
