use http::header::SET_COOKIE;
use http::{HeaderMap, HeaderName, HeaderValue, Request, StatusCode};
use tenure_core::engine::{Connection, Exchange};
use tenure_core::store::Store;
use tenure_core::transform::Keyring;
use tenure_core::{Result, Sessions, SessionsBuilder};

use crate::{Dice, Still, now};

/// The cookie's name.
pub const NAME: &str = "__Host-id";

/// The keys, which no input could guess.
pub fn keys() -> Keyring {
    Keyring::from_secrets(["k7Q2mXv9LrT4wB8nZ1cJ6hY3pD5sF0gA"]).expect("a strong one")
}

/// Defaults without chance and time.
pub fn calm() -> SessionsBuilder {
    Sessions::builder().clock(Still).random(Dice::default())
}

/// Sessions with signed tokens and all defaults.
pub fn sessions(store: impl Store) -> Sessions {
    calm().store(store).signing_keys(keys()).build().expect("nothing contradicts")
}

/// The token of a new session of this user.
pub fn begun(sessions: &Sessions, user: &str) -> String {
    let session = now(sessions.start()).expect("a session");
    session.login(user).expect("a user");
    now(session.commit()).expect("committed");
    session.danger_expose_token().expect("it exists")
}

/// Begins a request by HTTPS with these lines of a header.
pub fn opened(
    sessions: &Sessions,
    header: HeaderName,
    lines: impl IntoIterator<Item = HeaderValue>,
) -> Exchange {
    let (mut parts, ()) = Request::new(()).into_parts();
    parts.headers.extend(lines.into_iter().map(|line| (header.clone(), line)));
    sessions.open(&parts, Connection::new().secure(true))
}

/// Ends a request: its headers, the cookie that it sets without attributes, and whether all of it
/// could be committed.
pub fn closed(exchange: Exchange) -> (HeaderMap, Option<String>, Result<()>) {
    let mut headers = HeaderMap::new();
    let outcome = now(exchange.close(StatusCode::OK, &mut headers));
    let value = headers.get(SET_COOKIE).map(|line| {
        let pair = line.to_str().expect("text").split(';').next().unwrap_or_default();
        let value = pair.strip_prefix(NAME).and_then(|rest| rest.strip_prefix('='));
        value.expect("the session's cookie").to_owned()
    });
    (headers, value, outcome)
}
