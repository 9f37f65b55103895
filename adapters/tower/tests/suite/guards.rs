//! P7, F4, T-MON-1: locks, and the client behind trusted proxies.

use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::extract::ConnectInfo;
use axum::routing::get;
use http::header::{ACCEPT_LANGUAGE, CACHE_CONTROL, USER_AGENT};
use http::request::Builder;
use http::{HeaderValue, Request};
use tenure_core::engine::Connection;
use tenure_core::guard::{IpLock, ProxyHeaders, TrustedProxies};
use tenure_core::store::StoreErrorKind;
use tenure_core::transport::{Cookie, Secure};
use tenure_core::{Sessions, SessionsBuilder};
use tenure_tower::SessionLayer;
use tenure_tower::axum::Session;

use crate::app::{app, routes};
use crate::client::Client;
use crate::store::{Fault, Spy};

const HOME: &str = "192.0.2.7";
const AWAY: &str = "198.51.100.9";
const NETWORK: IpLock = IpLock::Prefix { v4: 24, v6: 64 };

/// A request over HTTPS from this peer.
fn from(peer: &str, path: &str) -> Builder {
    let peer: IpAddr = peer.parse().unwrap();
    Request::get(path).extension(Connection::new().secure(true).peer(peer))
}

/// Where the session began.
async fn ip(session: Session) -> String {
    session.ip().map_or_else(|| "-".into(), |ip| ip.to_string())
}

fn behind(sessions: &Sessions, proxies: TrustedProxies) -> Router {
    let layer = SessionLayer::new(sessions.clone()).trusted_proxies(proxies);
    routes().route("/ip", get(ip)).layer(layer)
}

fn locked(lock: IpLock) -> (Spy, Sessions) {
    let store = Spy::default();
    let sessions = store.builder().lock_ip(lock).build().unwrap();
    (store, sessions)
}

#[tokio::test]
async fn p7_both_locks_are_off_by_default() {
    let mut ada = Client::new(&app(&Sessions::in_memory().unwrap()));
    ada.send(from(HOME, "/login/ada").header(USER_AGENT, "Lynx/2.9")).await;
    let elsewhere = from(AWAY, "/whoami").header(USER_AGENT, "curl/8.5");
    assert_eq!(ada.send(elsewhere).await.body, "ada");
    assert_eq!(ada.get("/whoami").await.body, "ada");
}

#[tokio::test]
async fn p7_t_mon_1_a_mismatch_ends_the_session_by_force() {
    type Change = fn(SessionsBuilder) -> SessionsBuilder;
    let changes: [(Change, &str, &str); 2] = [
        (|builder| builder.lock_ip(IpLock::Exact), AWAY, "Lynx/2.9"),
        (|builder| builder.lock_user_agent(true), HOME, "curl/8.5"),
    ];
    for (change, peer, user_agent) in changes {
        let (store, told) = (Spy::default(), Arc::new(Mutex::new(Vec::new())));
        let sink = Arc::clone(&told);
        let builder = change(store.builder()).on_client_change(move |change| {
            let user = change.user().map(ToString::to_string);
            sink.lock().unwrap().push((user, change.ends_session()));
        });
        let sessions = builder.build().unwrap();
        let mut ada = Client::new(&app(&sessions));
        ada.send(from(HOME, "/login/ada").header(USER_AGENT, "Lynx/2.9")).await;
        let home = || from(HOME, "/whoami").header(USER_AGENT, "Lynx/2.9");
        assert_eq!(ada.send(home()).await.body, "ada");
        assert_eq!((store.records(), told.lock().unwrap().len()), (1, 0));

        let mut thief = ada.clone();
        let answer = thief.send(from(peer, "/whoami").header(USER_AGENT, user_agent)).await;
        assert_eq!((answer.status.as_u16(), answer.body.as_str()), (200, "-"));
        assert_eq!(store.records(), 0, "the record is gone");
        assert!(
            answer.cookie().starts_with("__Host-id=; ") && answer.cookie().contains("Max-Age=0")
        );
        assert_eq!(answer.all(CACHE_CONTROL), ["no-store"]);
        assert!(thief.jar.is_empty());
        assert_eq!(*told.lock().unwrap(), [(Some("ada".into()), true)]);
        assert_eq!(sessions.counts().locked_out, 1);

        let answer = ada.send(home()).await;
        assert_eq!((answer.body.as_str(), answer.sets_no_cookie()), ("-", true));
    }
}

#[tokio::test]
async fn t_mon_1_another_language_is_told() {
    let (store, told) = (Spy::default(), Arc::new(Mutex::new(Vec::new())));
    let sink = Arc::clone(&told);
    let builder = store.builder().on_client_change(move |change| {
        let (began, present) = (change.began_language(), change.present_language());
        sink.lock().unwrap().push((began.map(str::to_owned), present.map(str::to_owned)));
    });
    let mut ada = Client::new(&app(&builder.build().unwrap()));
    let by = |path: &str, language| from(HOME, path).header(ACCEPT_LANGUAGE, language);
    assert_eq!(ada.send(by("/keys", "de, en;q=0.5")).await.body, "");
    assert_eq!((store.records(), ada.jar.len()), (0, 0), "who only looks leaves nothing");
    ada.send(by("/login/ada", "de, en;q=0.5")).await;
    assert_eq!(ada.send(by("/keys", "de, en;q=0.5")).await.body, "", "no handler sees it");
    ada.send(by("/clear", "de, en;q=0.5")).await;
    assert!(told.lock().unwrap().is_empty());
    assert_eq!(ada.send(by("/whoami", "fr")).await.body, "ada");
    assert_eq!(ada.send(from(HOME, "/whoami")).await.body, "ada");
    let german = || Some("de, en;q=0.5".to_owned());
    assert_eq!(*told.lock().unwrap(), [(german(), Some("fr".into())), (german(), None)]);
}

#[tokio::test]
async fn p7_addresses_and_networks() {
    for (lock, began, comes, admitted) in [
        (IpLock::Exact, HOME, HOME, true),
        (IpLock::Exact, HOME, "192.0.2.8", false),
        (IpLock::Exact, HOME, "::ffff:192.0.2.7", true),
        (IpLock::Exact, "::ffff:192.0.2.7", HOME, true),
        (IpLock::Exact, "2001:db8::1", "2001:db8::1", true),
        (IpLock::Exact, "2001:db8::1", "2001:db8::2", false),
        (NETWORK, HOME, "192.0.2.200", true),
        (NETWORK, HOME, "192.0.3.7", false),
        (NETWORK, "2001:db8::1", "2001:db8::ffff:1", true),
        (NETWORK, "2001:db8::1", "2001:db8:0:1::1", false),
        (NETWORK, "2001:db8::1", HOME, false),
    ] {
        let (store, sessions) = locked(lock);
        // The same when a trusted proxy tells, in either way.
        let proxies = TrustedProxies::cidrs(["10.0.0.0/8"]).unwrap();
        let standard = proxies.clone().headers(ProxyHeaders::Forwarded);
        for (app, told) in [
            (app(&sessions), None),
            (behind(&sessions, proxies), Some("x-forwarded-for")),
            (behind(&sessions, standard), Some("forwarded")),
        ] {
            let request = |client: &str, path| match told {
                None => from(client, path),
                Some("forwarded") => {
                    let element = format!("for=203.0.113.5, for=\"[{client}]:80\"");
                    let plain = format!("for=203.0.113.5, for={client}");
                    let element = if client.contains(':') { element } else { plain };
                    from("10.0.0.1", path).header("forwarded", element)
                }
                Some(name) => {
                    from("10.0.0.1", path).header(name, format!("203.0.113.5, {client}, 10.0.0.2"))
                }
            };
            let mut ada = Client::new(&app);
            ada.send(request(began, "/login/ada")).await;
            let answer = ada.send(request(comes, "/whoami")).await;
            let case = format!("{lock:?} {began} {comes} {told:?}");
            assert_eq!(answer.body, if admitted { "ada" } else { "-" }, "{case}");
            assert_eq!(ada.jar.len(), usize::from(admitted), "{case}");
            assert_eq!(store.records(), usize::from(admitted), "{case}");
            ada.send(request(began, "/logout")).await;
        }
    }
}

/// What a client says of itself is believed by nobody.
#[tokio::test]
async fn p7_a_forged_header_opens_nothing() {
    let (_, sessions) = locked(IpLock::Exact);
    let app = behind(&sessions, TrustedProxies::cidrs(["10.0.0.0/8"]).unwrap());
    let proxied = |line: &str, path| from("10.0.0.1", path).header("x-forwarded-for", line);
    for forged in [
        from(AWAY, "/whoami").header("x-forwarded-for", HOME),
        proxied(&format!("{HOME}, {AWAY}"), "/whoami"),
        proxied(&format!("{HOME}, junk, {AWAY}"), "/whoami"),
        proxied(&format!("{HOME}, junk"), "/whoami"),
        proxied(AWAY, "/whoami").header("forwarded", format!("for={HOME}")),
    ] {
        let mut ada = Client::new(&app);
        ada.send(proxied(HOME, "/login/ada")).await;
        assert_eq!(ada.clone().send(proxied(HOME, "/whoami")).await.body, "ada");
        let line = forged.headers_ref().unwrap().clone();
        assert_eq!(ada.send(forged).await.body, "-", "{line:?}");
    }
}

#[tokio::test]
async fn p7_junk_and_a_thousand_hops_are_no_panic() {
    let (_, sessions) = locked(NETWORK);
    let hops = ["10.0.0.7"; 1_000].join(", ");
    let long = format!("{}, {HOME}", ",;\"\\=".repeat(10_000));
    for (header, headers) in
        [("x-forwarded-for", ProxyHeaders::XForwarded), ("forwarded", ProxyHeaders::Forwarded)]
    {
        let proxies = TrustedProxies::cidrs(["10.0.0.0/8"]).unwrap().headers(headers);
        let app = behind(&sessions, proxies);
        for line in [hops.as_str(), &long, "", ",", "\"", "for=", "\u{fffd}", "for=10.0.0.7, \""] {
            let value = HeaderValue::from_bytes(line.as_bytes()).unwrap();
            let request = |path| {
                from("10.0.0.1", path).header(header, value.clone()).header(header, value.clone())
            };
            let mut ada = Client::new(&app);
            assert_eq!(ada.send(request("/login/ada")).await.status, 200);
            assert_eq!(ada.send(request("/whoami")).await.body, "ada", "{line:.20}");
        }
    }
}

#[tokio::test]
async fn p7_the_peer_comes_from_axum() {
    let peer = |request: &http::request::Parts| {
        request.extensions.get::<ConnectInfo<SocketAddr>>().map(|peer| peer.0.ip())
    };
    let (_, sessions) = locked(IpLock::Exact);
    let layer = SessionLayer::new(sessions)
        .peer_from(peer)
        .trusted_proxies(TrustedProxies::cidrs(["127.0.0.1"]).unwrap());
    let mut ada = Client::new(&routes().route("/ip", get(ip)).layer(layer));
    let by = |peer: &str, path: &str| {
        Request::get(path)
            .extension(ConnectInfo(SocketAddr::new(peer.parse().unwrap(), 4711)))
            .header("x-forwarded-for", HOME)
    };
    ada.send(by("127.0.0.1", "/login/ada")).await;
    assert_eq!(ada.send(by("127.0.0.1", "/ip")).await.body, HOME);
    assert_eq!(ada.send(by(AWAY, "/whoami")).await.body, "-");
}

#[tokio::test]
async fn p7_without_an_address_it_says_what_to_do() {
    let (_, sessions) = locked(IpLock::Exact);
    let mut ada = Client::new(&app(&sessions));
    ada.get("/login/ada").await;
    let answer = ada.get("/whoami").await;
    assert_eq!(answer.status, 500);
    assert!(answer.sets_no_cookie());
    assert_eq!(answer.body, "Internal Server Error", "and the client sees nothing of it");
}

#[tokio::test]
async fn p7_a_store_that_is_down_ends_nothing_and_is_503() {
    let (store, sessions) = locked(IpLock::Exact);
    let mut ada = Client::new(&app(&sessions));
    ada.send(from(HOME, "/login/ada")).await;
    store.fail("delete", Fault::Fails(StoreErrorKind::Unavailable));
    let answer = ada.send(from(AWAY, "/whoami")).await;
    assert_eq!((answer.status.as_u16(), answer.sets_no_cookie()), (503, true));
    assert_eq!(store.records(), 1);
    store.heal();
    assert_eq!(ada.send(from(AWAY, "/whoami")).await.body, "-");
    assert_eq!((store.records(), ada.jar.len()), (0, 0));
}

#[tokio::test]
async fn f4_secure_auto_follows_a_trusted_proxy() {
    let cookie = Cookie::default().secure(Secure::Auto);
    let sessions = Spy::default().builder().cookie(cookie).build().unwrap();
    for (headers, https, plain) in [
        (ProxyHeaders::XForwarded, ("x-forwarded-proto", "https"), ("x-forwarded-proto", "http")),
        (
            ProxyHeaders::Forwarded,
            ("forwarded", "for=192.0.2.7;proto=https"),
            ("forwarded", "for=192.0.2.7;proto=http"),
        ),
    ] {
        let proxies = TrustedProxies::cidrs(["10.0.0.0/8"]).unwrap().headers(headers);
        let app = behind(&sessions, proxies);
        let by = |peer: &str, (name, value): (&str, &str), path: &str| {
            let peer: IpAddr = peer.parse().unwrap();
            Request::get(path).extension(Connection::new().peer(peer)).header(name, value)
        };
        let mut client = Client::plain(&app);
        let answer = client.send(by("10.0.0.1", https, "/set/a/b")).await;
        assert!(answer.cookie().starts_with("__Host-id=") && answer.cookie().contains("; Secure"));
        assert_eq!(client.send(by("10.0.0.1", https, "/get/a")).await.body, "b");
        for (peer, line) in [("10.0.0.1", plain), (AWAY, https)] {
            let answer = Client::plain(&app).send(by(peer, line, "/set/a/b")).await;
            assert!(answer.cookie().starts_with("id=") && !answer.cookie().contains("Secure"));
        }
    }
}
