//! One test for each rule of `security.md` and each ability of `features.md` that cookies serve.

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
use crate::transport::cookie::parse::Refusal;

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

fn context(secure: bool) -> CookieContext<'static> {
    CookieContext::new("handle", secure, NOW, None)
}

/// What is sent with a credential, on HTTPS unless `plain`.
fn issued(cookie: Cookie, plain: bool) -> String {
    text(transport(cookie).issue("token", &context(!plain)).unwrap())
}

fn removed(cookie: Cookie, plain: bool) -> String {
    text(transport(cookie).remove(&context(!plain)).unwrap())
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
    let presented = transport.capture(&headers(lines));
    let candidates = transport.candidates(&presented, true);
    match candidates.refusal() {
        None => Ok(candidates.as_slice().iter().map(|value| (*value).to_owned()).collect()),
        Some(refusal) => {
            assert!(candidates.as_slice().is_empty());
            Err(refusal)
        }
    }
}
