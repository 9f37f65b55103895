//! Routes for those alone who are logged in.

mod answer;
mod paths;
mod service;
#[cfg(test)]
mod tests;

use std::fmt;
use std::sync::Arc;

use http::Uri;
use http::request::Parts;
use tenure_core::session::{AuthLevel, LocalPath};
use tower_layer::Layer;

pub(crate) use self::answer::Answer;
use self::paths::Paths;
pub use self::service::RequireAuthService;
#[cfg(feature = "axum")]
pub(crate) use self::service::redirect;

/// Refuses requests of those who are not [logged in](tenure_core::Session::login), with `401
/// Unauthorized` or by a redirect to a log-in page, and notes where they were going. Who has given
/// only a part of the proof that a log-in takes is not logged in.
///
/// It belongs inside of a [`SessionLayer`](crate::SessionLayer), so before it in the order in which
/// axum adds layers. The 401 is an error of the kind
/// [`Unauthenticated`](tenure_core::ErrorKind::Unauthenticated), which
/// [`error_response`](crate::SessionLayer::error_response) makes look as it should.
///
/// ```
/// # #[cfg(feature = "axum")] {
/// use axum::{Router, routing::get};
/// use tenure_core::Sessions;
/// use tenure_tower::{RequireAuth, SessionLayer};
///
/// let app: Router = Router::new()
///     .route("/", get(|| async { "the shop" }))
///     .route("/login", get(|| async { "who are you?" }))
///     .route("/orders", get(|| async { "what you have bought" }))
///     .layer(RequireAuth::new().exclude("/").redirect_to("/login"))
///     .layer(SessionLayer::new(Sessions::in_memory()?));
/// # }
/// # Ok::<(), tenure_core::Error>(())
/// ```
///
/// # Deployment caveat
/// Paths are compared as this layer sees them. Behind a proxy or inside of a nested router that
/// takes a prefix away they begin after it; see [`uri_from`](Self::uri_from). And what is not behind
/// this layer, such as files that the proxy serves, is not guarded. The questions that browsers ask
/// before requests of other origins come without a cookie: a layer for CORS belongs outside of this.
#[derive(Clone)]
#[must_use = "a layer does nothing until a service is put into it"]
pub struct RequireAuth {
    paths: Paths,
    session: Option<Arc<str>>,
    level: Option<AuthLevel>,
    answer: Answer,
}

pub(crate) type UriFrom = Arc<dyn Fn(&Parts) -> Option<Uri> + Send + Sync>;

impl RequireAuth {
    /// Refuses every request but those to paths that are [excluded](Self::exclude).
    pub fn new() -> Self {
        let (paths, answer) = (Paths::everywhere(), Answer::default());
        Self { paths, session: None, level: None, answer }
    }

    /// Refuses no request by itself, but those in which a handler asks for a principal by the
    /// extractor `Auth`: so [`redirect_to`](Self::redirect_to) is said once for all of them.
    ///
    /// ```
    /// use tenure_tower::RequireAuth;
    ///
    /// let layer = RequireAuth::where_asked().redirect_to("/login");
    /// # let _ = layer;
    /// ```
    pub fn where_asked() -> Self {
        Self { paths: Paths::nowhere(), ..Self::new() }
    }

    /// Guards this path, and what else is included, instead of all. A slash at the end and ways of
    /// encoding make no difference.
    ///
    /// ```
    /// use tenure_tower::RequireAuth;
    ///
    /// let layer = RequireAuth::new().include("/orders").include_under("/account");
    /// # let _ = layer;
    /// ```
    ///
    /// # Panics
    /// When the path does not begin with `/`, or has a query.
    pub fn include(mut self, path: &str) -> Self {
        self.paths.include(path, false);
        self
    }

    /// Guards this path and all below it, `/account` and `/account/orders` but not `/accounts`.
    ///
    /// See the example of [`include`](Self::include).
    ///
    /// # Panics
    /// As [`include`](Self::include).
    pub fn include_under(mut self, path: &str) -> Self {
        self.paths.include(path, true);
        self
    }

    /// Lets everybody have this path, written exactly so.
    ///
    /// ```
    /// use tenure_tower::RequireAuth;
    ///
    /// let layer = RequireAuth::new().exclude("/").exclude_under("/assets");
    /// # let _ = layer;
    /// ```
    ///
    /// # Panics
    /// As [`include`](Self::include).
    pub fn exclude(mut self, path: &str) -> Self {
        self.paths.exclude(path, false);
        self
    }

    /// Lets everybody have this path and all below it. A path that leads out of it, by `..` say or
    /// encoded, does not belong to it.
    ///
    /// See the example of [`exclude`](Self::exclude).
    ///
    /// # Panics
    /// As [`include`](Self::include).
    pub fn exclude_under(mut self, path: &str) -> Self {
        self.paths.exclude(path, true);
        self
    }

    /// Sends whoever asks for a page to this one instead, which everybody may have; other requests,
    /// those of scripts and for images, get the 401. What page it was, if the request would only
    /// read, is kept in the session as the
    /// [intended URL](tenure_core::Session::intended_url): so a visitor who was sent there has a
    /// session.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> tenure_core::Result<()> {
    /// # use http::{Request, Response, header::LOCATION};
    /// # use tenure_core::Sessions;
    /// # use tenure_tower::{RequireAuth, SessionLayer};
    /// # use tower::{Layer, ServiceExt, service_fn};
    /// # async fn page(_: Request<()>) -> Result<Response<String>, tenure_core::Error> {
    /// #     Ok(Response::new("what you have bought".into()))
    /// # }
    /// let service = RequireAuth::new().redirect_to("/login").layer(service_fn(page));
    /// let service = SessionLayer::new(Sessions::in_memory()?).layer(service);
    /// let request = Request::get("/orders").body(()).unwrap();
    /// assert_eq!(service.oneshot(request).await?.headers()[LOCATION], "/login");
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Panics
    /// When it is no [path of the own origin](LocalPath).
    pub fn redirect_to(mut self, login_page: &'static str) -> Self {
        let login_page = LocalPath::from_static(login_page);
        self.paths.exclude(login_page.as_str().split(['?', '#']).next().unwrap_or("/"), false);
        self.answer.login_page = Some(login_page);
        self
    }

    /// Also refuses those who have not proved by this
    /// [level](tenure_core::Session::require_level) at least who they are.
    ///
    /// ```
    /// use tenure_core::session::AuthLevel;
    /// use tenure_tower::RequireAuth;
    ///
    /// let admin = RequireAuth::new()
    ///     .include_under("/admin")
    ///     .level(AuthLevel::TWO_FACTORS)
    ///     .redirect_to("/confirm");
    /// # let _ = admin;
    /// ```
    pub fn level(mut self, level: AuthLevel) -> Self {
        self.level = Some(level);
        self
    }

    /// Asks the sessions of this [name](tenure_core::Sessions::name), where a request has several;
    /// by default those of the innermost layer around this one.
    ///
    /// ```
    /// use tenure_tower::RequireAuth;
    ///
    /// let layer = RequireAuth::new().of_session("__Host-admin");
    /// # let _ = layer;
    /// ```
    pub fn of_session(mut self, name: &str) -> Self {
        self.session = Some(name.into());
        self
    }

    /// Finds the URI that the client asked for, where this layer sees another one. Paths are compared
    /// with it, and it is kept as the intended URL.
    ///
    /// ```
    /// use axum::extract::OriginalUri;
    /// use tenure_tower::RequireAuth;
    ///
    /// // In a router that is nested in another one:
    /// let layer = RequireAuth::new().include("/shop/orders").uri_from(|request| {
    ///     request.extensions.get::<OriginalUri>().map(|uri| uri.0.clone())
    /// });
    /// # let _ = layer;
    /// ```
    pub fn uri_from(
        mut self,
        find: impl Fn(&Parts) -> Option<Uri> + Send + Sync + 'static,
    ) -> Self {
        self.answer.uri_from = Some(Arc::new(find));
        self
    }
}

impl Default for RequireAuth {
    fn default() -> Self {
        Self::new()
    }
}

impl<S> Layer<S> for RequireAuth {
    type Service = RequireAuthService<S>;

    fn layer(&self, inner: S) -> Self::Service {
        RequireAuthService::new(inner, Arc::new(self.clone()))
    }
}

impl fmt::Debug for RequireAuth {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RequireAuth")
            .field("paths", &self.paths)
            .field("login_page", &self.answer.login_page)
            .field("session", &self.session)
            .field("level", &self.level)
            .field("uri_from", &self.answer.uri_from.is_some())
            .finish()
    }
}
