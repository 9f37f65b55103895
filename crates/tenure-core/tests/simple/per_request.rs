//! A18: a driver that is made with the request's context and a configuration.

use std::sync::{Arc, Mutex};

use http::Request;
use http::header::{COOKIE, SET_COOKIE};
use http::request::Parts;
use tenure_core::engine::Connection;
use tenure_core::store::simple::{SimpleDriver, SimpleStore};
use tenure_core::store::{AnyStore, StoreResult};
use tenure_core::transform::{Keyring, SecretKey};
use tenure_core::{Session, Sessions, Timestamp};

use crate::driver::Texts;

/// What all drivers share: texts, and a log of who asked for what.
#[derive(Default)]
struct Config {
    texts: Texts,
    log: Arc<Mutex<Vec<String>>>,
}

struct Logged {
    texts: Texts,
    log: Arc<Mutex<Vec<String>>>,
    who: String,
}

impl Logged {
    fn note(&self, what: &str) {
        self.log.lock().unwrap().push(format!("{} {what}", self.who));
    }
}

impl SimpleDriver for Logged {
    async fn read(&self, id: &str) -> StoreResult<Option<String>> {
        self.note("reads");
        self.texts.read(id).await
    }

    async fn write(&self, id: &str, value: &str, until: Timestamp) -> StoreResult<()> {
        self.note("writes");
        self.texts.write(id, value, until).await
    }

    async fn destroy(&self, id: &str) -> StoreResult<()> {
        self.note("destroys");
        self.texts.destroy(id).await
    }
}

fn store(config: Config) -> AnyStore {
    SimpleStore::per_request(config, |request: Option<&Parts>, config: &Config| {
        let who = request.map_or("nobody", |request| request.uri.path()).to_owned();
        let (texts, log) = (config.texts.clone(), Arc::clone(&config.log));
        log.lock().unwrap().push(format!("{who} comes"));
        Logged { texts, log, who }
    })
}

/// One request, and the cookie that came back.
async fn visit(
    sessions: &Sessions,
    path: &str,
    cookie: Option<&str>,
    handler: impl AsyncFnOnce(&Session),
) -> Option<String> {
    let mut request = Request::builder().uri(path);
    if let Some(cookie) = cookie {
        request = request.header(COOKIE, cookie);
    }
    let (parts, ()) = request.body(()).unwrap().into_parts();
    let exchange = sessions.open(&parts, Connection::new().secure(true));
    handler(&exchange.session().load().await.unwrap()).await;
    let mut response = http::Response::new(());
    exchange.close(response.status(), response.headers_mut()).await.unwrap();
    let cookie = response.headers().get(SET_COOKIE)?.to_str().unwrap();
    Some(cookie.split(';').next().unwrap().to_owned())
}

#[tokio::test]
async fn a18_each_request_has_a_driver_of_its_own() {
    let config = Config::default();
    let log = Arc::clone(&config.log);
    let sessions = Sessions::builder()
        .store(store(config))
        .signing_keys(Keyring::new([SecretKey::generate().unwrap()]))
        .build()
        .unwrap();
    let taken = || std::mem::take(&mut *log.lock().unwrap());
    assert_eq!(taken(), ["nobody comes"], "for what belongs to no request");

    let cookie = visit(&sessions, "/a", None, async |session| {
        session.set("n", 1).unwrap();
    })
    .await
    .unwrap();
    // It looks whether the place is free, and writes.
    assert_eq!(taken(), ["/a comes", "/a reads", "/a writes"]);

    let mut detached = None;
    visit(&sessions, "/b", Some(&cookie), async |session| {
        assert_eq!(session.get::<u32>("n").unwrap(), Some(1));
        detached = Some(session.detach().unwrap());
    })
    .await;
    assert_eq!(taken(), ["/b comes", "/b reads"], "reading costs one look");

    let stream = detached.unwrap();
    stream.increment("n", 1).unwrap();
    stream.commit().await.unwrap();
    assert_eq!(taken(), ["/b reads", "/b writes"], "a stream goes on with its request's driver");

    sessions.ping().await.unwrap();
    let token = cookie.split_once('=').unwrap().1;
    assert!(sessions.open_token(token).await.unwrap().is_some());
    assert_eq!(taken(), ["nobody reads", "nobody reads"]);

    visit(&sessions, "/c", Some(&cookie), async |session| session.logout().unwrap()).await;
    let log = taken();
    assert_eq!(log.first().map(String::as_str), Some("/c comes"));
    assert_eq!(log.last().map(String::as_str), Some("/c destroys"));
}

/// A store that is the same for all requests is asked nothing about them.
#[test]
fn other_stores_are_no_store_of_a_request() {
    let (parts, ()) = Request::new(()).into_parts();
    assert!(AnyStore::new(SimpleStore::new(Texts::default())).for_request(&parts).is_none());
    let own = store(Config::default());
    assert!(own.for_request(&parts).is_some());
    assert!(AnyStore::new(own).for_request(&parts).is_some(), "hidden twice it is the same");
}
