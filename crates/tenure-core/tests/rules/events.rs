//! A22: what happens to sessions is told, after it has happened, and nobody who listens can stop it.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use http::header::SET_COOKIE;
use http::{HeaderMap, Request, StatusCode};
use tenure_core::engine::{AtLimit, Connection, Event};
use tenure_core::store::{MemoryStore, StoreErrorKind};
use tenure_core::{Session, Sessions, SessionsBuilder, UserId};
use tenure_testkit::{Fault, FaultStore, ManualClock, Operation};

use crate::visitor::{NAME, Visitor, configured, minutes};

/// What was heard, one line an event.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<String>>>);

impl Log {
    fn note(&self, line: impl Into<String>) {
        self.0.lock().unwrap().push(line.into());
    }

    /// What was heard since the last time.
    fn heard(&self) -> Vec<String> {
        std::mem::take(&mut *self.0.lock().unwrap())
    }

    fn listening(&self, builder: SessionsBuilder) -> Sessions {
        let log = self.clone();
        builder.on_event(move |event| log.note(line(event))).build().unwrap()
    }
}

/// The name of an event, and the user if there is one.
fn line(event: &Event<'_>) -> String {
    match event.user() {
        Some(user) => format!("{} {user}", event.name()),
        None => event.name().to_owned(),
    }
}

fn shop() -> (Log, Sessions, ManualClock) {
    let (log, clock) = (Log::default(), ManualClock::new());
    let sessions = log.listening(configured(MemoryStore::new(), &clock));
    (log, sessions, clock)
}

#[tokio::test]
async fn a22_a_life_is_told_as_it_happens() {
    let (log, sessions, clock) = shop();
    let mut ada = Visitor::new(&sessions);
    ada.get(|_| Ok(())).await;
    assert!(log.heard().is_empty(), "nothing has happened");
    ada.get(|session| session.set("n", 1)).await;
    assert_eq!(log.heard(), ["created"]);
    ada.get(|session| session.set("n", 2)).await;
    assert_eq!(log.heard(), ["loaded", "committed"]);
    ada.get(|session| session.login("ada")).await;
    assert_eq!(log.heard(), ["loaded", "committed ada", "rotated ada", "logged_in ada"]);
    clock.advance(minutes(5));
    ada.get(|_| Ok(())).await;
    assert_eq!(log.heard(), ["loaded ada", "touched ada"]);
    clock.advance(minutes(25));
    ada.get(|_| Ok(())).await;
    clock.advance(minutes(29));
    log.heard();
    ada.get(|_| Ok(())).await;
    clock.advance(minutes(5));
    log.heard();
    ada.get(|_| Ok(())).await;
    assert_eq!(log.heard(), ["loaded ada", "committed ada", "rotated ada"], "a renewal");
    ada.get(Session::logout).await;
    assert_eq!(log.heard().split_off(1), ["destroyed ada", "logged_out ada"]);

    let mut eve = Visitor::new(&sessions);
    eve.get(|session| session.login("eve")).await;
    assert_eq!(log.heard(), ["created eve", "logged_in eve"]);
    eve.get(Session::destroy).await;
    assert_eq!(log.heard(), ["loaded eve", "destroyed eve"], "which is no logout");
}

#[tokio::test]
async fn a22_a_session_is_named_by_its_handle_alone() {
    let clock = ManualClock::new();
    let log = Log::default();
    let sink = log.clone();
    let sessions = configured(MemoryStore::new(), &clock)
        .on_event(move |event| sink.note(format!("{:?} {event:?}", event.session())))
        .build()
        .unwrap();
    let mut ada = Visitor::new(&sessions);
    ada.get(|session| session.login("ada")).await;
    let handle = ada.get(|session| Ok(session.handle())).await.unwrap();
    ada.get(Session::logout).await;
    let (heard, token) = (log.heard(), ada.token.clone());
    assert_eq!((heard.len(), token), (6, None));
    for line in heard {
        assert!(line.starts_with(&format!("Some({handle:?})")), "{line}");
    }
}

/// What the client brings, and what cannot be told apart: one that expired and one that was ended.
#[tokio::test]
async fn a22_credentials_that_are_worth_nothing_are_told() {
    let (log, sessions, clock) = shop();
    let mut ada = Visitor::new(&sessions);
    ada.get(|session| session.set("n", 1)).await;
    let mut again = ada.clone();
    clock.advance(minutes(31));
    log.heard();
    ada.get(|_| Ok(())).await;
    assert_eq!(log.heard(), ["unknown"]);
    assert_eq!(sessions.sweeper().once().await.unwrap(), 1);
    assert_eq!(log.heard(), ["swept"]);
    assert_eq!(sessions.sweeper().once().await.unwrap(), 0);
    assert_eq!(log.heard(), [""; 0]);
    again.token.as_mut().unwrap().push('x');
    again.get(|_| Ok(())).await;
    assert_eq!(log.heard(), ["rejected"]);
    assert!(sessions.open_token("forged").await.unwrap().is_none());
    assert_eq!(log.heard(), ["rejected"]);
}

/// Refused credentials are told wherever a request looks at its credential.
#[tokio::test]
async fn a22_a_rejection_is_told_by_blind_writes_and_logouts_too() {
    let (log, clock) = (Log::default(), ManualClock::new());
    let sessions = log.listening(configured(MemoryStore::new(), &clock).touch_every_request());
    let mut stranger = Visitor::new(&sessions);
    stranger.token = Some("forged".to_owned());
    let exchange = stranger.open();
    exchange.session().set("n", 1).unwrap();
    stranger.clone().close(exchange).await.closed.unwrap();
    assert_eq!(log.heard(), ["rejected", "created"]);
    let exchange = stranger.open();
    exchange.session().logout().unwrap();
    assert_eq!(log.heard(), ["rejected"]);
    stranger.close(exchange).await.closed.unwrap();
    let exchange = stranger.open();
    stranger.close(exchange).await.closed.unwrap();
    assert_eq!(log.heard(), ["rejected"], "by a request that was only to be noted");
}

#[tokio::test]
async fn a22_parallel_commits_are_told_as_conflicts_and_late_ones_as_gone() {
    let (log, sessions, _clock) = shop();
    let mut ada = Visitor::new(&sessions);
    ada.get(|session| session.login("ada")).await;
    let [first, second, late] = [ada.open(), ada.open(), ada.open()];
    for exchange in [&first, &second, &late] {
        exchange.session().load().await.unwrap().increment("n", 1).unwrap();
    }
    log.heard();
    ada.close(first).await.closed.unwrap();
    assert_eq!(log.heard(), ["committed ada"]);
    ada.close(second).await.closed.unwrap();
    assert_eq!(log.heard(), ["committed ada", "conflict ada"]);
    assert_eq!(ada.number("n").await, Some(2));
    let mut other = ada.clone();
    other.get(Session::logout).await;
    log.heard();
    let answer = ada.close(late).await;
    assert!(answer.closed.is_ok() && !answer.sets_cookie());
    assert_eq!(log.heard(), ["gone ada"]);
}

#[tokio::test]
async fn a22_revocations_are_told() {
    let (log, sessions, _clock) = shop();
    let [mut phone, mut laptop] = [Visitor::new(&sessions), Visitor::new(&sessions)];
    for visitor in [&mut phone, &mut laptop] {
        visitor.get(|session| session.login("ada")).await;
    }
    let handle = phone.get(|session| Ok(session.handle())).await.unwrap();
    log.heard();
    assert!(sessions.revoke(handle).await.unwrap());
    assert_eq!(log.heard(), ["destroyed"]);
    assert!(!sessions.revoke(handle).await.unwrap());
    assert_eq!(log.heard(), [""; 0]);
    assert_eq!(sessions.revoke_user(&UserId::new("ada").unwrap()).await.unwrap(), 1);
    assert_eq!(log.heard(), ["user_revoked ada"]);
    sessions.revoke_everybody().await.unwrap();
    assert_eq!(log.heard(), ["everybody_revoked"]);
    assert_eq!(sessions.counts().revoked, 1);
}

#[tokio::test]
async fn a22_sessions_beyond_the_limit_are_told_with_their_user() {
    let (log, clock) = (Log::default(), ManualClock::new());
    let builder = configured(MemoryStore::new(), &clock);
    let sessions = log.listening(builder.max_sessions_per_user(1, AtLimit::EvictOldest));
    for _ in 0..2 {
        clock.advance(Duration::from_secs(1));
        Visitor::new(&sessions).get(|session| session.login("ada")).await;
    }
    assert_eq!(
        log.heard(),
        ["created ada", "logged_in ada", "created ada", "logged_in ada", "destroyed ada"]
    );
}

/// A secret for one use is a commit of its own.
#[tokio::test]
async fn a22_a_secret_that_is_used_up_is_a_commit() {
    let (log, sessions, _clock) = shop();
    let mut ada = Visitor::new(&sessions);
    ada.get(|session| session.login("ada")).await;
    ada.get(|session| session.set_secret("code", "123456", minutes(5))).await;
    let [first, second, late] = [ada.open(), ada.open(), ada.open()];
    let mut opened = Vec::new();
    for exchange in [&first, &second, &late] {
        opened.push(exchange.session().load().await.unwrap());
    }
    log.heard();
    assert!(opened[0].consume("code", "123456").await.unwrap());
    assert_eq!(log.heard(), ["committed ada"]);
    assert!(!opened[1].consume("code", "123456").await.unwrap());
    assert_eq!(log.heard(), [""; 0], "nothing was used up");
    ada.get(Session::logout).await;
    log.heard();
    assert!(!opened[2].consume("code", "123456").await.unwrap());
    assert_eq!(log.heard(), ["gone ada"]);
}

/// `on_error` is asked first, then the listeners in their order; all are called under no lock.
#[tokio::test]
async fn a22_listeners_hear_in_order_and_under_no_lock() {
    let (store, clock, log) =
        (FaultStore::new(MemoryStore::new()), ManualClock::new(), Log::default());
    let [hook, first, second] = [log.clone(), log.clone(), log.clone()];
    let seen = Arc::new(Mutex::new(None::<Session>));
    let (by_hook, by_listener) = (Arc::clone(&seen), Arc::clone(&seen));
    // A handle of the very session that is told of: under its lock this would wait for ever.
    let look = |seen: &Mutex<Option<Session>>| {
        seen.lock().unwrap().as_ref().map(|session| session.set("seen", true))
    };
    let sessions = configured(store.clone(), &clock)
        .on_event(move |event| {
            look(&by_listener);
            first.note(format!("first {}", event.name()));
        })
        .on_error(move |error| {
            look(&by_hook);
            hook.note(format!("hook {:?}", error.kind()));
        })
        .on_event(move |event| second.note(format!("second {}", event.name())))
        .build()
        .unwrap();
    let mut ada = Visitor::new(&sessions);
    ada.get(|session| session.set("n", 1)).await;
    assert_eq!(log.heard(), ["first created", "second created"]);
    let exchange = ada.open();
    let session = exchange.session().load().await.unwrap();
    *seen.lock().unwrap() = Some(session.clone());
    log.heard();
    store.inject_everywhere(Fault::error(StoreErrorKind::Other));
    assert!(session.reload().await.is_err());
    assert_eq!(log.heard(), ["hook Other", "first failed", "second failed"]);
    session.touch().unwrap();
    assert!(session.save().await.is_err());
    store.heal();
    session.save().await.unwrap();
    assert_eq!(session.get::<bool>("seen").unwrap(), Some(true));
    session.logout().unwrap();
    session.save().await.unwrap();
    drop(exchange);
}

/// The counts are those of the events, since both come from one place.
#[tokio::test]
async fn a22_counts_are_the_events() {
    let (store, clock, log) =
        (FaultStore::new(MemoryStore::new()), ManualClock::new(), Log::default());
    let sessions = log.listening(configured(store.clone(), &clock));
    let mut ada = Visitor::new(&sessions);
    ada.get(|session| session.set("n", 1)).await;
    ada.get(|session| session.login("ada")).await;
    let [one, other] = [ada.open(), ada.open()];
    for exchange in [&one, &other] {
        exchange.session().load().await.unwrap().increment("n", 1).unwrap();
    }
    let late = ada.open();
    late.session().load().await.unwrap().increment("n", 1).unwrap();
    ada.close(one).await.closed.unwrap();
    ada.close(other).await.closed.unwrap();
    clock.advance(minutes(5));
    ada.get(|_| Ok(())).await;
    store.inject(Operation::Load, Fault::error(StoreErrorKind::Corrupt));
    assert!(ada.open().session().load().await.is_err());
    store.inject(Operation::Load, Fault::error(StoreErrorKind::UnknownVersion));
    ada.open().session().load().await.unwrap();
    sessions.open_token("forged").await.unwrap();
    let mut left = ada.clone();
    ada.get(Session::logout).await;
    ada.close(late).await.closed.unwrap();
    left.get(|session| session.login("eve")).await;
    sessions.revoke_user(&UserId::new("eve").unwrap()).await.unwrap();
    left.get(|session| session.set("n", 1)).await;
    clock.advance(minutes(31));
    sessions.sweeper().once().await.unwrap();

    let heard = log.heard();
    let told = |name: &str| {
        heard.iter().filter(|line| line.split(' ').next() == Some(name)).count() as u64
    };
    let counts = sessions.counts();
    for (count, names) in [
        (counts.loads, &["loaded", "unknown"][..]),
        (counts.created, &["created"]),
        (counts.commits, &["committed"]),
        (counts.conflicts, &["conflict"]),
        (counts.destroyed, &["destroyed"]),
        (counts.touches, &["touched"]),
        (counts.rotations, &["rotated"]),
        (counts.logins, &["logged_in"]),
        (counts.logouts, &["logged_out"]),
        (counts.revoked, &["user_revoked"]),
        (counts.gone, &["gone"]),
        (counts.rejected, &["rejected"]),
        (counts.unknown, &["unknown"]),
        (counts.unknown_version, &["unknown_version"]),
        (counts.swept, &["swept"]),
        (counts.errors, &["failed"]),
    ] {
        let told: u64 = names.iter().map(|name| told(name)).sum();
        assert!(count > 0, "{names:?} never happened: {heard:?}");
        assert_eq!(count, told, "{names:?}: {heard:?}");
    }
}

/// T-HOOK-1, R25: whatever a listener does, a logout ends the session, in the store
/// and in the browser, and other listeners hear of it.
#[tokio::test]
async fn t_hook_1_r25_a_listener_that_panics_stops_neither_logout_nor_commit() {
    let (clock, log) = (ManualClock::new(), Log::default());
    let store = FaultStore::new(MemoryStore::new());
    let builder = configured(store.clone(), &clock)
        .on_event(|event| panic!("a listener that fails at {}", event.name()))
        .on_error(|_| panic!("and a hook"));
    let sessions = log.listening(builder);
    let mut ada = Visitor::new(&sessions);
    ada.get(|session| session.login("ada")).await;
    ada.get(|session| session.set("n", 1)).await;
    assert_eq!(ada.number("n").await, Some(1), "it was committed");
    let token = ada.token.clone().unwrap();
    let (done, answer) = ada.visit(Session::logout).await;
    done.unwrap();
    answer.closed.as_ref().unwrap();
    let cookie = answer.headers[SET_COOKIE].to_str().unwrap();
    assert!(cookie.starts_with(&format!("{NAME}=;")) && cookie.contains("Max-Age=0"), "{cookie}");
    assert!(sessions.open_token(&token).await.unwrap().is_none());
    let heard = log.heard();
    assert!(heard.contains(&"logged_out ada".to_owned()), "{heard:?}");
    store.inject_everywhere(Fault::error(StoreErrorKind::Other));
    assert!(sessions.open_token(&token).await.is_err(), "the error stays the store's");
    assert_eq!(log.heard(), ["failed"]);
}

/// T-HOOK-1: one that never comes back keeps its own response, but the session has ended before it
/// was asked.
#[test]
fn t_hook_1_a_listener_that_blocks_comes_too_late_to_stop_a_logout() {
    let clock = ManualClock::new();
    let (blocked, waits) = std::sync::mpsc::channel();
    let (free, released) = std::sync::mpsc::channel::<()>();
    let released = Mutex::new(released);
    let sessions = configured(MemoryStore::new(), &clock)
        .on_event(move |event| {
            if let Event::Destroyed { .. } = event {
                blocked.send(()).unwrap();
                let _ = released.lock().unwrap().recv();
            }
        })
        .build()
        .unwrap();
    let runtime = || tokio::runtime::Builder::new_current_thread().build().unwrap();
    let mut ada = Visitor::new(&sessions);
    runtime().block_on(ada.get(|session| session.login("ada")));
    let token = ada.token.clone().unwrap();
    let request = std::thread::spawn(move || {
        runtime().block_on(async {
            let (_, answer) = ada.visit(Session::logout).await;
            assert!(answer.sets_cookie());
        });
    });
    waits.recv_timeout(Duration::from_secs(60)).unwrap();
    let found = runtime().block_on(sessions.open_token(&token)).unwrap();
    assert!(found.is_none(), "ended while the listener blocks");
    drop(free);
    request.join().unwrap();
}

/// What an exchange that is dropped recorded has not happened.
#[tokio::test]
async fn a22_what_did_not_happen_is_not_told() {
    let (log, sessions, _clock) = shop();
    let (parts, ()) = Request::new(()).into_parts();
    let exchange = sessions.open(&parts, Connection::new().secure(true));
    exchange.session().load().await.unwrap().login("ada").unwrap();
    drop(exchange);
    let refuses = |status: StatusCode| !status.is_server_error();
    assert_eq!(log.heard(), [""; 0]);
    let clock = ManualClock::new();
    let sessions = log.listening(configured(MemoryStore::new(), &clock).commit_on(refuses));
    let exchange = sessions.open(&parts, Connection::new().secure(true));
    exchange.session().load().await.unwrap().login("ada").unwrap();
    exchange.close(StatusCode::INTERNAL_SERVER_ERROR, &mut HeaderMap::new()).await.unwrap();
    assert_eq!(log.heard(), [""; 0]);
}
