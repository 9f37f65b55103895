//! Ktor's cookies from the wire to the payload, and back.

use serde_json::Value;
use tenure_core::SystemRandom;
use tenure_core::format::{TokenContext, TokenScheme};
use tenure_core::transform::Transforms;
use tenure_core::transport::CookieEncoding;
use tenure_interop::ktor::{self, JsonClass, JsonKind};

use crate::support::{chain, cx, key};
use crate::vectors::{KTOR, of_kind, text};

/// The value of a `Set-Cookie` line and how it says that it is encoded.
fn value(line: &str) -> (&str, CookieEncoding) {
    let (pair, attributes) = line.split_once(';').unwrap();
    let (_, encoding) = attributes.split_once("$x-enc=").unwrap();
    let encoding = match encoding {
        "URI_ENCODING" => CookieEncoding::Form,
        "BASE64_ENCODING" => CookieEncoding::Base64,
        other => panic!("{other}"),
    };
    (pair.strip_prefix("SESSION=").unwrap(), encoding)
}

fn payload(wire: &str, encoding: CookieEncoding, transforms: &Transforms) -> Option<String> {
    let payload = transforms.read(&encoding.decode(wire)?, &cx())?;
    let payload = String::from_utf8(payload).ok()?;
    let class = JsonClass::new().required("id", JsonKind::Text).required("count", JsonKind::Int);
    class.check(&payload).ok().map(|()| payload)
}

/// As Kotlin prints it.
fn printed(payload: Option<String>) -> String {
    let Some(payload) = payload else { return "null".to_owned() };
    let payload: Value = serde_json::from_str(&payload).unwrap();
    format!("Simple(id={}, count={})", payload["id"].as_str().unwrap(), payload["count"])
}

/// K3, K5, K8: payloads in the cookie, plain and signed, by both spellings.
#[test]
fn k3_payloads_in_cookies() {
    let (mut sent, mut read, mut tried) = (0, 0, 0);
    for case in of_kind(KTOR, "http", 7) {
        let transforms = match text(&case, "name") {
            "cookie-id-signed" => continue,
            "cookie-client-signed" => chain(ktor::Sign::new(key(text(&case, "sign_key_hex")))),
            _ => Transforms::new().as_text(),
        };
        let mut encoding = CookieEncoding::Form;
        for step in case["steps"].as_array().unwrap() {
            for line in step["set_cookie"].as_array().unwrap() {
                let line = line.as_str().unwrap();
                let wire;
                (wire, encoding) = value(line);
                if wire.is_empty() {
                    assert!(line.contains("Max-Age=0; Expires=Thu, 01 Jan 1970 00:00:00 GMT"));
                    continue;
                }
                let payload = payload(wire, encoding, &transforms).unwrap();
                let written = transforms.write(payload.into_bytes(), &cx()).unwrap();
                assert_eq!(encoding.encode(&written), wire, "{}", case["name"]);
                sent += 1;
            }
            if text(step, "path") == "/get" {
                let payload =
                    step["request"].as_str().and_then(|wire| payload(wire, encoding, &transforms));
                assert_eq!(printed(payload), text(step, "body"), "{}", case["name"]);
                read += 1;
            }
        }
        for attempt in case["tries"].as_array().into_iter().flatten() {
            let payload = payload(text(attempt, "sent"), encoding, &transforms);
            assert_eq!(printed(payload), text(attempt, "body"), "{}", attempt["note"]);
            tried += 1;
        }
    }
    assert_eq!((sent, read, tried), (11, 11, 7));
}

/// K5, K8: ids in the cookie, signed.
#[test]
fn k8_ids_in_cookies() {
    let cases = of_kind(KTOR, "http", 7);
    let case = cases.iter().find(|case| case["name"] == "cookie-id-signed").unwrap();
    let tokens = ktor::tokens(key(text(case, "sign_key_hex")));
    let cx = TokenContext::new("SESSION", &SystemRandom);
    let open = |wire: &str| tokens.parse(&CookieEncoding::Form.decode(wire).unwrap(), &cx);
    let mut lines = 0;
    for step in case["steps"].as_array().unwrap() {
        for line in step["set_cookie"].as_array().unwrap() {
            let (wire, encoding) = value(line.as_str().unwrap());
            if wire.is_empty() {
                continue;
            }
            let token = open(wire).unwrap();
            assert_eq!(encoding.encode(&tokens.write(&token, &cx)), wire);
            lines += 1;
        }
        assert!(step["request"].as_str().is_none_or(|wire| open(wire).is_some()));
    }
    assert_eq!(lines, 3);
    for attempt in case["tries"].as_array().unwrap() {
        let known = text(attempt, "body") != "null";
        assert_eq!(open(text(attempt, "sent")).is_some(), known, "{}", attempt["note"]);
    }
}
