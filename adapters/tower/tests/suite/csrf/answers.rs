//! What a refused request gets: by the action, and as a page.

use std::sync::{Arc, Mutex};

use axum::response::IntoResponse;
use http::header::{ACCEPT, CONTENT_TYPE};
use http::request::Builder;
use http::{Request, StatusCode};
use tenure_core::Sessions;
use tenure_core::csrf::Refusal;
use tenure_tower::SessionLayer;
use tenure_tower::csrf::CsrfAction;

use super::{FORM, SITE, TOKEN, behind, plain, refused, routes, submit};
use crate::client::Client;

/// P14: fail, log, none.
#[tokio::test]
async fn p14_actions_fail_log_and_none() {
    for action in [CsrfAction::Fail, CsrfAction::InsecureLog, CsrfAction::InsecureNone] {
        let seen = Arc::new(Mutex::new(Vec::new()));
        let notes = Arc::clone(&seen);
        let hook = move |refusal, parts: &http::request::Parts| {
            notes.lock().unwrap().push((refusal, parts.uri.path().to_owned()));
        };
        let layer = || plain().action(action).on_refusal(hook.clone());
        let forged = |path: &str| Request::post(path).header(SITE, "cross-site");
        let answers = [
            behind(layer()).send(forged("/act")).await,
            behind(layer().require_token()).send(Request::post("/act")).await,
            behind(layer().require_token()).send(Request::post("/act").header(TOKEN, "x")).await,
            submit(&mut behind(layer()), "/form", "name=1").await,
        ];
        let expected = if action == CsrfAction::Fail { 403 } else { 200 };
        for answer in answers {
            assert_eq!(answer.status, expected, "{action:?}: {answer:?}");
            assert!(expected == 403 || answer.body == "1", "the handler ran");
        }
        let seen = std::mem::take(&mut *seen.lock().unwrap());
        let all = [
            (Refusal::CrossOrigin, "/act".to_owned()),
            (Refusal::NoToken, "/act".to_owned()),
            (Refusal::WrongToken, "/act".to_owned()),
            (Refusal::NoToken, "/form".to_owned()),
        ];
        let expected = if action == CsrfAction::InsecureNone { &[][..] } else { &all };
        assert_eq!(seen, expected, "{action:?}");
    }
}

/// A small page, as HTML or text, and never why.
#[tokio::test]
async fn p14_the_page_is_clear_and_in_the_clients_language() {
    let cases = [
        (Some("text/html,application/xhtml+xml;q=0.9,*/*;q=0.8"), true),
        (Some("application/json, TEXT/HTML;q=0.5"), true),
        (Some("*/*"), false),
        (Some("application/json"), false),
        (Some("text/html;q=0"), false),
        (Some("text/html;q=0.0, text/plain"), false),
        (None, false),
    ];
    for (accept, html) in cases {
        let with = |request: Builder| match accept {
            Some(accept) => request.header(ACCEPT, accept),
            None => request,
        };
        let mut client = behind(plain());
        let forged = client.send(with(Request::post("/act").header(SITE, "cross-site"))).await;
        let form = Request::post("/form").header(CONTENT_TYPE, FORM);
        let stale = client.send_body(with(form), "_csrf=old").await;
        for (answer, says) in [(forged, "This request was refused"), (stale, "out of date")] {
            assert!(refused(&answer), "{accept:?}: {answer:?}");
            let kind = if html { "text/html; charset=utf-8" } else { "text/plain; charset=utf-8" };
            assert_eq!(answer.all(CONTENT_TYPE), [kind], "{accept:?}");
            assert_eq!(answer.body.contains("<h1>"), html);
            assert!(answer.body.contains(says), "{}", answer.body);
            assert!(!answer.body.to_lowercase().contains("sec-fetch"));
        }
    }
}

/// The page can be replaced, for what the extractor refuses as well.
#[tokio::test]
async fn p14_the_page_can_be_replaced() {
    let layer = plain().error_response(|refusal, headers| {
        let host = headers.get("x-mark").map_or("-", |value| value.to_str().unwrap());
        (StatusCode::IM_A_TEAPOT, format!("{refusal:?} {host}")).into_response()
    });
    let app = routes().layer(layer).layer(SessionLayer::new(Sessions::in_memory().unwrap()));
    let mut client = Client::new(&app);
    let marked = |path: &str| Request::post(path).header("x-mark", "seen");
    let forged = client.send(marked("/act").header(SITE, "cross-site")).await;
    assert_eq!((forged.status.as_u16(), forged.body.as_str()), (418, "CrossOrigin seen"));
    let form = client.send_body(marked("/form").header(CONTENT_TYPE, FORM), "a=b").await;
    assert_eq!((form.status.as_u16(), form.body.as_str()), (418, "NoToken seen"));
    assert_eq!(form.all(CONTENT_TYPE), ["text/plain; charset=utf-8"]);
}
