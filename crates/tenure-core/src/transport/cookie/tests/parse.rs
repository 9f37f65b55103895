//! What is read, octet by octet.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use super::*;
use crate::transport::presented::{MAX_ITEMS, MAX_OCTETS};

const NAME: &str = "__Host-id";

#[test]
fn t_cook_5_octets_only() {
    let table: [(&[u8], &[&str]); 26] = [
        (b"__Host-id=a", &["a"]),
        (b"x=1; __Host-id=a; y=2", &["a"]),
        (b"x=1;__Host-id=a;y=2", &["a"]),
        (b" \t__Host-id=a\t ", &["a"]),
        (b";; ;\t; __Host-id=a;;", &["a"]),
        (b"__Host-id=a=b==", &["a=b=="]),
        (b"__Host-id==a", &["=a"]),
        // Quotes, percent signs and commas are octets like others.
        (b"__Host-id=\"a\"", &["\"a\""]),
        (b"__Host-id=\"a;b\"", &["\"a"]),
        (b"__Host-id=%61", &["%61"]),
        (b"__Host-id=a,b", &["a,b"]),
        (b"__Host-id=a, __Host-id=b", &[]),
        (b"x=\"1; __Host-id=a; \"", &["a"]),
        // No `$Version` mode.
        (b"$Version=1; __Host-id=a; $Path=/", &["a"]),
        (b"$Version=1, __Host-id=a", &[]),
        // Nameless.
        (b"=__Host-id", &[]),
        (b"=a", &[]),
        (b"__Host-id", &[]),
        (b"a; =; __Host-id=b", &["b"]),
        // No credential.
        (b"__Host-id=", &[]),
        (b"__Host-id= a", &[]),
        (b"__Host-id=a b", &[]),
        (b"__Host-id=a\tb", &[]),
        (b"__Host-id=\xC3\xA4", &[]),
        (b"__Host-id=a\xA0", &[]),
        (b"", &[]),
    ];
    for (line, values) in table {
        let shown = String::from_utf8_lossy(line);
        assert_eq!(found([line]).unwrap(), values, "{shown}");
    }
}

/// T-COOK-6, the parser's part: every different value is told, and more than three are none.
#[test]
fn t_cook_6_duplicates() {
    assert_eq!(found(["__Host-id=a; __Host-id=b"]).unwrap(), ["a", "b"]);
    assert_eq!(found(["__Host-id=a; __Host-id=a; x=1; __Host-id=a"]).unwrap(), ["a"]);
    assert_eq!(found(["__Host-id=a; __Host-id=b; __Host-id=a; __Host-id=c"]).unwrap().len(), 3);
    // What cannot be a credential takes no place.
    assert_eq!(
        found(["__Host-id=; __Host-id=a b; __Host-id=ä; __Host-id= ; __Host-id=a"]).unwrap(),
        ["a"],
    );
    for lines in [
        vec!["__Host-id=a; __Host-id=b; __Host-id=c; __Host-id=d"],
        vec!["__Host-id=a; __Host-id=b", "__Host-id=c; __Host-id=d"],
    ] {
        assert_eq!(found(lines), Err(Refusal::TooManyCandidates));
    }
}

/// T-COOK-7: 100,000 times `a=;` is over the length that needs no parsing to see. Nothing of it
/// is kept or parsed, and parsing allocates nothing by construction: it has only slices of what
/// was captured, in an array.
#[test]
fn t_cook_7_a_hundred_thousand_cookies_cost_nothing() {
    let transport = transport(Cookie::default());
    let headers = headers(["a=;".repeat(100_000)]);
    let start = Instant::now();
    for _ in 0..1_000 {
        let presented = capture(&headers);
        assert_eq!(format!("{presented:?}"), "Presented(Oversize)");
        assert_eq!(transport.find(&presented, true).refusal(), Some(Refusal::Oversize));
    }
    assert!(start.elapsed() < Duration::from_secs(1));
}

#[test]
fn t_cook_7_limits() {
    let cookies = |count: usize| vec!["a=1"; count - 1].join("; ") + "; __Host-id=v";
    assert_eq!(found([cookies(MAX_ITEMS)]).unwrap(), ["v"]);
    assert_eq!(found([cookies(MAX_ITEMS + 1)]), Err(Refusal::TooMany));
    // Nameless ones count, empty ones do not.
    assert_eq!(found(["a;".repeat(65)]), Err(Refusal::TooMany));
    assert_eq!(found([";".repeat(1_000) + "__Host-id=v"]).unwrap(), ["v"]);

    let octets = |count: usize| format!("__Host-id=v; a={}", "1".repeat(count - 15));
    assert_eq!(octets(MAX_OCTETS).len(), 16_384);
    assert_eq!(found([octets(MAX_OCTETS)]).unwrap(), ["v"]);
    assert_eq!(found([octets(MAX_OCTETS + 1)]), Err(Refusal::Oversize));
}

/// R23: bombs of every shape are refused or parsed within the limits, in linear time.
#[test]
fn r23_cookie_bombs() {
    let start = Instant::now();
    let long = "v".repeat(16_000);
    for (lines, outcome) in [
        (vec!["a=;".repeat(5_000)], Err(Refusal::TooMany)),
        (vec!["=".repeat(MAX_OCTETS)], Ok(vec![])),
        (vec![";".repeat(MAX_OCTETS)], Ok(vec![])),
        (vec![" ".repeat(MAX_OCTETS)], Ok(vec![])),
        (vec![" \t;".repeat(5_000)], Ok(vec![])),
        (vec!["__Host-id".repeat(1_800)], Ok(vec![])),
        (vec!["__Host-id=".repeat(1_600)], Ok(vec!["__Host-id=".repeat(1_599)])),
        (vec![format!("__Host-id={long}")], Ok(vec![long.clone()])),
        (vec!["__Host-id=a; __Host-id=b; ".repeat(60)], Err(Refusal::TooMany)),
        (vec![String::new(); 65], Err(Refusal::TooMany)),
        (vec!["__Host-id=v".to_owned(); 64], Ok(vec!["v".to_owned()])),
        (vec!["__Host-id=v".to_owned(); 20_000], Err(Refusal::Oversize)),
        (vec![long.clone(), long.clone()], Err(Refusal::Oversize)),
    ] {
        let shown = lines.iter().map(String::len).sum::<usize>();
        assert_eq!(found(lines), outcome, "{shown} octets");
    }
    assert!(start.elapsed() < Duration::from_secs(5));
}

/// R29: several lines are read as if joined by `; ` (RFC 9113 §8.2.3), and count together.
#[test]
fn r29_lines() {
    for (lines, joined) in [
        (vec!["a=1", "__Host-id=v"], "a=1; __Host-id=v"),
        (vec!["__Host-id=v", "a=1"], "__Host-id=v; a=1"),
        (vec!["__Host-id=", "v"], "__Host-id=; v"),
        (vec!["__Host", "-id=v"], "__Host; -id=v"),
        (vec!["__Host-id=v;", "", " ; a"], "__Host-id=v;; ;  ; a"),
        (vec!["x=\"", "__Host-id=v", "\""], "x=\"; __Host-id=v; \""),
        (vec!["__Host-id=a", "__Host-id=b", "__Host-id=a"], "__Host-id=a; __Host-id=b"),
    ] {
        assert_eq!(found(&lines), found([joined]), "{lines:?}");
    }
    // The joints count too.
    let half = "a".repeat(MAX_OCTETS / 2 - 1);
    assert_eq!(found([&half, &half]), Ok(vec![]));
    assert_eq!(found([half.clone(), half + "a"]), Err(Refusal::Oversize));
    let cookies = "a=1; ".repeat(32);
    assert_eq!(found([&cookies, &cookies]), Ok(vec![]));
    assert_eq!(found([&cookies, &cookies, "a=1"]), Err(Refusal::TooMany));
}

#[test]
fn nothing_presented() {
    let transport = transport(Cookie::default());
    let presented = capture(&HeaderMap::new());
    assert!(presented.is_empty() && Presented::default().is_empty());
    assert!(transport.find(&presented, true).iter().next().is_none());
    assert_eq!(transport.find(&presented, true).refusal(), None);
    assert!(!capture(&headers([""])).is_empty());
    assert_eq!(transport.request_header(), COOKIE);
    for refusal in [Refusal::TooMany, Refusal::Oversize, Refusal::TooManyCandidates] {
        assert!(refusal.description().starts_with("the request has more than"));
    }
}

/// R19: no name that somebody else may set passes for ours, by an encoding,
/// a space or a case that a lenient parser takes for the same.
#[test]
fn r19_alias_names() {
    let aliases = aliases();
    assert!(aliases.len() >= 500, "{}", aliases.len());
    let transport = transport(Cookie::default());
    let mut sendable = 0;
    for alias in &aliases {
        let shown = String::from_utf8_lossy(alias);
        let line = [alias.as_slice(), b"=evil; a=1"].concat();
        // What is no header value at all (NUL, line breaks) cannot arrive.
        let Ok(alone) = HeaderValue::from_bytes(&line) else { continue };
        sendable += 1;
        let mut headers = HeaderMap::new();
        headers.insert(COOKIE, alone);
        let presented = capture(&headers);
        assert!(transport.find(&presented, true).iter().next().is_none(), "{shown:?}");

        for both in [[line.as_slice(), b"; ", b"__Host-id=real"], [b"__Host-id=real", b";", &line]]
        {
            assert_eq!(found([both.concat()]).unwrap(), ["real"], "{shown:?}");
        }
    }
    assert!(sendable >= 500, "{sendable}");
}

/// Names that some decoder, trimmer or folder of others takes for [`NAME`].
fn aliases() -> BTreeSet<Vec<u8>> {
    let mut aliases = BTreeSet::new();
    // White space, invisible and control characters in UTF-8, and raw octets, at every place.
    let spaces = "\u{85}\u{A0}\u{AD}\u{1680}\u{180E}\u{2000}\u{2001}\u{2002}\u{2003}\u{2007}\u{2009}\
                  \u{200A}\u{200B}\u{200C}\u{200D}\u{2028}\u{2029}\u{202F}\u{205F}\u{2060}\u{3000}\
                  \u{FEFF}\u{FE0F}\0\u{1}\u{8}\u{B}\u{C}\r\n\u{1F}\u{7F} \t";
    let mut strays: Vec<Vec<u8>> = spaces.chars().map(|sign| sign.to_string().into()).collect();
    strays.extend([b"\x85".into(), b"\xA0".into(), b"\xAD".into(), b"\xC0\xA0".into()]);
    strays.extend(
        ["%00", "%20", "%09", "+", ".", "[", "]", "\"", "'", "\\", "$", ",", "/", ":", "@"]
            .map(|sign| sign.into()),
    );
    for stray in &strays {
        for place in 0..=NAME.len() {
            // RFC 6265bis §5.6.3 has browsers trim these; between pairs they mean nothing.
            if place == 0 && matches!(stray.as_slice(), b" " | b"\t") {
                continue;
            }
            let (start, end) = NAME.split_at(place);
            aliases.insert([start.as_bytes(), stray, end.as_bytes()].concat());
        }
    }
    // Each character percent-encoded, in both cases, and replaced by what others fold into it.
    for (place, sign) in NAME.char_indices() {
        let (start, end) = (&NAME[..place], &NAME[place + 1..]);
        let code = u32::from(sign);
        let mut others = vec![
            format!("%{code:02X}"),
            format!("%{code:02x}"),
            format!("%25{code:02X}"),
            format!("%u{code:04X}"),
            format!("&#{code}"),
            format!("\\{code:03o}"),
            // Fullwidth forms are 0xFEE0 above ASCII.
            char::from_u32(code + 0xFEE0).unwrap().to_string(),
            String::new(),
        ];
        if sign == '_' {
            others.extend(["[", ".", " ", "-", "\u{203F}", "\u{FE4D}"].map(str::to_owned));
        }
        if sign == '-' {
            others.extend(["_", ".", "\u{2010}", "\u{2212}", "\u{AD}"].map(str::to_owned));
        }
        for other in others {
            aliases.insert(format!("{start}{other}{end}").into());
        }
    }
    // Every mixture of upper and lower case.
    let letters: Vec<usize> = NAME
        .char_indices()
        .filter(|(_, sign)| sign.is_alphabetic())
        .map(|(place, _)| place)
        .collect();
    for mixture in 0..1_u32 << letters.len() {
        let mut name = NAME.as_bytes().to_vec();
        for (bit, place) in letters.iter().enumerate() {
            if mixture >> bit & 1 == 1 {
                name[*place] ^= 0x20;
            }
        }
        aliases.insert(name);
    }
    // Other names that begin, end or decode alike.
    for other in [
        "id",
        "Host-id",
        "__Host-id2",
        "__Host-ids",
        "x__Host-id",
        "__Secure-id",
        "__Host-__Host-id",
        "__Host-i\u{131}d",
        "__Ho\u{17F}t-id",
        "%5F%5FHost-id",
        "..Host-id",
        "[[Host-id",
        "  Host-id",
        "__Host-id[]",
        "__Host-id[0]",
        "__Host-id.x",
        "__Host-id.0",
        "$__Host-id",
        "__Host-id:",
        "\"__Host-id\"",
    ] {
        aliases.insert(other.into());
    }
    aliases.remove(NAME.as_bytes());
    aliases
}
