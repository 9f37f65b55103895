//! P14, X9: forged requests, through HTTP.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use axum::extract::DefaultBodyLimit;
use axum::response::IntoResponse;
use axum::routing::{get, post};
use axum::{Form, Json, Router};
use http::header::{ACCEPT, CACHE_CONTROL, CONTENT_TYPE, HOST, LOCATION, ORIGIN, VARY};
use http::request::Builder;
use http::{HeaderName, Method, Request, StatusCode};
use tenure_core::Sessions;
use tenure_core::csrf::{OriginCheck, Refusal};
use tenure_core::engine::Connection;
use tenure_core::guard::TrustedProxies;
use tenure_core::store::StoreErrorKind;
use tenure_tower::axum::{Csrf, Error, Session};
use tenure_tower::csrf::{CsrfAction, CsrfLayer};
use tenure_tower::{PlainText, SessionLayer};

use crate::client::{Answer, Client};
use crate::store::{Fault, Spy};

const SITE: &str = "sec-fetch-site";
const TOKEN: &str = "x-csrf-token";
const FORM: &str = "application/x-www-form-urlencoded";
type Fields = BTreeMap<String, String>;

/// Routes that hand out tokens and count what reaches them.
fn routes() -> Router {
    async fn act(session: Session) -> Result<String, Error> {
        session.increment("n", 1)?;
        Ok(session.get::<u32>("n")?.unwrap_or_default().to_string())
    }
    async fn form(session: Session, Csrf(Form(form)): Csrf<Form<Fields>>) -> Result<String, Error> {
        session.increment("n", 1)?;
        Ok(form.get("name").cloned().unwrap_or_default())
    }
    async fn login(session: Session) -> Result<String, Error> {
        session.login("ada")?;
        Ok(session.csrf_token()?)
    }
    Router::new()
        .route(
            "/token",
            get(|session: Session| async move { session.csrf_token().map_err(Error::from) }),
        )
        .route(
            "/n",
            get(|session: Session| async move {
                session.get::<u32>("n").unwrap().unwrap_or(0).to_string()
            }),
        )
        .route("/act", get(act).fallback(act))
        .route("/form", get(form).fallback(form))
        .route(
            "/json",
            post(|Csrf(Json(fields)): Csrf<Json<Fields>>| async move { fields["name"].clone() }),
        )
        .route("/text", post(|Csrf(text): Csrf<String>| async move { text }))
        .route("/hook", post(act))
        .route("/hook/form", post(form))
        .route("/login", get(login))
}

fn behind(layer: CsrfLayer) -> Client {
    Client::new(&routes().layer(layer).layer(SessionLayer::new(Sessions::in_memory().unwrap())))
}

fn plain() -> CsrfLayer {
    CsrfLayer::new(OriginCheck::new())
}

/// A form as a browser posts it.
async fn submit(client: &mut Client, path: &str, body: impl Into<String>) -> Answer {
    let request = Request::post(path).header(CONTENT_TYPE, FORM).header(SITE, "same-origin");
    client.send_body(request, body.into()).await
}

async fn token(client: &mut Client) -> String {
    let answer = client.get("/token").await;
    assert_eq!(answer.status, StatusCode::OK, "{answer:?}");
    answer.body
}

fn refused(answer: &Answer) -> bool {
    answer.status == StatusCode::FORBIDDEN && answer.all(CACHE_CONTROL) == ["no-store"]
}

#[tokio::test]
async fn t_csrf_1_what_another_origin_sends_does_not_reach_the_handler() {
    let check = OriginCheck::new().trusted_origin("https://pay.test").unwrap();
    let mut client = behind(CsrfLayer::new(check));
    let passes: &[(&str, &[(&str, &str)])] = &[
        ("GET", &[(SITE, "cross-site"), ("origin", "https://evil.test")]),
        ("POST", &[(SITE, "same-origin"), ("origin", "https://shop.test")]),
        ("POST", &[(SITE, "none")]),
        ("POST", &[]),
        ("PUT", &[(SITE, "cross-site"), ("origin", "https://pay.test")]),
        ("DELETE", &[("origin", "https://shop.test")]),
    ];
    let refuses: &[(&str, &[(&str, &str)])] = &[
        ("POST", &[(SITE, "cross-site")]),
        ("POST", &[(SITE, "same-site"), ("origin", "https://shop.test")]),
        ("PUT", &[("origin", "https://evil.test")]),
        ("PATCH", &[("origin", "null")]),
        ("DELETE", &[("origin", "http://shop.test")]),
        ("TRACE", &[("origin", "https://shop.test:8443")]),
        ("POST", &[(SITE, "junk")]),
        ("POST", &[(SITE, "same-origin"), (SITE, "same-origin")]),
        ("POST", &[("origin", "https://pay.test"), ("origin", "https://evil.test")]),
    ];
    let build = |method: &str, headers: &[(&str, &str)]| {
        let request = Request::builder().method(method).uri("/act");
        headers.iter().fold(request, |request, (name, value)| request.header(*name, *value))
    };
    for (done, (method, headers)) in passes.iter().enumerate() {
        let answer = client.send(build(method, headers)).await;
        assert_eq!(answer.body, (done + 1).to_string(), "{method} {headers:?}");
    }
    for (method, headers) in refuses {
        let answer = client.send(build(method, headers)).await;
        assert!(refused(&answer), "{method} {headers:?}: {answer:?}");
    }
    assert_eq!(client.get("/n").await.body, passes.len().to_string());
}

#[tokio::test]
async fn t_csrf_1_strict_mode_refuses_what_does_not_say_where_it_comes_from() {
    let mut client = behind(CsrfLayer::new(OriginCheck::new().strict()));
    assert!(refused(&client.send(Request::post("/act")).await));
    let own = Request::post("/act").header(ORIGIN, "https://shop.test");
    assert_eq!(client.send(own).await.status, StatusCode::OK);
}

/// T-CSRF-2: exemptions hold for one path, and for the token as well.
#[tokio::test]
async fn t_csrf_2_p14_an_exempted_path_is_that_path_alone() {
    let exempts =
        || OriginCheck::new().bypass_path("/hook").unwrap().bypass_path("/hook/form").unwrap();
    for layer in [CsrfLayer::new(exempts()), CsrfLayer::new(exempts()).require_token()] {
        let mut client = behind(layer);
        let forged = |path: &str| Request::post(path).header(SITE, "cross-site");
        assert_eq!(client.send(forged("/hook")).await.body, "1");
        let form = forged("/hook/form").header(CONTENT_TYPE, FORM);
        assert_eq!(client.send_body(form, "name=ada").await.body, "ada");
        for path in ["/hook/", "/hook//form", "/hoo%6B", "/act", "/form"] {
            assert!(refused(&client.send(forged(path)).await), "{path}");
        }
    }
}

/// T-CSRF-2: inside of `nest` a path has lost its beginning; what is exempted outside is meant whole.
#[tokio::test]
async fn t_csrf_2_a_path_is_the_one_that_the_layer_sees() {
    let check = OriginCheck::new().bypass_path("/hook/form").unwrap();
    let nested = Router::new().nest("/api", routes()).merge(routes()).layer(CsrfLayer::new(check));
    let session = SessionLayer::new(Sessions::in_memory().unwrap());
    let mut client = Client::new(&nested.layer(session));
    assert_eq!(submit(&mut client, "/hook/form", "name=ada").await.body, "ada");
    assert!(refused(&submit(&mut client, "/api/hook/form", "name=ada").await));
}

/// T-CSRF-4: the scheme counts where it is known, by the URI, the connection or the application.
#[tokio::test]
async fn t_csrf_4_the_scheme_counts_where_it_is_known() {
    async fn send(layer: CsrfLayer, connection: Option<Connection>, origin: &str) -> StatusCode {
        use tower::ServiceExt;
        let mut request = Request::post("/").header(HOST, "shop.test").header(ORIGIN, origin);
        if let Some(connection) = connection {
            request = request.extension(connection);
        }
        let app = Router::new().route("/", post(|| async {})).layer(layer);
        app.oneshot(request.body(axum::body::Body::empty()).unwrap()).await.unwrap().status()
    }
    let (http, https) = ("http://shop.test", "https://shop.test");
    let connection = |secure| Some(Connection::new().secure(secure));
    for (layer, connection, passes) in [
        (plain(), None, [true, true]),
        (plain(), connection(true), [false, true]),
        (plain(), connection(false), [true, false]),
        (plain().https_when(|_| true), connection(false), [false, true]),
        (plain().https_when(|_| false), None, [true, false]),
    ] {
        for (origin, passes) in [http, https].into_iter().zip(passes) {
            let expected = if passes { StatusCode::OK } else { StatusCode::FORBIDDEN };
            assert_eq!(send(layer.clone(), connection, origin).await, expected, "{origin}");
        }
    }
}

/// T-CSRF-4: what proxies tell the session layer counts here, too.
#[tokio::test]
async fn t_csrf_4_the_session_layer_knows_the_scheme() {
    let sessions = Sessions::in_memory().unwrap();
    let proxies = TrustedProxies::hops(1);
    let app = Router::new()
        .route("/", post(|| async {}))
        .layer(plain())
        .layer(SessionLayer::new(sessions).trusted_proxies(proxies));
    let mut client = Client::plain(&app);
    for (proto, origin, passes) in [
        ("https", "https://shop.test", true),
        ("https", "http://shop.test", false),
        ("http", "http://shop.test", true),
    ] {
        let request = Request::post("/")
            .header(HOST, "shop.test")
            .header("x-forwarded-proto", proto)
            .header("x-forwarded-for", "192.0.2.7")
            .header(ORIGIN, origin);
        let status = client.send(request).await.status;
        assert_eq!(status == StatusCode::OK, passes, "{proto} {origin}: {status}");
    }
}

/// T-CSRF-1: a WebSocket of another origin is refused, and one of ours needs no token.
#[tokio::test]
async fn t_csrf_1_a_websocket_of_another_origin_is_refused() {
    let mut client = behind(plain().require_token());
    let handshake = |site: &'static str| {
        let request = Request::get("/act").header("connection", "upgrade");
        request.header("upgrade", "websocket").header(SITE, site)
    };
    assert!(refused(&client.send(handshake("cross-site")).await));
    assert!(refused(&client.send(handshake("same-site")).await));
    assert_eq!(client.send(handshake("same-origin")).await.status, StatusCode::OK);
    let mut seen = behind(plain().action(CsrfAction::InsecureNone));
    assert_eq!(seen.send(handshake("cross-site")).await.status, StatusCode::OK);
}

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

#[tokio::test]
async fn p14_other_names_of_header_and_field() {
    let names =
        || plain().token_header(HeaderName::from_static("x-xsrf")).token_field("auth[token]");
    let mut ada = behind(names());
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

/// Over a real connection the URI has no host, and octets are as they were sent.
#[tokio::test]
async fn t_csrf_1_t_csrf_4_over_a_real_connection() {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let session = SessionLayer::new(Sessions::in_memory().unwrap());
    let app = routes().layer(plain()).layer(session);
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let server = tokio::spawn(async move { axum::serve(listener, app).await });
    let cases: [(&[u8], &str); 8] = [
        (b"origin: http://shop.test:8080\r\n", "200"),
        (b"origin: https://SHOP.test:8080\r\n", "200"),
        (b"sec-fetch-site: same-origin\r\norigin: null\r\n", "200"),
        (b"origin: http://shop.test\r\n", "403"),
        (b"origin: http://evil.test:8080\r\n", "403"),
        (b"Sec-Fetch-Site: cross-site\r\n", "403"),
        (b"origin: http://shop.test:8080\xff\r\n", "403"),
        (b"origin: http://shop.test:8080\r\nOrigin: http://evil.test\r\n", "403"),
    ];
    for (headers, status) in cases {
        let mut stream = tokio::net::TcpStream::connect(address).await.unwrap();
        let begins = "POST /act HTTP/1.1\r\nhost: shop.test:8080\r\nconnection: close\r\n";
        let request = [begins.as_bytes(), headers, b"content-length: 0\r\n\r\n"].concat();
        stream.write_all(&request).await.unwrap();
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).await.unwrap();
        let answer = String::from_utf8(answer).unwrap();
        let expected = format!("HTTP/1.1 {status} ");
        assert!(answer.starts_with(&expected), "{}: {answer}", String::from_utf8_lossy(headers));
    }
    server.abort();
}
