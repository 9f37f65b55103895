use std::collections::BTreeMap;
use std::fmt;
use std::future::poll_fn;

use http::header::{COOKIE, SET_COOKIE};
use http::{HeaderMap, HeaderValue, Request, Response, StatusCode};
use serde::Serialize;
use serde_json::value::{RawValue, to_raw_value};
use tenure_core::engine::Connection;
use tenure_core::session::AsKey;
use tenure_core::{Result, Session, Sessions};
use tower_service::Service;

use super::Snapshot;

type Step = Box<dyn FnOnce(&Session) -> Result<()> + Send>;

/// What a [`Visitor`] has when they arrive; made by [`visitor`](super::visitor).
#[must_use = "nobody comes until `arrive` is called"]
pub struct VisitorBuilder {
    sessions: Sessions,
    secure: bool,
    steps: Vec<Step>,
}

/// A browser, as far as sessions need one: it sends its cookies and keeps those that it gets.
/// Clones begin with the same cookies.
#[derive(Clone)]
pub struct Visitor {
    sessions: Sessions,
    secure: bool,
    cookies: BTreeMap<String, String>,
}

impl VisitorBuilder {
    pub(super) fn new(sessions: &Sessions) -> Self {
        Self { sessions: sessions.clone(), secure: true, steps: Vec::new() }
    }

    /// With `value` under `key`.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> tenure_core::Result<()> {
    /// # use tenure_testkit::app;
    /// # let sessions = tenure_core::Sessions::in_memory()?;
    /// let visitor = app::visitor(&sessions).with("cart", ["tea"]).arrive().await;
    /// visitor.session().await.assert_eq("cart", ["tea"]);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Panics
    /// When the value cannot be written as JSON.
    #[track_caller]
    pub fn with<T: Serialize>(self, key: impl AsKey<T>, value: T) -> Self {
        let (key, value) = (key.as_name().to_owned(), json(&value));
        self.arrange(move |session| session.set(key, value))
    }

    /// With this user logged in.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> tenure_core::Result<()> {
    /// # use tenure_testkit::app;
    /// # let sessions = tenure_core::Sessions::in_memory()?;
    /// let ada = app::visitor(&sessions).logged_in_as("ada").arrive().await;
    /// ada.session().await.assert_user("ada");
    /// # Ok(())
    /// # }
    /// ```
    pub fn logged_in_as(self, user: impl ToString) -> Self {
        let user = user.to_string();
        self.arrange(move |session| session.login(user))
    }

    /// With a message that waits to be shown.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> tenure_core::Result<()> {
    /// # use tenure_testkit::app;
    /// # let sessions = tenure_core::Sessions::in_memory()?;
    /// let visitor = app::visitor(&sessions).with_flash("success", "Saved.").arrive().await;
    /// visitor.session().await.assert_flash("success", "Saved.");
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Panics
    /// As [`with`](Self::with).
    #[track_caller]
    pub fn with_flash<T: Serialize>(self, key: impl AsKey<T>, value: T) -> Self {
        let (key, value) = (key.as_name().to_owned(), json(&value));
        self.arrange(move |session| session.flash(key, value))
    }

    /// With whatever else a handler can do to a session; everything is done in the order in which it
    /// is said, in one request.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> tenure_core::Result<()> {
    /// # use tenure_testkit::app;
    /// # let sessions = tenure_core::Sessions::in_memory()?;
    /// let builder = app::visitor(&sessions).arrange(|session| session.increment("visits", 3));
    /// builder.arrive().await.session().await.assert_eq("visits", 3);
    /// # Ok(())
    /// # }
    /// ```
    pub fn arrange(mut self, step: impl FnOnce(&Session) -> Result<()> + Send + 'static) -> Self {
        self.steps.push(Box::new(step));
        self
    }

    /// On plain HTTP instead of HTTPS, which decides about the cookie's name and attributes with
    /// [`Secure::Auto`](tenure_core::transport::Secure::Auto).
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> tenure_core::Result<()> {
    /// # use tenure_core::transport::{Cookie, Secure};
    /// # use tenure_testkit::app;
    /// let cookie = Cookie::default().secure(Secure::Auto);
    /// let sessions = app::in_memory().0.cookie(cookie).build()?;
    /// let visitor = app::visitor(&sessions).with("n", 1).plain_http().arrive().await;
    /// assert!(visitor.cookie().unwrap().to_str().unwrap().starts_with("id="), "no prefix");
    /// # Ok(())
    /// # }
    /// ```
    pub fn plain_http(mut self) -> Self {
        self.secure = false;
        self
    }

    /// Makes the session, if there is anything to keep in it.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> tenure_core::Result<()> {
    /// # use tenure_testkit::app;
    /// # let sessions = tenure_core::Sessions::in_memory()?;
    /// let ada = app::visitor(&sessions).logged_in_as("ada").arrive().await;
    /// assert!(ada.cookie().unwrap().to_str().unwrap().starts_with("__Host-id="));
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Panics
    /// When the sessions refuse what the visitor is to have.
    pub async fn arrive(self) -> Visitor {
        let Self { sessions, secure, steps } = self;
        let mut visitor = Visitor { sessions, secure, cookies: BTreeMap::new() };
        visitor.arrange(|session| steps.into_iter().try_for_each(|step| step(session))).await;
        visitor
    }
}

impl Visitor {
    /// Does something to the session in a request of its own, as a page would that the test leaves
    /// out.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> tenure_core::Result<()> {
    /// # use tenure_testkit::app;
    /// # let sessions = tenure_core::Sessions::in_memory()?;
    /// let mut ada = app::visitor(&sessions).logged_in_as("ada").arrive().await;
    /// ada.arrange(|session| session.set("cart", ["tea"])).await;
    /// ada.session().await.assert_has("cart");
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Panics
    /// When the sessions refuse it.
    pub async fn arrange(&mut self, step: impl FnOnce(&Session) -> Result<()>) {
        let (parts, ()) = self.request().into_parts();
        let exchange = self.sessions.open(&parts, self.connection());
        let session = exchange.session().load().await;
        let session = session.unwrap_or_else(|error| panic!("the session was not loaded: {error}"));
        step(&session).unwrap_or_else(|error| panic!("the session refused it: {error}"));
        let mut headers = HeaderMap::new();
        let closed = exchange.close(StatusCode::OK, &mut headers).await;
        closed.unwrap_or_else(|error| panic!("the session was not saved: {error}"));
        self.keep(&headers);
    }

    /// Sends a request with the visitor's cookies and keeps those of the answer.
    ///
    /// Among the request's extensions it puts a [`Connection`] that says HTTPS, unless there is one;
    /// layers go by it.
    ///
    /// ```
    /// use axum::{Router, body::Body, routing::get};
    /// use http::Request;
    /// # use tenure_testkit::app;
    /// use tenure_tower::{SessionLayer, axum::Session};
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let sessions = tenure_core::Sessions::in_memory()?;
    /// let shop = Router::new()
    ///     .route("/count", get(async |session: Session| session.increment("n", 1).unwrap()))
    ///     .layer(SessionLayer::new(sessions.clone()));
    /// let mut visitor = app::visitor(&sessions).arrive().await;
    /// for _ in 0..3 {
    ///     visitor.send(&shop, Request::get("/count").body(Body::empty())?).await;
    /// }
    /// visitor.session().await.assert_eq("n", 3);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Panics
    /// When the service fails without an answer.
    pub async fn send<S, B, R>(&mut self, app: &S, mut request: Request<B>) -> Response<R>
    where
        S: Service<Request<B>, Response = Response<R>> + Clone,
        S::Error: fmt::Debug,
    {
        if let Some(line) = self.cookie() {
            request.headers_mut().append(COOKIE, line);
        }
        if request.extensions().get::<Connection>().is_none() {
            request.extensions_mut().insert(self.connection());
        }
        let mut app = app.clone();
        let ready = poll_fn(|context| app.poll_ready(context)).await;
        ready.unwrap_or_else(|error| panic!("the application is not ready: {error:?}"));
        let answer = app.call(request).await;
        let answer = answer.unwrap_or_else(|error| panic!("the application failed: {error:?}"));
        self.keep(answer.headers());
        answer
    }

    /// The header `Cookie` of the next request; none if the visitor has no cookie.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> tenure_core::Result<()> {
    /// # use tenure_testkit::app;
    /// # let sessions = tenure_core::Sessions::in_memory()?;
    /// # let ada = app::visitor(&sessions).logged_in_as("ada").arrive().await;
    /// let mut request = http::Request::new(()); // or that of another framework
    /// request.headers_mut().insert("cookie", ada.cookie().unwrap());
    /// let session = sessions.open_headers(request.headers(), true).await?;
    /// assert_eq!(session.unwrap().user().unwrap().as_str(), "ada");
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn cookie(&self) -> Option<HeaderValue> {
        if self.cookies.is_empty() {
            return None;
        }
        let pairs = self.cookies.iter().map(|(name, value)| format!("{name}={value}"));
        let mut line = HeaderValue::try_from(pairs.collect::<Vec<_>>().join("; ")).ok()?;
        line.set_sensitive(true);
        Some(line)
    }

    /// Keeps the cookies of an answer, and drops those that it removes.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> tenure_core::Result<()> {
    /// # use http::{HeaderMap, HeaderValue, header::SET_COOKIE};
    /// # use tenure_testkit::app;
    /// # let sessions = tenure_core::Sessions::in_memory()?;
    /// let mut visitor = app::visitor(&sessions).arrive().await;
    /// let answer = HeaderMap::from_iter([(SET_COOKIE, HeaderValue::from_static("theme=dark; Path=/"))]);
    /// visitor.keep(&answer);
    /// assert_eq!(visitor.cookie().unwrap(), "theme=dark");
    /// # Ok(())
    /// # }
    /// ```
    pub fn keep(&mut self, answer: &HeaderMap) {
        for line in answer.get_all(SET_COOKIE) {
            let Ok(line) = line.to_str() else { continue };
            let (pair, attributes) = line.split_once(';').unwrap_or((line, ""));
            let Some((name, value)) = pair.split_once('=') else { continue };
            let mut attributes = attributes.split(';').map(str::trim);
            if attributes.any(|attribute| attribute.eq_ignore_ascii_case("max-age=0")) {
                self.cookies.remove(name.trim());
            } else {
                self.cookies.insert(name.trim().to_owned(), value.trim().to_owned());
            }
        }
    }

    /// The session as it is now, to look at: nothing is changed, not even its last use noted, and
    /// messages wait on. It is one load more in the [counts](Sessions::counts).
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> tenure_core::Result<()> {
    /// # use tenure_testkit::app;
    /// # let sessions = tenure_core::Sessions::in_memory()?;
    /// let ada = app::visitor(&sessions).logged_in_as("ada").arrive().await;
    /// let left = ada.session().await;
    /// left.assert_user("ada").assert_missing("cart");
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Panics
    /// When the store cannot answer.
    pub async fn session(&self) -> Snapshot {
        let (parts, ()) = self.request().into_parts();
        let exchange = self.sessions.open(&parts, self.connection());
        let session = exchange.session().load().await;
        let session = session.unwrap_or_else(|error| panic!("the session was not loaded: {error}"));
        // The exchange is dropped, which commits nothing.
        Snapshot::new(session.read_only())
    }

    fn request(&self) -> Request<()> {
        let mut request = Request::new(());
        request.headers_mut().extend(self.cookie().map(|line| (COOKIE, line)));
        request
    }

    fn connection(&self) -> Connection {
        Connection::new().secure(self.secure)
    }
}

impl fmt::Debug for VisitorBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("VisitorBuilder")
            .field("sessions", &self.sessions)
            .field("steps", &self.steps.len())
            .finish_non_exhaustive()
    }
}

/// Without the values of its cookies, which are secrets.
impl fmt::Debug for Visitor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Visitor")
            .field("sessions", &self.sessions)
            .field("cookies", &self.cookies.keys())
            .finish_non_exhaustive()
    }
}

#[track_caller]
fn json<T: Serialize>(value: &T) -> Box<RawValue> {
    to_raw_value(value).unwrap_or_else(|error| panic!("the value is no JSON: {error}"))
}
