//! Laws for values in several cookies (A2).

use std::time::Duration;

use proptest::prelude::*;
use proptest::sample::{Index, select, subsequence};

use super::*;
use crate::transport::cookie::write::{MAX_PAIR, REMOVED};

type Jar = Vec<(String, String)>;

/// How the cookie is configured, beside its name.
#[derive(Clone, Copy, Debug)]
enum Kind {
    Plain,
    Auto,
    Partitioned,
    Factory,
}

fn kind() -> impl Strategy<Value = Kind> {
    select(vec![Kind::Plain, Kind::Auto, Kind::Partitioned, Kind::Factory])
}

/// The same cookie, for one value each and for several.
fn transports(name: &str, kind: Kind) -> [CookieTransport; 2] {
    let cookie = Cookie::named(name);
    let cookie = match kind {
        Kind::Plain => cookie.lifetime(Duration::from_secs(3_600)),
        Kind::Auto => cookie.secure(Secure::Auto).same_site(SameSite::None).partitioned(true),
        Kind::Partitioned => cookie.same_site(SameSite::None).partitioned(true),
        Kind::Factory => cookie.factory(|_, cookie| {
            cookie.same_site(SameSite::Strict).priority(Priority::High).extension("X-Zone", None)
        }),
    };
    [transport(cookie.clone()), transport(cookie).chunked()]
}

/// Names from one octet to as many as are allowed.
fn name() -> impl Strategy<Value = String> {
    let prefix = select(vec!["", "__Host-", "__Secure-", "__Host-Http-"]);
    let longer = prop_oneof![2 => Just(0), 1 => 0..=1024_usize, 2 => 1020..=1024_usize];
    (prefix, "[!#$%&'*+.^`|~0-9a-zA-Z-]{1,12}", longer).prop_map(|(prefix, stem, length)| {
        let short = format!("{prefix}{stem}");
        let rest = length.saturating_sub(short.len());
        short + &"n".repeat(rest)
    })
}

/// The beginning of a value, which then goes on with it again and again.
fn piece() -> impl Strategy<Value = String> {
    let mark = select(vec!["", "", "~", "~~", "~1~", "~2~", "~3~", "~9~"]);
    (mark, "[!#-+\\--:<-\\[\\]-~]{1,40}").prop_map(|(mark, rest)| format!("{mark}{rest}"))
}

/// How long a value is, as far as it depends on what fits.
#[derive(Clone, Copy, Debug)]
enum Length {
    Any(Index),
    /// So many octets from where it takes one cookie more, or does not fit.
    Edge(usize, usize),
}

fn length() -> impl Strategy<Value = Length> {
    prop_oneof![
        any::<Index>().prop_map(Length::Any),
        (1..=3_usize, 0..=12_usize).prop_map(|(cookies, more)| Length::Edge(cookies, more)),
    ]
}

/// A value that fits.
fn fitting(transport: &CookieTransport, secure: bool, piece: &str, length: Length) -> String {
    let (most, name) = (transport.capacity(secure), transport.name(secure).len());
    let length = match length {
        Length::Any(index) => index.index(most) + 1,
        Length::Edge(cookies, more) => (cookies * (MAX_PAIR - name) - 10 + more).min(most),
    };
    long(piece, length)
}

fn long(piece: &str, length: usize) -> String {
    piece.chars().cycle().take(length).collect()
}

/// The names of the session's cookies.
fn names(name: &str) -> [String; 3] {
    [name.to_owned(), format!("{name}.1"), format!("{name}.2")]
}

/// Cookies of others, whose names resemble these; few enough for a request.
fn others(name: &str, which: &[usize]) -> Jar {
    let similar = [
        format!("{name}.3"),
        format!("{name}x"),
        format!("{name}.1x"),
        format!("{name}.10"),
        format!("{name}.0"),
        format!("{name}."),
        format!("{name}.1.1"),
        format!("x{name}.1"),
        format!("{name}_2"),
    ];
    which.iter().map(|index| (similar[*index].clone(), format!("~{index}~"))).collect()
}

fn which() -> impl Strategy<Value = Vec<usize>> {
    subsequence((0..9).collect::<Vec<_>>(), 0..=3)
}

fn present(jar: &Jar) -> Presented {
    let pairs: Vec<_> = jar.iter().map(|(name, value)| format!("{name}={value}")).collect();
    capture(&headers((!pairs.is_empty()).then(|| pairs.join("; "))))
}

/// What a response says to this, an empty value being the logout.
fn answer(
    transport: &CookieTransport,
    presented: &Presented,
    secure: bool,
    value: &str,
) -> Result<Vec<String>> {
    let cx = context(secure).answering(presented);
    let mut headers = HeaderMap::new();
    headers.append(SET_COOKIE, HeaderValue::from_static("theirs=1"));
    let done = if value.is_empty() {
        transport.remove(&cx, &mut headers)
    } else {
        Transport::issue(transport, value, &cx, &mut headers)
    };
    let mut lines = headers.get_all(SET_COOKIE).iter();
    assert_eq!(lines.next().unwrap(), "theirs=1", "what the application sets stays");
    let lines: Vec<_> = lines.cloned().collect();
    assert!(lines.iter().all(HeaderValue::is_sensitive));
    if done.is_err() {
        assert_eq!(lines.len(), 0, "all lines or none");
    }
    done.map(|()| lines.into_iter().map(text).collect())
}

/// The name, the value, and what follows.
fn cut(line: &str) -> (&str, &str, &str) {
    let (name, rest) = line.split_once('=').unwrap();
    let (value, _) = rest.split_once(';').unwrap();
    (name, value, &rest[value.len()..])
}

fn keep(jar: &mut Jar, lines: &[String]) {
    for line in lines {
        let (name, value, attributes) = cut(line);
        jar.retain(|(known, _)| known != name);
        assert_eq!(value.is_empty(), attributes.ends_with(REMOVED), "{line}");
        if !value.is_empty() {
            jar.push((name.to_owned(), value.to_owned()));
        }
    }
}

fn candidates(transport: &CookieTransport, jar: &Jar, secure: bool) -> Vec<String> {
    transport.find(&present(jar), secure).iter().map(str::to_owned).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    /// What fits comes back, after whatever was there before, in cookies that browsers store, each
    /// with the attributes that one alone has; what is left over goes, and everything at the end.
    #[test]
    fn a2_what_fits_comes_back(
        name in name(),
        kind in kind(),
        values in prop::collection::vec((piece(), length()), 1..4),
        which in which(),
        secure in any::<bool>(),
    ) {
        let [single, chunked] = transports(&name, kind);
        let name = chunked.name(secure);
        let nothing = Presented::default();
        let [set, unset] = ["t", ""].map(|value| {
            let line = answer(&single, &nothing, secure, value).unwrap().remove(0);
            cut(&line).2.to_owned()
        });
        let theirs = others(name, &which);
        let mut jar = theirs.clone();
        for (piece, length) in values {
            let value = fitting(&chunked, secure, &piece, length);
            let lines = answer(&chunked, &present(&jar), secure, &value).unwrap();
            let mut issued = 0;
            for line in &lines {
                let (name, value, attributes) = cut(line);
                prop_assert!(name.len() + value.len() <= MAX_PAIR);
                prop_assert_eq!(attributes, if value.is_empty() { &unset } else { &set });
                issued += usize::from(!value.is_empty());
            }
            let alone = value.len() + name.len() <= MAX_PAIR && !value.starts_with('~');
            if alone {
                prop_assert_eq!(&lines[0], &format!("{name}={value}{set}"), "as it is");
            }
            keep(&mut jar, &lines);
            prop_assert_eq!(&jar[..theirs.len()], &theirs);
            let ours: Vec<_> = jar[theirs.len()..].iter().map(|(name, _)| name.clone()).collect();
            prop_assert_eq!(&ours, &names(name)[..issued]);
            prop_assert_eq!(candidates(&chunked, &jar, secure), [value]);
        }
        let lines = answer(&chunked, &present(&jar), secure, "").unwrap();
        prop_assert!(lines.iter().all(|line| cut(line).2 == unset));
        let gone: Vec<_> = lines.iter().map(|line| cut(line).0).collect();
        prop_assert_eq!(gone, names(name), "also what only a parallel request has brought");
        keep(&mut jar, &lines);
        prop_assert_eq!(jar, theirs);
    }

    /// Beside the value, exactly the parts that the request had and the value does not need.
    #[test]
    fn a2_what_is_stale_goes_and_nothing_else(
        name in name(),
        kind in kind(),
        there in subsequence(vec![0, 1, 2], 0..=3),
        (piece, length) in (piece(), length()),
        which in which(),
        secure in any::<bool>(),
    ) {
        let [_, chunked] = transports(&name, kind);
        let names = names(chunked.name(secure));
        let mut jar = others(&names[0], &which);
        jar.extend(there.iter().map(|index| (names[*index].clone(), "old".to_owned())));
        let value = fitting(&chunked, secure, &piece, length);
        let lines = answer(&chunked, &present(&jar), secure, &value).unwrap();
        let of = |removed: bool| {
            let lines = lines.iter().map(|line| cut(line));
            lines.filter(move |(_, value, _)| value.is_empty() == removed).map(|(name, ..)| name)
        };
        let issued = of(false).count();
        prop_assert_eq!(of(false).collect::<Vec<_>>(), &names[..issued]);
        let stale: Vec<_> =
            there.iter().filter(|index| **index >= issued).map(|index| &names[*index]).collect();
        prop_assert_eq!(of(true).collect::<Vec<_>>(), stale);
    }

    /// What does not fit is an error, and nothing is sent.
    #[test]
    fn a2_what_does_not_fit_is_too_large(
        name in name(),
        kind in kind(),
        piece in piece(),
        more in prop_oneof![Just(1_usize), 1..20_000_usize],
        which in which(),
        secure in any::<bool>(),
    ) {
        for transport in transports(&name, kind) {
            let mut jar = others(transport.name(secure), &which);
            jar.extend(names(transport.name(secure)).map(|name| (name, "old".to_owned())));
            let value = long(&piece, transport.capacity(secure) + more);
            let error = answer(&transport, &present(&jar), secure, &value).unwrap_err();
            prop_assert_eq!((error.kind(), error.operation()), (ErrorKind::TooLarge, "cookie"));
            let fits = &value[..transport.capacity(secure)];
            prop_assert!(answer(&transport, &present(&jar), secure, fits).is_ok());
        }
    }

    /// A cookie that holds its value alone has no parts, whatever it begins with.
    #[test]
    fn a2_one_cookie_alone_has_no_parts(
        name in name(),
        kind in kind(),
        value in piece(),
        secure in any::<bool>(),
    ) {
        let [single, _] = transports(&name, kind);
        let names = names(single.name(secure));
        let mut jar: Jar = names.clone().map(|name| (name, "old".to_owned())).into();
        jar[0].1.clone_from(&value);
        prop_assert_eq!(candidates(&single, &jar, secure), [value.as_str()]);
        for value in [value.as_str(), ""] {
            let lines = answer(&single, &present(&jar), secure, value).unwrap();
            prop_assert_eq!(lines.len(), 1);
            let (name, given, _) = cut(&lines[0]);
            prop_assert_eq!((name, given), (names[0].as_str(), value));
        }
    }

    /// Whatever a client sends means what a second, plain reading of the rules says.
    #[test]
    fn a2_arbitrary_parts_are_read_by_the_rules(
        pairs in prop::collection::vec(
            (select(vec!["id", "id", "id.1", "id.2", "id.3", "ID.1"]), select(vec![
                "~1~a", "~2~b", "~3~c", "~3~", "~4~d", "~0~e", "~", "~~", "~2", "~2~~", "~a~", "f",
                "g", "", "\u{e4}",
            ])),
            0..8,
        ),
    ) {
        let [_, chunked] = transports("id", Kind::Plain);
        let jar: Jar =
            pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        let presented = present(&jar);
        let found = chunked.find(&presented, true);
        let found = match found.refusal() {
            None => Ok(found.iter().map(str::to_owned).collect()),
            Some(refusal) => Err(refusal),
        };
        prop_assert_eq!(found, model(&jar));
    }
}

fn model(jar: &Jar) -> Result<Vec<String>, Refusal> {
    let values = |name: &str| {
        let mut values = Vec::new();
        for (_, value) in jar.iter().filter(|(known, value)| known == name && !value.is_empty()) {
            if value.is_ascii() && !values.contains(value) {
                values.push(value.clone());
            }
        }
        values
    };
    let first = values("id");
    if first.len() > 3 {
        return Err(Refusal::TooManyCandidates);
    }
    let mut found = Vec::new();
    for value in first {
        let (parts, mut whole) = match value.as_bytes() {
            [b'~', count @ b'1'..=b'3', b'~', ..] => (count - b'0', value[3..].to_owned()),
            [b'~', ..] => continue,
            _ => (1, value),
        };
        let mut missing = whole.is_empty() && parts == 1;
        for index in 1..parts {
            match values(&format!("id.{index}")).as_slice() {
                [] => {
                    missing = true;
                    break;
                }
                [part] => whole.push_str(part),
                _ => return Err(Refusal::AmbiguousPart),
            }
        }
        if !missing && !found.contains(&whole) {
            found.push(whole);
        }
    }
    Ok(found)
}

/// A2, V3: a factory may refuse any of the cookies; then none is sent.
#[test]
fn a2_a_factory_that_fails_for_one_part_sends_none() {
    for part in ["__Host-id", "__Host-id.1", "__Host-id.2"] {
        let cookie = Cookie::default().factory(move |_, cookie| {
            if cookie.name() == part { cookie.path("/other") } else { cookie }
        });
        let transport = transport(cookie).chunked();
        let jar: Jar = names("__Host-id").map(|name| (name, "old".to_owned())).into();
        for value in ["x", &"x".repeat(9_000), ""] {
            let error = answer(&transport, &present(&jar), true, value).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Config, "{error}");
        }
    }
    let longer = Cookie::default().factory(|_, cookie| {
        let value = format!("{}!", cookie.danger_expose_value());
        cookie.value(value)
    });
    let transport = transport(longer).chunked();
    let error = answer(&transport, &Presented::default(), true, &"x".repeat(9_000)).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::TooLarge, "{error}");
}

/// A2: a request with more cookies than are read may have any part; all of them go.
#[test]
fn a2_parts_go_when_the_request_cannot_be_read() {
    let [_, chunked] = transports("__Host-id", Kind::Plain);
    let presented = capture(&headers(["a=b; ".repeat(4_000)]));
    assert!(presented.refusal().is_some());
    for (value, removed) in [("x", 2), (&*"x".repeat(5_000), 1), (&"x".repeat(9_000), 0), ("", 3)] {
        let lines = answer(&chunked, &presented, true, value).unwrap();
        let gone: Vec<_> = lines.iter().filter(|line| cut(line).1.is_empty()).collect();
        assert_eq!((lines.len(), gone.len()), (3, removed), "{} octets", value.len());
    }
}

/// A2: among so many cookies that none is believed, parts of an earlier value are still noticed,
/// wherever they are.
#[test]
fn a2_parts_go_from_among_too_many_cookies() {
    let [_, chunked] = transports("__Host-id", Kind::Plain);
    for (there, removed) in [(None, 0), (Some("__Host-id.1"), 2), (Some("__Host-id.2"), 2)] {
        let others = (0..80).map(|other| format!("other{other}=x"));
        let lines = others.chain(there.map(|part| format!("{part}=old"))).collect::<Vec<_>>();
        // In one line, and in as many as may be.
        for lines in [vec![lines.join("; ")], lines.chunks(2).map(|two| two.join(";")).collect()] {
            let presented = capture(&headers(lines));
            assert!(presented.refusal().is_none());
            let lines = answer(&chunked, &presented, true, "x").unwrap();
            let gone = lines.iter().filter(|line| cut(line).1.is_empty()).count();
            assert_eq!((lines.len(), gone), (1 + removed, removed), "{there:?}");
        }
    }
}
