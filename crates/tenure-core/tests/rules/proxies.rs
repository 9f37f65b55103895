//! P7, F4: whom a request comes from when proxies stand in front.

use std::net::IpAddr;

use http::{HeaderMap, HeaderName, HeaderValue};
use tenure_core::engine::Connection;
use tenure_core::guard::{ProxyHeaders, TrustedProxies};

const INSIDE: [&str; 2] = ["10.0.0.0/8", "2001:db8:aaaa::/48"];

fn ip(text: &str) -> IpAddr {
    text.parse().unwrap()
}

fn headers(lines: &[(&'static str, &str)]) -> HeaderMap {
    let lines = lines.iter();
    lines.map(|(name, value)| (HeaderName::from_static(name), value.parse().unwrap())).collect()
}

/// What `proxies` make of a request from `peer` with these lines of `X-Forwarded-For`.
fn found(proxies: &TrustedProxies, peer: &str, lines: &[&str]) -> IpAddr {
    let lines: Vec<_> = lines.iter().map(|line| ("x-forwarded-for", *line)).collect();
    proxies.resolve(&headers(&lines), Connection::new().peer(ip(peer))).ip().unwrap()
}

#[test]
fn p7_the_first_address_from_the_right_that_is_not_trusted_is_the_client() {
    let proxies = TrustedProxies::cidrs(INSIDE).unwrap();
    let cases: [(&str, &[&str], &str); 13] = [
        ("10.0.0.1", &["192.0.2.1"], "192.0.2.1"),
        ("10.0.0.1", &["203.0.113.9, 192.0.2.1"], "192.0.2.1"),
        ("10.0.0.1", &["203.0.113.9, 192.0.2.1, 10.0.0.2"], "192.0.2.1"),
        ("10.0.0.1", &["203.0.113.9", "192.0.2.1", "10.0.0.2, 10.0.0.3"], "192.0.2.1"),
        ("2001:db8:aaaa::1", &["2001:db8::7, [2001:db8:aaaa::2]:443"], "2001:db8::7"),
        ("::ffff:10.0.0.1", &["::ffff:192.0.2.1"], "192.0.2.1"),
        // A client inside, and nothing at all.
        ("10.0.0.1", &["10.0.0.7, 10.0.0.2"], "10.0.0.7"),
        ("10.0.0.1", &[], "10.0.0.1"),
        // What is left of junk is not believed.
        ("10.0.0.1", &["203.0.113.9, junk, 10.0.0.2"], "10.0.0.2"),
        ("10.0.0.1", &["203.0.113.9, unknown"], "10.0.0.1"),
        ("10.0.0.1", &["203.0.113.9, _hidden, 192.0.2.1"], "192.0.2.1"),
        // Nobody believes a stranger.
        ("192.0.2.1", &["203.0.113.9"], "192.0.2.1"),
        ("192.0.2.1", &["203.0.113.9, 10.0.0.1"], "192.0.2.1"),
    ];
    for (peer, lines, client) in cases {
        assert_eq!(found(&proxies, peer, lines), ip(client), "{peer} {lines:?}");
    }
    let direct = Connection::new();
    let forged = headers(&[("x-forwarded-for", "203.0.113.9")]);
    assert_eq!(proxies.resolve(&forged, direct).ip(), None, "a peer without an address");
}

#[test]
fn p7_proxies_can_be_counted() {
    let line = &["203.0.113.9, 192.0.2.2, 192.0.2.1"];
    for (hops, client) in [
        (0, "10.0.0.1"),
        (1, "192.0.2.1"),
        (2, "192.0.2.2"),
        (3, "203.0.113.9"),
        (9, "203.0.113.9"),
    ] {
        assert_eq!(found(&TrustedProxies::hops(hops), "10.0.0.1", line), ip(client), "{hops}");
    }
    let junk = &["203.0.113.9, junk, 192.0.2.1"];
    assert_eq!(found(&TrustedProxies::hops(3), "10.0.0.1", junk), ip("192.0.2.1"));
    let socket = TrustedProxies::hops(1);
    let forwarded = headers(&[("x-forwarded-for", "192.0.2.1")]);
    assert_eq!(socket.resolve(&forwarded, Connection::new()).ip(), Some(ip("192.0.2.1")));
}

/// One kind of header is believed, never both: what the proxies do not write is the client's.
#[test]
fn p7_the_other_header_is_not_looked_at() {
    let both = headers(&[
        ("x-forwarded-for", "192.0.2.1"),
        ("x-forwarded-proto", "https"),
        ("forwarded", "for=192.0.2.2;proto=http"),
    ]);
    let direct = Connection::new().peer(ip("10.0.0.1"));
    let proxies = TrustedProxies::cidrs(INSIDE).unwrap();
    let x = proxies.clone().resolve(&both, direct);
    assert_eq!((x.ip(), x.is_secure()), (Some(ip("192.0.2.1")), true));
    let standard = proxies.headers(ProxyHeaders::Forwarded);
    let found = standard.resolve(&both, direct.secure(true));
    assert_eq!((found.ip(), found.is_secure()), (Some(ip("192.0.2.2")), false));
    let x_alone = headers(&[("x-forwarded-for", "192.0.2.1"), ("x-forwarded-proto", "https")]);
    let found = standard.resolve(&x_alone, direct);
    assert_eq!((found.ip(), found.is_secure()), (Some(ip("10.0.0.1")), false));
}

#[test]
fn f4_the_scheme_is_the_clients() {
    let proxies = TrustedProxies::cidrs(INSIDE).unwrap();
    let cases: [(&str, &str, &str, bool); 9] = [
        ("10.0.0.1", "192.0.2.1", "https", true),
        ("10.0.0.1", "192.0.2.1", "HTTP", false),
        ("10.0.0.1", "192.0.2.1", "https, http", false),
        ("10.0.0.1", "192.0.2.1, 10.0.0.2", "https, http", true),
        ("10.0.0.1", "192.0.2.1, 10.0.0.2", "https", true),
        ("10.0.0.1", "203.0.113.9, 192.0.2.1, 10.0.0.2", "https, http, http", false),
        ("10.0.0.1", "192.0.2.1", "gopher", false),
        ("10.0.0.1", "", "https", true),
        ("192.0.2.1", "203.0.113.9", "https", false),
    ];
    for (peer, addresses, schemes, secure) in cases {
        let lines = headers(&[("x-forwarded-for", addresses), ("x-forwarded-proto", schemes)]);
        let found = proxies.resolve(&lines, Connection::new().peer(ip(peer)));
        assert_eq!(found.is_secure(), secure, "{peer} {addresses} {schemes}");
    }
    let tls = Connection::new().peer(ip("10.0.0.1")).secure(true);
    let silent = headers(&[("x-forwarded-for", "192.0.2.1")]);
    assert!(proxies.resolve(&silent, tls).is_secure(), "as the proxy itself came");

    let proxies = proxies.headers(ProxyHeaders::Forwarded);
    for (line, secure) in [
        ("for=192.0.2.1;proto=https", true),
        ("proto=https", true),
        ("for=203.0.113.9;proto=https, for=192.0.2.1;proto=http", false),
        ("for=192.0.2.1;proto=https, for=10.0.0.2;proto=http", true),
        ("for=192.0.2.1, for=10.0.0.2;proto=https", true),
        ("for=unknown;proto=https", true),
        ("for=203.0.113.9;proto=https, for=unknown;proto=http", false),
    ] {
        let found = proxies.resolve(&headers(&[("forwarded", line)]), tls.secure(false));
        assert_eq!(found.is_secure(), secure, "{line}");
    }
}

/// A thousand hops, on one line or each on its own, and lines as long as a server may pass on.
#[test]
fn p7_a_thousand_hops_and_long_lines_are_no_panic() {
    let proxies = [
        TrustedProxies::none(),
        TrustedProxies::hops(u8::MAX),
        TrustedProxies::cidrs(INSIDE).unwrap(),
    ];
    let thousand = vec!["10.0.0.7"; 1_000];
    let (one, many) = (thousand.join(", "), thousand.clone());
    for proxies in &proxies {
        assert_eq!(
            found(proxies, "10.0.0.1", &[&one]),
            found(proxies, "10.0.0.1", &many),
            "{proxies:?}"
        );
    }
    let far = format!("192.0.2.1, {}", ["10.0.0.7"; 64].join(", "));
    assert_eq!(found(&proxies[2], "10.0.0.1", &[&far]), ip("10.0.0.7"), "64 are looked at");

    let direct = Connection::new().peer(ip("10.0.0.1"));
    for piece in [",", "\"", "\\", "\\\"", ";", "for=", "1", " ", "for=10.0.0.7,", "\"\\,", "=;"] {
        let line = HeaderValue::from_str(&piece.repeat((64 << 10) / piece.len())).unwrap();
        let mut headers = HeaderMap::new();
        for name in ["x-forwarded-for", "x-forwarded-proto", "forwarded"] {
            headers.append(name, line.clone());
            headers.append(name, line.clone());
        }
        for proxies in &proxies {
            for kind in [ProxyHeaders::XForwarded, ProxyHeaders::Forwarded] {
                let found = proxies.clone().headers(kind).resolve(&headers, direct);
                let inside = [ip("10.0.0.1"), ip("10.0.0.7")];
                assert!(inside.contains(&found.ip().unwrap()), "{piece:?} {found:?}");
            }
        }
    }
}
