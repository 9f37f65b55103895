//! The settings of who may come with a session, and from where.

use tenure_core::SessionsBuilder;
use tenure_core::guard::{IpLock, ProxyHeaders, TrustedProxies};

use super::keys::plain;
use super::reader::Reader;

pub(super) fn locks(mut builder: SessionsBuilder, reader: &mut Reader) -> SessionsBuilder {
    let lock = reader.read("lock_ip", |entry| {
        let lock = entry.value.as_str().and_then(ip_lock);
        lock.ok_or_else(|| {
            "write \"exact\", or how many leading bits of an IPv4 and of an IPv6 address count, such \
             as \"/24 /64\""
                .to_owned()
        })
    });
    if let Some(lock) = lock {
        builder = builder.lock_ip(lock);
    }
    if let Some(locks) = reader.switch("lock_user_agent") {
        builder = builder.lock_user_agent(locks);
    }
    builder
}

fn ip_lock(text: &str) -> Option<IpLock> {
    if text == "exact" {
        return Some(IpLock::Exact);
    }
    let bits = |text: &str, longest: u8| {
        let bits = text.strip_prefix('/')?;
        let digits = bits.bytes().all(|sign| sign.is_ascii_digit());
        bits.parse().ok().filter(|bits| digits && (1..=longest).contains(bits))
    };
    let (v4, v6) = text.split_once(' ')?;
    Some(IpLock::Prefix { v4: bits(v4, 32)?, v6: bits(v6, 128)? })
}

/// Whom to believe where a request comes from, if that was said.
pub(super) fn proxies(reader: &mut Reader) -> Option<TrustedProxies> {
    if reader.has("proxy_headers") && !reader.has("trusted_proxies") {
        reader.problem("proxy_headers: nobody is believed yet; set `trusted_proxies`, too");
    }
    let proxies = reader.read("trusted_proxies", |entry| {
        if let Some(proxies) = entry.as_number() {
            let proxies = u8::try_from(proxies).ok().filter(|proxies| *proxies <= 64);
            return proxies.map(TrustedProxies::hops).ok_or_else(|| {
                "write how many proxies stand in front, at most 64".to_owned()
            });
        }
        let ranges = entry.as_list().ok_or(
            "write addresses and ranges such as [\"10.0.0.0/8\"], or how many proxies stand in front",
        )?;
        TrustedProxies::cidrs(ranges).map_err(|error| {
            let why = plain(&error);
            why.strip_prefix("trusted_proxies: ").map_or(why.clone(), str::to_owned)
        })
    });
    let headers =
        [("x-forwarded-for", ProxyHeaders::XForwarded), ("forwarded", ProxyHeaders::Forwarded)];
    let headers = reader.choice("proxy_headers", &headers).unwrap_or_default();
    proxies.map(|proxies| proxies.headers(headers))
}
