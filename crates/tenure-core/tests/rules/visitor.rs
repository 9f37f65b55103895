use std::time::Duration;

use http::header::{COOKIE, SET_COOKIE};
use http::{HeaderMap, Request, StatusCode};
use tenure_core::engine::{Connection, Exchange};
use tenure_core::store::{MemoryStore, Store};
use tenure_core::transform::{Keyring, SecretKey};
use tenure_core::{Result, Session, Sessions, SessionsBuilder};
use tenure_testkit::ManualClock;

pub(crate) const NAME: &str = "__Host-id";

/// A browser: it keeps the cookie that it gets and sends it with every request.
#[derive(Clone)]
pub(crate) struct Visitor {
    pub(crate) sessions: Sessions,
    pub(crate) token: Option<String>,
}

/// What came back beside the handler's result.
pub(crate) struct Answer {
    pub(crate) closed: Result<()>,
    pub(crate) headers: HeaderMap,
}

impl Visitor {
    pub(crate) fn new(sessions: &Sessions) -> Self {
        Self { sessions: sessions.clone(), token: None }
    }

    /// Begins a request with the cookie as it is now.
    pub(crate) fn open(&self) -> Exchange {
        let mut request = Request::builder().uri("/");
        if let Some(token) = &self.token {
            request = request.header(COOKIE, format!("{NAME}={token}"));
        }
        let (parts, ()) = request.body(()).unwrap().into_parts();
        self.sessions.open(&parts, Connection::new().secure(true))
    }

    /// Ends a request and keeps the cookie of the answer.
    pub(crate) async fn close(&mut self, exchange: Exchange) -> Answer {
        let mut headers = HeaderMap::new();
        let closed = exchange.close(StatusCode::OK, &mut headers).await;
        if let Some(cookie) = headers.get(SET_COOKIE) {
            let cookie = cookie.to_str().unwrap();
            let value = cookie[NAME.len() + 1..].split(';').next().unwrap();
            self.token = (!value.is_empty()).then(|| value.to_owned());
        }
        Answer { closed, headers }
    }

    /// A whole request.
    pub(crate) async fn visit<T>(&mut self, handler: impl FnOnce(&Session) -> T) -> (T, Answer) {
        let exchange = self.open();
        let session = exchange.session().load().await.unwrap();
        let done = handler(&session);
        (done, self.close(exchange).await)
    }

    /// A whole request that must succeed.
    pub(crate) async fn get<T>(&mut self, handler: impl FnOnce(&Session) -> Result<T>) -> T {
        let (done, answer) = self.visit(handler).await;
        answer.closed.as_ref().unwrap();
        done.unwrap()
    }

    pub(crate) async fn number(&mut self, key: &str) -> Option<i64> {
        self.get(|session| session.get(key)).await
    }

    pub(crate) async fn user(&mut self) -> Option<String> {
        self.get(|session| Ok(session.user().map(|user| user.to_string()))).await
    }
}

impl Answer {
    pub(crate) fn sets_cookie(&self) -> bool {
        self.headers.contains_key(SET_COOKIE)
    }
}

/// Half an hour idle, two hours in all, a renewal after one, on a clock moved by hand.
pub(crate) fn configured(store: impl Store, clock: &ManualClock) -> SessionsBuilder {
    Sessions::builder()
        .store(store)
        .signing_keys(Keyring::new([SecretKey::generate().unwrap()]))
        .clock(clock.clone())
        .idle_timeout(minutes(30))
        .absolute_timeout(minutes(120))
}

/// A shop on the memory store.
pub(crate) fn shop() -> (Sessions, ManualClock) {
    let clock = ManualClock::new();
    (configured(MemoryStore::new(), &clock).build().unwrap(), clock)
}

pub(crate) const fn minutes(minutes: u64) -> Duration {
    Duration::from_secs(60 * minutes)
}

pub(crate) const MILLI: Duration = Duration::from_millis(1);
