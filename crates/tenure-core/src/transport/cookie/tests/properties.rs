//! Laws for whatever a client can send and an application can configure.

use proptest::prelude::*;
use proptest::sample::select;

use super::*;

fn name() -> impl Strategy<Value = String> {
    let prefix = select(vec!["", "__Host-", "__Secure-", "__host-http-", "__Http-"]);
    (prefix, "[!#$%&'*+.^`|~0-9a-zA-Z-]{1,40}").prop_map(|(prefix, rest)| format!("{prefix}{rest}"))
}

fn value() -> impl Strategy<Value = String> {
    "[!#-+\\--:<-\\[\\]-~]{1,200}"
}

/// Octets that a header may have, rich in what means something to the parser.
fn line() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop_oneof![
        Just(b"__Host-id".to_vec()),
        Just(b"=".to_vec()),
        Just(b";".to_vec()),
        Just(b" ".to_vec()),
        Just(b"\t".to_vec()),
        Just(b"\"".to_vec()),
        prop::collection::vec(any::<u8>(), 0..8),
    ];
    prop::collection::vec(piece, 0..40).prop_map(|pieces| {
        let sendable = |octet: &u8| *octet == b'\t' || (*octet >= b' ' && *octet != 0x7F);
        pieces.concat().into_iter().filter(sendable).collect()
    })
}

/// A second, plain reading of the rules, to compare with.
fn model(lines: &[Vec<u8>]) -> Result<Vec<String>, Refusal> {
    let joined = lines.join(b"; ".as_slice());
    let mut values = Vec::new();
    for (index, pair) in joined
        .split(|octet| *octet == b';')
        .map(|pair| pair.iter().map(|octet| char::from(*octet)).collect::<String>())
        .map(|pair| pair.trim_matches([' ', '\t']).to_owned())
        .filter(|pair| !pair.is_empty())
        .enumerate()
    {
        if index == 64 {
            return Err(Refusal::TooMany);
        }
        if let Some(("__Host-id", value)) = pair.split_once('=')
            && !value.is_empty()
            && value.chars().all(|sign| sign.is_ascii_graphic())
            && !values.iter().any(|known| known == value)
        {
            if values.len() == 3 {
                return Err(Refusal::TooManyCandidates);
            }
            values.push(value.to_owned());
        }
    }
    Ok(values)
}

proptest! {
    /// What is issued is read back, among other cookies, and a removal gives nothing.
    #[test]
    fn what_is_issued_is_read_back(
        name in name(),
        value in value(),
        others in prop::collection::vec(("[a-z]{1,8}", "[ -:<-~]{0,30}"), 0..20),
        place in any::<prop::sample::Index>(),
        secure in any::<bool>(),
    ) {
        let transport = transport(Cookie::named(&name).secure(Secure::Auto));
        let issued = text(issue(&transport, &value, &context(secure)).unwrap());
        let (pair, _) = issued.split_once(';').unwrap();
        prop_assert_eq!(pair, format!("{}={value}", transport.name(secure)));
        let removed = text(remove(&transport, &context(secure)).unwrap());
        let (removed, _) = removed.split_once(';').unwrap();

        let mut pairs: Vec<String> = others
            .into_iter()
            .filter(|(other, _)| other != transport.name(secure))
            .map(|(other, text)| format!("{other}={text}"))
            .collect();
        pairs.insert(place.index(pairs.len() + 1), pair.to_owned());
        pairs.push(removed.to_owned());
        let presented = capture(&headers([pairs.join("; ")]));
        let candidates = transport.find(&presented, secure);
        prop_assert_eq!(candidates.iter().collect::<Vec<_>>(), [value.as_str()]);
    }

    /// Arbitrary octets never panic, and mean what the rules say.
    #[test]
    fn arbitrary_octets_are_read_by_the_rules(lines in prop::collection::vec(line(), 0..4)) {
        prop_assert_eq!(found(&lines), model(&lines));
    }

    /// Arbitrary settings are refused or written on one line whose attributes are those.
    #[test]
    fn arbitrary_settings_never_break_the_line(
        name in prop_oneof![name(), ".{0,12}"],
        path in prop_oneof!["/[a-z ]{0,8}", ".{0,12}"],
        domain in prop::option::of(prop_oneof!["[a-z]{1,5}(\\.[a-z]{1,5}){0,3}", ".{0,12}"]),
        extension in prop_oneof!["[a-z]{1,5}", ".{0,8}"],
        text_value in prop::option::of(".{0,12}"),
        auto in any::<bool>(),
        secure in any::<bool>(),
    ) {
        let mut cookie = Cookie::named(name)
            .path(&path)
            .secure(if auto { Secure::Auto } else { Secure::Always })
            .extension(&extension, text_value.as_deref());
        if let Some(domain) = &domain {
            cookie = cookie.domain(domain);
        }
        let Ok(transport) = CookieTransport::new(cookie, NOW) else { return Ok(()) };
        let line = text(issue(&transport, "token", &context(secure)).unwrap());
        let mut expected = vec![format!("{}=token", transport.name(secure)), format!("Path={path}")];
        expected.extend(domain.map(|domain| format!("Domain={domain}")));
        if !auto || secure {
            expected.push("Secure".to_owned());
        }
        expected.extend(["HttpOnly".to_owned(), "SameSite=Lax".to_owned()]);
        expected.push(match text_value {
            Some(value) => format!("{extension}={value}"),
            None => extension,
        });
        prop_assert_eq!(line.split("; ").collect::<Vec<_>>(), expected);
    }

    /// No value, whatever it is, panics or gets a second attribute in.
    #[test]
    fn arbitrary_values_never_break_the_line(value in ".{0,40}") {
        let transport = transport(Cookie::default());
        if let Ok(line) = issue(&transport, &value, &context(true)) {
            let expected = format!("__Host-id={value}; Path=/; Secure; HttpOnly; SameSite=Lax");
            prop_assert_eq!(text(line), expected);
            prop_assert!(!value.contains([';', ',', ' ', '"', '\\']));
        }
    }
}
