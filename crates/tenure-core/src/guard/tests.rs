use std::net::IpAddr;

use http::{HeaderMap, HeaderName, HeaderValue};
use proptest::prelude::*;

use super::cidr::Cidr;
use super::forwarded::{Hop, forwarded, x_forwarded};
use super::{IpLock, ProxyHeaders, TrustedProxies};
use crate::engine::Connection;

fn ip(text: &str) -> IpAddr {
    text.parse().unwrap()
}

fn lines(name: &'static str, values: &[&str]) -> HeaderMap {
    let name = HeaderName::from_static(name);
    values.iter().map(|value| (name.clone(), value.parse().unwrap())).collect()
}

fn hop(address: Option<&str>, secure: Option<bool>) -> Hop {
    Hop { address: address.map(ip), secure }
}

#[test]
fn p7_ranges_hold_what_is_in_them() {
    for (range, inside, outside) in [
        ("10.0.0.0/8", "10.255.255.255", "11.0.0.0"),
        ("10.0.0.0/8", "::ffff:10.1.2.3", "::10.1.2.3"),
        ("192.0.2.1", "192.0.2.1", "192.0.2.2"),
        ("192.0.2.0/31", "192.0.2.1", "192.0.2.2"),
        ("2001:db8::/32", "2001:db8:ffff::1", "2001:db9::"),
        ("2001:db8::1", "2001:db8::1", "2001:db8::2"),
        ("::ffff:10.0.0.0/104", "10.9.9.9", "11.0.0.0"),
        ("::ffff:192.0.2.1", "192.0.2.1", "::1"),
        ("fe80::/10", "febf::1", "fec0::1"),
    ] {
        let range: Cidr = range.parse().unwrap();
        assert!(range.contains(ip(inside)), "{range:?} {inside}");
        assert!(!range.contains(ip(outside)), "{range:?} {outside}");
    }
}

#[test]
fn p7_what_is_no_range_is_refused_with_the_remedy() {
    for (range, why) in [
        ("", "such as"),
        ("proxy.internal", "such as"),
        ("10.0.0.0/", "at most 32"),
        ("10.0.0.0/33", "at most 32"),
        ("10.0.0.0/+8", "at most 32"),
        ("10.0.0.0/8/8", "at most 32"),
        ("10.0.0.0/255.0.0.0", "at most 32"),
        ("2001:db8::/129", "at most 128"),
        ("::ffff:10.0.0.0/8", "IPv4"),
        ("10.0.0.1/8", "bits behind the prefix"),
        ("2001:db8::1/32", "bits behind the prefix"),
        ("0.0.0.0/0", "believes everybody"),
        ("::/0", "believes everybody"),
        ("::ffff:0:0/96", "believes everybody"),
    ] {
        let error = TrustedProxies::cidrs([range]).unwrap_err().to_string();
        assert!(error.contains(why), "{range:?}: {error}");
    }
}

#[test]
fn p7_x_forwarded_for_is_read_from_the_right() {
    let mut headers =
        lines("x-forwarded-for", &["192.0.2.1, junk", " 192.0.2.2:80 ,, [2001:db8::1]"]);
    headers.append("x-forwarded-for", HeaderValue::from_static("2001:db8::2"));
    headers.append("x-forwarded-for", HeaderValue::from_static("[::ffff:192.0.2.3]:443"));
    headers.append("x-forwarded-proto", HeaderValue::from_static("https , HTTP"));
    let hops: Vec<_> = x_forwarded(&headers).collect();
    assert_eq!(
        hops,
        [
            hop(Some("192.0.2.3"), Some(false)),
            hop(Some("2001:db8::2"), Some(true)),
            hop(Some("2001:db8::1"), None),
            hop(Some("192.0.2.2"), None),
            hop(None, None),
            hop(Some("192.0.2.1"), None),
        ]
    );
}

#[test]
fn p7_forwarded_is_read_from_the_right() {
    let headers = lines(
        "forwarded",
        &[
            r#"for=192.0.2.43;proto=http, For="[2001:db8:cafe::17]:4711""#,
            r#"for=192.0.2.60;proto=https;by=203.0.113.43 , for="192.0.2.4:_port" ; Proto="HTTPS""#,
            r#"for=unknown;proto=https,for=_hidden, for="_SEVKISEK", proto=http;host="a,b;for=1""#,
            r#"for=192.0.2.5, by="\",for=192.0.2.9";for=192.0.2.8"#,
        ],
    );
    let hops: Vec<_> = forwarded(&headers).collect();
    assert_eq!(
        hops,
        [
            hop(Some("192.0.2.8"), None),
            hop(Some("192.0.2.5"), None),
            hop(None, Some(false)),
            hop(None, None),
            hop(None, None),
            hop(None, Some(true)),
            hop(Some("192.0.2.4"), Some(true)),
            hop(Some("192.0.2.60"), Some(true)),
            hop(Some("2001:db8:cafe::17"), None),
            hop(Some("192.0.2.43"), Some(false)),
        ]
    );
}

#[test]
fn p7_what_is_no_address_is_none() {
    for text in [
        "unknown",
        "_hidden",
        "192.0.2",
        "192.0.2.256",
        "192.0.2.01",
        "192.0.2.1:",
        "192.0.2.1:http",
        "192.0.2.1:123456",
        "[2001:db8::1",
        "2001:db8::1]",
        "[192.0.2.1]",
        "[2001:db8::1]443",
        "[2001:db8::1]:",
        "fe80::1%eth0",
        "192.0.2.1 198.51.100.1",
        "\u{661}92.0.2.1",
        "localhost",
    ] {
        let value = HeaderValue::from_bytes(text.as_bytes()).unwrap();
        let headers = HeaderMap::from_iter([("x-forwarded-for".parse().unwrap(), value)]);
        assert_eq!(x_forwarded(&headers).collect::<Vec<_>>(), [Hop::default()], "{text:?}");
    }
    for text in [
        "for=192.0.2.1;for=192.0.2.2",
        "for=192.0.2.1;proto=http;proto=https",
        "for=\"192.0.2.1",
        "for=\"192.0.2.1\\\"",
        "for=192.0.2.1\"",
        "for = 192.0.2.1",
        "192.0.2.1",
        "for",
        "=",
        ";;",
        "\"",
    ] {
        let headers = lines("forwarded", &[text]);
        assert_eq!(forwarded(&headers).collect::<Vec<_>>(), [Hop::default()], "{text:?}");
    }
}

/// A quotation mark that a client leaves open must not swallow what the proxy appends.
#[test]
fn p7_an_open_quotation_hides_nothing() {
    for claim in ["\"", "for=\"", "for=203.0.113.9;x=\"", "for=203.0.113.9;x=\"\\", "\\\"\\"] {
        let line = format!("{claim}, for=\"[2001:db8::1]:80\";proto=https");
        let found = TrustedProxies::hops(1)
            .headers(ProxyHeaders::Forwarded)
            .resolve(&lines("forwarded", &[&line]), Connection::new());
        assert_eq!((found.ip(), found.is_secure()), (Some(ip("2001:db8::1")), true), "{line}");
    }
}

#[test]
fn p7_a_prefix_lock_holds_the_family_and_the_bits() {
    let lock = IpLock::Prefix { v4: 20, v6: 60 };
    for (began, comes, admitted) in [
        ("192.0.32.1", "192.0.47.255", true),
        ("192.0.32.1", "192.0.48.0", false),
        ("2001:db8::1", "2001:db8:0:f::1", true),
        ("2001:db8::1", "2001:db8:0:10::1", false),
        ("::ffff:192.0.32.1", "192.0.33.1", true),
        ("::192.0.32.1", "192.0.32.1", false),
    ] {
        assert_eq!(lock.admits(ip(began), ip(comes)), admitted, "{began} {comes}");
        assert_eq!(lock.admits(ip(comes), ip(began)), admitted, "{comes} {began}");
    }
}

fn junk() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop_oneof![
        Just(b",".to_vec()),
        Just(b";".to_vec()),
        Just(b"\"".to_vec()),
        Just(b"\\".to_vec()),
        Just(b"for=".to_vec()),
        Just(b"proto=https".to_vec()),
        Just(b"unknown".to_vec()),
        Just(b"10.0.0.1".to_vec()),
        Just(b"[2001:db8::1]:80".to_vec()),
        proptest::collection::vec(
            any::<u8>().prop_filter("a header's", |b| *b >= 32 && *b != 127),
            0..8
        ),
    ];
    proptest::collection::vec(piece, 0..40).prop_map(|pieces| pieces.concat())
}

proptest! {
    /// Whatever a client sends, it is known by what the trusted proxy appends, on a line of its own
    /// or at the end of the client's.
    #[test]
    fn p7_junk_in_front_changes_nothing(junk in proptest::collection::vec(junk(), 0..4), own in any::<bool>()) {
        for (name, headers, entry) in [
            ("x-forwarded-for", ProxyHeaders::XForwarded, &b"192.0.2.7"[..]),
            ("forwarded", ProxyHeaders::Forwarded, b"for=\"192.0.2.7:80\";proto=http"),
        ] {
            let mut lines = junk.clone();
            match lines.last_mut() {
                Some(last) if !own => last.extend([b", ", entry].concat()),
                _ => lines.push(entry.to_vec()),
            }
            let name = HeaderName::from_static(name);
            let map: HeaderMap = lines
                .iter()
                .map(|line| (name.clone(), HeaderValue::from_bytes(line).unwrap()))
                .collect();
            let proxy = Connection::new().peer(ip("10.0.0.1"));
            for proxies in [TrustedProxies::hops(1), TrustedProxies::cidrs(["10.0.0.0/8"]).unwrap()] {
                let found = proxies.headers(headers).resolve(&map, proxy);
                prop_assert_eq!(found.ip(), Some(ip("192.0.2.7")));
                prop_assert!(!found.is_secure());
            }
        }
    }

    /// However many proxies are trusted, junk is read without a panic.
    #[test]
    fn p7_junk_alone_is_no_panic(junk in proptest::collection::vec(junk(), 0..4)) {
        let mut map = HeaderMap::new();
        for line in &junk {
            for name in ["forwarded", "x-forwarded-for", "x-forwarded-proto"] {
                map.append(name, HeaderValue::from_bytes(line).unwrap());
            }
        }
        for headers in [ProxyHeaders::XForwarded, ProxyHeaders::Forwarded] {
            let proxies = TrustedProxies::hops(200).headers(headers);
            let direct = Connection::new().peer(ip("10.0.0.1"));
            prop_assert!(proxies.resolve(&map, direct).ip().is_some());
        }
    }
}
