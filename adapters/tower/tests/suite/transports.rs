//! How the credential travels: several ways in one application.

use std::time::Instant;

use axum::Router;
use http::header::{AUTHORIZATION, CACHE_CONTROL, COOKIE, HeaderName, SET_COOKIE, VARY};
use http::{Request, StatusCode};
use tenure_core::store::MemoryStore;
use tenure_core::transport::{Bearer, Cookie, Header};
use tenure_core::{ErrorKind, Sessions};

use crate::app;
use crate::client::{Answer, Client};

const X_SESSION: HeaderName = HeaderName::from_static("x-session");

fn sessions() -> Sessions {
    Sessions::builder()
        .store(MemoryStore::new())
        .bearer(Bearer::new())
        .cookie(Cookie::default())
        .header(Header::named("x-session"))
        .build()
        .unwrap()
}

/// A client that keeps its credential in a header.
struct Script<'a> {
    app: &'a Router,
    value: String,
}

impl Script<'_> {
    async fn get(&mut self, path: &str) -> Answer {
        let request = Request::get(path).header(X_SESSION, &self.value);
        let answer = Client::new(self.app).send(request).await;
        if let Some(value) = answer.headers.get(X_SESSION) {
            self.value = value.to_str().unwrap().to_owned();
        }
        answer
    }
}

async fn with_token(app: &Router, token: &str, path: &str) -> Answer {
    Client::new(app).send(Request::get(path).header(AUTHORIZATION, format!("Bearer {token}"))).await
}

fn access_token(answer: &Answer) -> String {
    let body: serde_json::Value = serde_json::from_str(&answer.body).unwrap();
    assert_eq!(body["token_type"], "Bearer");
    assert_eq!(body["expires_in"], 1800);
    body["access_token"].as_str().unwrap().to_owned()
}

/// K4, P3: a browser, a script and an API client, by the same handlers; each is answered in kind.
#[tokio::test]
async fn p3_one_application_serves_three_kinds_of_clients() {
    let sessions = sessions();
    let app = app::app(&sessions);

    let mut browser = Client::new(&app);
    let answer = browser.get("/login/ada").await;
    assert!(!answer.headers.contains_key(X_SESSION) && !answer.headers.contains_key(AUTHORIZATION));
    assert_eq!(browser.get("/whoami").await.body, "ada");

    // The empty header says how it wants to be answered.
    let mut script = Script { app: &app, value: String::new() };
    let answer = script.get("/login/bob").await;
    assert!(answer.sets_no_cookie() && !answer.headers.contains_key(AUTHORIZATION));
    assert_eq!(answer.headers[CACHE_CONTROL], "no-store");
    assert_eq!(script.get("/whoami").await.body, "bob");

    let answer = Client::new(&app).get("/token/cyd").await;
    assert!(answer.sets_no_cookie() && !answer.headers.contains_key(AUTHORIZATION));
    assert_eq!(answer.headers[CACHE_CONTROL], "no-store");
    let token = access_token(&answer);
    let read = with_token(&app, &token, "/whoami").await;
    assert_eq!(read.body, "cyd");
    assert!(read.sets_no_cookie());

    for n in 1..=3 {
        assert_eq!(browser.get("/incr").await.body, n.to_string());
        assert_eq!(script.get("/incr").await.body, n.to_string());
        assert_eq!(with_token(&app, &token, "/incr").await.body, n.to_string());
    }

    // The logout of one is not that of another, and each is told in its own way.
    let answer = with_token(&app, &token, "/logout").await;
    assert_eq!(answer.headers[AUTHORIZATION], "", "there is nothing to keep");
    assert!(answer.sets_no_cookie());
    assert_eq!(with_token(&app, &token, "/whoami").await.body, "-");
    assert_eq!(script.get("/logout").await.headers[X_SESSION], "");
    assert_eq!(script.get("/whoami").await.body, "-");
    assert!(browser.get("/logout").await.cookie().contains("Max-Age=0"));
    assert!(browser.jar.is_empty());
}

/// P3: a rotation gives a bearer client its new token in the header of the response.
#[tokio::test]
async fn p3_a_new_token_comes_in_the_header_of_the_response() {
    let app = app::app(&sessions());
    let token = access_token(&Client::new(&app).get("/token/ada").await);
    let answer = with_token(&app, &token, "/regenerate").await;
    let renewed = answer.headers[AUTHORIZATION].to_str().unwrap().strip_prefix("Bearer ").unwrap();
    assert_ne!(renewed, token);
    assert!(answer.headers[AUTHORIZATION].is_sensitive());
    assert_eq!(with_token(&app, renewed, "/whoami").await.body, "ada");
    assert_eq!(with_token(&app, &token, "/whoami").await.body, "-", "the old one is dead");
}

/// P3: a browser may get a token for its session; they are one session.
#[tokio::test]
async fn p3_a_cookie_and_a_token_of_one_session_end_together() {
    let app = app::app(&sessions());
    let mut browser = Client::new(&app);
    browser.get("/set/a/b").await.cookie();
    let token = access_token(&browser.get("/token/ada").await);
    assert_eq!(with_token(&app, &token, "/get/a").await.body, "b");
    with_token(&app, &token, "/logout").await;
    assert_eq!(browser.get("/whoami").await.body, "-");
}

/// T-ISO-1: a token is good for the transport that it was made for alone.
#[tokio::test]
async fn t_iso_1_the_token_of_one_transport_is_none_by_another() {
    let sessions = sessions();
    let app = app::app(&sessions);
    let mut browser = Client::new(&app);
    browser.get("/login/ada").await.cookie();
    let cookie = browser.token().to_owned();
    let token = access_token(&Client::new(&app).get("/token/bob").await);
    let mut script = Script { app: &app, value: cookie.clone() };
    let loads = sessions.counts().loads;
    assert_eq!(script.get("/whoami").await.body, "-");
    assert_eq!(with_token(&app, &cookie, "/whoami").await.body, "-");
    browser.jar.insert("__Host-id".to_owned(), token);
    assert_eq!(browser.get("/whoami").await.body, "-");
    assert_eq!(sessions.counts().loads, loads, "nothing was looked up");
}

/// The first match wins: a request that came by one way is not read by another, whatever becomes of
/// its credential.
#[tokio::test]
async fn p3_the_first_match_wins() {
    let app = app::app(&sessions());
    let mut browser = Client::new(&app);
    browser.get("/login/ada").await.cookie();
    let token = access_token(&Client::new(&app).get("/token/bob").await);
    for (authorization, user) in [
        (format!("Bearer {token}"), "bob"),
        (format!("bEaReR   {token}"), "bob"),
        ("Bearer forged".to_owned(), "-"),
        ("Bearer".to_owned(), "-"),
        // Of another scheme, and so not of this transport.
        ("Basic QWRhOmFkYQ==".to_owned(), "ada"),
        (format!("Bearertoken {token}"), "ada"),
        (token.clone(), "ada"),
    ] {
        let request = Request::get("/whoami").header(AUTHORIZATION, &authorization);
        assert_eq!(browser.send(request).await.body, user, "{authorization}");
    }
}

/// T-CACHE-2: a response varies on what was looked at until a way was found.
#[tokio::test]
async fn t_cache_2_responses_vary_on_every_transport_that_was_asked() {
    let app = app::app(&sessions());
    let mut browser = Client::new(&app);
    let vary = |answer: &Answer| answer.all(VARY).join(", ");
    assert_eq!(vary(&browser.get("/set/a/b").await), "authorization, cookie, x-session");
    assert_eq!(vary(&browser.get("/get/a").await), "authorization, cookie");
    assert_eq!(vary(&with_token(&app, "forged", "/get/a").await), "authorization");
    assert_eq!(vary(&browser.get("/plain").await), "");
}

/// K4: only the header, and no cookie at all.
#[tokio::test]
async fn k4_a_header_in_both_directions() {
    let builder = Sessions::builder().store(MemoryStore::new()).header(Header::named("x-session"));
    let app = app::app(&builder.build().unwrap());
    let mut script = Script { app: &app, value: String::new() };
    let answer = script.get("/set/a/b").await;
    assert!(answer.headers[X_SESSION].is_sensitive() && answer.sets_no_cookie());
    let answer = script.get("/get/a").await;
    assert_eq!((answer.body.as_str(), answer.headers.get(X_SESSION)), ("b", None));
    let cookie = Request::get("/get/a").header(COOKIE, format!("x-session={}", script.value));
    assert_eq!(Client::new(&app).send(cookie).await.body, "-", "it is read nowhere else");
    let query = format!("/get/a?x-session={}", script.value);
    assert_eq!(Client::new(&app).get(&query).await.body, "-", "least of all in a URL");
}

/// Whatever a header has, there is no session, no error, no look-up, and nothing is stored.
#[tokio::test]
async fn k4_p3_bad_input_is_no_session() {
    let sessions = sessions();
    let app = app::app(&sessions);
    let good = access_token(&Client::new(&app).get("/token/ada").await);
    let before = sessions.counts();
    let mut values: Vec<Vec<u8>> = (0..good.len()).map(|end| good[..end].into()).collect();
    for at in 0..good.len() {
        for bit in 0..8 {
            let mut flipped = good.clone().into_bytes();
            flipped[at] ^= 1 << bit;
            values.push(flipped);
        }
    }
    values.extend([
        [good.as_bytes(), b"A"].concat(),
        [good.as_bytes(), b"="].concat(),
        [good.as_bytes(), b",", good.as_bytes()].concat(),
        vec![b'A'; 80],
        "ä".repeat(40).into_bytes(),
        vec![0xff; 80],
        vec![b'A'; 1 << 20],
    ]);
    let began = Instant::now();
    let mut sent = 0;
    for value in values {
        for (name, prefix) in
            [(AUTHORIZATION, &b"Bearer "[..]), (X_SESSION, b""), (COOKIE, b"__Host-id=")]
        {
            let Ok(value) = http::HeaderValue::from_bytes(&[prefix, &value].concat()) else {
                continue;
            };
            let answer = Client::new(&app).send(Request::get("/whoami").header(&name, value)).await;
            assert_eq!((answer.status, answer.body.as_str()), (StatusCode::OK, "-"));
            assert!(!answer.headers.contains_key(SET_COOKIE) && !answer.headers.contains_key(name));
            sent += 1;
        }
    }
    let after = sessions.counts();
    assert_eq!((after.loads, after.created), (before.loads, before.created));
    assert!(after.rejected > before.rejected && sent > 1_500, "{sent} were sent");
    assert!(began.elapsed().as_secs() < 60);
}

/// Several tokens in one request: one of them was planted, and nothing tells which.
#[tokio::test]
async fn t_cook_6_several_valid_tokens_are_none() {
    let builder = Sessions::builder().store(MemoryStore::new()).header(Header::named("x-session"));
    let app = app::app(&builder.build().unwrap());
    let (mut ada, mut bob) =
        (Script { app: &app, value: String::new() }, Script { app: &app, value: String::new() });
    ada.get("/login/ada").await;
    bob.get("/login/bob").await;
    let both = Request::get("/whoami").header(X_SESSION, &ada.value).header(X_SESSION, &bob.value);
    let answer = Client::new(&app).send(both).await;
    assert_eq!((answer.body.as_str(), &answer.headers[X_SESSION]), ("-", &"".parse().unwrap()));
    let twice = Request::get("/whoami").header(X_SESSION, &ada.value).header(X_SESSION, &ada.value);
    assert_eq!(Client::new(&app).send(twice).await.body, "ada");
}

/// What cannot work is refused when the sessions are built, with the remedy.
#[test]
fn k4_contradictions_are_refused() {
    let built =
        |header: Header| Sessions::builder().store(MemoryStore::new()).header(header).build();
    for (header, why) in [
        (Header::named("x session"), "letters, digits and hyphens"),
        (Header::named(""), "letters, digits and hyphens"),
        (Header::named("Cookie"), "a meaning of its own"),
        (Header::named("authorization"), "a meaning of its own"),
        (Header::named("Accept-Language"), "a meaning of its own"),
        (Header::named("range"), "a meaning of its own"),
        (Header::named("x-session").longest(1), "between 128 and 16384"),
    ] {
        let error = built(header).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Config);
        assert!(error.to_string().contains(why), "{error}");
    }
    let twice = Sessions::builder()
        .store(MemoryStore::new())
        .header(Header::named("x-session"))
        .header(Header::named("X-Session"));
    assert!(twice.build().unwrap_err().to_string().contains("two of them"));
    let unnamed = Bearer::new().response_header("x token");
    let builder = Sessions::builder().store(MemoryStore::new()).bearer(unnamed);
    assert!(builder.build().unwrap_err().to_string().contains("response_header"));
}

/// P3: without a bearer transport, and without a session, the handler is told.
#[tokio::test]
async fn p3_what_cannot_be_issued_is_an_error() {
    let sessions = Sessions::in_memory().unwrap();
    let session = sessions.start().await.unwrap();
    session.login("ada").unwrap();
    let error = session.issue_bearer().await.unwrap_err();
    assert!(error.to_string().contains(".bearer(Bearer::new())"), "{error}");
    let builder = Sessions::builder().store(MemoryStore::new()).bearer(Bearer::new());
    let session = builder.build().unwrap().start().await.unwrap();
    assert_eq!(session.issue_bearer().await.unwrap_err().kind(), ErrorKind::Misuse);
}
