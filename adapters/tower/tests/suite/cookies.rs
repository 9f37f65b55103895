//! The cookie of a response: name, attributes, lifetime, factory, scheme.

use std::time::{Duration, SystemTime};

use http::Request;
use http::header::{COOKIE, SET_COOKIE};
use tenure_core::Sessions;
use tenure_core::engine::Connection;
use tenure_core::store::MemoryStore;
use tenure_core::transport::{Cookie, Priority, SameSite, Secure};
use tenure_tower::SessionLayer;

use crate::app::{app, routes};
use crate::client::Client;

fn sessions(cookie: Cookie) -> Sessions {
    Sessions::builder().store(MemoryStore::new()).cookie(cookie).build().unwrap()
}

/// The line without the credential.
fn shape(line: &str) -> String {
    let (pair, attributes) = line.split_once(';').unwrap();
    format!("{}=…;{attributes}", pair.split_once('=').unwrap().0)
}

async fn first_cookie(client: &mut Client) -> String {
    shape(client.get("/set/a/b").await.cookie())
}

#[tokio::test]
async fn t_cook_1_t_cook_9_the_default_is_the_safe_one() {
    let mut client = Client::new(&app(&Sessions::in_memory().unwrap()));
    let line = first_cookie(&mut client).await;
    assert_eq!(line, "__Host-id=…; Path=/; Secure; HttpOnly; SameSite=Lax");
}

#[tokio::test]
async fn v2_k3_p6_the_name_is_configurable() {
    let mut client = Client::new(&app(&sessions(Cookie::named("__Host-shop"))));
    assert!(first_cookie(&mut client).await.starts_with("__Host-shop=…"));
    assert_eq!(client.get("/get/a").await.body, "b");
}

#[tokio::test]
async fn k3_f3_p12_every_attribute_is_written() {
    let cookie = Cookie::named("__Secure-id")
        .path("/set")
        .domain("shop.test")
        .same_site(SameSite::None)
        .partitioned(true)
        .priority(Priority::High)
        .extension("X-Zone", Some("eu"));
    let mut client = Client::new(&app(&sessions(cookie)));
    assert_eq!(
        first_cookie(&mut client).await,
        "__Secure-id=…; Path=/set; Domain=shop.test; Secure; HttpOnly; SameSite=None; Partitioned; \
         Priority=High; X-Zone=eu"
    );
}

#[tokio::test]
async fn p12_http_only_goes_only_by_its_insecure_name() {
    let mut client = Client::new(&app(&sessions(Cookie::default().insecure_allow_scripts())));
    assert!(!first_cookie(&mut client).await.contains("HttpOnly"));
}

#[tokio::test]
async fn v12_f3_a_lifetime_writes_max_age_and_expires_and_wins() {
    let soon = SystemTime::now() + Duration::from_secs(60);
    let mut client =
        Client::new(&app(&sessions(Cookie::default().lifetime(Duration::from_secs(3600)))));
    let line = first_cookie(&mut client).await;
    assert!(line.contains("; Path=/; ") && line.contains("; Max-Age=3600; Expires="), "{line}");

    let both = Cookie::default().lifetime(Duration::from_secs(3600)).expires(soon);
    let line = first_cookie(&mut Client::new(&app(&sessions(both)))).await;
    assert!(line.contains("Max-Age=3600"), "{line}");

    let line =
        first_cookie(&mut Client::new(&app(&sessions(Cookie::default().expires(soon))))).await;
    assert!(line.contains("; Expires=") && !line.contains("Max-Age"), "{line}");
}

#[tokio::test]
async fn v11_t_cook_2_the_removal_repeats_every_attribute() {
    let cookie = Cookie::named("__Secure-id")
        .domain("shop.test")
        .same_site(SameSite::None)
        .partitioned(true)
        .lifetime(Duration::from_secs(3600));
    let mut client = Client::new(&app(&sessions(cookie)));
    client.get("/set/a/b").await;
    assert_eq!(
        client.get("/destroy").await.cookie(),
        "__Secure-id=; Path=/; Domain=shop.test; Secure; HttpOnly; SameSite=None; Partitioned; \
         Max-Age=0; Expires=Thu, 01 Jan 1970 00:00:00 GMT"
    );
    assert!(client.jar.is_empty());
}

#[tokio::test]
async fn v3_a_factory_changes_the_cookie_of_one_response() {
    let cookie = Cookie::default().factory(|context, cookie| {
        let path = context.request().map_or("", |request| request.uri.path());
        if path == "/set/remember/me" {
            let handle = context.handle().to_owned();
            cookie.lifetime(Duration::from_secs(7200)).extension("X-Handle", Some(&handle))
        } else {
            cookie
        }
    });
    let sessions = Sessions::builder().store(MemoryStore::new()).cookie(cookie).keep_request();
    let app = app(&sessions.build().unwrap());

    let mut client = Client::new(&app);
    let line = client.get("/set/remember/me").await.cookie().to_owned();
    let handle = client.get("/handle").await.body;
    assert!(line.contains("Max-Age=7200"), "{line}");
    assert!(line.contains(&format!("; X-Handle={handle}")), "{line}");
    let line = first_cookie(&mut Client::new(&app)).await;
    assert!(!line.contains("Max-Age"), "{line}");
}

#[tokio::test]
async fn v3_a_factory_that_breaks_the_rules_is_an_error_and_sends_nothing() {
    let cookie = Cookie::default().factory(|_, cookie| cookie.domain("shop.test"));
    let answer = Client::new(&app(&sessions(cookie))).get("/set/a/b").await;
    assert_eq!(answer.status, 500);
    assert!(answer.sets_no_cookie());
    assert!(!answer.body.contains("__Host-"), "{}", answer.body);
}

#[tokio::test]
async fn f4_secure_auto_follows_the_scheme() {
    let app = app(&sessions(Cookie::default().secure(Secure::Auto).same_site(SameSite::None)));
    let mut https = Client::new(&app);
    assert_eq!(
        first_cookie(&mut https).await,
        "__Host-id=…; Path=/; Secure; HttpOnly; SameSite=None"
    );
    let mut plain = Client::plain(&app);
    assert_eq!(first_cookie(&mut plain).await, "id=…; Path=/; HttpOnly; SameSite=Lax");
    assert_eq!(https.get("/get/a").await.body, "b");
    assert_eq!(plain.get("/get/a").await.body, "b");
}

#[tokio::test]
async fn f4_the_scheme_comes_from_the_hook_or_the_connection() {
    let sessions = sessions(Cookie::default().secure(Secure::Auto));
    let told = SessionLayer::new(sessions.clone()).https_when(|request| {
        request.headers.get("x-forwarded-proto").is_some_and(|proto| proto == "https")
    });
    let mut client = Client::plain(&routes().layer(told));
    let proxied = Request::get("/set/a/b").header("x-forwarded-proto", "https");
    assert!(client.send(proxied).await.cookie().contains("; Secure"));
    client.jar.clear();
    assert!(!client.get("/set/a/b").await.cookie().contains("; Secure"));

    let mut client = Client::plain(&app(&sessions));
    let known = Request::get("/set/a/b").extension(Connection::new().secure(true));
    assert!(client.send(known).await.cookie().contains("; Secure"));
}

#[tokio::test]
async fn t_cook_6_two_valid_cookies_are_refused_and_cleared() {
    let app = app(&Sessions::in_memory().unwrap());
    let (mut ada, mut eve) = (Client::new(&app), Client::new(&app));
    ada.get("/login/ada").await;
    eve.get("/login/eve").await;
    for (first, second) in [(&ada, &eve), (&eve, &ada)] {
        let both = format!("__Host-id={}; __Host-id={}", first.token(), second.token());
        let answer = Client::new(&app).send(Request::get("/whoami").header(COOKIE, both)).await;
        assert_eq!(answer.body, "-");
        assert!(
            answer.cookie().starts_with("__Host-id=; ") && answer.cookie().contains("Max-Age=0")
        );
    }
    let twice = format!("__Host-id={0}; __Host-id={0}", ada.token());
    let answer = Client::new(&app).send(Request::get("/whoami").header(COOKIE, twice)).await;
    assert_eq!((answer.body.as_str(), answer.headers.get(SET_COOKIE)), ("ada", None));
}
