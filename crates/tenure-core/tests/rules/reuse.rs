//! T-MON-1: a session whose retired secret comes again is held by two.

use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

use http::Request;
use http::header::{COOKIE, USER_AGENT};
use tenure_core::engine::{Connection, Event};
use tenure_core::store::{AnyStore, ClientStore, MemoryStore, NearCache, Store, StoreErrorKind};
use tenure_core::transform::{Keyring, SecretKey};
use tenure_core::{Clock, ErrorKind, Handle, Session, Sessions, SessionsBuilder};
use tenure_testkit::{Bare, Fault, FaultStore, ManualClock, Operation};

use crate::foreign::WholeId;
use crate::visitor::{MILLI, NAME, Visitor, configured, minutes};

/// What the hook was told: which session, whose, and since when its secret counts.
type Alarm = (Handle, Option<String>, SystemTime);

#[derive(Clone, Default)]
struct Alarms(Arc<Mutex<Vec<Alarm>>>);

impl Alarms {
    fn hearing(&self, builder: SessionsBuilder) -> Sessions {
        let alarms = Arc::clone(&self.0);
        let hook = builder.on_reuse(move |reuse| {
            let user = reuse.user().map(ToString::to_string);
            alarms.lock().unwrap().push((reuse.handle(), user, reuse.renewed_at()));
        });
        hook.build().unwrap()
    }

    /// What was told since this was last asked.
    fn heard(&self) -> Vec<Alarm> {
        std::mem::take(&mut self.0.lock().unwrap())
    }

    fn are_silent(&self) -> bool {
        self.0.lock().unwrap().is_empty()
    }
}

/// A shop that listens, the clock, and a store whose calls are counted.
fn shop() -> (Sessions, ManualClock, FaultStore<MemoryStore>, Alarms) {
    let (clock, alarms) = (ManualClock::new(), Alarms::default());
    let store = FaultStore::new(MemoryStore::new());
    (alarms.hearing(configured(store.clone(), &clock)), clock, store, alarms)
}

/// Ada, logged in for over an hour, so that the next answer brings a new secret.
async fn due(sessions: &Sessions, clock: &ManualClock) -> Visitor {
    let mut ada = Visitor::new(sessions);
    ada.get(|session| session.login("ada")).await;
    for _ in 0..2 {
        clock.advance(minutes(29));
        assert!(ada.user().await.is_some());
    }
    clock.advance(minutes(5));
    ada
}

const IN_FLIGHT: Duration = Duration::from_secs(10);

/// A stolen cookie: the renewal goes to one of both, and the other comes back. Which is the thief
/// makes no difference. The session lives on until the application ends it, by the handle.
#[tokio::test]
async fn t_mon_1_a_stolen_session_shows_when_its_secret_is_renewed() {
    let (sessions, clock, store, alarms) = shop();
    let mut first = due(&sessions, &clock).await;
    let mut second = first.clone();
    let handle = first.get(|session| Ok(session.handle())).await.unwrap();
    assert_ne!(first.token, second.token, "the answer brought a new secret");
    assert_eq!(first.user().await.as_deref(), Some("ada"), "and this is its first use");
    let renewed = clock.now();
    clock.advance(minutes(1));
    for visit in 1..=3 {
        let calls = store.count(Operation::Inspect);
        let (user, answer) = second.visit(|session| session.user().is_some()).await;
        answer.closed.as_ref().unwrap();
        assert!(!user && !answer.sets_cookie(), "anonymous, as without the hook");
        let told = (handle, Some("ada".to_owned()), renewed.into());
        assert_eq!(alarms.heard(), [told], "once a request");
        assert_eq!(store.count(Operation::Inspect), calls + 1);
        assert_eq!((sessions.counts().reused, sessions.counts().unknown), (visit, visit));
    }
    assert_eq!(first.user().await.as_deref(), Some("ada"), "the session lives");
    assert!(alarms.are_silent());
    assert!(sessions.revoke(handle).await.unwrap());
    assert_eq!((first.user().await, second.user().await), (None, None));
    assert!(alarms.are_silent(), "of what has ended nothing is told");
}

/// The hook learns who came, and the event comes before it, after that of the load.
#[tokio::test]
async fn t_mon_1_hook_and_event_tell_of_the_same() {
    let (clock, heard) = (ManualClock::new(), Arc::new(Mutex::new(Vec::new())));
    let (events, reuses) = (Arc::clone(&heard), Arc::clone(&heard));
    let sessions = configured(MemoryStore::new(), &clock)
        .on_event(move |event| {
            if let Event::Unknown { .. } | Event::Reused { .. } = event {
                let user = event.user().map(ToString::to_string);
                events.lock().unwrap().push((event.name(), event.session(), user));
            }
        })
        .on_reuse(move |reuse| {
            let (began, present) = (reuse.began(), reuse.present());
            assert_eq!(began.ip, Some([192, 0, 2, 7].into()));
            assert_eq!(present.ip, Some([198, 51, 100, 1].into()));
            let agent = present.user_agent.as_deref().map(str::to_owned);
            reuses.lock().unwrap().push(("hook", Some(reuse.handle()), agent));
        })
        .build()
        .unwrap();
    let open = |token: Option<&str>, ip: [u8; 4]| {
        let mut request = Request::builder().header(USER_AGENT, "curl/8.5");
        if let Some(token) = token {
            request = request.header(COOKIE, format!("{NAME}={token}"));
        }
        let (parts, ()) = request.body(()).unwrap().into_parts();
        sessions.open(&parts, Connection::new().secure(true).peer(ip.into()))
    };
    let mut ada = Visitor::new(&sessions);
    let exchange = open(None, [192, 0, 2, 7]);
    exchange.session().load().await.unwrap().login("ada").unwrap();
    ada.close(exchange).await.closed.unwrap();
    let old = ada.token.clone().unwrap();
    let handle = ada.get(|session| session.regenerate().map(|()| session.handle())).await;
    clock.advance(minutes(2));
    assert!(!open(Some(&old), [198, 51, 100, 1]).session().load().await.unwrap().exists());
    let (ada, curl) = (Some("ada".to_owned()), Some("curl/8.5".to_owned()));
    let told = [("unknown", handle, None), ("reused", handle, ada), ("hook", handle, curl)];
    assert_eq!(*heard.lock().unwrap(), told);
    let counts = sessions.counts();
    assert_eq!((counts.unknown, counts.reused, counts.errors), (1, 1, 0));
}

/// Until the new secret is used the old one counts: its answer may never have arrived.
#[tokio::test]
async fn t_mon_1_a_renewal_that_never_arrives_is_no_alarm() {
    let (sessions, clock, store, alarms) = shop();
    let ada = due(&sessions, &clock).await;
    for _ in 0..3 {
        let lost = ada.clone().visit(|session| session.user().is_some()).await;
        assert!(lost.0);
        clock.advance(minutes(2));
    }
    assert!(alarms.are_silent() && store.count(Operation::Inspect) == 0);
}

/// What was under way when the secret changed comes within ten seconds, to the millisecond.
#[tokio::test]
async fn t_mon_1_requests_in_flight_are_no_alarm() {
    let (sessions, clock, _, alarms) = shop();
    let mut ada = due(&sessions, &clock).await;
    let mut slow = ada.clone();
    ada.user().await;
    ada.user().await;
    for (waited, told) in [(Duration::ZERO, 0), (IN_FLIGHT - MILLI, 0), (MILLI, 1)] {
        clock.advance(waited);
        assert_eq!(slow.user().await, None, "as ever");
        assert_eq!(alarms.heard().len(), told, "{waited:?} later");
    }
    assert!(ada.user().await.is_some());
}

/// T-FIX-2: a log-in retires the secret before it at once. For two minutes that is a request in
/// flight; later it is somebody who kept it, such as who planted it.
#[tokio::test]
async fn t_mon_1_the_secret_before_a_login_is_told_of_after_its_grace() {
    let (sessions, clock, _, alarms) = shop();
    let mut ada = Visitor::new(&sessions);
    ada.get(|session| session.set("cart", 1)).await;
    let mut planted = ada.clone();
    ada.get(|session| session.login("ada")).await;
    for (waited, told) in [(Duration::ZERO, 0), (minutes(2) - MILLI, 0), (MILLI, 1), (MILLI, 1)] {
        clock.advance(waited);
        assert_eq!(planted.number("cart").await, None, "it is dead at once");
        assert_eq!(alarms.heard().len(), told, "{waited:?} later");
    }
    // The one before that has no such grace: no request is under way for two changes.
    let mut older = ada.clone();
    ada.get(Session::regenerate).await;
    ada.get(Session::regenerate).await;
    clock.advance(IN_FLIGHT);
    assert_eq!((older.user().await, alarms.heard().len()), (None, 1));
}

/// Nothing is told of what has ended, in whatever way.
#[tokio::test]
async fn t_mon_1_what_has_ended_is_no_alarm() {
    let (sessions, clock, store, alarms) = shop();
    let ends: [fn(&Session) -> tenure_core::Result<()>; 2] = [Session::logout, Session::destroy];
    for end in ends {
        let mut ada = Visitor::new(&sessions);
        ada.get(|session| session.login("ada")).await;
        let (mut old, _) = (ada.clone(), ada.get(Session::regenerate).await);
        let mut last = ada.clone();
        ada.get(end).await;
        clock.advance(minutes(3));
        assert_eq!((old.user().await, last.user().await), (None, None));
    }
    let mut ada = Visitor::new(&sessions);
    ada.get(|session| session.login("ada")).await;
    let (mut old, _) = (ada.clone(), ada.get(Session::regenerate).await);
    clock.advance(minutes(30));
    assert_eq!((ada.user().await, old.user().await), (None, None), "expired, and not swept");
    let mut ada = Visitor::new(&sessions);
    ada.get(|session| session.login("ada")).await;
    let (mut old, _) = (ada.clone(), ada.get(Session::regenerate).await);
    sessions.revoke_everybody().await.unwrap();
    clock.advance(minutes(3));
    assert_eq!((ada.user().await, old.user().await), (None, None));
    assert!(alarms.are_silent());
    assert_eq!(store.count(Operation::Inspect), 8, "each was asked about");
}

/// Who has no secret of ours costs the store nothing, whatever handle they know.
#[tokio::test]
async fn t_mon_1_forged_tokens_ask_the_store_nothing() {
    let (sessions, clock, store, alarms) = shop();
    let mut ada = Visitor::new(&sessions);
    ada.get(|session| session.login("ada")).await;
    let other = configured(MemoryStore::new(), &clock).build().unwrap();
    let mut stranger = Visitor::new(&other);
    stranger.get(|session| session.login("eve")).await;
    let mut forged = ada.clone();
    let changed = ada.token.clone().map(|token| match token.split_at(20) {
        (head, tail) if tail.starts_with('A') => format!("{head}B{}", &tail[1..]),
        (head, tail) => format!("{head}A{}", &tail[1..]),
    });
    let calls =
        |store: &FaultStore<_>| store.count(Operation::Load) + store.count(Operation::Inspect);
    let before = calls(&store);
    for token in [changed, stranger.token, Some("x".to_owned())] {
        forged.token = token;
        assert_eq!(forged.clone().user().await, None);
    }
    assert_eq!(calls(&store), before);
    assert_eq!((sessions.counts().rejected, alarms.heard().len()), (3, 0));
}

/// Without a hook nothing is asked and nothing told.
#[tokio::test]
async fn t_mon_1_without_a_hook_nothing_is_asked() {
    let (clock, store) = (ManualClock::new(), FaultStore::new(MemoryStore::new()));
    let sessions = configured(store.clone(), &clock).build().unwrap();
    let mut ada = Visitor::new(&sessions);
    ada.get(|session| session.login("ada")).await;
    let (mut old, _) = (ada.clone(), ada.get(Session::regenerate).await);
    clock.advance(minutes(3));
    assert_eq!(old.user().await, None);
    assert_eq!((store.count(Operation::Inspect), sessions.counts().reused), (0, 0));
}

/// The store was there for the load: that it then fails is reported, and fails no request.
#[tokio::test]
async fn t_mon_1_a_failure_to_ask_is_reported_and_nothing_else() {
    let (clock, alarms) = (ManualClock::new(), Alarms::default());
    let store = FaultStore::new(MemoryStore::new());
    let errors = Arc::new(Mutex::new(Vec::new()));
    let seen = Arc::clone(&errors);
    let builder = configured(store.clone(), &clock)
        .on_error(move |error| seen.lock().unwrap().push((error.kind(), error.to_string())));
    let sessions = alarms.hearing(builder);
    let mut ada = Visitor::new(&sessions);
    ada.get(|session| session.login("ada")).await;
    let (mut old, _) = (ada.clone(), ada.get(Session::regenerate).await);
    clock.advance(minutes(3));
    store.inject(Operation::Inspect, Fault::error(StoreErrorKind::Corrupt));
    assert!(old.get(|session| session.set("n", 1).map(|()| session.is_new())).await);
    let (kind, text) = errors.lock().unwrap().pop().unwrap();
    assert!(kind == ErrorKind::Corrupt && text.contains("inspect"), "{kind:?}: {text}");
    assert!(alarms.are_silent());
    // A version that is not known was told of by the load.
    let mut old = ada.clone();
    ada.get(Session::regenerate).await;
    clock.advance(minutes(3));
    store.inject(Operation::Inspect, Fault::error(StoreErrorKind::UnknownVersion));
    assert_eq!(old.user().await, None);
    assert!(errors.lock().unwrap().is_empty() && alarms.are_silent());
    store.inject(Operation::Inspect, Fault::unavailable());
    assert_eq!((old.user().await, alarms.heard().len()), (None, 1), "it is asked once more");
}

/// A secret that its session accepts after all, such as with a load from a copy that lags behind, is
/// not one that was retired.
#[tokio::test]
async fn t_mon_1_a_secret_that_counts_is_no_alarm() {
    let (sessions, clock, store, alarms) = shop();
    let mut ada = due(&sessions, &clock).await;
    let mut renewed = ada.clone();
    renewed.user().await;
    clock.advance(minutes(1));
    for visitor in [&mut ada, &mut renewed] {
        store.inject(Operation::Load, Fault::error(StoreErrorKind::UnknownVersion));
        assert_eq!(visitor.user().await, None, "the load did not find it");
    }
    assert_eq!((store.count(Operation::Inspect), alarms.heard().len()), (2, 0));
}

/// T-HOOK-1: a hook that panics stops nothing.
#[tokio::test]
async fn t_mon_1_a_hook_that_panics_stops_nothing() {
    let clock = ManualClock::new();
    let builder = configured(MemoryStore::new(), &clock).on_reuse(|_| panic!("on purpose"));
    let sessions = builder.build().unwrap();
    let mut ada = Visitor::new(&sessions);
    ada.get(|session| session.login("ada")).await;
    let (mut old, _) = (ada.clone(), ada.get(Session::regenerate).await);
    clock.advance(minutes(3));
    old.get(|session| session.set("n", 1)).await;
    assert_eq!((old.number("n").await, sessions.counts().reused), (Some(1), 1));
    assert_eq!(ada.user().await.as_deref(), Some("ada"));
}

/// Outside a request, too: for a WebSocket that comes back with what it had, say.
#[tokio::test]
async fn t_mon_1_tokens_that_are_opened_by_hand_are_asked_about() {
    let (sessions, clock, _, alarms) = shop();
    let mut ada = Visitor::new(&sessions);
    ada.get(|session| session.login("ada")).await;
    let old = ada.token.clone().unwrap();
    ada.get(Session::regenerate).await;
    clock.advance(minutes(3));
    assert!(sessions.open_token(&old).await.unwrap().is_none());
    assert_eq!(alarms.heard().len(), 1);
}

/// A near cache asks the store, whatever it keeps itself.
#[tokio::test]
async fn t_mon_1_behind_a_near_cache_the_store_is_asked() {
    let (clock, alarms) = (ManualClock::new(), Alarms::default());
    let store = FaultStore::new(MemoryStore::new());
    let cache = NearCache::new(store.clone()).stale_for(NearCache::<MemoryStore>::MAX_AGE);
    let sessions = alarms.hearing(configured(cache, &clock));
    let mut ada = Visitor::new(&sessions);
    ada.get(|session| session.login("ada")).await;
    let (mut old, _) = (ada.clone(), ada.get(Session::regenerate).await);
    clock.advance(minutes(3));
    assert!(ada.user().await.is_some());
    assert_eq!((old.user().await, alarms.heard().len()), (None, 1));
    assert_eq!(store.count(Operation::Inspect), 1);
}

/// The id of a foreign format is its own secret: there is no handle that another one could have.
#[tokio::test]
async fn t_mon_1_nothing_is_asked_of_foreign_formats() {
    let (clock, alarms) = (ManualClock::new(), Alarms::default());
    let store = FaultStore::new(MemoryStore::new());
    let builder = Sessions::builder()
        .store(store.clone())
        .token_scheme(WholeId)
        .key_scheme(WholeId)
        .clock(clock.clone());
    let sessions = alarms.hearing(builder);
    let mut ada = Visitor::new(&sessions);
    ada.get(|session| session.login("ada")).await;
    let (mut old, _) = (ada.clone(), ada.get(Session::regenerate).await);
    clock.advance(minutes(3));
    assert_eq!((old.user().await, alarms.heard().len()), (None, 0));
    assert_eq!(store.count(Operation::Inspect), 0);
}

/// What could not tell, or what anybody could make tell, is refused at start.
#[test]
fn t_mon_1_a_configuration_that_cannot_tell_is_refused() {
    let clock = ManualClock::new();
    let keys = || Keyring::new([SecretKey::generate().unwrap()]);
    let without = configured(Bare::new(MemoryStore::new()), &clock);
    let unsigned = Sessions::builder().store(MemoryStore::new()).insecure_unsigned_tokens();
    let client = Sessions::builder().client_store(ClientStore::sealed(keys()));
    let outside =
        AnyStore::per_request(Bare::new(MemoryStore::new()), |_| AnyStore::new(MemoryStore::new()));
    for builder in [without, unsigned, client, configured(outside, &clock)] {
        let error = builder.on_reuse(|_| {}).build().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Config);
        assert!(error.to_string().contains("on_reuse: "), "{error}");
    }
    assert!(AnyStore::new(MemoryStore::new()).inspect().is_some());
}
