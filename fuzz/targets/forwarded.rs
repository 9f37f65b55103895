//! What proxies say of whom they got a request from: `X-Forwarded-For` and `Forwarded` (RFC 7239).
//!
//! The first four octets of an input choose what our own proxies write. The lines behind them are
//! what came before, from a client or from proxies that nobody trusts.

#![no_main]

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use http::{HeaderMap, HeaderName, HeaderValue};
use libfuzzer_sys::fuzz_target;
use tenure_core::engine::Connection;
use tenure_core::guard::{ProxyHeaders, TrustedProxies};
use tenure_fuzz::{Dice, lines};

const FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
const PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");
const FORWARDED: HeaderName = HeaderName::from_static("forwarded");
/// Where the nearest proxy is.
const NEAREST: IpAddr = IpAddr::V4(Ipv4Addr::new(10, 0, 0, 1));

fuzz_target!(|input: &[u8]| {
    let Some((seed, text)) = input.split_first_chunk() else { return };
    let claims = lines::of(text, &[]);
    check_claims(&claims);
    let dice = Dice::of(u32::from_be_bytes(*seed).into());
    check_hops(&claims, &dice);
});

/// One entry of a proxy.
struct Hop {
    address: Option<IpAddr>,
    secure: Option<bool>,
}

fn direct() -> Connection {
    Connection::new().peer(NEAREST)
}

/// What is claimed is believed of nobody but trusted proxies, and never what is no address.
fn check_claims(claims: &[HeaderValue]) {
    let (mut headers, mut addresses, mut schemes) = (HeaderMap::new(), Vec::new(), Vec::new());
    for (nth, claim) in claims.iter().enumerate() {
        headers.append(FORWARDED, claim.clone());
        let (name, entries) =
            if nth % 3 < 2 { (FOR, &mut addresses) } else { (PROTO, &mut schemes) };
        headers.append(name, claim.clone());
        let parts = claim.as_bytes().split(|octet| *octet == b',').map(<[u8]>::trim_ascii);
        entries.extend(parts.filter(|part| !part.is_empty()));
    }
    let elsewhere = TrustedProxies::cidrs(["192.0.2.0/24"]).expect("a range");
    for proxies in [TrustedProxies::none(), TrustedProxies::hops(0), elsewhere] {
        for which in [ProxyHeaders::XForwarded, ProxyHeaders::Forwarded] {
            let found = proxies.clone().headers(which).resolve(&headers, direct());
            assert_eq!((found.ip(), found.is_secure()), (Some(NEAREST), false), "{proxies:?}");
        }
    }

    addresses.reverse();
    schemes.reverse();
    let (mut found, mut secure) = (NEAREST, false);
    for hops in 1..=8_u8 {
        let resolved = TrustedProxies::hops(hops).resolve(&headers, direct());
        let nth = usize::from(hops) - 1;
        // A scheme that has no address beside it is the nearest proxy's.
        if nth < addresses.len() || (nth == 0 && !schemes.is_empty()) {
            secure = schemes.get(nth).and_then(|scheme| is_https(scheme)).unwrap_or(secure);
        }
        assert_eq!(resolved.is_secure(), secure, "{hops} hops of {claims:?}");
        let ip = resolved.ip().expect("there was one");
        let Some(text) = addresses.get(nth).and_then(|entry| str::from_utf8(entry).ok()) else {
            assert_eq!(ip, found);
            return;
        };
        match address(text) {
            Some(address) => assert_eq!(ip, address, "{text:?}"),
            // A port that is no number, or hides: then the address stands before it.
            None if ip != found => {
                assert!(begins_with(text, ip), "{text:?} was read as {ip}");
            }
            None => return,
        }
        found = ip;
    }
}

/// What trusted proxies have appended is what counts, whatever stands before it.
fn check_hops(claims: &[HeaderValue], dice: &Dice) {
    let mut hops: Vec<Hop> = (0..1 + dice.roll() % 4).map(|_| Hop::any(dice)).collect();
    if let Some(farthest) = hops.last_mut() {
        // No proxy in a trusted range, which would make the next entry count.
        farthest.address = Some(Ipv4Addr::new(203, 0, 113, 7).into());
    }
    let own_line = dice.coin();
    let written: Vec<[String; 3]> = hops.iter().map(|hop| hop.written(dice)).collect();
    let mut headers = HeaderMap::new();
    for (nth, name) in [FOR, PROTO, FORWARDED].into_iter().enumerate() {
        // The nearest proxy writes last.
        let entries: Vec<&str> = written.iter().rev().map(|entry| entry[nth].as_str()).collect();
        let mut own = entries.join(", ").into_bytes();
        let mut before = claims.to_vec();
        if let Some(last) = before.pop_if(|_| !own_line) {
            own = [last.as_bytes(), b",", &own].concat();
        }
        before.push(HeaderValue::from_bytes(&own).expect("made of such"));
        headers.extend(before.into_iter().map(|line| (name.clone(), line)));
    }
    for which in [ProxyHeaders::XForwarded, ProxyHeaders::Forwarded] {
        let seen = |proxies: TrustedProxies| {
            let found = proxies.headers(which).resolve(&headers, direct());
            (found.ip(), found.is_secure())
        };
        for most in 1..=hops.len() {
            let (ip, secure) = client(&hops, |nth, _| nth < most);
            let proxies = TrustedProxies::hops(most as u8);
            assert_eq!(seen(proxies), (Some(ip), secure), "{most} of {headers:?}");
        }
        let (ip, secure) = client(&hops, |_, writer| is_proxy(writer));
        let proxies = TrustedProxies::cidrs(["10.0.0.0/8", "2001:db8::/32"]).expect("ranges");
        assert_eq!(seen(proxies), (Some(ip), secure), "{headers:?}");
    }
}

/// Where a request comes from, if entries are believed of these writers.
fn client(hops: &[Hop], believes: impl Fn(usize, IpAddr) -> bool) -> (IpAddr, bool) {
    let (mut ip, mut secure) = (NEAREST, false);
    for (nth, hop) in hops.iter().enumerate() {
        if !believes(nth, ip) {
            break;
        }
        secure = hop.secure.unwrap_or(secure);
        let Some(address) = hop.address else { break };
        ip = address;
    }
    (ip, secure)
}

fn is_proxy(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(ip) => ip.octets()[0] == 10,
        IpAddr::V6(ip) => ip.segments()[..2] == [0x2001, 0xdb8],
    }
}

impl Hop {
    fn any(dice: &Dice) -> Self {
        let low = dice.roll();
        let address = match dice.roll() % 6 {
            0 | 1 => Some(IpAddr::V4(Ipv4Addr::from_bits(0x0a00_0000 | (low as u32 & 0xff_ffff)))),
            2 => Some(IpAddr::V4(Ipv4Addr::from_bits(low as u32 | 1 << 31))),
            3 => Some(IpAddr::V6(Ipv6Addr::from_bits((0x2001_0db8 << 96) | u128::from(low)))),
            4 => Some(IpAddr::V6(Ipv6Addr::from_bits((0x2a00 << 112) | u128::from(low)))),
            _ => None,
        };
        Self { address, secure: *dice.one(&[None, Some(false), Some(true), Some(true)]) }
    }

    /// The entries of `X-Forwarded-For`, `X-Forwarded-Proto` and `Forwarded`, in one of the ways in
    /// which proxies write them.
    fn written(&self, dice: &Dice) -> [String; 3] {
        let port = *dice.one(&["", "", ":1", ":65535", ":_x"]);
        let node = match self.address {
            Some(IpAddr::V4(ip)) => format!("{ip}{port}"),
            Some(IpAddr::V6(ip)) => format!("[{ip}]{port}"),
            None => (*dice.one(&["unknown", "_hidden"])).to_owned(),
        };
        let bare = match self.address {
            Some(IpAddr::V6(ip)) if dice.coin() => ip.to_string(),
            _ => node.clone(),
        };
        let scheme = match self.secure {
            Some(true) => *dice.one(&["https", "HTTPS", "wss"]),
            Some(false) => *dice.one(&["http", "Http", "ws"]),
            None => *dice.one(&["ftp", "-"]),
        };
        let quoted = node.contains(['[', ':']) || dice.coin();
        let mut pairs = vec![format!("{}={}", dice.one(&["for", "For"]), text(&node, quoted))];
        if self.secure.is_some() {
            pairs.push(format!("proto={}", text(scheme, dice.coin())));
        }
        let other = r#"by="\",for=192.0.2.9;proto=http\\""#;
        pairs.extend(dice.coin().then(|| other.to_owned()));
        let first = dice.roll() as usize % pairs.len();
        pairs.rotate_left(first);
        [bare, scheme.to_owned(), pairs.join(*dice.one(&[";", " ; "]))]
    }
}

fn text(value: &str, quoted: bool) -> String {
    if quoted { format!("\"{value}\"") } else { value.to_owned() }
}

/// An address as the standard library reads it, perhaps in brackets, perhaps with a port.
fn address(text: &str) -> Option<IpAddr> {
    let bare = text.parse::<IpAddr>().ok();
    let bracketed = || text.strip_prefix('[')?.strip_suffix(']')?.parse::<Ipv6Addr>().ok();
    let with_port = || text.parse::<SocketAddr>().ok().filter(|_| !text.contains('%'));
    let plain_port = |address: &SocketAddr| text.ends_with(&format!(":{}", address.port()));
    bare.or_else(|| bracketed().map(IpAddr::V6))
        .or_else(|| with_port().filter(plain_port).map(|address| address.ip()))
        .map(|ip| ip.to_canonical())
}

/// Whether some beginning of the text is this address.
fn begins_with(text: &str, ip: IpAddr) -> bool {
    let text = text.strip_prefix('[').unwrap_or(text);
    let ends = text.char_indices().map(|(at, _)| at).chain([text.len()]);
    ends.into_iter().any(|end| text[..end].parse().is_ok_and(|it: IpAddr| it.to_canonical() == ip))
}

fn is_https(scheme: &[u8]) -> Option<bool> {
    match scheme.to_ascii_lowercase().as_slice() {
        b"https" | b"wss" => Some(true),
        b"http" | b"ws" => Some(false),
        _ => None,
    }
}
