//! A browser that visits an application.

use axum::Router;
use axum::body::{Body, to_bytes};
use http::header::SET_COOKIE;
use http::request::Builder;
use http::{HeaderMap, Request, StatusCode};
use tenure::Sessions;
use tenure::tower::SessionLayer;
use tenure::transform::{Keyring, SecretKey};
use tenure_testkit::app::{self, Visitor};

pub(crate) struct Browser {
    app: Router,
    pub(crate) visitor: Visitor,
}

/// A response, read to its end.
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: String,
}

pub(crate) fn keys() -> Keyring {
    Keyring::new([SecretKey::generate().unwrap()])
}

impl Browser {
    /// One that visits these routes behind a layer of these sessions.
    pub(crate) async fn of(routes: Router, sessions: &Sessions) -> Self {
        Self::at(routes.layer(SessionLayer::new(sessions.clone())), sessions).await
    }

    /// One that visits an application which has its layers.
    pub(crate) async fn at(app: Router, sessions: &Sessions) -> Self {
        Self { app, visitor: app::visitor(sessions).arrive().await }
    }

    pub(crate) async fn get(&mut self, path: &str) -> Answer {
        self.send(Request::get(path)).await
    }

    pub(crate) async fn send(&mut self, request: Builder) -> Answer {
        self.send_body(request, "").await
    }

    pub(crate) async fn send_body(&mut self, request: Builder, body: &'static str) -> Answer {
        let request = request.body(Body::from(body)).unwrap();
        let (head, body) = self.visitor.send(&self.app, request).await.into_parts();
        let body = to_bytes(body, usize::MAX).await.unwrap();
        let body = String::from_utf8(body.to_vec()).unwrap();
        Answer { status: head.status, headers: head.headers, body }
    }

    /// The header `Cookie` that it would send.
    pub(crate) fn cookie(&self) -> String {
        self.visitor.cookie().map_or_else(String::new, |line| line.to_str().unwrap().to_owned())
    }

    /// The token in its only cookie.
    pub(crate) fn token(&self) -> String {
        self.cookie().split_once('=').unwrap().1.to_owned()
    }
}

impl Answer {
    /// The one `Set-Cookie` line, or an empty one.
    pub(crate) fn cookie(&self) -> &str {
        assert!(self.headers.get_all(SET_COOKIE).iter().count() < 2, "{:?}", self.headers);
        self.headers.get(SET_COOKIE).map_or("", |line| line.to_str().unwrap())
    }
}
