//! Who gets which session: fixation, replay, logout.

use std::sync::Arc;

use axum::Extension;
use axum::body::Body;
use axum::routing::get;
use http::Request;
use http::header::{AUTHORIZATION, CONTENT_TYPE, COOKIE};
use tenure_core::Sessions;
use tenure_core::clock::{Random, SystemRandom};
use tenure_tower::SessionLayer;
use tenure_tower::axum::{Error, Session};
use tokio::sync::Notify;
use tower::ServiceExt;

use crate::app::{app, routes};
use crate::client::{Answer, Client};
use crate::store::Spy;

/// Changes the character at `at`.
fn tampered(token: &str, at: usize) -> String {
    let other = if token.as_bytes()[at] == b'A' { "B" } else { "A" };
    format!("{}{other}{}", &token[..at], &token[at + 1..])
}

#[tokio::test]
async fn t_auth_1_a_tampered_or_unknown_token_is_anonymous() {
    for signed in [true, false] {
        let store = Spy::default();
        let builder = if signed {
            store.builder()
        } else {
            Sessions::builder().store(store.clone()).insecure_unsigned_tokens()
        };
        let mut ada = Client::new(&app(&builder.build().unwrap()));
        ada.get("/login/ada").await;
        let token = ada.token().to_owned();
        for at in 0..token.len() {
            ada.jar.insert("__Host-id".into(), tampered(&token, at));
            let answer = ada.get("/whoami").await;
            assert_eq!((answer.body.as_str(), answer.sets_no_cookie()), ("-", true), "{at}");
        }
        ada.jar.insert("__Host-id".into(), token);
        assert_eq!(ada.get("/whoami").await.body, "ada");
    }
}

#[tokio::test]
async fn t_fix_1_r4_an_id_chosen_by_the_client_never_becomes_a_session() {
    let unsigned = Spy::default();
    let stores = [
        (Spy::default(), None),
        (unsigned.clone(), Some(Sessions::builder().store(unsigned).insecure_unsigned_tokens())),
    ];
    for (store, builder) in stores {
        let sessions = builder.unwrap_or_else(|| store.builder()).build().unwrap();
        let app = app(&sessions);
        let mut valid = Client::new(&app);
        valid.get("/set/a/b").await;
        let shape = valid.token().to_owned();
        let chosen = tampered(&tampered(&shape, 3), 20);
        for cookie in [chosen.as_str(), &"A".repeat(shape.len()), &shape[..16]] {
            let cookie = format!("__Host-id={cookie}");
            for path in ["/whoami", "/set/a/x", "/set/a/x"] {
                let mut client = Client::new(&app);
                let request = Request::get(path).header(COOKIE, &cookie);
                client.send(request).await;
                if path != "/whoami" {
                    assert_ne!(format!("__Host-id={}", client.token()), cookie);
                }
                let request = Request::get("/get/a").header(COOKIE, &cookie);
                assert_eq!(Client::new(&app).send(request).await.body, "-");
            }
        }
    }
}

#[tokio::test]
async fn r4_a_token_counts_in_no_other_channel() {
    let app = app(&Sessions::in_memory().unwrap());
    let mut ada = Client::new(&app);
    ada.get("/login/ada").await;
    let token = ada.token();
    let query = ["__Host-id", "id", "sid", "session"].map(|name| format!("/whoami?{name}={token}"));
    let requests = [
        Request::get(&query[0]),
        Request::get(&query[1]),
        Request::get(&query[2]),
        Request::get(&query[3]),
        Request::get("/whoami").header("x-session-id", token),
        Request::get("/whoami").header("__Host-id", token),
        Request::get("/whoami").header(AUTHORIZATION, format!("Bearer {token}")),
        Request::get("/whoami").header(COOKIE, format!("id={token}")),
        Request::get("/whoami").header(COOKIE, format!("__host-id={token}")),
        Request::get("/whoami").header(COOKIE, format!("__Host-id =\"{token}\"")),
    ];
    for request in requests {
        let text = format!("{request:?}");
        assert_eq!(Client::new(&app).send(request).await.body, "-", "{text}");
    }
    let form = Request::get("https://shop.test/whoami")
        .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
        .body(Body::from(format!("__Host-id={token}")));
    let response = app.oneshot(form.unwrap()).await.unwrap();
    assert_eq!(Answer::of(response).await.body, "-");
}

#[tokio::test]
async fn f7_an_id_generator_has_the_request_at_hand_and_is_held_to_128_bits() {
    let generated = |octets: usize| {
        let sessions = Spy::default().builder().id_generator(move |request| {
            let mut id = vec![0; octets];
            SystemRandom.fill(&mut id).unwrap();
            id[0] = request.uri.path().len() as u8;
            id
        });
        app(&sessions.build().unwrap())
    };
    let mut client = Client::new(&generated(36));
    client.get("/set/a/b").await;
    assert_eq!(client.get("/get/a").await.body, "b");
    let answer = Client::new(&generated(15)).get("/set/a/b").await;
    assert_eq!((answer.status.as_u16(), answer.sets_no_cookie()), (500, true));
}

#[tokio::test]
async fn t_fix_2_r5_every_change_of_privilege_ends_the_old_id_at_once() {
    for path in ["/login/ada", "/login/eve", "/regenerate", "/logout", "/destroy"] {
        let mut client = Client::new(&app(&Sessions::in_memory().unwrap()));
        client.get("/login/ada").await;
        client.get("/set/a/b").await;
        let mut old = client.clone();
        client.get(path).await;
        assert_ne!(client.jar, old.jar, "{path}");
        for _ in 0..2 {
            assert_eq!(old.get("/whoami").await.body, "-", "{path}");
            assert_eq!(old.get("/get/a").await.body, "-", "{path}");
        }
        let (user, data) = match path {
            "/login/ada" | "/regenerate" => ("ada", "b"),
            "/login/eve" => ("eve", "-"),
            _ => ("-", "-"),
        };
        assert_eq!(client.get("/whoami").await.body, user, "{path}");
        assert_eq!(client.get("/get/a").await.body, data, "{path}");
    }
}

#[tokio::test]
async fn t_fix_2_a_planted_session_is_not_the_one_that_logs_in() {
    let app = app(&Sessions::in_memory().unwrap());
    let mut attacker = Client::new(&app);
    attacker.get("/set/a/b").await;
    let mut victim = attacker.clone();
    victim.get("/login/ada").await;
    assert_eq!(victim.get("/whoami").await.body, "ada");
    assert_eq!(attacker.get("/whoami").await.body, "-");
}

#[tokio::test]
async fn t_out_1_the_old_cookie_after_logout_is_anonymous() {
    let store = Spy::default();
    let mut client = Client::new(&app(&store.builder().build().unwrap()));
    client.get("/login/ada").await;
    let mut replayed = client.clone();
    assert!(client.get("/logout").await.cookie().contains("Max-Age=0"));
    assert_eq!((client.jar.len(), store.records()), (0, 0));
    assert_eq!(replayed.get("/whoami").await.body, "-");
    replayed.get("/set/a/b").await.cookie();
    assert_eq!(replayed.get("/whoami").await.body, "-");
}

#[tokio::test]
async fn r1_a_request_in_flight_does_not_undo_a_logout() {
    #[derive(Clone, Default)]
    struct Steps {
        loaded: Arc<Notify>,
        go_on: Arc<Notify>,
    }
    async fn slow(session: Session, Extension(steps): Extension<Steps>) -> Result<(), Error> {
        steps.loaded.notify_one();
        steps.go_on.notified().await;
        session.set("late", "x")?;
        Ok(session.increment("n", 1)?)
    }
    let (store, steps) = (Spy::default(), Steps::default());
    let sessions = store.builder().build().unwrap();
    let layer = SessionLayer::new(sessions.clone());
    let routes = routes().route("/slow", get(slow)).layer(Extension(steps.clone())).layer(layer);
    for path in ["/logout", "/destroy", "/login/eve", "/regenerate"] {
        let mut b = Client::new(&routes);
        b.get("/login/ada").await;
        let mut a = b.clone();
        let slow = tokio::spawn(async move { a.get("/slow").await });
        steps.loaded.notified().await;
        let records = store.records();
        b.get(path).await;
        steps.go_on.notify_one();
        let answer = slow.await.unwrap();
        assert!(answer.status.is_success(), "{path}: {answer:?}");
        assert!(answer.sets_no_cookie(), "{path}: {answer:?}");
        assert_eq!(b.get("/keys").await.body, "", "{path}");
        let ended = usize::from(matches!(path, "/logout" | "/destroy"));
        assert_eq!(store.records(), records - ended, "{path}");
    }
    assert_eq!(sessions.counts().gone, 4);
}

#[tokio::test]
async fn r6_after_the_end_there_is_no_id_and_empty_ids_never_load() {
    async fn ends(session: Session) -> Result<String, Error> {
        session.destroy()?;
        Ok(format!("{:?} {:?}", session.handle(), session.danger_expose_token()))
    }
    let layer = SessionLayer::new(Sessions::in_memory().unwrap());
    let app = routes().route("/ends", get(ends)).layer(layer);
    let mut client = Client::new(&app);
    client.get("/login/ada").await;
    assert_eq!(client.get("/ends").await.body, "None None");
    assert!(client.jar.is_empty());
    client.get("/login/ada").await;
    for id in ["", " ", "\t", "\"\"", "%20", "null", "0"] {
        let request = Request::get("/whoami").header(COOKIE, format!("__Host-id={id}"));
        assert_eq!(Client::new(&app).send(request).await.body, "-", "{id:?}");
    }
}
