//! P13, F12: requests without sessions.

use axum::routing::get;
use axum::{Extension, Router};
use http::Request;
use http::header::{AUTHORIZATION, COOKIE, VARY};
use tenure_core::Sessions;
use tenure_core::store::MemoryStore;
use tenure_core::transport::Cookie;
use tenure_tower::{Installed, SessionLayer};

use crate::app::routes;
use crate::client::{Answer, Client};
use crate::store::Spy;

fn leaves_no_trace(answer: &Answer) {
    assert!(answer.sets_no_cookie() && !answer.headers.contains_key(VARY), "{answer:?}");
}

async fn installed(installed: Option<Extension<Installed>>) -> String {
    installed.map_or_else(|| "none".into(), |installed| installed.sessions().name().to_owned())
}

#[tokio::test]
async fn p13_skipped_paths_have_no_session() {
    let store = Spy::default();
    // Without being skipped, every request would make one.
    let sessions = store.builder().save_uninitialized().build().unwrap();
    let layer = SessionLayer::new(sessions)
        .skip_paths(["/health", "metrics"])
        .skip_below("/assets/")
        .skip_when(|request| request.headers.contains_key(AUTHORIZATION))
        .skip_when(|request| request.method == http::Method::OPTIONS);
    let app = Router::new().fallback(installed).merge(routes()).layer(layer);
    let mut client = Client::new(&app);
    client.get("/login/ada").await;
    assert_eq!(store.calls(), ["create"]);
    for path in ["/health", "/health?all", "/metrics", "/assets", "/assets/", "/assets/a/b.svg"] {
        let answer = client.get(path).await;
        assert_eq!(answer.body, "none", "{path}");
        leaves_no_trace(&answer);
    }
    for request in [Request::get("/x").header(AUTHORIZATION, "Bearer t"), Request::options("/x")] {
        let answer = client.send(request).await;
        assert_eq!(answer.body, "none");
        leaves_no_trace(&answer);
    }
    assert_eq!(store.calls(), [""; 0]);
    for path in ["/healthy", "/health/", "/HEALTH", "/metrics/a", "/assets-of-ada", "/x"] {
        assert_eq!(client.get(path).await.body, "__Host-id", "{path}");
    }
    assert_eq!(client.get("/whoami").await.body, "ada");
}

#[tokio::test]
async fn p13_who_asks_for_a_session_there_is_told() {
    let layer = SessionLayer::new(Sessions::in_memory().unwrap()).skip_paths(["/whoami", "/keys"]);
    let mut client = Client::new(&routes().layer(layer));
    client.get("/login/ada").await;
    for path in ["/whoami", "/keys"] {
        let answer = client.get(path).await;
        assert_eq!(answer.status, 500);
        assert!(answer.body.contains("told to skip it"), "{}", answer.body);
        leaves_no_trace(&answer);
    }
}

/// The session of an outer layer is not taken for the one that is skipped, and a layer of the same
/// name further in does not bring it back.
#[tokio::test]
async fn p13_with_several_layers() {
    let named = |name: &str| {
        let cookie = Cookie::named(name);
        Sessions::builder().store(MemoryStore::new()).cookie(cookie).build().unwrap()
    };
    let (shop, admin) = (named("__Host-shop"), named("__Host-admin"));
    let two = |inner: SessionLayer, outer: SessionLayer| {
        Client::new(&routes().route("/installed", get(installed)).layer(inner).layer(outer))
    };
    let layer = |sessions: &Sessions| SessionLayer::new(sessions.clone());

    let mut client = two(layer(&admin).skip_paths(["/keys", "/installed"]), layer(&shop));
    assert!(client.get("/keys").await.body.contains("told to skip it"));
    assert_eq!(client.get("/installed").await.body, "__Host-shop");
    assert!(client.get("/set/a/b").await.cookie().starts_with("__Host-admin="));

    let mut client = two(layer(&admin), layer(&shop).skip_below("/set"));
    assert!(client.get("/set/a/b").await.cookie().starts_with("__Host-admin="));
    assert_eq!(client.get("/installed").await.body, "__Host-admin");

    let mut client = two(layer(&shop), layer(&shop).skip_below("/set"));
    let answer = client.get("/set/a/b").await;
    assert!(answer.body.contains("told to skip it"), "{}", answer.body);
    leaves_no_trace(&answer);
}

fn scoped(path: &str) -> Sessions {
    let cookie = Cookie::named("__Secure-id").path(path);
    Sessions::builder().store(MemoryStore::new()).cookie(cookie).build().unwrap()
}

#[tokio::test]
async fn f12_no_session_outside_of_the_cookies_path() {
    let app = Router::new()
        .nest("/app", routes())
        .merge(routes())
        .route("/application/installed", get(installed))
        .route("/app/installed", get(installed))
        .route("/installed", get(installed))
        .layer(SessionLayer::new(scoped("/app")));
    let mut client = Client::new(&app);
    assert!(client.get("/app/login/ada").await.cookie().contains("; Path=/app; "));
    assert_eq!(client.get("/app/whoami").await.body, "ada");
    assert_eq!(client.get("/app/installed").await.body, "__Secure-id");
    for path in ["/installed", "/application/installed"] {
        // A browser would not even send the cookie there.
        let answer = client.get(path).await;
        assert_eq!(answer.body, "none", "{path}");
        leaves_no_trace(&answer);
    }
    let answer = client.get("/whoami").await;
    assert_eq!(answer.status, 500);
    assert!(answer.body.contains("outside of the path of the cookie"), "{}", answer.body);
    leaves_no_trace(&answer);
}

/// Behind a proxy or a router that takes the prefix off.
#[tokio::test]
async fn f12_a_prefix_that_was_taken_off_counts() {
    let layer = SessionLayer::new(scoped("/shop/admin"));
    let inner = |layer: SessionLayer| {
        Client::new(&Router::new().nest("/shop/admin", routes().layer(layer)))
    };
    let refused = inner(layer.clone()).get("/shop/admin/set/a/b").await;
    assert!(refused.body.contains("mounted_at"), "{}", refused.body);
    for prefix in ["/shop/admin", "shop/admin/"] {
        let mut client = inner(layer.clone().mounted_at(prefix));
        client.get("/shop/admin/set/a/b").await;
        assert_eq!(client.get("/shop/admin/get/a").await.body, "b");
    }
    let elsewhere = inner(layer.mounted_at("/shop")).get("/shop/admin/set/a/b").await;
    assert_eq!(elsewhere.status, 500);
}

#[tokio::test]
async fn f12_an_unknown_credential_is_cleared_on_request() {
    for clears in [false, true] {
        let store = Spy::default();
        let builder = store.builder();
        let builder = if clears { builder.clear_unknown() } else { builder };
        let app = routes().layer(SessionLayer::new(builder.build().unwrap()));
        let mut ada = Client::new(&app);
        ada.get("/login/ada").await;
        let token = ada.token().to_owned();
        ada.get("/logout").await;
        let stale = Request::get("/whoami").header(COOKIE, format!("__Host-id={token}"));
        let answer = ada.send(stale).await;
        assert_eq!(answer.body, "-");
        assert_eq!(answer.sets_no_cookie(), !clears);
        assert!(!clears || answer.cookie().contains("Max-Age=0"));
    }
}
