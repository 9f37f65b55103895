//! `Authorization` lines: which session a request gets, as RFC 6750 and our limits say, and that the
//! store is asked for none but a genuine one.
//!
//! An input is the lines; the octets 1 to 3 in it stand for tokens that no input could guess.

#![no_main]

use std::collections::BTreeSet;
use std::sync::LazyLock;

use http::HeaderValue;
use http::header::AUTHORIZATION;
use libfuzzer_sys::fuzz_target;
use tenure_core::Sessions;
use tenure_core::transport::Bearer;
use tenure_fuzz::{Counted, begun, calm, closed, keys, lines, now, opened, sessions};

struct Scene {
    store: Counted,
    sessions: Sessions,
    ada: String,
    grace: String,
    /// Of a cookie, with the same keys and the same store.
    other: String,
}

static SCENE: LazyLock<Scene> = LazyLock::new(|| {
    let store = Counted::default();
    let builder = calm().store(store.clone()).signing_keys(keys()).bearer(Bearer::new());
    let bearers = builder.build().expect("nothing contradicts");
    let [ada, grace] = ["ada", "grace"].map(|user| begun(&bearers, user));
    let other = begun(&sessions(store.clone()), "ada");
    Scene { store, sessions: bearers, ada, grace, other }
});

fuzz_target!(|input: &[u8]| {
    let scene = &*SCENE;
    let lines = lines::of(input, &[&scene.ada, &scene.grace, &scene.other]);
    let genuine = genuine(&lines, &[&scene.ada, &scene.grace]);
    let expected = match genuine[..] {
        [token] => Some(if token == scene.ada { "ada" } else { "grace" }),
        _ => None,
    };

    scene.store.calls();
    let exchange = opened(&scene.sessions, AUTHORIZATION, lines.clone());
    let session = now(exchange.session().load()).expect("a bad token is no error");
    assert_eq!(session.user().map(|user| user.to_string()).as_deref(), expected);
    assert_eq!(scene.store.calls(), usize::from(expected.is_some()), "store calls");

    let (headers, cookie, outcome) = closed(exchange);
    outcome.expect("there is nothing to commit");
    assert_eq!(scene.store.calls(), 0, "to close costs nothing");
    assert_eq!((cookie, &headers["vary"]), (None, &HeaderValue::from_static("authorization")));
    // Of two sessions one was planted: both are taken away.
    let told = headers.get(AUTHORIZATION).map(HeaderValue::as_bytes);
    assert_eq!(told, (genuine.len() > 1).then_some(&b""[..]));
});

/// The genuine ones among the bearer tokens, unless a limit is passed.
fn genuine<'a>(lines: &[HeaderValue], tokens: &[&'a str]) -> Vec<&'a str> {
    let found: BTreeSet<&str> = lines.iter().filter_map(token).collect();
    if !lines::are_few(lines) || found.len() > 3 {
        return Vec::new();
    }
    tokens.iter().copied().filter(|token| found.contains(token)).collect()
}

fn token(line: &HeaderValue) -> Option<&str> {
    let (scheme, token) = line.to_str().ok()?.split_once(' ')?;
    let token = token.trim_matches([' ', '\t']);
    lines::visible(token.as_bytes()).filter(|_| scheme.to_lowercase() == "bearer")
}
