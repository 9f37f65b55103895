//! One test for each rule of `security.md` and each ability of `features.md` that cookies serve.

mod chunks;
mod config;
mod factory;
mod parse;
mod properties;
mod scope;
mod write;

use http::HeaderMap;
use http::header::{COOKIE, HeaderValue};

use super::*;
use crate::clock::Timestamp;
use crate::transport::Refusal;

/// Wed, 21 Oct 2026 07:28:00 GMT.
const NOW: Timestamp = Timestamp::from_millis(1_792_567_680_000);

fn transport(cookie: Cookie) -> CookieTransport {
    CookieTransport::new(cookie, NOW).unwrap()
}

/// The message with which a configuration is refused.
#[track_caller]
fn refusal(cookie: Cookie) -> String {
    let error = CookieTransport::new(cookie, NOW).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Config);
    error.to_string()
}

fn context(secure: bool) -> ResponseContext<'static> {
    ResponseContext::new("handle", secure, NOW, None)
}

fn issue(
    transport: &CookieTransport,
    value: &str,
    cx: &ResponseContext<'_>,
) -> Result<HeaderValue> {
    let mut headers = HeaderMap::new();
    Transport::issue(transport, value, cx, &mut headers)
        .map(|()| headers.remove(SET_COOKIE).unwrap())
}

fn remove(transport: &CookieTransport, cx: &ResponseContext<'_>) -> Result<HeaderValue> {
    let mut headers = HeaderMap::new();
    Transport::remove(transport, cx, &mut headers).map(|()| headers.remove(SET_COOKIE).unwrap())
}

fn capture(headers: &HeaderMap) -> Presented {
    Presented::of(headers, &COOKIE)
}

/// What is sent with a credential, on HTTPS unless `plain`.
fn issued(cookie: Cookie, plain: bool) -> String {
    text(issue(&transport(cookie), "token", &context(!plain)).unwrap())
}

fn removed(cookie: Cookie, plain: bool) -> String {
    text(remove(&transport(cookie), &context(!plain)).unwrap())
}

fn text(line: HeaderValue) -> String {
    line.to_str().unwrap().to_owned()
}

fn headers<L: AsRef<[u8]>>(lines: impl IntoIterator<Item = L>) -> HeaderMap {
    let mut headers = HeaderMap::new();
    for line in lines {
        headers.append(COOKIE, HeaderValue::from_bytes(line.as_ref()).unwrap());
    }
    headers
}

/// What the default cookie's transport finds in these lines.
fn found<L: AsRef<[u8]>>(lines: impl IntoIterator<Item = L>) -> Result<Vec<String>, Refusal> {
    let transport = transport(Cookie::default());
    let presented = capture(&headers(lines));
    let candidates = transport.find(&presented, true);
    match candidates.refusal() {
        None => Ok(candidates.iter().map(str::to_owned).collect()),
        Some(refusal) => {
            assert!(candidates.iter().next().is_none());
            Err(refusal)
        }
    }
}
