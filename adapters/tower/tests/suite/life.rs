//! The life of a session over several requests.

use std::time::Duration;

use axum::Router;
use axum::routing::get;
use tenure_core::ErrorKind;
use tenure_core::store::MemoryStore;
use tenure_core::transport::Cookie;
use tenure_core::{Sessions, SessionsBuilder};
use tenure_tower::SessionLayer;
use tenure_tower::axum::{Error, Session};

use crate::app::{app, routes};
use crate::client::Client;
use crate::store::{HandClock, Spy};

fn timed(clock: &HandClock) -> SessionsBuilder {
    Sessions::builder().store(MemoryStore::new()).clock(clock.clone())
}

/// An application of one route.
fn one<H, T>(sessions: &Sessions, handler: H) -> Router
where
    H: axum::handler::Handler<T, ()>,
    T: 'static,
{
    routes().route("/", get(handler)).layer(SessionLayer::new(sessions.clone()))
}

#[tokio::test]
async fn v10_p9_another_instance_sees_it_as_soon_as_the_response_is_there() {
    let store = Spy::default();
    let keys = tenure_core::transform::SecretKey::generate_secret().unwrap();
    let instance = || {
        let keys = tenure_core::transform::Keyring::from_secrets([&keys]).unwrap();
        app(&Sessions::builder().store(store.clone()).signing_keys(keys).build().unwrap())
    };
    let mut here = Client::new(&instance());
    here.get("/set/a/b").await;
    let mut there = Client::new(&instance());
    there.jar = here.jar.clone();
    for round in 1..20 {
        assert_eq!(here.get("/incr").await.body, (2 * round - 1).to_string());
        assert_eq!(there.get("/incr").await.body, (2 * round).to_string());
    }
}

#[tokio::test]
async fn v11_f8_destroy_deletes_the_data_and_the_cookie() {
    let store = Spy::default();
    let mut client = Client::new(&app(&store.builder().build().unwrap()));
    client.get("/set/a/b").await;
    assert_eq!(store.records(), 1);
    let old = client.jar.clone();
    assert!(client.get("/destroy").await.cookie().contains("Max-Age=0"));
    assert_eq!(store.records(), 0);
    client.jar = old;
    assert_eq!(client.get("/get/a").await.body, "-");
}

#[tokio::test]
async fn p5_t_exp_1_a_session_that_is_used_stays() {
    let clock = HandClock::default();
    let sessions = timed(&clock).idle_timeout(Duration::from_secs(600)).build().unwrap();
    let mut client = Client::new(&app(&sessions));
    client.get("/set/a/b").await;
    for _ in 0..5 {
        clock.advance(Duration::from_secs(500));
        assert_eq!(client.get("/get/a").await.body, "b");
    }
    clock.advance(Duration::from_secs(601));
    assert_eq!(client.get("/get/a").await.body, "-");
}

#[tokio::test]
async fn p5_a_touch_is_throttled_or_done_by_every_access_or_every_request() {
    async fn touches(builder: SessionsBuilder, clock: &HandClock, path: &str) -> u64 {
        let sessions = builder.clock(clock.clone()).build().unwrap();
        let mut client = Client::new(&app(&sessions));
        client.get("/set/a/b").await;
        for _ in 0..10 {
            clock.advance(Duration::from_secs(1));
            client.get(path).await;
        }
        sessions.counts().touches
    }
    let clock = HandClock::default();
    let builder = || Spy::default().builder();
    assert_eq!(touches(builder(), &clock, "/get/a").await, 0);
    assert_eq!(touches(builder().touch_interval(Duration::ZERO), &clock, "/get/a").await, 10);
    assert_eq!(touches(builder().touch_interval(Duration::ZERO), &clock, "/plain").await, 0);
    assert_eq!(touches(builder().touch_every_request(), &clock, "/plain").await, 10);
}

#[tokio::test]
async fn x5_t_exp_2_use_cannot_pass_the_absolute_timeout() {
    let clock = HandClock::default();
    let sessions = timed(&clock)
        .idle_timeout(Duration::from_secs(600))
        .absolute_timeout(Duration::from_secs(1500))
        .build()
        .unwrap();
    let mut client = Client::new(&app(&sessions));
    client.get("/set/a/b").await;
    for body in ["b", "b", "-"] {
        clock.advance(Duration::from_secs(500));
        assert_eq!(client.get("/get/a").await.body, body);
    }
}

#[tokio::test]
async fn x5_t_life_1_periodic_renewal_has_grace() {
    let clock = HandClock::default();
    let sessions = timed(&clock).renewal_interval(Duration::from_secs(60)).build().unwrap();
    let mut client = Client::new(&app(&sessions));
    client.get("/set/a/b").await;
    let mut old = client.clone();
    clock.advance(Duration::from_secs(61));
    client.get("/get/a").await.cookie();
    assert_ne!(client.token(), old.token());
    // The answer with the new secret may be lost: the old one works until the new one is used.
    let old_jar = old.jar.clone();
    assert_eq!(old.get("/get/a").await.body, "b");
    assert_eq!(client.get("/get/a").await.body, "b");
    old.jar = old_jar;
    assert_eq!(old.get("/get/a").await.body, "-");
}

#[tokio::test]
async fn a8_f8_what_is_known_of_a_session() {
    async fn seen(session: Session) -> Result<String, Error> {
        let seen = [
            session.is_new(),
            session.is_empty(),
            session.is_modified(),
            session.is_saved(),
            session.exists(),
        ];
        Ok(seen.map(|seen| if seen { '1' } else { '0' }).iter().collect())
    }
    async fn changes(session: Session) -> Result<String, Error> {
        session.set("a", "b")?;
        let modified = session.is_modified();
        session.save().await?;
        Ok(format!("{modified} {} {}", session.is_modified(), session.is_saved()))
    }
    async fn rotates(session: Session) -> Result<String, Error> {
        session.regenerate()?;
        Ok(session.is_new().to_string())
    }
    let app = Router::new()
        .route("/seen", get(seen))
        .route("/changes", get(changes))
        .route("/rotates", get(rotates))
        .layer(SessionLayer::new(Sessions::in_memory().unwrap()));
    let mut client = Client::new(&app);
    assert_eq!(client.get("/seen").await.body, "11000");
    assert_eq!(client.get("/changes").await.body, "true false true");
    assert_eq!(client.get("/seen").await.body, "00011");
    assert_eq!(client.get("/rotates").await.body, "true");
    assert_eq!(client.get("/seen").await.body, "00011");
}

#[tokio::test]
async fn a9_f8_regenerate_gives_a_new_id_with_the_same_data() {
    async fn keeping(session: Session) -> Result<(), Error> {
        Ok(session.regenerate_keeping(&["a"])?)
    }
    let sessions = Sessions::in_memory().unwrap();
    let mut client = Client::new(&one(&sessions, keeping));
    client.get("/set/a/1").await;
    client.get("/set/b/2").await;
    let first = client.clone();
    client.get("/regenerate").await;
    assert_ne!(client.token(), first.token());
    assert_eq!(client.get("/keys").await.body, "a,b");
    assert_eq!(first.clone().get("/keys").await.body, "");

    let second = client.clone();
    client.get("/").await;
    assert_ne!(client.token(), second.token());
    assert_eq!(client.get("/keys").await.body, "a");
    assert_eq!(second.clone().get("/keys").await.body, "");
}

#[tokio::test]
async fn a10_f6_rolling_sends_the_cookie_with_every_response() {
    let month = Duration::from_secs(30 * 24 * 3600);
    for (rolling, sent) in [(true, 5), (false, 0)] {
        let builder = Spy::default().builder().cookie(Cookie::default().lifetime(month));
        let builder = if rolling { builder.rolling() } else { builder };
        let mut client = Client::new(&app(&builder.build().unwrap()));
        client.get("/set/a/b").await;
        let mut cookies = 0;
        for path in ["/get/a", "/plain", "/whoami", "/plain", "/get/a"] {
            cookies += usize::from(!client.get(path).await.sets_no_cookie());
        }
        assert_eq!(cookies, sent, "rolling: {rolling}");
    }
}

#[tokio::test]
async fn a10_without_rolling_a_cookie_with_a_date_moves_with_the_deadline() {
    let clock = HandClock::default();
    let cookie = Cookie::default().lifetime(Duration::from_secs(3600));
    let sessions = timed(&clock).cookie(cookie).build().unwrap();
    let mut client = Client::new(&app(&sessions));
    client.get("/set/a/b").await;
    assert!(client.get("/get/a").await.sets_no_cookie());
    clock.advance(Duration::from_secs(61));
    assert!(client.get("/get/a").await.cookie().contains("Max-Age=3600"));
    assert!(client.get("/get/a").await.sets_no_cookie());
}

#[tokio::test]
async fn a12_f8_save_commits_at_once_and_renews_the_cookie() {
    let store = Spy::default();
    let spy = store.clone();
    let saves = move |session: Session| async move {
        session.set("a", "b")?;
        session.save().await?;
        let calls = spy.calls();
        session.save().await?;
        Ok::<_, Error>(format!("{calls:?} {:?}", spy.calls()))
    };
    let cookie = Cookie::default().lifetime(Duration::from_secs(3600));
    let sessions = store.builder().cookie(cookie).build().unwrap();
    let mut client = Client::new(&one(&sessions, saves));
    assert_eq!(client.get("/").await.body, r#"["create"] []"#);
    let again = client.get("/").await;
    assert_eq!(again.body, r#"["load", "apply"] []"#);
    assert!(again.cookie().contains("Max-Age=3600"));
    assert_eq!(store.calls(), [""; 0]);
}

#[tokio::test]
async fn f8_reload_sees_what_others_did_and_drops_what_was_not_saved() {
    async fn reloads(session: Session, other: axum::Extension<Client>) -> Result<String, Error> {
        session.set("mine", "x")?;
        let axum::Extension(mut other) = other;
        other.get("/set/theirs/y").await;
        session.reload().await?;
        Ok(session.keys().join(","))
    }
    let sessions = Sessions::in_memory().unwrap();
    let mut client = Client::new(&one(&sessions, reloads));
    client.get("/set/a/b").await;
    let request = http::Request::get("/").extension(client.clone());
    assert_eq!(client.send(request).await.body, "a,theirs");
    assert_eq!(client.get("/keys").await.body, "a,theirs");
}

#[tokio::test]
async fn f8_save_and_reload_say_when_the_session_has_ended() {
    async fn kinds(session: Session, other: axum::Extension<Client>) -> Result<String, Error> {
        let axum::Extension(mut other) = other;
        other.get("/logout").await;
        session.set("late", "x")?;
        let save = session.save().await.unwrap_err().kind();
        let reload = session.reload().await.unwrap_err().kind();
        assert_eq!((save, reload), (ErrorKind::Gone, ErrorKind::Gone));
        Ok(session.exists().to_string())
    }
    let sessions = Sessions::in_memory().unwrap();
    let mut client = Client::new(&one(&sessions, kinds));
    client.get("/set/a/b").await;
    let request = http::Request::get("/").extension(client.clone());
    let answer = client.send(request).await;
    assert_eq!(answer.body, "false");
    assert!(answer.sets_no_cookie());
}

#[tokio::test]
async fn p16_a_redirect_goes_out_with_the_session_saved() {
    let mut client = Client::new(&app(&Sessions::in_memory().unwrap()));
    for value in ["first", "second"] {
        let answer = client.get(&format!("/redirect/{value}")).await;
        assert_eq!(
            (answer.status.as_u16(), &answer.headers["location"]),
            (303, &"/get/value".parse().unwrap())
        );
        assert_eq!(client.get("/get/value").await.body, value);
    }
}

#[tokio::test]
async fn f6_save_uninitialized_gives_everybody_a_session() {
    let store = Spy::default();
    let sessions = store.builder().save_uninitialized().rolling().build().unwrap();
    let mut client = Client::new(&app(&sessions));
    client.get("/plain").await.cookie();
    assert_eq!(store.records(), 1);
    let first = client.token().to_owned();
    client.get("/plain").await.cookie();
    assert_eq!((store.records(), client.token()), (1, first.as_str()));

    let store = Spy::default();
    let mut client = Client::new(&app(&store.builder().build().unwrap()));
    assert!(client.get("/plain").await.sets_no_cookie());
    assert!(client.get("/get/a").await.sets_no_cookie());
    assert_eq!(store.records(), 0);
}
