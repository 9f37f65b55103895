//! Sessions that their clients keep, in up to three cookies: what was issued is put together again,
//! and nothing else is a session, whatever cookies come.
//!
//! An input is `Cookie` lines; the octets 1 to 6 in it stand for the cookies of three sessions, of
//! one, two and three parts.

#![no_main]

use std::collections::BTreeSet;
use std::sync::LazyLock;

use http::header::{COOKIE, SET_COOKIE};
use http::{HeaderMap, HeaderValue, StatusCode};
use libfuzzer_sys::fuzz_target;
use tenure_core::Sessions;
use tenure_core::store::ClientStore;
use tenure_fuzz::{NAME, calm, closed, keys, lines, now, opened};

const USERS: [&str; 3] = ["ada", "grace", "mary"];

struct Scene {
    sessions: Sessions,
    /// The values of all cookies, those of one session behind each other.
    parts: Vec<String>,
    /// What they are together, of each session.
    whole: [String; 3],
}

static SCENE: LazyLock<Scene> = LazyLock::new(|| {
    let sessions = calm().client_store(ClientStore::sealed(keys())).build().expect("keys");
    let mut parts = Vec::new();
    let whole = [0, 3_500, 7_000].map(|len| {
        let user = USERS[parts.len().min(2)];
        let exchange = opened(&sessions, COOKIE, []);
        let session = now(exchange.session().load()).expect("loaded");
        session.login(user).expect("logged in");
        session.set("d", "x".repeat(len)).expect("set");
        let mut headers = HeaderMap::new();
        now(exchange.close(StatusCode::OK, &mut headers)).expect("committed");
        let issued = headers.get_all(SET_COOKIE).iter().map(|line| {
            let pair = line.to_str().expect("text").split(';').next().expect("a pair");
            pair.split_once('=').expect("a value").1.to_owned()
        });
        let issued: Vec<String> = issued.collect();
        let text = issued.concat();
        let bare = text.strip_prefix(['~'].as_slice()).map_or(text.as_str(), |text| &text[2..]);
        parts.extend(issued);
        bare.to_owned()
    });
    assert_eq!(parts.len(), 6, "of one, two and three parts");
    Scene { sessions, parts, whole }
});

fuzz_target!(|input: &[u8]| {
    let scene = &*SCENE;
    let known: Vec<&str> = scene.parts.iter().map(String::as_str).collect();
    let lines = lines::of(input, &known);
    let values = joined(&lines).unwrap_or_default();
    let genuine: Vec<&str> = scene
        .whole
        .iter()
        .zip(USERS)
        .filter(|(whole, _)| values.contains(*whole))
        .map(|(_, user)| user)
        .collect();

    let exchange = opened(&scene.sessions, COOKIE, lines);
    let session = now(exchange.session().load()).expect("a bad cookie is no error");
    let user = session.user().map(|user| user.to_string());
    match genuine[..] {
        [only] => assert_eq!(user.as_deref(), Some(only)),
        _ => assert_eq!(user, None),
    }
    let (_, cookie, outcome) = closed(exchange);
    outcome.expect("there is nothing to commit");
    assert_eq!(cookie.as_deref(), (genuine.len() > 1).then_some(""));
});

/// The values that the cookies are, parts put together; none at all if they contradict each other.
fn joined(lines: &[HeaderValue]) -> Option<BTreeSet<String>> {
    let firsts = lines::values(lines, NAME);
    if !lines::are_few(lines) || lines::pairs(lines).count() > 64 || firsts.len() > 3 {
        return None;
    }
    let mut whole = BTreeSet::new();
    for first in firsts {
        let Some(marked) = first.strip_prefix('~') else {
            whole.insert(first.to_owned());
            continue;
        };
        let (count, begin) = match marked.as_bytes() {
            [count @ b'1'..=b'3', b'~', ..] => (count - b'0', &marked[2..]),
            _ => continue,
        };
        let mut value = Some(begin.to_owned());
        for part in 1..count {
            let found = lines::values(lines, &format!("{NAME}.{part}"));
            match found.len() {
                1 => value = value.map(|value| value + found.first().expect("one")),
                2 | 3 => return None,
                _ => {
                    value = None;
                    break;
                }
            }
        }
        whole.extend(value);
    }
    Some(whole)
}
