//! `Cookie` lines: which session a request gets, as RFC 6265bis and our limits say, and that the
//! store is asked for none but a genuine one.
//!
//! An input is the lines; the octets 1 to 3 in it stand for tokens that no input could guess.

#![no_main]

use std::sync::LazyLock;

use http::HeaderValue;
use http::header::COOKIE;
use libfuzzer_sys::fuzz_target;
use tenure_core::Sessions;
use tenure_core::transport::Cookie;
use tenure_fuzz::{Counted, NAME, begun, closed, lines, now, opened, sessions};

struct Scene {
    store: Counted,
    sessions: Sessions,
    ada: String,
    grace: String,
    /// Of another cookie, with the same keys and the same store.
    other: String,
}

static SCENE: LazyLock<Scene> = LazyLock::new(|| {
    let store = Counted::default();
    let sessions = sessions(store.clone());
    let other = sessions.with_cookie(Cookie::named("__Host-other")).expect("a cookie");
    let [ada, grace] = ["ada", "grace"].map(|user| begun(&sessions, user));
    let other = begun(&other, "ada");
    Scene { store, sessions, ada, grace, other }
});

fuzz_target!(|input: &[u8]| {
    let scene = &*SCENE;
    let lines = lines::of(input, &[&scene.ada, &scene.grace, &scene.other]);
    scene.check(&lines);

    let place = input.first().copied().unwrap_or_default();
    scene.check_found(&lines, place.into());
});

impl Scene {
    /// A request with these lines has the session that they name, and costs what it should.
    fn check(&self, lines: &[HeaderValue]) {
        let genuine = genuine(lines, &[&self.ada, &self.grace]);
        let user = self.user(lines);
        match genuine[..] {
            [token] => {
                assert_eq!(user.as_deref(), Some(if token == self.ada { "ada" } else { "grace" }))
            }
            _ => assert_eq!(user, None),
        }
    }

    /// Who comes with these lines. Nothing goes wrong, and the store is asked once, if at all.
    fn user(&self, lines: &[HeaderValue]) -> Option<String> {
        self.store.calls();
        let exchange = opened(&self.sessions, COOKIE, lines.to_vec());
        let session = now(exchange.session().load()).expect("a bad cookie is no error");
        assert_eq!(self.store.calls(), usize::from(session.exists()), "store calls");
        let user = session.user().map(|user| user.to_string());
        assert_eq!(user.is_some(), session.exists());

        let (headers, cookie, outcome) = closed(exchange);
        outcome.expect("there is nothing to commit");
        assert_eq!(headers["vary"], "cookie");
        assert_eq!(self.store.calls(), 0, "to close costs nothing");
        // Of two sessions one was planted: both are taken away.
        let removed = genuine(lines, &[&self.ada, &self.grace]).len() > 1;
        assert_eq!(cookie.as_deref(), removed.then_some(""));
        user
    }

    /// A genuine token is found among whatever other cookies there are, within the limits.
    fn check_found(&self, lines: &[HeaderValue], place: usize) {
        let mut others: Vec<&[u8]> =
            lines::pairs(lines).filter(|pair| lines::value(pair, NAME).is_none()).collect();
        others.truncate(63);
        let own = format!("{NAME}={}", self.grace);
        others.insert(place % (others.len() + 1), own.as_bytes());
        let line = others.join(&b"; "[..]);
        if line.len() <= 16 << 10 {
            let line = HeaderValue::from_bytes(&line).expect("made of such");
            assert_eq!(self.user(&[line]).as_deref(), Some("grace"));
        }
    }
}

/// The genuine ones among the values under the session's name, unless a limit is passed.
fn genuine<'a>(lines: &[HeaderValue], tokens: &[&'a str]) -> Vec<&'a str> {
    let values = lines::values(lines, NAME);
    if !lines::are_few(lines) || lines::pairs(lines).count() > 64 || values.len() > 3 {
        return Vec::new();
    }
    tokens.iter().copied().filter(|token| values.contains(token)).collect()
}
