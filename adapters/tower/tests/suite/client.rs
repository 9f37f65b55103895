//! A browser as far as sessions need one, and what comes back to it.

use std::collections::BTreeMap;

use axum::Router;
use axum::body::Body;
use http::header::{COOKIE, HeaderName, SET_COOKIE};
use http::{HeaderMap, Request, StatusCode};
use http_body_util::BodyExt;
use tower::ServiceExt;

/// Sends requests to an application and keeps its cookies.
#[derive(Clone)]
pub(crate) struct Client {
    app: Router,
    origin: &'static str,
    pub(crate) jar: BTreeMap<String, String>,
}

/// A response, read to its end.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: String,
}

impl Client {
    /// One that speaks HTTPS.
    pub(crate) fn new(app: &Router) -> Self {
        Self { app: app.clone(), origin: "https://shop.test", jar: BTreeMap::new() }
    }

    /// One that speaks plain HTTP.
    pub(crate) fn plain(app: &Router) -> Self {
        Self { origin: "http://shop.test", ..Self::new(app) }
    }

    pub(crate) fn app(&self) -> &Router {
        &self.app
    }

    pub(crate) async fn get(&mut self, path: &str) -> Answer {
        self.send(Request::get(path)).await
    }

    pub(crate) async fn send(&mut self, request: http::request::Builder) -> Answer {
        self.send_body(request, Body::empty()).await
    }

    pub(crate) async fn send_body(
        &mut self,
        request: http::request::Builder,
        body: impl Into<Body>,
    ) -> Answer {
        let mut request = request.body(body.into()).unwrap();
        let uri = format!("{}{}", self.origin, request.uri());
        *request.uri_mut() = uri.parse().unwrap();
        if !self.jar.is_empty() {
            let pairs = self.jar.iter().map(|(name, value)| format!("{name}={value}"));
            let line = pairs.collect::<Vec<_>>().join("; ");
            request.headers_mut().append(COOKIE, line.parse().unwrap());
        }
        let answer = Answer::of(self.app.clone().oneshot(request).await.unwrap()).await;
        for line in answer.all(SET_COOKIE) {
            let (pair, attributes) = line.split_once(';').unwrap_or((line, ""));
            let (name, value) = pair.split_once('=').unwrap();
            if attributes.contains("Max-Age=0") {
                self.jar.remove(name);
            } else {
                self.jar.insert(name.to_owned(), value.to_owned());
            }
        }
        answer
    }

    /// The one cookie that this client has.
    pub(crate) fn token(&self) -> &str {
        let mut values = self.jar.values();
        let token = values.next().expect("a cookie");
        assert!(values.next().is_none(), "one cookie only: {:?}", self.jar.keys());
        token
    }
}

impl Answer {
    pub(crate) async fn of(response: http::Response<Body>) -> Self {
        let (parts, body) = response.into_parts();
        let body = body.collect().await.unwrap().to_bytes();
        let body = String::from_utf8(body.to_vec()).unwrap();
        Self { status: parts.status, headers: parts.headers, body }
    }

    /// All values of a header, in order.
    pub(crate) fn all(&self, name: HeaderName) -> Vec<&str> {
        self.headers.get_all(name).iter().map(|value| value.to_str().unwrap()).collect()
    }

    /// The one `Set-Cookie` line.
    pub(crate) fn cookie(&self) -> &str {
        let lines = self.all(SET_COOKIE);
        assert_eq!(lines.len(), 1, "{lines:?}");
        lines[0]
    }

    pub(crate) fn sets_no_cookie(&self) -> bool {
        !self.headers.contains_key(SET_COOKIE)
    }
}
