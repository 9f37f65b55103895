//! T-CSRF-1, T-CSRF-2, T-CSRF-4, R21: which requests the origin check lets pass.

use http::header::{HOST, ORIGIN};
use http::request::Parts;
use http::{HeaderValue, Method, Request};
use proptest::prelude::*;
use tenure_core::ErrorKind;
use tenure_core::csrf::{OriginCheck, Refusal};
use tenure_core::engine::Connection;

const TRUSTED: &str = "https://pay.test";

fn check() -> OriginCheck {
    OriginCheck::new().trusted_origin(TRUSTED).unwrap()
}

/// A request with these headers, where they are not empty.
fn request(method: &str, site: &str, origin: &str, host: &str) -> Parts {
    let mut request = Request::builder().method(method).uri("/");
    for (name, value) in [("sec-fetch-site", site), ("origin", origin), ("host", host)] {
        if !value.is_empty() {
            request = request.header(name, value);
        }
    }
    request.body(()).unwrap().into_parts().0
}

fn https(secure: bool) -> Option<Connection> {
    Some(Connection::new().secure(secure))
}

/// Each step of the order, and what would have happened one step later.
#[test]
fn t_csrf_1_the_order_of_the_check() {
    use Refusal::{CrossOrigin, Malformed, NoOrigin, NullOrigin, OtherHost};
    let cases = [
        // Safe methods pass, whatever comes with them.
        (("GET", "cross-site", "https://evil.test", "shop.test"), Ok(()), Ok(())),
        (("HEAD", "cross-site", "null", "shop.test"), Ok(()), Ok(())),
        (("OPTIONS", "junk", "junk", ""), Ok(()), Ok(())),
        (("get", "cross-site", "", "shop.test"), Err(CrossOrigin), Err(CrossOrigin)),
        (("TRACE", "cross-site", "", "shop.test"), Err(CrossOrigin), Err(CrossOrigin)),
        // A trusted origin passes, whatever the browser thinks of it.
        (("POST", "cross-site", TRUSTED, "shop.test"), Ok(()), Ok(())),
        (("POST", "same-site", TRUSTED, "shop.test"), Ok(()), Ok(())),
        (("POST", "", TRUSTED, "shop.test"), Ok(()), Ok(())),
        (("POST", "", "https://PAY.test:443", "shop.test"), Ok(()), Ok(())),
        (("POST", "", "http://pay.test", "shop.test"), Err(OtherHost), Err(OtherHost)),
        // Sec-Fetch-Site decides before Origin does.
        (("POST", "same-origin", "https://evil.test", "shop.test"), Ok(()), Ok(())),
        (("POST", "none", "", "shop.test"), Ok(()), Ok(())),
        (("POST", "same-origin", "null", "shop.test"), Ok(()), Ok(())),
        (
            ("POST", "same-site", "https://shop.test", "shop.test"),
            Err(CrossOrigin),
            Err(CrossOrigin),
        ),
        (
            ("PUT", "cross-site", "https://shop.test", "shop.test"),
            Err(CrossOrigin),
            Err(CrossOrigin),
        ),
        (
            ("PATCH", "Same-Origin", "https://shop.test", "shop.test"),
            Err(Malformed),
            Err(Malformed),
        ),
        (("POST", "same-origin, none", "", "shop.test"), Err(Malformed), Err(Malformed)),
        // Neither of them.
        (("POST", "", "", "shop.test"), Ok(()), Err(NoOrigin)),
        (("POST", "", "", ""), Ok(()), Err(NoOrigin)),
        // Origin and Host.
        (("POST", "", "https://shop.test", "shop.test"), Ok(()), Ok(())),
        (("DELETE", "", "https://evil.test", "shop.test"), Err(OtherHost), Err(OtherHost)),
        (("POST", "", "null", "shop.test"), Err(NullOrigin), Err(NullOrigin)),
        (("POST", "", "shop.test", "shop.test"), Err(Malformed), Err(Malformed)),
        (("POST", "same-origin", "shop.test", "shop.test"), Err(Malformed), Err(Malformed)),
        (("POST", "", "https://shop.test", ""), Err(Malformed), Err(Malformed)),
        (("POST", "", "https://shop.test", "user@shop.test"), Err(Malformed), Err(Malformed)),
        (("POST", "", "ftp://shop.test", "shop.test"), Err(OtherHost), Err(OtherHost)),
    ];
    for ((method, site, origin, host), expected, strictly) in cases {
        let request = request(method, site, origin, host);
        assert_eq!(check().check(&request, None), expected, "{request:?}");
        assert_eq!(check().strict().check(&request, None), strictly, "strict: {request:?}");
    }
}

/// T-CSRF-4: an origin is scheme, host and port.
#[test]
fn t_csrf_4_scheme_and_port_count() {
    use Refusal::{OtherHost, OtherScheme};
    let cases = [
        ("https://shop.test", "shop.test", https(true), Ok(())),
        ("http://shop.test", "shop.test", https(true), Err(OtherScheme)),
        ("https://shop.test", "shop.test", https(false), Err(OtherScheme)),
        ("http://shop.test", "shop.test", https(false), Ok(())),
        ("http://shop.test", "shop.test", None, Ok(())),
        ("https://shop.test:443", "shop.test", None, Ok(())),
        ("https://shop.test", "shop.test:443", None, Ok(())),
        ("http://shop.test", "shop.test:443", None, Err(OtherHost)),
        ("https://shop.test", "shop.test:80", None, Err(OtherHost)),
        ("https://shop.test:8443", "shop.test", None, Err(OtherHost)),
        ("https://shop.test:8443", "shop.test:8443", None, Ok(())),
        ("https://SHOP.test", "shop.TEST", None, Ok(())),
        ("https://shop.test.", "shop.test", None, Err(OtherHost)),
        ("https://shop.test.evil.test", "shop.test", None, Err(OtherHost)),
        ("https://evilshop.test", "shop.test", None, Err(OtherHost)),
        ("https://[::1]:3000", "[0:0::1]:3000", None, Ok(())),
        ("https://[::2]", "[::1]", None, Err(OtherHost)),
    ];
    for (origin, host, connection, expected) in cases {
        let request = request("POST", "", origin, host);
        assert_eq!(check().check(&request, connection), expected, "{origin} {host}");
    }
}

/// The URI's own scheme and host count, too: HTTP/2 has no `Host`.
#[test]
fn t_csrf_4_the_authority_of_the_uri_is_the_host() {
    let post = |uri: &str, host: &str| {
        let mut parts = request("POST", "", "https://shop.test", host);
        parts.uri = uri.parse().unwrap();
        check().check(&parts, None)
    };
    assert_eq!(post("https://shop.test/", ""), Ok(()));
    assert_eq!(post("https://shop.test/", "Shop.test"), Ok(()));
    assert_eq!(post("http://shop.test/", ""), Err(Refusal::OtherScheme));
    assert_eq!(post("https://other.test/", ""), Err(Refusal::OtherHost));
    assert_eq!(post("https://shop.test/", "other.test"), Err(Refusal::Malformed), "they differ");
    assert_eq!(post("https://other.test/", "shop.test"), Err(Refusal::Malformed), "they differ");
}

/// A header that is there twice is refused, even if each of the two would pass.
#[test]
fn t_csrf_1_headers_that_are_there_twice_are_refused() {
    for (name, value) in
        [("sec-fetch-site", "same-origin"), ("origin", TRUSTED), ("host", "shop.test")]
    {
        let site = if name == "host" { "" } else { "same-origin" };
        let origin = if name == "host" { "https://shop.test" } else { TRUSTED };
        let mut request = request("POST", site, origin, "shop.test");
        assert_eq!(check().check(&request, None), Ok(()));
        request.headers.append(name, HeaderValue::from_static(value));
        assert_eq!(check().check(&request, None), Err(Refusal::Malformed), "{name}");
    }
}

/// T-CSRF-2: an exempted path is that path to the letter; patterns are refused.
#[test]
fn t_csrf_2_the_bypass_list_is_exact() {
    let check = OriginCheck::new().bypass_path("/hook").unwrap().bypass_path("/a/b/").unwrap();
    let post = |path: &str| {
        let mut parts = request("POST", "cross-site", "https://evil.test", "shop.test");
        parts.uri = path.parse().unwrap();
        check.check(&parts, None)
    };
    for path in ["/hook", "/a/b/", "/hook?x=/other", "http://shop.test/hook"] {
        assert_eq!(post(path), Ok(()), "{path}");
    }
    for path in [
        "/",
        "/hook/",
        "/hook/x",
        "/hooks",
        "/Hook",
        "/%68ook",
        "/hook%2f",
        "/x/../hook",
        "//hook",
        "/./hook",
        "/hook;x",
        "/a/b",
        "/a/b/c",
        "/a//b/",
        "/x?/hook",
        "/hook.",
        "/hook%00",
    ] {
        assert_eq!(post(path), Err(Refusal::CrossOrigin), "{path}");
    }
    for pattern in ["", "hook", "/hook*", "/hook/*", "/{id}", "/a?b", "/a#b", "/ä", "/a b", "*"] {
        let error = OriginCheck::new().bypass_path(pattern).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Config);
        assert!(error.to_string().contains("bypass_path"), "{error}");
    }
}

/// T-CSRF-1: a page of another origin cannot open a WebSocket with the visitor's cookie, though its
/// handshake is a GET.
#[test]
fn t_csrf_1_the_handshake_of_a_websocket_is_checked() {
    let handshake = |upgrade: &str, header: &str, value: &str, path: &str| {
        let request = Request::get(path)
            .header("host", "shop.test")
            .header("connection", "upgrade")
            .header("upgrade", upgrade)
            .header(header, value);
        request.body(()).unwrap().into_parts().0
    };
    let check = OriginCheck::new().trusted_origin("https://chat.test").unwrap();
    let check = check.bypass_path("/open").unwrap();
    for upgrade in ["websocket", "WebSocket", "h2c, websocket", "h2c ,\tWEBSOCKET "] {
        let at = |header, value, path| check.check(&handshake(upgrade, header, value, path), None);
        assert_eq!(at("origin", "https://evil.test", "/"), Err(Refusal::OtherHost), "{upgrade}");
        assert_eq!(at("origin", "null", "/"), Err(Refusal::NullOrigin));
        assert_eq!(at("sec-fetch-site", "cross-site", "/"), Err(Refusal::CrossOrigin));
        assert_eq!(at("sec-fetch-site", "same-site", "/"), Err(Refusal::CrossOrigin));
        assert_eq!(at("origin", "https://shop.test", "/"), Ok(()));
        assert_eq!(at("origin", "https://chat.test", "/"), Ok(()), "trusted");
        assert_eq!(at("origin", "https://evil.test", "/open"), Ok(()), "exempted");
        assert_eq!(at("x-none", "no browser", "/"), Ok(()));
    }
    let other = handshake("h2c", "origin", "https://evil.test", "/");
    assert_eq!(check.check(&other, None), Ok(()), "a GET as any other");
}

/// P14: a trailing `*` only by a method that says what it is.
#[test]
fn p14_a_trailing_star_needs_an_insecure_method() {
    let check = OriginCheck::new().insecure_bypass_below("/hooks/*").unwrap();
    for path in ["/hooks/", "/hooks/pay", "/hooks/a/b.c", "/hooks/..a"] {
        assert!(!check.applies_to(&Method::POST, path), "{path}");
    }
    for path in [
        "/hooks",
        "/hooksx",
        "/Hooks/a",
        "/hooks/../admin",
        "/hooks/..",
        "/hooks/a/../../admin",
        "/hooks/./a",
        "/hooks//a",
        "/hooks/%2e%2e/admin",
        "/hooks/%2E./admin",
        "/hooks/a%2fb",
        "/hooks/a%5Cb",
        "/hooks/..\\admin",
        "/x/hooks/a",
    ] {
        assert!(check.applies_to(&Method::POST, path), "{path}");
    }
    for pattern in ["/hooks", "/hooks*", "*", "hooks/*", "/a/*/b/*", "/{id}/*", "/a?/*", ""] {
        let error = OriginCheck::new().insecure_bypass_below(pattern).unwrap_err();
        assert!(error.to_string().contains("insecure_bypass_below"), "{error}");
    }
}

#[test]
fn t_csrf_1_what_is_no_origin_is_refused_when_it_is_configured() {
    for (wrong, why) in [
        ("", "scheme"),
        ("null", "scheme"),
        ("shop.test", "scheme"),
        ("://shop.test", "scheme"),
        ("1s://shop.test", "scheme"),
        ("h ttps://shop.test", "scheme"),
        ("https://", "host"),
        ("https://:443", "host"),
        ("https://shop test", "host"),
        ("https://shop.test:", "port"),
        ("https://shop.test:65536", "port"),
        ("https://shop.test:+80", "port"),
        ("https://shop.test:80:80", "port"),
        ("https://[::1", "host"),
        ("https://[::1]x", "port"),
        ("https://[shop.test]", "host"),
        ("https://shop.test/", "slash"),
        ("https://shop.test/path", "path"),
        ("https://shop.test?x", "path"),
        ("https://shop.test#x", "path"),
        ("https://*.shop.test", "wildcard"),
        ("*://shop.test", "scheme"),
        ("https://user@shop.test", "user"),
        ("https://schön.test", "xn--"),
    ] {
        let error = OriginCheck::new().trusted_origin(wrong).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Config);
        let text = error.to_string();
        assert!(text.contains("trusted_origin") && text.contains(why), "{wrong:?}: {text}");
    }
    for right in ["https://shop.test", "http://localhost:3000", "capacitor://localhost"] {
        let check = OriginCheck::new().trusted_origin(right).unwrap();
        let request = request("POST", "cross-site", right, "shop.test");
        assert_eq!(check.check(&request, None), Ok(()), "{right}");
    }
}

/// What a row of the table says of an origin, told by hand and not parsed.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Of {
    Nothing,
    Null,
    Junk,
    Trusted,
    Web { scheme: &'static str, host: &'static str, port: u16 },
}

const fn web(scheme: &'static str, host: &'static str, port: u16) -> Of {
    Of::Web { scheme, host, port }
}

/// The rule in prose, as the documentation of Go's `CrossOriginProtection` has it, with the scheme.
fn model(
    method: &str,
    site: &str,
    origin: Of,
    host: (&str, Option<u16>),
    https: Option<bool>,
    strict: bool,
) -> bool {
    if ["GET", "HEAD", "OPTIONS"].contains(&method) {
        return true;
    }
    if origin == Of::Junk {
        return false;
    }
    if origin == Of::Trusted {
        return true;
    }
    if !site.is_empty() {
        return site == "same-origin" || site == "none";
    }
    match origin {
        Of::Nothing => !strict,
        Of::Web { scheme, host: from, port } => {
            let own = host.1.unwrap_or(if scheme == "https" { 443 } else { 80 });
            let schemes_fit = match https {
                None => true,
                Some(true) => scheme == "https",
                Some(false) => scheme == "http",
            };
            from == host.0 && port == own && schemes_fit
        }
        _ => false,
    }
}

/// R21: every combination of method, `Sec-Fetch-Site`, `Origin`, `Host`, scheme and strictness.
#[test]
fn r21_the_check_agrees_with_an_independent_model() {
    let methods = ["GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE", "TRACE", "post"];
    let sites =
        ["", "same-origin", "none", "same-site", "cross-site", "NONE", "null", "same-origin "];
    let origins = [
        ("", Of::Nothing),
        ("null", Of::Null),
        ("NULL", Of::Junk),
        ("shop.test", Of::Junk),
        ("https://shop.test/", Of::Junk),
        ("https://a@shop.test", Of::Junk),
        ("https://shop.test, https://evil.test", Of::Junk),
        (TRUSTED, Of::Trusted),
        ("https://shop.test", web("https", "shop.test", 443)),
        ("http://shop.test", web("http", "shop.test", 80)),
        ("https://shop.test:8443", web("https", "shop.test", 8443)),
        ("http://shop.test:443", web("http", "shop.test", 443)),
        ("https://evil.test", web("https", "evil.test", 443)),
        ("https://sub.shop.test", web("https", "sub.shop.test", 443)),
        ("https://shop.test.evil.test", web("https", "shop.test.evil.test", 443)),
    ];
    let hosts = [
        ("shop.test", ("shop.test", None)),
        ("SHOP.test", ("shop.test", None)),
        ("shop.test:443", ("shop.test", Some(443))),
        ("shop.test:8443", ("shop.test", Some(8443))),
        ("evil.test", ("evil.test", None)),
    ];
    let (mut rows, mut passed) = (0, 0);
    for method in methods {
        for site in sites {
            for (origin, of) in origins {
                for (host, is) in hosts {
                    let request = request(method, site, origin, host);
                    for secure in [None, Some(true), Some(false)] {
                        for strict in [false, true] {
                            let check = if strict { check().strict() } else { check() };
                            let is_ok = check.check(&request, secure.and_then(https)).is_ok();
                            let expected = model(method, site, of, is, secure, strict);
                            assert_eq!(
                                is_ok, expected,
                                "{method} {site:?} {origin:?} {host:?} {secure:?} {strict}"
                            );
                            rows += 1;
                            passed += u32::from(is_ok);
                        }
                    }
                }
            }
        }
    }
    assert!(rows >= 200 && passed > 200 && rows - passed > 200, "{passed} of {rows}");
}

/// Whether anything in the rules could let the request pass, told from its octets alone.
fn may_pass(method: &str, site: Option<&[u8]>, origin: Option<&[u8]>, host: Option<&[u8]>) -> bool {
    if ["GET", "HEAD", "OPTIONS"].contains(&method) {
        return true;
    }
    let lower = |octets: &[u8]| String::from_utf8_lossy(octets).to_ascii_lowercase();
    let origin = origin.map(lower);
    let without_port = |text: String| {
        text.trim_end_matches(":443").trim_end_matches(":80").replace("0:0::1", "::1")
    };
    match (site, origin) {
        (_, Some(origin)) if without_port(origin.clone()) == TRUSTED => true,
        (Some(site), _) => site == b"same-origin" || site == b"none",
        (None, None) => true,
        (None, Some(origin)) => {
            let from = origin.strip_prefix("https://").or(origin.strip_prefix("http://"));
            let (Some(from), Some(host)) = (from, host) else { return false };
            without_port(from.to_owned()) == without_port(lower(host))
        }
    }
}

fn octets(plausible: &'static [&'static str]) -> impl Strategy<Value = Option<Vec<u8>>> {
    let arbitrary = proptest::collection::vec(any::<u8>(), 0..40);
    let mutated =
        (proptest::sample::select(plausible), any::<u8>(), any::<proptest::sample::Index>())
            .prop_map(|(text, octet, at)| {
                let mut octets = text.as_bytes().to_vec();
                let at = at.index(octets.len());
                octets[at] = octet;
                octets
            });
    let plain = proptest::sample::select(plausible).prop_map(|text| text.as_bytes().to_vec());
    proptest::option::weighted(0.8, prop_oneof![arbitrary, mutated, plain])
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4096))]

    /// Arbitrary octets in the headers neither panic nor pass where no rule lets them.
    #[test]
    fn r21_arbitrary_headers_never_pass_without_a_reason(
        method in proptest::sample::select(&["GET", "POST", "DELETE", "gET"][..]),
        site in octets(&["same-origin", "none", "same-site", "cross-site"]),
        origin in octets(&["https://shop.test", "http://[::1]:80", TRUSTED, "null", "https://é.test"]),
        host in octets(&["shop.test", "shop.test:443", "[::1]", "evil.test"]),
        secure in proptest::option::of(any::<bool>()),
    ) {
        let mut parts = request(method, "", "", "");
        let values = [("sec-fetch-site".parse().unwrap(), &site), (ORIGIN, &origin), (HOST, &host)];
        for (name, value) in values {
            let Some(value) = value else { continue };
            let Ok(value) = HeaderValue::from_bytes(value) else { return Ok(()) };
            parts.headers.insert(name, value);
        }
        let passes = check().check(&parts, secure.and_then(https)).is_ok();
        let may = may_pass(method, site.as_deref(), origin.as_deref(), host.as_deref());
        prop_assert!(!passes || may);
    }
}
