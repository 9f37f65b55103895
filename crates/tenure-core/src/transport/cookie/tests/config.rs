//! What is refused when the configuration is built, and with which words.

use std::time::{Duration, UNIX_EPOCH};

use super::*;

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

fn named(name: &str) -> Cookie {
    Cookie::named(name)
}

/// Each contradiction with a word of the setting and a word of the remedy.
#[test]
fn t_cook_3_contradictions_are_refused_with_the_remedy() {
    let now = SystemTime::from(NOW);
    let table = [
        // Prefixes, in any case.
        (named("__Host-id").domain("example.com"), "`domain`", "`__Secure-`"),
        (named("__HOST-id").domain("example.com"), "`domain`", "remove it"),
        (named("__host-id").path("/app"), "path(\"/\")", "use that"),
        (named("__Host-id").secure(Secure::InsecureNever), "`Secure`", "Secure::Always"),
        (named("__Secure-id").secure(Secure::InsecureNever), "`Secure`", "Secure::Always"),
        (named("__sEcUrE-id").secure(Secure::InsecureNever), "`Secure`", "Secure::Always"),
        (named("__Http-id").secure(Secure::InsecureNever), "`Secure`", "Secure::Always"),
        (named("__Http-id").insecure_allow_scripts(), "`HttpOnly`", "insecure_allow_scripts"),
        (named("__Host-Http-id").insecure_allow_scripts(), "`HttpOnly`", "without `__Host-Http-`"),
        (named("__host-http-id").domain("example.com"), "`domain`", "remove it"),
        (named("__Host-Http-id").path("/app"), "path(\"/\")", "`__Secure-`"),
        (named("__Host-id").domain("example.com").secure(Secure::Auto), "`domain`", "remove it"),
        (named("__Host-id").path("/app").secure(Secure::Auto), "path(\"/\")", "use that"),
        (named("__Host-__Secure-id").secure(Secure::Auto), "`__Secure-`", "one prefix"),
        (named("__Host-"), "the name", "add a name"),
        (named("__Host-Http-"), "the name", "add a name"),
        (named("__Host-").secure(Secure::Auto), "the name", "add a name"),
        // Attributes that need each other.
        (
            named("id").same_site(SameSite::None).secure(Secure::InsecureNever),
            "SameSite::None",
            "Secure::Always",
        ),
        (
            named("id").partitioned(true).secure(Secure::InsecureNever),
            "`partitioned`",
            "Secure::Always",
        ),
        (named("id").partitioned(true), "`partitioned`", "SameSite::None"),
        (named("id").partitioned(true).secure(Secure::Auto), "`partitioned`", "SameSite::None"),
        // Names.
        (named(""), "the name", "__Host-id"),
        (named("a b"), "the name", "letters"),
        (named("a=b"), "the name", "letters"),
        (named("a;b"), "the name", "letters"),
        (named("a\r\nb"), "the name", "letters"),
        (named("sé"), "'é'", "letters"),
        (named("a\u{2000}"), "the name", "letters"),
        // Paths.
        (named("id").path(""), "`path`", "begin it"),
        (named("id").path("app"), "`path`", "begin it"),
        (named("id").path("/a?b"), "`path`", "end it before"),
        (named("id").path("/a; Domain=evil.example"), "`path`", "%XX"),
        (named("id").path("/a\r\nSet-Cookie: b=c"), "`path`", "%XX"),
        (named("id").path("/a\0"), "`path`", "%XX"),
        (named("id").path("/ä"), "`path`", "%XX"),
        (named("id").path("/a "), "`path`", "%XX"),
        // Domains.
        (named("id").domain(""), "`domain`", "remove it"),
        (named("id").domain(".example.com"), "`domain`", "remove the dot"),
        (named("id").domain("example.com."), "`domain`", "dot at"),
        (named("id").domain("a..b"), "`domain`", "example.com"),
        (named("id").domain("-a.example"), "`domain`", "example.com"),
        (named("id").domain("a b.example"), "`domain`", "example.com"),
        (named("id").domain("*.example.com"), "`domain`", "example.com"),
        (named("id").domain("https://example.com"), "`domain`", "only the host"),
        (named("id").domain("example.com:443"), "`domain`", "only the host"),
        (named("id").domain("example.com/app"), "`domain`", "only the host"),
        (named("id").domain("127.0.0.1"), "`domain`", "remove it"),
        (named("id").domain("[::1]"), "`domain`", "remove it"),
        (named("id").domain("münchen.example"), "`domain`", "remove it, or"),
        (named("id").domain("a".repeat(64)), "`domain`", "example.com"),
        (named("id").domain("a.".repeat(127) + "a"), "`domain`", "example.com"),
        // Dates.
        (named("id").lifetime(Duration::ZERO), "`lifetime`", "longer"),
        (named("id").lifetime(Duration::from_millis(999)), "`lifetime`", "longer"),
        (named("id").expires(now), "`expires`", "later"),
        (named("id").expires(UNIX_EPOCH - DAY), "`expires`", "later"),
        (named("id").expires(now - DAY).lifetime(DAY), "`expires`", "later"),
        // Extensions.
        (named("id").extension("", None), "`extension`", "letters"),
        (named("id").extension("a b", None), "`extension`", "letters"),
        (named("id").extension("a", Some("b; HttpOnly")), "`extension`", "%XX"),
        (named("id").extension("a", Some("b\n")), "`extension`", "%XX"),
        (named("id").extension("Max-Age", Some("9")), "`extension`", "that setting"),
        (named("id").extension("SAMESITE", Some("None")), "`extension`", "that setting"),
    ];
    for (cookie, setting, remedy) in table {
        let shown = format!("{cookie:?}");
        let message = refusal(cookie);
        assert!(message.contains(setting), "{setting} in {message} for {shown}");
        assert!(message.contains(remedy), "{remedy} in {message} for {shown}");
    }
}

#[test]
fn t_cook_3_extensions_cannot_name_a_known_attribute() {
    for known in
        "Path Domain Expires Max-Age Secure HttpOnly SameSite Partitioned Priority".split(' ')
    {
        assert!(refusal(named("id").extension(known, None)).contains("that setting"), "{known}");
    }
}

/// What browsers accept is accepted.
#[test]
fn t_cook_3_sound_configurations_are_built() {
    for cookie in [
        Cookie::default(),
        named("__Host-id").secure(Secure::Auto),
        named("__Host-Http-id"),
        named("__Http-id").domain("example.com").path("/a"),
        named("__Secure-id").domain("example.com").path("/a"),
        named("__Host-id").insecure_allow_scripts(),
        named("__Host-__Secure-id"),
        named("__Host-id").same_site(SameSite::None).partitioned(true),
        named("id").same_site(SameSite::None).partitioned(true).secure(Secure::Auto),
        named("id").secure(Secure::InsecureNever).same_site(SameSite::Strict),
        named("!#$%&'*+-.^_`|~09azAZ"),
        named("id").domain("localhost"),
        named("id").domain("xn--mnchen-3ya.example"),
        named("id").path("/a b/c,d=e"),
        named("id").extension("x", Some("a=b, c")),
        named("id").lifetime(Duration::from_secs(1)),
    ] {
        transport(cookie);
    }
}

/// Over-size attributes, names and lifetimes are errors; at the limit they are not.
#[test]
fn t_cook_4_attributes_are_never_cut_off() {
    let path = |octets: usize| format!("/{}", "a".repeat(octets - 1));
    transport(named("id").path(path(1024)));
    assert!(refusal(named("id").path(path(1025))).contains("1024"));
    transport(named("id").extension("x", Some(&path(1024))));
    assert!(refusal(named("id").extension("x", Some(&path(1025)))).contains("1024"));
    assert!(refusal(named("id").extension("x".repeat(1025), None)).contains("1024"));
    assert!(refusal(named("id").domain("a.".repeat(512) + "a")).contains("1024"));
    transport(named(&"n".repeat(1024)));
    assert!(refusal(named(&"n".repeat(1025))).contains("1024"));

    transport(named("id").lifetime(400 * DAY));
    assert_eq!((400 * DAY).as_secs(), 34_560_000);
    assert!(refusal(named("id").lifetime(400 * DAY + Duration::from_secs(1))).contains("400 days"));
    transport(named("id").expires(SystemTime::from(NOW) + 400 * DAY));
    assert!(refusal(named("id").expires(SystemTime::from(NOW) + 401 * DAY)).contains("400 days"));
}

/// V2: the name can be chosen, and each one is written and read as it is.
#[test]
fn v2_the_name_is_configurable() {
    for name in ["__Host-shop", "__Secure-shop", "sid", "a.b", "%5F"] {
        let transport = transport(named(name));
        assert_eq!(transport.name(true), name);
        assert_eq!(transport.name(false), name);
        let line = text(issue(&transport, "token", &context(true)).unwrap());
        assert!(line.starts_with(&format!("{name}=token; ")), "{line}");
        let presented = capture(&headers([format!("{name}=token")]));
        assert_eq!(transport.find(&presented, true).iter().collect::<Vec<_>>(), ["token"]);
    }
}

/// T-NIST-2: bearer secrets end with the browser session unless the application says otherwise.
#[test]
fn t_nist_2_cookies_are_not_persistent_by_default() {
    assert!(!transport(Cookie::default()).is_dated());
    assert!(transport(Cookie::default().lifetime(DAY)).is_dated());
    assert!(transport(Cookie::default().expires(SystemTime::from(NOW) + DAY)).is_dated());
}

/// `Partitioned` (CHIPS) is for cookies that other sites embed, and only over HTTPS.
#[test]
fn t_cook_10_partitioned_needs_secure_and_none() {
    let partitioned = || named("id").partitioned(true);
    for same_site in [SameSite::Lax, SameSite::Strict] {
        assert!(refusal(partitioned().same_site(same_site)).contains("SameSite::None"));
    }
    let embedded = || partitioned().same_site(SameSite::None);
    assert!(refusal(embedded().secure(Secure::InsecureNever)).contains("Secure"));
    let line = issued(embedded(), false);
    assert!(line.contains("; Secure") && line.contains("; SameSite=None; Partitioned"), "{line}");
    let auto = || embedded().secure(Secure::Auto);
    assert!(issued(auto(), false).contains("; Partitioned"));
    let plain = issued(auto(), true);
    assert!(!plain.contains("Secure") && !plain.contains("Partitioned"), "{plain}");
}
