use std::sync::Arc;

use http::Extensions;
use http::request::Parts;
use tenure_core::Sessions;

use crate::layer::SessionLayer;

type Predicate = Arc<dyn Fn(&Parts) -> bool + Send + Sync>;

/// Which requests a layer leaves alone.
#[derive(Clone, Default)]
pub(crate) struct Skip {
    paths: Vec<String>,
    below: Vec<String>,
    when: Vec<Predicate>,
    /// What was taken off the path before this layer, for the path of the cookie.
    mount: String,
}

/// Why a request has no session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reason {
    Configured,
    OutsideOfCookiePath,
}

impl<R> SessionLayer<R> {
    /// Leaves requests for these paths alone: no session, no store call, no header. Health checks
    /// and metrics are such. A handler that asks for a session there gets an error that says so.
    ///
    /// Paths are compared as they were sent, without the query.
    ///
    /// ```
    /// # use http::{Request, Response};
    /// # use tower::{Layer, ServiceExt, service_fn};
    /// # use tenure_core::Sessions;
    /// # use tenure_tower::{Installed, SessionLayer};
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> tenure_core::Result<()> {
    /// # async fn handler(request: Request<()>) -> tenure_core::Result<Response<&'static str>> {
    /// #     let installed = Installed::of(request.extensions());
    /// #     Ok(Response::new(if installed.is_some() { "a session" } else { "none" }))
    /// # }
    /// let layer = SessionLayer::new(Sessions::in_memory()?).skip_paths(["/health", "/metrics"]);
    ///
    /// let service = layer.layer(service_fn(handler));
    /// let request = Request::get("/health?verbose").body(()).unwrap();
    /// assert_eq!(service.clone().oneshot(request).await?.body(), &"none");
    /// let request = Request::get("/health/history").body(()).unwrap();
    /// assert_eq!(service.oneshot(request).await?.body(), &"a session");
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Deployment caveat
    /// The path is the one that this layer sees: a router that nests the layer, such as axum's
    /// `nest`, or a proxy may have taken a prefix off it.
    pub fn skip_paths<P: Into<String>>(mut self, paths: impl IntoIterator<Item = P>) -> Self {
        self.skip.paths.extend(paths.into_iter().map(rooted));
        self
    }

    /// Leaves requests for this path and everything below it alone, as
    /// [`skip_paths`](Self::skip_paths) does.
    ///
    /// ```
    /// # use tenure_core::Sessions;
    /// # use tenure_tower::SessionLayer;
    /// // `/assets` and `/assets/logo.svg`, but not `/assets-of-ada`
    /// let layer = SessionLayer::new(Sessions::in_memory()?).skip_below("/assets");
    /// # Ok::<(), tenure_core::Error>(())
    /// ```
    pub fn skip_below(mut self, path: impl Into<String>) -> Self {
        let path = rooted(path);
        self.skip.below.push(path.trim_end_matches('/').to_owned());
        self
    }

    /// Leaves requests alone of which `when` says so, as [`skip_paths`](Self::skip_paths) does. Given
    /// several times, one that says so is enough.
    ///
    /// ```
    /// # use tenure_core::Sessions;
    /// # use tenure_tower::SessionLayer;
    /// use http::header::AUTHORIZATION;
    ///
    /// let layer = SessionLayer::new(Sessions::in_memory()?)
    ///     .skip_when(|request| request.headers.contains_key(AUTHORIZATION)); // programs with a token
    /// # Ok::<(), tenure_core::Error>(())
    /// ```
    pub fn skip_when(mut self, when: impl Fn(&Parts) -> bool + Send + Sync + 'static) -> Self {
        self.skip.when.push(Arc::new(when));
        self
    }

    /// Says what was taken off the paths of requests before they come here, by a proxy or by a router
    /// that nests this layer. It matters to a [cookie with a path](tenure_core::transport::Cookie::path)
    /// alone, since requests that are not [covered](Sessions::covers) have no session.
    ///
    /// ```
    /// # use tenure_core::{Sessions, store::MemoryStore, transport::Cookie};
    /// # use tenure_tower::SessionLayer;
    /// let cookie = Cookie::named("__Secure-shop").path("/shop");
    /// let sessions = Sessions::builder().store(MemoryStore::new()).cookie(cookie).build()?;
    /// let layer = SessionLayer::new(sessions).mounted_at("/shop"); // `/cart` here is `/shop/cart`
    /// # Ok::<(), tenure_core::Error>(())
    /// ```
    pub fn mounted_at(mut self, prefix: impl Into<String>) -> Self {
        self.skip.mount = rooted(prefix).trim_end_matches('/').to_owned();
        self
    }
}

fn rooted(path: impl Into<String>) -> String {
    let path = path.into();
    if path.starts_with('/') { path } else { format!("/{path}") }
}

impl Skip {
    /// Why this request is left alone, if it is.
    pub(crate) fn reason(&self, sessions: &Sessions, parts: &Parts) -> Option<Reason> {
        let path = parts.uri.path();
        let is_below = |root: &String| {
            path.strip_prefix(root.as_str())
                .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        };
        if self.paths.iter().any(|skipped| skipped == path)
            || self.below.iter().any(is_below)
            || self.when.iter().any(|when| when(parts))
        {
            return Some(Reason::Configured);
        }
        let covered = if self.mount.is_empty() {
            sessions.covers(path)
        } else {
            sessions.covers(&format!("{}{path}", self.mount))
        };
        (!covered).then_some(Reason::OutsideOfCookiePath)
    }
}

/// The layers that have left a request alone; an extension of the request.
#[derive(Clone, Default)]
pub(crate) struct Skipped {
    by: Vec<Sessions>,
    /// That of the innermost layer, if it is one of them.
    reason: Option<Reason>,
}

impl Skipped {
    /// Why the innermost layer has left the request alone, if it has.
    #[cfg(feature = "axum")]
    pub(crate) fn reason(extensions: &Extensions) -> Option<Reason> {
        extensions.get::<Self>()?.reason
    }

    /// Whether a layer of this name has left the request alone.
    pub(crate) fn by(extensions: &Extensions, name: &str) -> bool {
        let skipped = extensions.get::<Self>();
        skipped.is_some_and(|skipped| skipped.by.iter().any(|by| by.name() == name))
    }

    /// Notes that one more has.
    pub(crate) fn put(extensions: &mut Extensions, sessions: Sessions, reason: Reason) {
        let mut skipped = extensions.remove::<Self>().unwrap_or_default();
        skipped.by.push(sessions);
        skipped.reason = Some(reason);
        extensions.insert(skipped);
    }

    /// Notes that a layer further in has not.
    pub(crate) fn end(extensions: &mut Extensions) {
        if let Some(skipped) = extensions.get_mut::<Self>() {
            skipped.reason = None;
        }
    }
}
