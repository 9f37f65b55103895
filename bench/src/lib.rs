//! What the benchmarks of the core share: a manager on the memory store, and requests with its
//! cookie.

use std::time::Duration;

use http::header::COOKIE;
use http::request::Parts;
use http::{HeaderMap, Request, StatusCode};
use tenure_core::engine::Connection;
use tenure_core::store::{MemoryStore, NearCache};
use tenure_core::transform::{Keyring, SecretKey};
use tenure_core::{Session, Sessions};
use tokio::runtime::{Builder, Runtime};

/// A manager, a runtime to drive it, and the head of a request that belongs to a live session.
#[derive(Debug)]
pub struct Bench {
    /// The manager.
    pub sessions: Sessions,
    /// The head of a request with the cookie of a session that has `n`.
    pub parts: Parts,
    runtime: Runtime,
}

impl Bench {
    /// A live session on the memory store with all defaults, tokens signed.
    ///
    /// # Panics
    /// When the operating system gives neither randomness nor a runtime.
    #[must_use]
    pub fn new() -> Self {
        Self::on(Sessions::builder().store(MemoryStore::new()).build().expect("a configuration"))
    }

    /// The same with a near cache in between, from which the session is read.
    ///
    /// # Panics
    /// As [`new`](Self::new).
    #[must_use]
    pub fn cached() -> Self {
        let store = NearCache::new(MemoryStore::new()).stale_for(Duration::from_secs(60));
        let keys = Keyring::new([SecretKey::generate().expect("randomness")]);
        let builder = Sessions::builder().store(store).signing_keys(keys);
        Self::on(builder.build().expect("a configuration"))
    }

    fn on(sessions: Sessions) -> Self {
        let runtime = Builder::new_current_thread().build().expect("a runtime");
        let token = runtime.block_on(async {
            let session = sessions.start().await.expect("a session");
            session.set("n", 1).expect("a number");
            session.commit().await.expect("a commit");
            session.danger_expose_token().expect("a token")
        });
        let parts = head(&format!("{}={token}", sessions.name()));
        Self { sessions, parts, runtime }
    }

    /// One request as an adapter makes it. Without a handler the session is not even loaded.
    pub fn request(&self, parts: &Parts, handler: Option<fn(&Session)>) -> HeaderMap {
        self.runtime.block_on(async {
            let exchange = self.sessions.open(parts, Connection::new().secure(true));
            if let Some(handler) = handler {
                handler(&exchange.session().load().await.expect("a session"));
            }
            let mut headers = HeaderMap::new();
            let sealed = exchange.seal(StatusCode::OK);
            if sealed.needs_commit() {
                sealed.commit().await.expect("a commit");
            }
            sealed.write_headers(&mut headers).expect("headers");
            headers
        })
    }
}

impl Default for Bench {
    fn default() -> Self {
        Self::new()
    }
}

/// The head of a request with this `Cookie` line.
///
/// # Panics
/// When the line is no header value.
#[must_use]
pub fn head(cookies: &str) -> Parts {
    Request::get("/").header(COOKIE, cookies).body(()).expect("a request").into_parts().0
}

/// Reads a number.
///
/// # Panics
/// When it is none.
pub fn read(session: &Session) {
    std::hint::black_box(session.get::<i64>("n").expect("a number"));
}

/// Adds one, and reads the sum.
///
/// # Panics
/// When it is no number.
pub fn increment(session: &Session) {
    session.increment("n", 1).expect("an increment");
    read(session);
}

/// How often `work` allocates memory.
pub fn allocations(work: impl FnOnce()) -> u64 {
    allocation_counter::measure(work).count_total
}
