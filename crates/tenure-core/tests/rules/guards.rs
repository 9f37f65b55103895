//! P7, T-MON-1: locks, and hooks for clients that change.

use std::net::IpAddr;
use std::sync::{Arc, Mutex};

use http::header::{COOKIE, USER_AGENT};
use http::{Request, StatusCode};
use tenure_core::engine::{Connection, Exchange};
use tenure_core::guard::IpLock;
use tenure_core::store::{MemoryStore, StoreErrorKind};
use tenure_core::{ErrorKind, Session, Sessions, SessionsBuilder};
use tenure_testkit::{Fault, FaultStore, ManualClock, Operation, Recorder};

use crate::visitor::{Answer, NAME, Visitor, configured};

const HOME: &str = "192.0.2.7";
const AWAY: &str = "198.51.100.9";
const LYNX: &str = "Lynx/2.9";
const NETWORK: IpLock = IpLock::Prefix { v4: 24, v6: 64 };

/// A request of `visitor` from there, by that browser; "" is nobody knows which.
fn open(visitor: &Visitor, ip: &str, user_agent: &str) -> Exchange {
    let mut request = Request::builder();
    if let Some(token) = &visitor.token {
        request = request.header(COOKIE, format!("{NAME}={token}"));
    }
    if !user_agent.is_empty() {
        request = request.header(USER_AGENT, user_agent);
    }
    let (parts, ()) = request.body(()).unwrap().into_parts();
    let mut connection = Connection::new().secure(true);
    if let Ok(ip) = ip.parse::<IpAddr>() {
        connection = connection.peer(ip);
    }
    visitor.sessions.open(&parts, connection)
}

/// A whole request from there.
async fn visit<T>(
    visitor: &mut Visitor,
    (ip, user_agent): (&str, &str),
    handler: impl FnOnce(&Session) -> T,
) -> (T, Answer) {
    let exchange = open(visitor, ip, user_agent);
    let session = exchange.session().load().await.unwrap();
    let done = handler(&session);
    let answer = visitor.close(exchange).await;
    answer.closed.as_ref().unwrap();
    (done, answer)
}

/// Ada, logged in there.
async fn ada(sessions: &Sessions, from: (&str, &str)) -> Visitor {
    let mut ada = Visitor::new(sessions);
    visit(&mut ada, from, |session| session.login("ada")).await.0.unwrap();
    ada
}

async fn exists(visitor: &mut Visitor, from: (&str, &str)) -> bool {
    visit(visitor, from, Session::exists).await.0
}

fn locked(lock: IpLock) -> SessionsBuilder {
    configured(MemoryStore::new(), &ManualClock::new()).lock_ip(lock)
}

#[tokio::test]
async fn p7_both_locks_are_off_by_default() {
    let sessions = configured(MemoryStore::new(), &ManualClock::new()).build().unwrap();
    let mut ada = ada(&sessions, (HOME, LYNX)).await;
    for from in [(AWAY, LYNX), (HOME, "curl/8.5"), ("", "")] {
        let (user, answer) = visit(&mut ada, from, Session::user).await;
        assert_eq!(user.unwrap().as_str(), "ada", "{from:?}");
        assert!(!answer.sets_cookie());
    }
    assert_eq!(sessions.counts().locked_out, 0);
}

#[test]
fn p7_locks_in_force_are_described() {
    for (lock, line) in [(IpLock::Exact, "lock_ip: exact\n"), (NETWORK, "lock_ip: /24 /64\n")] {
        let text = locked(lock).build().unwrap().describe().to_string();
        assert!(text.contains(line) && !text.contains("lock_user_agent"), "{text}");
    }
    let builder = configured(MemoryStore::new(), &ManualClock::new()).lock_user_agent(true);
    let text = builder.build().unwrap().describe().to_string();
    assert!(text.contains("lock_user_agent: yes\n") && !text.contains("lock_ip"), "{text}");
}

/// By force: for whoever has the cookie, wherever they are.
#[tokio::test]
async fn p7_another_address_ends_the_session() {
    let sessions = locked(IpLock::Exact).build().unwrap();
    let mut ada = ada(&sessions, (HOME, LYNX)).await;
    assert!(exists(&mut ada, (HOME, "curl/8.5")).await, "only the address is locked");
    let mut thief = ada.clone();
    let ((seen, user), answer) =
        visit(&mut thief, (AWAY, LYNX), |session| (session.exists(), session.user())).await;
    assert_eq!((seen, user), (false, None));
    assert!(answer.sets_cookie() && thief.token.is_none(), "the cookie is removed");
    assert_eq!(answer.headers["cache-control"], "no-store");
    assert!(!exists(&mut ada, (HOME, LYNX)).await, "the session has ended");
    let counts = sessions.counts();
    assert_eq!((counts.locked_out, counts.destroyed, counts.unknown), (1, 0, 1));
}

#[tokio::test]
async fn p7_which_addresses_are_one() {
    let cases = [
        (IpLock::Exact, HOME, HOME, true),
        (IpLock::Exact, HOME, "192.0.2.8", false),
        (IpLock::Exact, HOME, "::ffff:192.0.2.7", true),
        (IpLock::Exact, "::ffff:192.0.2.7", HOME, true),
        (IpLock::Exact, HOME, "::ffff:192.0.2.8", false),
        (IpLock::Exact, "2001:db8::1", "2001:db8::1", true),
        (IpLock::Exact, "2001:db8::1", "2001:db8::2", false),
        (IpLock::Exact, "2001:db8::1", HOME, false),
        (NETWORK, HOME, "192.0.2.255", true),
        (NETWORK, HOME, "192.0.3.7", false),
        (NETWORK, HOME, "::ffff:192.0.2.1", true),
        (NETWORK, "2001:db8::1", "2001:db8::ffff:0:0:1", true),
        (NETWORK, "2001:db8::1", "2001:db8:0:1::1", false),
        (NETWORK, HOME, "2001:db8::1", false),
    ];
    for (lock, began, comes, admitted) in cases {
        let sessions = locked(lock).build().unwrap();
        let mut ada = ada(&sessions, (began, LYNX)).await;
        assert_eq!(exists(&mut ada, (comes, LYNX)).await, admitted, "{lock:?} {began} {comes}");
        assert_eq!(ada.token.is_some(), admitted);
    }
}

#[tokio::test]
async fn p7_another_user_agent_ends_the_session() {
    let long = |last: &str| format!("{}{last}", "x".repeat(512));
    let (one, other) = (long("a"), long("b"));
    let cases = [
        (LYNX, LYNX, true),
        (LYNX, "Lynx/3.0", false),
        (LYNX, "", false),
        ("", LYNX, false),
        ("", "", true),
        (&one, &other, true),
    ];
    for (began, comes, admitted) in cases {
        let builder = configured(MemoryStore::new(), &ManualClock::new());
        let sessions = builder.lock_user_agent(true).build().unwrap();
        let mut ada = ada(&sessions, (HOME, began)).await;
        assert_eq!(exists(&mut ada, ("", comes)).await, admitted, "{began} {comes}");
        assert_eq!(ada.token.is_some(), admitted);
        assert_eq!(sessions.counts().locked_out, u64::from(!admitted));
    }
}

/// A lock that cannot be checked admits nobody and says why.
#[tokio::test]
async fn p7_a_request_from_nobody_knows_where_is_an_error() {
    let sessions = locked(IpLock::Exact).build().unwrap();
    let mut ada = ada(&sessions, (HOME, LYNX)).await;
    let error = open(&ada, "", LYNX).session().load().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Config);
    assert!(error.to_string().contains("peer_from"), "{error}");
    let exchange = open(&ada, "", LYNX);
    exchange.session().set("n", 1).unwrap();
    assert_eq!(ada.close(exchange).await.closed.unwrap_err().kind(), ErrorKind::Config);
    assert!(exists(&mut ada, (HOME, LYNX)).await, "nothing has ended");
    assert_eq!(sessions.counts().locked_out, 0);
}

/// One that began before the lock was configured, or outside a request.
#[tokio::test]
async fn p7_a_session_from_nobody_knows_where_ends() {
    let sessions = locked(IpLock::Exact).build().unwrap();
    let job = sessions.start().await.unwrap();
    job.login("ada").unwrap();
    job.commit().await.unwrap();
    let token = job.danger_expose_token().unwrap();
    assert!(sessions.open_token(&token).await.unwrap().is_some(), "outside nothing is checked");
    let mut visitor = Visitor { token: Some(token.clone()), ..Visitor::new(&sessions) };
    assert!(!exists(&mut visitor, (HOME, LYNX)).await);
    assert!(sessions.open_token(&token).await.unwrap().is_none());
}

#[tokio::test]
async fn p7_a_store_that_is_down_is_not_an_empty_session() {
    let store = FaultStore::new(MemoryStore::new());
    let builder = configured(store.clone(), &ManualClock::new());
    let sessions = builder.lock_ip(IpLock::Exact).build().unwrap();
    let mut ada = ada(&sessions, (HOME, LYNX)).await;
    store.inject_times(Operation::Delete, Fault::unavailable(), 2);
    let exchange = open(&ada, AWAY, LYNX);
    let error = exchange.session().load().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unavailable);
    assert!(!ada.close(exchange).await.sets_cookie());
    assert!(exists(&mut ada, (HOME, LYNX)).await, "it has not ended yet");

    store.inject(Operation::Delete, Fault::answer_lost(StoreErrorKind::Timeout));
    assert!(!exists(&mut ada, (AWAY, LYNX)).await);
    assert_eq!((ada.token, sessions.counts().locked_out), (None, 1));
}

/// No commit goes past a lock: not what is written blindly, and not a note of the use.
#[tokio::test]
async fn p7_blind_writes_do_not_pass() {
    let clock = ManualClock::new();
    let store = Recorder::new(MemoryStore::new());
    let builder = configured(store.clone(), &clock).touch_every_request();
    let sessions = builder.lock_ip(IpLock::Exact).build().unwrap();
    let first = ada(&sessions, (HOME, LYNX)).await;
    let mut thief = first.clone();
    store.clear();
    let exchange = open(&thief, AWAY, LYNX);
    exchange.session().set("n", 1).unwrap();
    thief.close(exchange).await.closed.unwrap();
    assert_eq!(store.operations(), [Operation::Load, Operation::Delete, Operation::Create]);
    assert_ne!(thief.token, first.token);
    let (found, _) = visit(&mut thief, (AWAY, LYNX), |session| {
        (session.user(), session.get::<u8>("n").unwrap(), session.ip())
    })
    .await;
    assert_eq!(found, (None, Some(1), Some(AWAY.parse().unwrap())), "a session of its own");

    let mut thief = ada(&sessions, (HOME, LYNX)).await;
    store.clear();
    let exchange = open(&thief, AWAY, LYNX);
    thief.close(exchange).await.closed.unwrap();
    assert_eq!(store.operations(), [Operation::Load, Operation::Delete]);
    assert_eq!(thief.token, None);
}

/// What a response commits, and what a handler does, changes nothing.
#[tokio::test]
async fn p7_the_end_does_not_depend_on_the_response() {
    let sessions = locked(IpLock::Exact).commit_on(|status| status != StatusCode::OK);
    let sessions = sessions.build().unwrap();
    for handler in [Session::logout, Session::clear, Session::regenerate, |_: &Session| Ok(())] {
        let job = open(&Visitor::new(&sessions), HOME, LYNX).session().load().await.unwrap();
        job.login("ada").unwrap();
        job.save().await.unwrap();
        let token = job.danger_expose_token();
        let mut thief = Visitor { token, ..Visitor::new(&sessions) };
        let mut ada = thief.clone();
        visit(&mut thief, (AWAY, LYNX), handler).await.0.unwrap();
        assert_eq!(thief.token, None, "the cookie is removed");
        assert!(!exists(&mut ada, (HOME, LYNX)).await);
    }
    assert_eq!(sessions.counts().locked_out, 4);
}

#[tokio::test]
async fn p7_a_login_from_elsewhere_begins_a_session_there() {
    let sessions = locked(NETWORK).build().unwrap();
    let mut ada = ada(&sessions, (HOME, LYNX)).await;
    let (_, answer) = visit(&mut ada, (AWAY, LYNX), |session| session.login("ada")).await;
    assert!(answer.sets_cookie());
    assert!(exists(&mut ada, (AWAY, LYNX)).await);
    let mut late = ada.clone();
    assert!(!exists(&mut late, (HOME, LYNX)).await);

    // Within the network a login moves nothing.
    let mut bob = Visitor::new(&sessions);
    visit(&mut bob, ("192.0.2.7", LYNX), |session| session.set("n", 1)).await.0.unwrap();
    visit(&mut bob, ("192.0.2.99", LYNX), |session| session.login("bob")).await.0.unwrap();
    let (ip, _) = visit(&mut bob, ("192.0.2.99", LYNX), Session::ip).await;
    assert_eq!(ip, Some(HOME.parse().unwrap()));
}

#[test]
fn p7_a_prefix_of_no_bits_is_refused() {
    for (v4, v6, named) in [(0, 64, "IPv4"), (33, 64, "IPv4"), (24, 0, "IPv6"), (24, 129, "IPv6")] {
        let error = locked(IpLock::Prefix { v4, v6 }).build().unwrap_err();
        let text = error.to_string();
        assert_eq!(error.kind(), ErrorKind::Config);
        assert!(text.contains("lock_ip") && text.contains(named), "{text}");
    }
    for (v4, v6) in [(1, 1), (32, 128)] {
        locked(IpLock::Prefix { v4, v6 }).build().unwrap();
    }
}

type Log = Arc<Mutex<Vec<(Option<String>, bool, bool, bool)>>>;

fn watched(builder: SessionsBuilder) -> (Sessions, Log) {
    let log = Log::default();
    let sink = Arc::clone(&log);
    let builder = builder.on_client_change(move |change| {
        assert!(change.handle().is_some());
        sink.lock().unwrap().push((
            change.user().map(ToString::to_string),
            change.ip_changed(),
            change.user_agent_changed(),
            change.ends_session(),
        ));
    });
    (builder.build().unwrap(), log)
}

#[tokio::test]
async fn t_mon_1_a_change_of_the_client_is_told_and_ends_nothing() {
    let (sessions, log) = watched(configured(MemoryStore::new(), &ManualClock::new()));
    let mut ada = ada(&sessions, (HOME, LYNX)).await;
    let told = || std::mem::take(&mut *log.lock().unwrap());
    for same in [(HOME, LYNX), ("::ffff:192.0.2.7", LYNX), ("", LYNX)] {
        assert!(exists(&mut ada, same).await);
        assert_eq!(told(), [], "{same:?}");
    }
    let user = || Some("ada".to_owned());
    for (from, ip, user_agent) in
        [((AWAY, LYNX), true, false), ((HOME, "curl/8.5"), false, true), ((AWAY, ""), true, true)]
    {
        assert!(exists(&mut ada, from).await);
        assert_eq!(told(), [(user(), ip, user_agent, false)], "{from:?}");
    }
    drop(open(&ada, AWAY, LYNX));
    assert_eq!(told(), [], "nobody loaded it");
}

#[tokio::test]
async fn t_mon_1_a_lock_that_ends_a_session_is_told() {
    let builder = configured(MemoryStore::new(), &ManualClock::new());
    let (sessions, log) = watched(builder.lock_ip(NETWORK));
    let mut ada = ada(&sessions, (HOME, LYNX)).await;
    assert!(exists(&mut ada, ("192.0.2.99", LYNX)).await);
    assert!(!exists(&mut ada, (AWAY, LYNX)).await);
    let told: Vec<_> = log.lock().unwrap().iter().map(|change| (change.1, change.3)).collect();
    assert_eq!(told, [(true, false), (true, true)]);
}

/// T-HOOK-1: what listens must not break what it listens to.
#[tokio::test]
async fn t_mon_1_t_hook_1_a_hook_that_panics_stops_nothing() {
    let builder = configured(MemoryStore::new(), &ManualClock::new());
    let builder = builder.on_client_change(|_| panic!("on purpose"));
    let sessions = builder.lock_user_agent(true).build().unwrap();
    let mut ada = ada(&sessions, (HOME, LYNX)).await;
    assert!(exists(&mut ada, (AWAY, LYNX)).await);
    assert!(!exists(&mut ada, (AWAY, "curl/8.5")).await);
    assert_eq!((ada.token, sessions.counts().locked_out), (None, 1));
}
