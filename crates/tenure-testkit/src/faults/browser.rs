//! What a browser sends and sees.

use std::time::{Duration, Instant};

use http::header::{COOKIE, SET_COOKIE};
use http::{HeaderMap, Request, StatusCode};
use tenure_core::engine::{Connection, Exchange};
use tenure_core::{Error, ErrorKind, Result, Sessions};

/// The counter in each session. Its name is in every request to a server that changes it, and in
/// none that reads it.
pub(super) const COUNTER: &str = "counter_of_faults";

/// It sends the cookie that it was given last.
#[derive(Clone)]
pub(super) struct Browser {
    sessions: Sessions,
    cookie: Option<String>,
}

/// What it sees.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) status: StatusCode,
    /// The counter, where it was asked for.
    pub(super) count: Option<i64>,
    /// The new value of the cookie, empty if it is removed.
    pub(super) set_cookie: Option<String>,
    pub(super) took: Duration,
    /// What went wrong, which a browser would not be told.
    #[expect(dead_code, reason = "for messages, by Debug")]
    pub(super) error: Option<String>,
}

impl Browser {
    pub(super) fn new(sessions: &Sessions) -> Self {
        Self { sessions: sessions.clone(), cookie: None }
    }

    pub(super) fn has_cookie(&self) -> bool {
        self.cookie.is_some()
    }

    /// Begins a request.
    pub(super) fn open(&self) -> Exchange {
        let mut request = Request::builder().uri("/");
        if let Some(cookie) = &self.cookie {
            request = request.header(COOKIE, format!("{}={cookie}", self.sessions.name()));
        }
        let (parts, ()) = request.body(()).expect("a cookie is a header").into_parts();
        self.sessions.open(&parts, Connection::new().secure(true))
    }

    /// Ends a request as an adapter does: by the handler's answer or its error.
    pub(super) async fn close(
        &mut self,
        exchange: Exchange,
        handled: Result<Option<i64>>,
        begun: Instant,
    ) -> Answer {
        let mut headers = HeaderMap::new();
        let said = handled.as_ref().map_or_else(status, |_| StatusCode::OK);
        let closed = exchange.close(said, &mut headers).await;
        let status = closed.as_ref().map_or_else(status, |()| said);
        let set_cookie = headers.get(SET_COOKIE).map(|cookie| {
            let cookie = cookie.to_str().expect("cookies are ASCII");
            let (_name, rest) = cookie.split_once('=').expect("a cookie has a value");
            rest.split(';').next().unwrap_or_default().to_owned()
        });
        if let Some(cookie) = &set_cookie {
            self.cookie = Some(cookie.clone()).filter(|cookie| !cookie.is_empty());
        }
        let error = closed.as_ref().err().or(handled.as_ref().err()).map(causes);
        let count = handled.ok().flatten();
        Answer { status, count, set_cookie, took: begun.elapsed(), error }
    }

    /// A request that reads.
    pub(super) async fn read(&mut self) -> Answer {
        let (begun, exchange) = (Instant::now(), self.open());
        let handled = exchange.session().load().await.and_then(|session| session.get(COUNTER));
        self.close(exchange, handled, begun).await
    }

    /// A request that counts up without reading.
    pub(super) async fn count(&mut self) -> Answer {
        let (begun, exchange) = (Instant::now(), self.open());
        let handled = exchange.session().increment(COUNTER, 1).map(|()| None);
        self.close(exchange, handled, begun).await
    }

    /// A request that logs out.
    pub(super) async fn leave(&mut self) -> Answer {
        let (begun, exchange) = (Instant::now(), self.open());
        let handled = exchange.session().logout().map(|()| None);
        self.close(exchange, handled, begun).await
    }
}

impl Answer {
    pub(super) fn is_ok(&self) -> bool {
        self.status == StatusCode::OK
    }

    pub(super) fn is_unavailable(&self) -> bool {
        self.status == StatusCode::SERVICE_UNAVAILABLE
    }
}

fn causes(error: &Error) -> String {
    let mut causes = error.to_string();
    let mut source = std::error::Error::source(error);
    while let Some(cause) = source {
        causes.push_str(&format!("; {cause}"));
        source = cause.source();
    }
    causes
}

/// As adapters have it.
fn status(error: &Error) -> StatusCode {
    match error.kind() {
        ErrorKind::Unavailable | ErrorKind::Timeout => StatusCode::SERVICE_UNAVAILABLE,
        _ => StatusCode::INTERNAL_SERVER_ERROR,
    }
}
