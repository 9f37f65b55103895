//! Ids as tokens, in sessions.

use http::header::{COOKIE, SET_COOKIE};
use tenure_core::engine::Connection;
use tenure_core::format::{TokenContext, TokenScheme};
use tenure_core::id::Token;
use tenure_core::store::MemoryStore;
use tenure_core::transform::Transforms;
use tenure_core::transport::{Cookie, CookieEncoding};
use tenure_core::{ErrorKind, Handle, Sessions, SystemRandom};
use tenure_interop::{EncryptionKey, IdShape, IdTokens, SharedKey, SharedKeyring, express, ktor};
use tenure_testkit::ScriptedRandom;

use crate::support::{encryption, key};

const SECRET: &str = "an-insecure-secret-for-tests-only-0123456789";

fn shared() -> SharedKey {
    SharedKey::new(SECRET).unwrap()
}

fn schemes() -> [(&'static str, IdTokens); 4] {
    let encrypt = ktor::Encrypt::new(encryption(&"0f".repeat(16)), shared());
    let encrypted = Transforms::new().then(encrypt).then(ktor::Sign::new(key(&"77".repeat(32))));
    [
        ("ktor", ktor::tokens(shared())),
        ("ktor, encrypted", IdTokens::signed(ktor::IDS, encrypted).unwrap()),
        ("express", express::tokens(shared())),
        ("fastify", express::tokens_without_prefix(shared())),
    ]
}

/// F2, K8, K9: through HTTP the cookie is spelled as the system spells it, and read back.
#[tokio::test]
async fn f2_k9_cookies_are_spelled_as_the_system_spells_them() {
    use CookieEncoding::{Form, Percent, PercentIfNeeded};
    let spellings = [(Form, "%2F"), (Form, "%2F"), (Percent, "s%3A"), (PercentIfNeeded, ".")];
    for ((system, scheme), (encoding, part)) in schemes().into_iter().zip(spellings) {
        let cookie = Cookie::named("sid").encoding(encoding);
        let builder = Sessions::builder().store(MemoryStore::new()).cookie(cookie);
        let sessions = builder.token_scheme(scheme).build().unwrap();
        let visit = async |cookie: &str| {
            let request = http::Request::builder().header(COOKIE, cookie).body(()).unwrap();
            let exchange = sessions.open(&request.into_parts().0, Connection::new().secure(true));
            let session = exchange.session().load().await.unwrap();
            session.increment("n", 1).unwrap();
            let n = session.get::<u32>("n").unwrap().unwrap();
            let mut headers = http::HeaderMap::new();
            exchange.close(http::StatusCode::OK, &mut headers).await.unwrap();
            let line = headers.get(SET_COOKIE).map(|line| line.to_str().unwrap().to_owned());
            (n, line.map(|line| line.split(';').next().unwrap().to_owned()))
        };
        let (n, spelled) = visit("theme=dark").await;
        let spelled = spelled.unwrap();
        assert!(n == 1 && spelled.contains(part), "{system}: {spelled}");
        assert_eq!(visit(&spelled).await.0, 2, "{system}");
        let plain = encoding.decode(&spelled).unwrap();
        assert_eq!(visit(&plain).await.0, 3, "{system}: readers take both spellings");
        assert_eq!(visit(&spelled.replace('%', "%25")).await.0, if part == "." { 4 } else { 1 });
    }
}

/// F1, K8: a session under such a token lives through requests, and a log-in gives it another.
#[tokio::test]
async fn k8_sessions_with_tokens_of_others() {
    for (system, scheme) in schemes() {
        let sessions = Sessions::builder()
            .store(MemoryStore::new())
            .cookie(Cookie::named("sid"))
            .token_scheme(scheme)
            .build()
            .unwrap();
        let session = sessions.start().await.unwrap();
        session.set("n", 1).unwrap();
        session.save().await.unwrap();
        let token = session.danger_expose_token().unwrap();
        let found = sessions.open_token(&token).await.unwrap().unwrap();
        assert_eq!(found.get::<u32>("n").unwrap(), Some(1), "{system}");
        found.login("ada").unwrap();
        found.save().await.unwrap();
        let after = found.danger_expose_token().unwrap();
        assert_ne!(token, after);
        assert!(sessions.open_token(&token).await.unwrap().is_none(), "{system}");
        let found = sessions.open_token(&after).await.unwrap().unwrap();
        assert_eq!(found.get::<u32>("n").unwrap(), Some(1), "{system}");
    }
}

/// X3: what is forged costs no store call.
#[tokio::test]
async fn x3_forged_ids_cost_nothing() {
    for (system, scheme) in schemes() {
        let cx = TokenContext::new("__Host-id", &SystemRandom);
        let mut forged = scheme.write(&scheme.mint(&cx).unwrap(), &cx);
        forged.replace_range(3..4, if forged.as_bytes()[3] == b'a' { "b" } else { "a" });
        let builder = Sessions::builder().store(MemoryStore::new()).token_scheme(scheme);
        let sessions = builder.build().unwrap();
        assert!(sessions.open_token(&forged).await.unwrap().is_none());
        assert_eq!(sessions.counts().loads, 0, "{system}");
    }
}

#[test]
fn f7_ids_are_random_octets_in_the_systems_shape() {
    let random = || ScriptedRandom::new().then([0xab; 32]).then_unavailable();
    let scheme = ktor::tokens(shared());
    let script = random();
    let cx = TokenContext::new("SESSION", &script);
    assert_eq!(scheme.mint(&cx).unwrap().danger_text(), Some(&*"ab".repeat(32)));
    assert_eq!(scheme.mint(&cx).err().unwrap().kind(), ErrorKind::Unavailable);
    let script = ScriptedRandom::new().then([0xab; 24]);
    let cx = TokenContext::new("connect.sid", &script);
    let token = express::tokens(shared()).mint(&cx).unwrap();
    assert_eq!(token.danger_text(), Some("q6urq6urq6urq6urq6urq6urq6urq6ur"));
    for shape in [IdShape::hex(15), IdShape::base64url(0)] {
        let signed = Transforms::new().then(ktor::Sign::new(shared()));
        assert_eq!(IdTokens::signed(shape, signed).unwrap_err().kind(), ErrorKind::Config);
    }
}

/// A chain that anybody can make values for is refused, unless its price is named.
#[test]
fn f1_unsigned_ids_are_refused() {
    let encrypt = ktor::Encrypt::new(encryption(&"0f".repeat(16)), shared());
    for chain in [
        Transforms::new(),
        Transforms::new().then(express::Prefix::default()),
        Transforms::new().then(encrypt.clone()),
    ] {
        let error = IdTokens::signed(ktor::IDS, chain.clone()).unwrap_err();
        assert!(error.to_string().contains("insecure_unsigned"), "{error}");
        assert!(IdTokens::insecure_unsigned(ktor::IDS, chain).is_ok());
    }
    let chain = Transforms::new().then(encrypt.insecure_unauthenticated_iv());
    assert!(IdTokens::signed(ktor::IDS, chain).is_ok());
}

/// Signed as it may be, an id that could do harm elsewhere is none.
#[test]
fn t_file_1_ids_that_could_do_harm_are_none() {
    let unsigned = Transforms::new();
    let cx = TokenContext::new("sid", &SystemRandom);
    let exact = IdTokens::insecure_unsigned(express::IDS, unsigned.clone()).unwrap();
    let lenient = IdTokens::insecure_unsigned(express::IDS.or_others(), unsigned).unwrap();
    let (long, longer) = ("a".repeat(129), "a".repeat(1 << 20));
    for id in [
        "",
        ".",
        "..",
        "../../../../../../etc/passwd",
        "a/b",
        "a\\b",
        "a..b",
        ".hidden",
        "a b",
        "a\tb",
        "a\r\nb",
        "a\0b",
        "a%2fb",
        "a;b",
        "a,b",
        "a:b",
        "a*b",
        "a?b",
        "a'b",
        "a\"b",
        "$a",
        "{a}",
        "é",
        "日本",
        &long,
        &longer,
    ] {
        assert!(exact.parse(id, &cx).is_none(), "{id:?}");
        assert!(lenient.parse(id, &cx).is_none(), "{id:?}");
    }
    for id in ["fixed-id-2", "a", "user.1@shop~x=+_-", &"a".repeat(128)] {
        assert!(exact.parse(id, &cx).is_none() && lenient.parse(id, &cx).is_some(), "{id:?}");
    }
}

/// What cannot be signed is not sent at all.
#[tokio::test]
async fn f1_without_a_key_no_token_is_written() {
    let scheme = ktor::tokens(SharedKeyring::new([]));
    let cx = TokenContext::new("sid", &SystemRandom);
    let token = scheme.mint(&cx).unwrap();
    assert_eq!(scheme.write(&token, &cx), "");
    let ours = Token::split(Handle::from_bytes([1; 12]), [2; 24]);
    assert_eq!(express::tokens(shared()).write(&ours, &cx), "", "a token of another scheme");

    let builder = Sessions::builder().store(MemoryStore::new()).token_scheme(scheme);
    let sessions = builder.build().unwrap();
    let (parts, ()) = http::Request::new(()).into_parts();
    let exchange = sessions.open(&parts, Connection::new().secure(true));
    exchange.session().set("n", 1).unwrap();
    let mut headers = http::HeaderMap::new();
    assert!(exchange.close(http::StatusCode::OK, &mut headers).await.is_err());
    assert!(!headers.contains_key("set-cookie"));
}

/// F1: a short secret is refused at start, and nothing prints a key.
#[test]
fn f1_keys_are_checked_and_never_printed() {
    for short in ["", "k7Q2m", "keyboard cat", &SECRET[..31]] {
        let error = SharedKey::new(short).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Config);
        assert!(short.is_empty() || !error.to_string().contains(short), "{error}");
    }
    assert!(SharedKey::new(&SECRET[..32]).is_ok());
    assert!(SharedKey::insecure_short("").is_err());
    for odd in [0, 15, 17, 31, 33] {
        assert!(EncryptionKey::new(vec![7; odd]).is_err(), "{odd}");
    }
    for digits in ["0", "zz", &"é".repeat(16)] {
        assert!(EncryptionKey::from_hex(digits).is_err() && SharedKey::from_hex(digits).is_err());
    }
    let encryption = EncryptionKey::new(&SECRET.as_bytes()[..16]).unwrap();
    let printed = format!(
        "{:?} {:?} {:?} {:?} {:?} {:?}",
        shared(),
        encryption,
        SharedKeyring::new([shared()]),
        ktor::Encrypt::new(encryption.clone(), shared()),
        express::Sign::new(shared()),
        express::tokens(shared()),
    );
    let octets = format!("{:?}", &SECRET.as_bytes()[..4]);
    let octets = octets.trim_matches(['[', ']']);
    assert!(!printed.contains(&SECRET[..8]) && !printed.contains(octets), "{printed}");
}
