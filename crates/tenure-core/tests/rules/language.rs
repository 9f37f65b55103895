//! T-MON-1: a session whose client asks for another language is told of, and nobody else pays.

use std::sync::{Arc, Mutex};

use http::Request;
use http::header::{ACCEPT_LANGUAGE, COOKIE, HeaderValue};
use tenure_core::engine::{Connection, Exchange};
use tenure_core::guard::ClientChange;
use tenure_core::id::UserId;
use tenure_core::store::{AnyStore, ClientStore, MemoryStore, Store, UserIndex};
use tenure_core::transform::{Keyring, SecretKey};
use tenure_core::value::Data;
use tenure_core::{Clock, ErrorKind, Result, Session, Sessions, SessionsBuilder};
use tenure_testkit::{ManualClock, Recorder};

use crate::visitor::{Answer, NAME, Visitor, configured};

const KEY: &str = "\0language";
const GERMAN: &str = "de-CH, de;q=0.9, en;q=0.8";
const FRENCH: &str = "fr-CH, fr;q=0.9";

/// A request of `visitor` that asks for these languages; `None` is no header.
fn open(visitor: &Visitor, language: Option<HeaderValue>) -> Exchange {
    let mut request = Request::builder();
    if let Some(token) = &visitor.token {
        request = request.header(COOKIE, format!("{NAME}={token}"));
    }
    if let Some(language) = language {
        request = request.header(ACCEPT_LANGUAGE, language);
    }
    let (parts, ()) = request.body(()).unwrap().into_parts();
    visitor.sessions.open(&parts, Connection::new().secure(true))
}

fn header(text: &str) -> Option<HeaderValue> {
    Some(HeaderValue::from_str(text).unwrap())
}

/// A whole request in that language.
async fn visit<T>(
    visitor: &mut Visitor,
    language: Option<HeaderValue>,
    handler: impl FnOnce(&Session) -> T,
) -> (T, Answer) {
    let exchange = open(visitor, language);
    let session = exchange.session().load().await.unwrap();
    let done = handler(&session);
    let answer = visitor.close(exchange).await;
    answer.closed.as_ref().unwrap();
    (done, answer)
}

async fn ada(sessions: &Sessions, language: Option<HeaderValue>) -> Visitor {
    let mut ada = Visitor::new(sessions);
    visit(&mut ada, language, |session| session.login("ada")).await.0.unwrap();
    ada
}

/// From which language to which.
type Told = Vec<(Option<String>, Option<String>)>;
type Log = Arc<Mutex<Told>>;

fn watched(builder: SessionsBuilder) -> (Sessions, Log) {
    let log = Log::default();
    let sink = Arc::clone(&log);
    let owned = |text: Option<&str>| text.map(str::to_owned);
    let builder = builder.on_client_change(move |change| {
        assert!(change.language_changed(), "nothing else has changed");
        assert!(!change.ends_session() && !change.ip_changed() && !change.user_agent_changed());
        let languages = (owned(change.began_language()), owned(change.present_language()));
        sink.lock().unwrap().push(languages);
    });
    (builder.build().unwrap(), log)
}

fn usual() -> (Sessions, Log) {
    watched(configured(MemoryStore::new(), &ManualClock::new()))
}

fn told(log: &Log) -> Told {
    std::mem::take(&mut *log.lock().unwrap())
}

fn from_to(began: Option<&str>, present: Option<&str>) -> Told {
    vec![(began.map(Into::into), present.map(Into::into))]
}

/// What ada's record keeps.
async fn data(sessions: &Sessions, clock: &ManualClock) -> Data {
    let (users, ada) = (sessions.store().users().unwrap(), UserId::new("ada").unwrap());
    let listed = users.list(sessions.namespace(), &ada, clock.now()).await.unwrap();
    listed[0].record.data.clone()
}

#[tokio::test]
async fn t_mon_1_another_language_is_told_and_ends_nothing() {
    let (sessions, log) = usual();
    let mut ada = ada(&sessions, header(GERMAN)).await;
    for (comes, expected) in [
        (header(GERMAN), Told::new()),
        (header(FRENCH), from_to(Some(GERMAN), Some(FRENCH))),
        (None, from_to(Some(GERMAN), None)),
        (header(""), from_to(Some(GERMAN), None)),
        // What is no text says nothing.
        (HeaderValue::from_bytes(b"de\xff").ok(), from_to(Some(GERMAN), None)),
        (header("de"), from_to(Some(GERMAN), Some("de"))),
    ] {
        let (user, answer) = visit(&mut ada, comes.clone(), Session::user).await;
        assert_eq!(user.unwrap().as_str(), "ada", "{comes:?}");
        assert!(!answer.sets_cookie());
        assert_eq!(told(&log), expected, "{comes:?}");
    }
    drop(open(&ada, header(FRENCH)));
    assert_eq!(told(&log), [], "nobody loaded it");
}

/// As with user agents: nothing said is something to differ from.
#[tokio::test]
async fn t_mon_1_a_session_that_began_without_a_language() {
    for nothing in [None, header(""), HeaderValue::from_bytes(b"\xff").ok()] {
        let (sessions, log) = usual();
        let mut ada = ada(&sessions, nothing.clone()).await;
        visit(&mut ada, None, Session::user).await;
        visit(&mut ada, header(""), Session::user).await;
        assert_eq!(told(&log), [], "{nothing:?}");
        visit(&mut ada, header(GERMAN), Session::user).await;
        assert_eq!(told(&log), from_to(None, Some(GERMAN)));
    }
}

#[tokio::test]
async fn t_mon_1_what_is_kept_of_a_language_is_bounded() {
    let clock = ManualClock::new();
    let (sessions, log) = watched(configured(MemoryStore::new(), &clock));
    let long = |last: &str| format!("{}{last}", "x".repeat(ClientChange::MAX_LANGUAGE - 1));
    let mut ada = ada(&sessions, header(&format!("{}{}", long("a"), "y".repeat(8_000)))).await;
    let kept = data(&sessions, &clock).await;
    assert_eq!(kept.get(KEY), Some(&*format!("\"{}\"", long("a"))));
    visit(&mut ada, header(&long("a")), Session::user).await;
    assert_eq!(told(&log), [], "the rest does not count");
    visit(&mut ada, header(&long("b")), Session::user).await;
    assert_eq!(told(&log), from_to(Some(&long("a")), Some(&long("b"))));
}

/// Neither a log-in nor a new secret, nor what a handler drops, makes it another client.
#[tokio::test]
async fn t_mon_1_the_language_outlives_what_a_handler_does() {
    let (sessions, log) = usual();
    let mut ada = Visitor::new(&sessions);
    visit(&mut ada, header(GERMAN), |session| session.set("n", 1)).await.0.unwrap();
    let steps: [fn(&Session) -> Result<()>; 6] = [
        Session::clear,
        Session::regenerate,
        |session| session.regenerate_keeping(&["n"]),
        |session| session.login("ada"),
        |session| session.login("bob"),
        |session| session.set("m", 2).and_then(|()| session.clear()),
    ];
    for (nth, step) in steps.into_iter().enumerate() {
        visit(&mut ada, header(FRENCH), step).await.0.unwrap();
        assert_eq!(told(&log), from_to(Some(GERMAN), Some(FRENCH)), "step {nth}");
    }
    // A session that begins after a logout is another one.
    visit(&mut ada, header(FRENCH), |session| session.logout().and_then(|()| session.set("n", 1)))
        .await
        .0
        .unwrap();
    told(&log);
    visit(&mut ada, header(FRENCH), Session::user).await;
    assert_eq!(told(&log), []);
    visit(&mut ada, header(GERMAN), Session::user).await;
    assert_eq!(told(&log), from_to(Some(FRENCH), Some(GERMAN)));
}

#[tokio::test]
async fn t_mon_1_no_handler_reads_or_forges_the_language() {
    let (sessions, log) = usual();
    let mut ada = ada(&sessions, header(GERMAN)).await;
    visit(&mut ada, header(GERMAN), |session| {
        assert!(session.is_empty() && session.keys().is_empty() && !session.contains(KEY));
        assert_eq!(session.get::<String>(KEY).unwrap(), None);
        assert_eq!(session.set(KEY, FRENCH).unwrap_err().kind(), ErrorKind::Misuse);
        assert_eq!(session.remove(KEY).unwrap_err().kind(), ErrorKind::Misuse);
    })
    .await;
    visit(&mut ada, header(FRENCH), Session::user).await;
    assert_eq!(told(&log), from_to(Some(GERMAN), Some(FRENCH)));
}

/// Without a hook nothing is kept, and with one nothing is kept for who only looks.
#[tokio::test]
async fn t_mon_1_nobody_else_pays_for_the_language() {
    let clock = ManualClock::new();
    let sessions = configured(MemoryStore::new(), &clock).lock_user_agent(true).build().unwrap();
    ada(&sessions, header(GERMAN)).await;
    assert!(data(&sessions, &clock).await.is_empty());

    let store = Recorder::new(MemoryStore::new());
    let (sessions, log) = watched(configured(store.clone(), &clock));
    let mut visitor = Visitor::new(&sessions);
    let looks: [fn(&Session) -> Result<()>; 4] =
        [|_| Ok(()), Session::clear, Session::touch, |session| session.remove("nothing")];
    for look in looks {
        let (done, answer) = visit(&mut visitor, header(GERMAN), look).await;
        done.unwrap();
        assert!(!answer.sets_cookie());
    }
    assert!(store.calls().is_empty() && told(&log).is_empty());
}

/// The limits are the application's.
#[tokio::test]
async fn t_mon_1_the_language_takes_no_room() {
    let limited = |builder: SessionsBuilder| {
        let builder = builder.max_session_keys(2).max_session_bytes(100);
        builder.on_client_change(|_| {}).build().unwrap()
    };
    let sessions = limited(configured(MemoryStore::new(), &ManualClock::new()));
    let mut ada = ada(&sessions, header(&"x".repeat(ClientChange::MAX_LANGUAGE))).await;
    visit(&mut ada, None, |session| {
        session.set("a", "x".repeat(40)).unwrap();
        session.set("b", "x".repeat(40)).unwrap();
        let error = session.set("c", 1).unwrap_err();
        assert!(error.to_string().contains("max_session_keys"), "{error}");
        let error = session.set("b", "x".repeat(70)).unwrap_err();
        assert!(error.to_string().contains("max_session_bytes"), "{error}");
        assert!(error.to_string().contains("take 116 octets"), "{error}");
    })
    .await;
}

/// What nobody noted has not changed: one that began before there was a hook, or outside of a
/// request.
#[tokio::test]
async fn t_mon_1_a_language_that_is_not_known_never_changes() {
    let (store, clock) = (AnyStore::new(MemoryStore::new()), ManualClock::new());
    let keys = Keyring::new([SecretKey::generate().unwrap()]);
    let over = || configured(store.clone(), &clock).signing_keys(keys.clone());
    let before = over().build().unwrap();
    let mut ada = ada(&before, header(GERMAN)).await;
    let (sessions, log) = watched(over());
    ada.sessions = sessions.clone();
    assert!(visit(&mut ada, header(FRENCH), Session::exists).await.0);

    let job = sessions.start().await.unwrap();
    job.login("bob").unwrap();
    job.commit().await.unwrap();
    let mut bob = Visitor { token: job.danger_expose_token(), ..Visitor::new(&sessions) };
    assert!(visit(&mut bob, header(FRENCH), Session::exists).await.0);
    assert_eq!(told(&log), []);
}

/// A session that its client keeps has it, too.
#[tokio::test]
async fn t_mon_1_a_client_keeps_the_language() {
    let keys = Keyring::new([SecretKey::generate().unwrap()]);
    let builder = Sessions::builder().client_store(ClientStore::sealed(keys));
    let (sessions, log) = watched(builder);
    let mut ada = ada(&sessions, header(GERMAN)).await;
    for _ in 0..2 {
        visit(&mut ada, header(GERMAN), |session| session.increment("n", 1)).await.0.unwrap();
        assert_eq!(told(&log), []);
        visit(&mut ada, header(FRENCH), |session| session.increment("n", 1)).await.0.unwrap();
        assert_eq!(told(&log), from_to(Some(GERMAN), Some(FRENCH)));
    }
}
