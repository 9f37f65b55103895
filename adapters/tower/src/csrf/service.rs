use std::fmt;
use std::mem;
use std::sync::Arc;
use std::task::{Context, Poll};

use http::request::Parts;
use http::{Method, Request, Response};
use tenure_core::csrf::Refusal;
use tower_service::Service;

use super::future::{Check, ResponseFuture};
use super::respond::{CsrfPage, RefusalResponse};
use super::settings::{CsrfAction, Guard, Settings, header_token, is_deliberate};
use crate::installed::Installed;

/// A service that forged requests do not reach; made by [`CsrfLayer`](super::CsrfLayer).
#[derive(Clone)]
pub struct CsrfService<S, R = CsrfPage> {
    inner: S,
    settings: Arc<Settings>,
    refusals: R,
}

impl<S, R> CsrfService<S, R> {
    pub(super) fn new(inner: S, settings: Arc<Settings>, refusals: R) -> Self {
        Self { inner, settings, refusals }
    }

    /// Decides what needs no store, and puts on the request what an extractor has to know.
    fn look(&self, parts: &mut Parts) -> Result<Option<Check>, Refusal> {
        let settings = &self.settings;
        let applies = settings.check.applies_to(&parts.method, parts.uri.path());
        let passes = !applies || settings.action == CsrfAction::InsecureNone;
        let guard = Guard { settings: Arc::clone(settings), passes };
        if passes && !parts.method.is_safe() {
            parts.extensions.insert(guard);
            return Ok(None);
        }
        if settings.action == CsrfAction::InsecureNone {
            return Ok(None);
        }
        if let Err(refusal) = settings.check(parts) {
            self.settled(refusal, parts)?;
        }
        // A safe method needs no token, nor does a WebSocket, for which scripts can set no header: it
        // begins with GET, over HTTP/2 with CONNECT (RFC 8441).
        if passes || parts.method == Method::CONNECT {
            return Ok(None);
        }
        parts.extensions.insert(guard);
        if !settings.requires_token || is_deliberate(parts) {
            return Ok(None);
        }
        match presented(parts, settings) {
            Ok(check) => {
                parts.extensions.insert(Guard { settings: Arc::clone(settings), passes: true });
                Ok(Some(check))
            }
            Err(refusal) => self.settled(refusal, parts).map(|()| None),
        }
    }

    fn settled(&self, refusal: Refusal, parts: &Parts) -> Result<(), Refusal> {
        if self.settings.refuses(refusal, parts) { Err(refusal) } else { Ok(()) }
    }
}

/// The token in the header, and the check of it that is still to be made.
fn presented(parts: &Parts, settings: &Settings) -> Result<Check, Refusal> {
    let installed = Installed::of(&parts.extensions).ok_or(Refusal::NoSession)?;
    let token = header_token(&parts.headers, &settings.header)?.to_owned();
    let session = installed.session().clone();
    Ok(Box::pin(async move { session.load().await?.verify_csrf(&token) }))
}

impl<S, R, ReqBody, ResBody> Service<Request<ReqBody>> for CsrfService<S, R>
where
    S: Service<Request<ReqBody>, Response = Response<ResBody>> + Clone,
    R: RefusalResponse<ResBody>,
    ResBody: Default,
{
    type Response = Response<ResBody>;
    type Error = S::Error;
    type Future = ResponseFuture<S, S::Future, ReqBody, ResBody, R>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request<ReqBody>) -> Self::Future {
        let (mut parts, body) = request.into_parts();
        match self.look(&mut parts) {
            Ok(None) => {
                let inner = self.inner.call(Request::from_parts(parts, body));
                ResponseFuture::run(inner, self.refusals.clone())
            }
            Ok(Some(check)) => {
                // The one that said that it is ready is the one to be called.
                let clone = self.inner.clone();
                let ready = mem::replace(&mut self.inner, clone);
                let settings = Arc::clone(&self.settings);
                ResponseFuture::check(check, ready, parts, body, settings, self.refusals.clone())
            }
            Err(refusal) => {
                let response = self.refusals.respond(refusal, &parts.headers);
                ResponseFuture::refuse(response, self.refusals.clone())
            }
        }
    }
}

impl<S: fmt::Debug, R> fmt::Debug for CsrfService<S, R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CsrfService").field("inner", &self.inner).finish_non_exhaustive()
    }
}
