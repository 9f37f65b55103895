//! Where a request comes from: asked of the browser.

use axum::Router;
use axum::routing::post;
use http::header::{CONTENT_TYPE, HOST, ORIGIN};
use http::{Request, StatusCode};
use tenure_core::Sessions;
use tenure_core::csrf::OriginCheck;
use tenure_core::engine::Connection;
use tenure_core::guard::TrustedProxies;
use tenure_tower::SessionLayer;
use tenure_tower::csrf::{CsrfAction, CsrfLayer};

use super::{FORM, SITE, behind, plain, refused, routes, submit};
use crate::client::Client;

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
