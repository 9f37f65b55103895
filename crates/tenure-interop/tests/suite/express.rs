//! The cookies of express-session, @fastify/session and cookie-parser.

use serde_json::Value;
use tenure_core::SystemRandom;
use tenure_core::format::{TokenContext, TokenScheme};
use tenure_core::transform::Transforms;
use tenure_core::transport::CookieEncoding;
use tenure_interop::{HmacAlgorithm, IdTokens, SharedKey, SharedKeyring, express};

use crate::support::cx;
use crate::vectors::{FASTIFY, FASTIFY_10, cases, named, text};

const LATEST: &str = "fastify.json";

/// A `Set-Cookie` line that one of the programs sent, and what is needed to open it.
struct Sent {
    case: Value,
    name: String,
    wire: String,
    prefix: &'static str,
    encoding: CookieEncoding,
}

impl Sent {
    fn new(case: &Value, file: &str, by: &str, line: &str) -> Option<Self> {
        let (name, rest) = line.split_once('=').unwrap();
        let wire = rest.split_once(';').unwrap().0;
        if wire.is_empty() {
            assert!(line.contains("Expires=Thu, 01 Jan 1970"), "a removal: {line}");
            return None;
        }
        let fastify_11 = by == "fastify" && file == LATEST;
        Some(Self {
            case: case.clone(),
            name: name.to_owned(),
            wire: wire.to_owned(),
            prefix: if name == "sessionId" { "" } else { "s:" },
            encoding: if fastify_11 {
                CookieEncoding::PercentIfNeeded
            } else {
                CookieEncoding::Percent
            },
        })
    }

    fn transforms(&self) -> Transforms {
        let sign = express::Sign::new(keys(&self.case["secret"]));
        let sign = match self.case["algorithm"].as_str() {
            Some("sha512") => sign.algorithm(HmacAlgorithm::Sha512),
            Some("sha256") | None => sign,
            Some(other) => panic!("{other}"),
        };
        let chain = Transforms::new().then(sign).as_text();
        if self.prefix.is_empty() { chain } else { chain.then(express::Prefix::new(self.prefix)) }
    }

    fn open(&self) -> Option<String> {
        let decoded = self.encoding.decode(&self.wire)?;
        Some(String::from_utf8(self.transforms().read(&decoded, &cx())?).unwrap())
    }
}

fn keys(secret: &Value) -> SharedKeyring {
    let list = secret.as_array().cloned().unwrap_or_else(|| vec![secret.clone()]);
    let key = |secret: &Value| SharedKey::insecure_short(secret.as_str().unwrap()).unwrap();
    SharedKeyring::new(list.iter().map(key))
}

/// All lines of all cases of both files.
fn lines() -> Vec<Sent> {
    let mut sent = Vec::new();
    for (name, file) in [(LATEST, FASTIFY), ("fastify-v10.json", FASTIFY_10)] {
        for case in cases(file) {
            let fastify = text(&case, "program").starts_with("@fastify");
            let by = if fastify { "fastify" } else { "express" };
            let steps = case["steps"].as_array().cloned().unwrap_or_default();
            for part in [&case].into_iter().chain(&steps) {
                let by = part["by"].as_str().unwrap_or(by);
                let lines = part["set_cookie"].as_array().cloned().unwrap_or_default();
                let lines = lines.iter().map(|line| line.as_str().unwrap());
                sent.extend(lines.filter_map(|line| Sent::new(&case, name, by, line)));
            }
            if case["name"] == "secure-over-http" {
                assert_eq!(
                    (&case["set_cookie"], &case["cookie_wire"]),
                    (&Value::Array(vec![]), &Value::Null)
                );
            } else {
                assert!(sent.last().is_some_and(|sent| sent.case["name"] == case["name"]));
            }
        }
    }
    sent
}

/// F1, F2: what each of the programs sent opens here, and is written here octet by octet alike:
/// with and without the prefix, by each spelling, by two algorithms, and by the first of two secrets.
#[test]
fn f2_every_cookie_opens_and_is_written_alike() {
    let lines = lines();
    assert_eq!(lines.len(), 79);
    for sent in &lines {
        let at = format!("{} {}", sent.case["name"], sent.wire);
        let value = sent.open().unwrap_or_else(|| panic!("{at}"));
        match sent.name.as_str() {
            "signed" => assert_eq!(value, "value 1"),
            "json" => assert_eq!(value, r#"j:{"a":1}"#),
            _ => {
                if let Some(decoded) = sent.case["cookie_decoded"].as_str() {
                    assert_eq!(sent.encoding.decode(&sent.wire).unwrap(), decoded);
                    assert_eq!(sent.wire, text(&sent.case, "cookie_wire"));
                    assert_eq!(value, text(&sent.case, "session_id"));
                }
            }
        }
        let written = sent.transforms().write(value.into_bytes(), &cx()).unwrap();
        assert_eq!(sent.encoding.encode(&written), sent.wire, "{at}");
        let other_key = Transforms::new()
            .then(express::Sign::new(SharedKey::insecure_short("other").unwrap()))
            .then(express::Prefix::new(sent.prefix))
            .as_text();
        assert_eq!(other_key.read(&sent.encoding.decode(&sent.wire).unwrap(), &cx()), None);
    }
}

/// F2: the ids of sessions are tokens, as far as their shape can do no harm.
#[test]
fn f2_ids_of_sessions_are_tokens() {
    let (mut generated, mut others, mut refused) = (0, 0, 0);
    for sent in lines() {
        if matches!(sent.name.as_str(), "signed" | "json") {
            continue;
        }
        let cx = TokenContext::new(&sent.name, &SystemRandom);
        let id = sent.open().unwrap();
        let wire = sent.encoding.decode(&sent.wire).unwrap();
        let exact = IdTokens::signed(express::IDS, sent.transforms()).unwrap();
        let lenient = IdTokens::signed(express::IDS.or_others(), sent.transforms()).unwrap();
        if let Some(token) = exact.parse(&wire, &cx) {
            generated += 1;
            assert_eq!(token.danger_text(), Some(&*id));
            assert_eq!(exact.write(&token, &cx), wire);
            if sent.case["algorithm"] != "sha512" {
                let keys = keys(&sent.case["secret"]);
                let (with, without) =
                    (express::tokens(keys.clone()), express::tokens_without_prefix(keys));
                assert_eq!(with.parse(&wire, &cx).is_some(), sent.prefix == "s:");
                assert_eq!(without.parse(&wire, &cx).is_some(), sent.prefix.is_empty());
            }
        } else if let Some(token) = lenient.parse(&wire, &cx) {
            others += 1;
            assert_eq!(id, "fixed-id-2");
            assert_eq!(lenient.write(&token, &cx), wire);
        } else {
            refused += 1;
            assert_eq!(id, "user.1 +/%é", "path characters, and a letter beyond ASCII");
        }
    }
    assert_eq!((generated, others, refused), (50, 1, 2));
}

/// F1: a cookie of the older secret opens, and is written with the newer one.
#[test]
fn f1_secrets_in_a_list() {
    let case = named(FASTIFY, "express-secret-list");
    let old = SharedKeyring::new([SharedKey::insecure_short("old-secret").unwrap()]);
    let (old, both) = (express::tokens(old), express::tokens(keys(&case["secret"])));
    let cx = TokenContext::new("connect.sid", &SystemRandom);
    let token = both.parse(text(&case, "cookie_decoded"), &cx).unwrap();
    let older = old.write(&token, &cx);
    assert_ne!(older, text(&case, "cookie_decoded"));
    let again = both.parse(&older, &cx).unwrap();
    assert_eq!(both.write(&again, &cx), text(&case, "cookie_decoded"));
    assert!(old.parse(text(&case, "cookie_decoded"), &cx).is_none());
}

/// What @fastify/session makes of cookies that something is wrong with; here it is the same, but for
/// quotes, which are a part of the value (T-COOK-5).
#[test]
fn f2_reading_is_as_strict_as_there() {
    let case = named(FASTIFY_10, "read-behaviours");
    let tokens = express::tokens_without_prefix(keys(&case["secret"]));
    let cx = TokenContext::new("sessionId", &SystemRandom);
    let mut labels = 0;
    for step in case["steps"].as_array().unwrap() {
        let opened = text(step, "request_cookie").split("; ").map(|pair| {
            let decoded = CookieEncoding::Percent.decode(pair.strip_prefix("sessionId=").unwrap());
            tokens.parse(&decoded.unwrap(), &cx).is_some()
        });
        let expected: &[bool] = match text(step, "label") {
            "valid" | "percent-encoded" => &[true],
            // The store decides on these.
            "signed but unknown id" | "stored session past its cookie.expires" => &[true],
            "duplicate, good first" => &[true, false],
            "duplicate, good last" => &[false, true],
            "quoted" | "tampered signature" | "padded signature" | "no signature" | "empty" => {
                &[false]
            }
            other => panic!("{other}"),
        };
        assert_eq!(opened.collect::<Vec<_>>(), expected, "{}", step["label"]);
        labels += 1;
    }
    assert_eq!(labels, 11);
}

/// Requests in the recorded steps carry what was sent before.
#[test]
fn f2_what_clients_sent_back_opens() {
    let mut requests = 0;
    for file in [FASTIFY, FASTIFY_10] {
        let case = named(file, "not-rolling");
        let tokens = express::tokens_without_prefix(keys(&case["secret"]));
        let cx = TokenContext::new("sessionId", &SystemRandom);
        for step in case["steps"].as_array().unwrap() {
            if let Some(cookie) = step["request_cookie"].as_str() {
                let wire = cookie.strip_prefix("sessionId=").unwrap();
                let decoded = CookieEncoding::Percent.decode(wire).unwrap();
                assert!(tokens.parse(&decoded, &cx).is_some(), "{cookie}");
                requests += 1;
            }
        }
    }
    assert_eq!(requests, 16);
}
