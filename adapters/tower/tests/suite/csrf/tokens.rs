//! Tokens of the session, in a header or in the field of a form.

use axum::extract::DefaultBodyLimit;
use axum::response::IntoResponse;
use http::header::{CONTENT_TYPE, LOCATION, ORIGIN, VARY};
use http::request::Builder;
use http::{HeaderName, Method, Request, StatusCode};
use tenure_core::Sessions;
use tenure_core::store::{MemoryStore, StoreErrorKind};
use tenure_tower::{PlainText, SessionLayer};

use super::{FORM, SITE, TOKEN, behind, plain, refused, routes, submit, token};
use crate::client::{Answer, Client};
use crate::store::{Fault, Spy};

/// The token in a header, asked for by the layer.
#[tokio::test]
async fn t_csrf_3_x9_a_layer_that_asks_for_the_token_in_a_header() {
    let mut ada = behind(plain().require_token());
    let mut eve = Client::new(ada.app());
    let (hers, others) = (token(&mut ada).await, token(&mut eve).await);
    let act = |method: Method, tokens: &[&str]| -> Builder {
        let request = Request::builder().method(method).uri("/act");
        tokens.iter().fold(request, |request, token| request.header(TOKEN, *token))
    };
    let (good, cut) = (hers.as_str(), &hers[1..]);
    let wrong: [&[&str]; 6] = [&[], &[&others], &[""], &["junk"], &[good, good], &[cut]];
    for method in [Method::POST, Method::PUT, Method::PATCH, Method::DELETE] {
        assert_eq!(ada.send(act(method.clone(), &[&hers])).await.status, StatusCode::OK);
        for wrong in wrong {
            assert!(refused(&ada.send(act(method.clone(), wrong)).await), "{method} {wrong:?}");
        }
    }
    assert_eq!(ada.get("/act").await.body, "5", "safe methods need none");
    let mut stranger = Client::new(ada.app());
    let answer = stranger.send(act(Method::POST, &[&hers])).await;
    assert!(refused(&answer) && answer.sets_no_cookie(), "without a session no token is good");
    let forged = act(Method::POST, &[&hers]).header(SITE, "cross-site");
    assert!(refused(&ada.send(forged).await), "the origin counts as well");
    let form = submit(&mut ada, "/form", format!("_csrf={hers}")).await;
    assert!(refused(&form), "this layer reads no body");
    let again = Request::post("/form").header(CONTENT_TYPE, FORM).header(TOKEN, &hers);
    assert_eq!(
        ada.send_body(again, "name=ada").await.body,
        "ada",
        "the extractor asks for no other"
    );
}

/// The token in the field of a form, asked for by the extractor, with and without a layer.
#[tokio::test]
async fn t_csrf_3_x9_a_form_with_its_token_in_a_field() {
    let sessions = Sessions::in_memory().unwrap();
    let without = Client::new(&routes().layer(SessionLayer::new(sessions)));
    for mut ada in [behind(plain()), without] {
        let (first, second) = (token(&mut ada).await, token(&mut ada).await);
        assert_ne!(first, second, "masked on every output");
        let good = [
            format!("_csrf={first}&name=ada"),
            format!("name=ada&_csrf={second}"),
            format!("%5Fcsrf={first}&name=ada"),
            format!("name=%61da&x&=&_csrf={first}"),
        ];
        for body in good {
            assert_eq!(submit(&mut ada, "/form", &body).await.body, "ada", "{body}");
        }
        let other = token(&mut Client::new(ada.app())).await;
        let wrong = [
            "name=ada".to_owned(),
            String::new(),
            "_csrf=&name=ada".to_owned(),
            "_csrf&name=ada".to_owned(),
            format!("_csrf={other}&name=ada"),
            format!("_csrf={first}&_csrf={first}&name=ada"),
            format!("_csrf={first}&%5fcsrf={other}&name=ada"),
            format!("_csrf={first}%2C&name=ada"),
            format!("_csrf={first}+&name=ada"),
            format!("_CSRF={first}&name=ada"),
            format!("csrf={first}&name=ada"),
            "_csrf=%FF&name=ada".to_owned(),
        ];
        for body in &wrong {
            assert!(refused(&submit(&mut ada, "/form", body).await), "{body}");
        }
        assert_eq!(ada.get("/n").await.body, "4");
        assert_eq!(ada.get("/form?name=eve").await.body, "eve", "safe methods need none");
        let header = Request::post("/form").header(CONTENT_TYPE, FORM).header(TOKEN, &first);
        assert_eq!(ada.send_body(header, "name=ada").await.body, "ada");
        let header = Request::post("/form").header(CONTENT_TYPE, FORM).header(TOKEN, &other);
        let both = ada.send_body(header, format!("_csrf={first}&name=ada")).await;
        assert!(refused(&both), "a wrong one in the header is wrong");
    }
}

/// Bodies of other types bring the token in the header, and are not searched for it.
#[tokio::test]
async fn t_csrf_3_other_bodies_have_their_token_in_the_header() {
    let mut ada = behind(plain());
    let hers = token(&mut ada).await;
    let json = || Request::post("/json").header(CONTENT_TYPE, "application/json");
    let body = r#"{"name":"ada"}"#;
    assert_eq!(ada.send_body(json().header(TOKEN, &hers), body).await.body, "ada");
    assert!(refused(&ada.send_body(json(), body).await));
    for kind in ["text/plain", "multipart/form-data; boundary=x", "application/x-www-form", ""] {
        let request = Request::post("/text").header(CONTENT_TYPE, kind);
        assert!(refused(&ada.send_body(request, format!("_csrf={hers}")).await), "{kind}");
    }
    let form = "Application/X-WWW-form-urlencoded ; charset=utf-8";
    let request = Request::post("/text").header(CONTENT_TYPE, form);
    let body = format!("_csrf={hers}");
    assert_eq!(ada.send_body(request, body.clone()).await.body, body, "the body is left whole");
}

/// T-FIX-3: what was made before a login is dead after it; the answer to it has one that is not.
#[tokio::test]
async fn t_fix_3_a_login_ends_the_tokens_made_before() {
    for layer in [plain(), plain().require_token()] {
        let mut ada = behind(layer);
        let before = token(&mut ada).await;
        let mut old = ada.clone();
        let after = ada.get("/login").await.body;
        let send =
            |token: &str| Request::post("/form").header(CONTENT_TYPE, FORM).header(TOKEN, token);
        assert!(refused(&ada.send_body(send(&before), "name=ada").await));
        assert_eq!(ada.send_body(send(&after), "name=ada").await.body, "ada");
        for token in [&before, &after] {
            assert!(refused(&old.send_body(send(token), "name=ada").await), "the old cookie");
        }
    }
}

/// T-NIST-3: POST and PUT carry what the session verifies; over HTTPS nothing leads back to HTTP, and
/// neither cookie nor token says who somebody is.
#[tokio::test]
async fn t_nist_3_requests_that_change_carry_a_verified_identifier() {
    let mut ada = behind(plain().require_token());
    let hers = ada.get("/login").await.body;
    for method in [Method::POST, Method::PUT] {
        let request = || Request::builder().method(method.clone()).uri("/act");
        let refusal = ada.send(request()).await;
        assert!(refused(&refusal) && !refusal.headers.contains_key(LOCATION));
        assert_eq!(ada.send(request().header(TOKEN, &hers)).await.status, StatusCode::OK);
        let downgraded = request().header(TOKEN, &hers).header(ORIGIN, "http://shop.test");
        assert!(refused(&ada.send(downgraded).await));
    }
    assert!(!hers.contains("ada") && !ada.token().contains("ada"));
}

/// R20: a page with a token is one visitor's: it says so to caches, and each has another.
#[tokio::test]
async fn r20_a_token_is_never_shared() {
    let mut ada = behind(plain());
    let mut eve = Client::new(ada.app());
    for client in [&mut ada, &mut eve] {
        client.get("/token").await;
    }
    let (one, other) = (ada.get("/token").await, eve.get("/token").await);
    assert_ne!(one.body, other.body);
    assert_eq!(one.all(VARY), ["cookie"]);
    let body = |answer: &Answer| format!("_csrf={}&name=ada", answer.body);
    assert!(refused(&submit(&mut ada, "/form", body(&other)).await));
    assert_eq!(submit(&mut ada, "/form", body(&one)).await.body, "ada");
    for cookie in ["__Host-id=\"", "a]b", "x=1,csrf", "_csrf=chosen"] {
        let request = Request::post("/form").header(CONTENT_TYPE, FORM).header("cookie", cookie);
        let mut stranger = Client::new(ada.app());
        assert!(refused(&stranger.send_body(request, "_csrf=chosen").await), "{cookie}");
    }
}

#[tokio::test]
async fn p14_other_names_of_header_and_field() {
    let names = || plain().token_header(HeaderName::from_static("x-xsrf"));
    let builder = Sessions::builder().store(MemoryStore::new()).csrf_field("auth[token]");
    let session = SessionLayer::new(builder.build().unwrap());
    let mut ada = Client::new(&routes().layer(names()).layer(session));
    let hers = token(&mut ada).await;
    for (field, status) in [("auth%5Btoken%5D", 200), ("auth[token]", 200), ("_csrf", 403)] {
        let answer = submit(&mut ada, "/form", format!("{field}={hers}")).await;
        assert_eq!(answer.status, status, "{field}");
    }
    let mut ada = behind(names().require_token());
    let hers = token(&mut ada).await;
    for (name, status) in [("x-xsrf", 200), (TOKEN, 403)] {
        let answer = ada.send(Request::post("/act").header(name, &hers)).await;
        assert_eq!(answer.status, status, "{name}");
    }
}

/// The wrong order is a clear error and lets nothing pass; the check of the origin needs no order.
#[tokio::test]
async fn t_csrf_3_a_token_without_a_session_layer_is_a_clear_error() {
    let session = || SessionLayer::new(Sessions::in_memory().unwrap());
    let outside = routes().layer(session()).layer(plain().require_token());
    let answer = Client::new(&outside).send(Request::post("/act").header(TOKEN, "x")).await;
    assert_eq!(answer.status, StatusCode::INTERNAL_SERVER_ERROR);
    assert!(answer.body.contains("not inside of a SessionLayer"), "{}", answer.body);
    assert_eq!(Client::new(&outside).get("/act").await.body, "1");

    let without = routes().layer(plain());
    let answer = submit(&mut Client::new(&without), "/form", "_csrf=x").await;
    assert_eq!(answer.status, StatusCode::INTERNAL_SERVER_ERROR);
    assert!(answer.body.contains("SessionLayer"), "{}", answer.body);

    let mut other_order = Client::new(&routes().layer(session()).layer(plain()));
    assert_eq!(other_order.send(Request::post("/act")).await.body, "1");
    assert!(refused(&other_order.send(Request::post("/act").header(SITE, "same-site")).await));
    let hers = token(&mut other_order).await;
    let form = submit(&mut other_order, "/form", format!("_csrf={hers}&name=ada")).await;
    assert_eq!(form.body, "ada");
}

/// X14: a store that is down is 503, as its layer renders it, and never a request let through.
#[tokio::test]
async fn t_csrf_3_a_store_that_is_down_is_no_forged_request() {
    let store = Spy::default();
    let sessions = store.builder().build().unwrap();
    let rendered = SessionLayer::new(sessions)
        .error_response(|error| (PlainText::status(error), "rendered").into_response());
    for layer in [plain(), plain().require_token()] {
        let mut ada = Client::new(&routes().layer(layer).layer(rendered.clone()));
        let hers = token(&mut ada).await;
        store.fail("load", Fault::Fails(StoreErrorKind::Unavailable));
        let request = Request::post("/form").header(CONTENT_TYPE, FORM).header(TOKEN, &hers);
        let answer = ada.send_body(request, "name=ada").await;
        assert_eq!((answer.status.as_u16(), answer.body.as_str()), (503, "rendered"));
        assert!(answer.sets_no_cookie());
        store.heal();
    }
}

/// What is checked costs the store nothing but the load that the handler makes anyway, and what is
/// refused by its origin not even that.
#[tokio::test]
async fn x9_what_is_refused_by_its_origin_costs_no_store_call() {
    let store = Spy::default();
    let session = SessionLayer::new(store.builder().build().unwrap());
    let mut ada = Client::new(&routes().layer(plain().require_token()).layer(session));
    let hers = token(&mut ada).await;
    assert_eq!(store.calls(), ["create"]);
    token(&mut ada).await;
    assert_eq!(store.calls(), ["load"]);
    let forged = Request::post("/act").header(TOKEN, &hers).header(SITE, "cross-site");
    ada.send(forged).await;
    ada.send(Request::post("/act")).await;
    assert!(store.calls().is_empty());
    ada.send(Request::post("/act").header(TOKEN, &hers)).await;
    assert_eq!(store.calls(), ["load", "apply"]);
}

#[tokio::test]
async fn t_csrf_3_forms_are_read_within_the_limit() {
    let session = SessionLayer::new(Sessions::in_memory().unwrap());
    let app = routes().layer(DefaultBodyLimit::max(200)).layer(plain()).layer(session);
    let mut ada = Client::new(&app);
    let hers = token(&mut ada).await;
    let large = format!("_csrf={hers}&name={}", "a".repeat(200));
    let answer = submit(&mut ada, "/form", large).await;
    assert_eq!(answer.status, StatusCode::PAYLOAD_TOO_LARGE);
    assert_eq!(submit(&mut ada, "/form", format!("_csrf={hers}&name=ada")).await.body, "ada");
}
