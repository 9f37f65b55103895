//! What is sent, octet by octet.

use std::time::Duration;

use super::*;

const HOUR: Duration = Duration::from_secs(60 * 60);
const REMOVED: &str = "; Max-Age=0; Expires=Thu, 01 Jan 1970 00:00:00 GMT";

/// Every attribute at once, but the dates.
fn full() -> Cookie {
    Cookie::named("__Secure-id")
        .path("/shop")
        .domain("example.com")
        .same_site(SameSite::None)
        .partitioned(true)
        .priority(Priority::High)
        .extension("X-Zone", Some("eu"))
        .extension("X-Bare", None)
}

const FULL: &str = "; Path=/shop; Domain=example.com; Secure; HttpOnly; SameSite=None; \
                    Partitioned; Priority=High; X-Zone=eu; X-Bare";

#[test]
fn t_cook_1_default() {
    let default = "__Host-id=token; Path=/; Secure; HttpOnly; SameSite=Lax";
    assert_eq!(issued(Cookie::default(), false), default);
    assert_eq!(issued(Cookie::default(), true), default);
}

#[test]
fn t_cook_2_removal_repeats_all_attributes() {
    assert_eq!(
        removed(Cookie::default(), false),
        format!("__Host-id=; Path=/; Secure; HttpOnly; SameSite=Lax{REMOVED}"),
    );
    assert_eq!(removed(full(), false), format!("__Secure-id={FULL}{REMOVED}"));
    // A lifetime or date of its own would keep the cookie.
    assert_eq!(removed(full().lifetime(HOUR), false), removed(full(), false));
    let date = SystemTime::from(NOW) + HOUR;
    assert_eq!(removed(full().expires(date), false), removed(full(), false));
}

#[test]
fn t_cook_4_name_and_value_are_never_cut_off() {
    let transport = transport(Cookie::default());
    let value = |octets: usize| "v".repeat(octets - "__Host-id".len());
    let line = issue(&transport, &value(4096), &context(true)).unwrap();
    assert!(text(line).starts_with(&format!("__Host-id={}; Path=/", value(4096))));

    let error = issue(&transport, &value(4097), &context(true)).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::TooLarge);
    assert!(error.to_string().contains("4097"));
    assert!(!format!("{error:?}").contains("vvv"));
}

#[test]
fn t_cook_9_same_site_is_always_written() {
    for (same_site, written) in [
        (SameSite::Strict, "; SameSite=Strict"),
        (SameSite::Lax, "; SameSite=Lax"),
        (SameSite::None, "; SameSite=None"),
    ] {
        assert!(issued(Cookie::default().same_site(same_site), false).contains(written));
        assert!(removed(Cookie::default().same_site(same_site), false).contains(written));
    }
    let plain = Cookie::named("id").secure(Secure::InsecureNever);
    assert_eq!(issued(plain, true), "id=token; Path=/; HttpOnly; SameSite=Lax");
}

/// V12: `Max-Age` and `Expires` when a lifetime is set, neither by default; `Path=/` always.
#[test]
fn v12_lifetime() {
    assert_eq!(
        issued(Cookie::default().lifetime(HOUR), false),
        "__Host-id=token; Path=/; Secure; HttpOnly; SameSite=Lax; Max-Age=3600; \
         Expires=Wed, 21 Oct 2026 08:28:00 GMT",
    );
    let session = issued(Cookie::default(), false);
    assert!(!session.contains("Max-Age") && !session.contains("Expires"));
}

/// P12: path, secure, http only, same site.
#[test]
fn p12_attributes() {
    let cookie = Cookie::named("id")
        .path("/app")
        .secure(Secure::InsecureNever)
        .insecure_allow_scripts()
        .same_site(SameSite::Strict);
    assert_eq!(issued(cookie, false), "id=token; Path=/app; SameSite=Strict");
}

/// K3: path, max age, secure, domain, any extension attribute.
#[test]
fn k3_any_attribute() {
    assert_eq!(
        issued(full().lifetime(HOUR), false),
        format!("__Secure-id=token{FULL}; Max-Age=3600; Expires=Wed, 21 Oct 2026 08:28:00 GMT"),
    );
    for (priority, written) in
        [(Priority::Low, "; Priority=Low"), (Priority::Medium, "; Priority=Medium")]
    {
        assert!(issued(full().priority(priority), false).contains(written));
    }
    let twice = Cookie::named("id").extension("x", Some("1")).extension("X", Some("2"));
    assert!(issued(twice, false).ends_with("SameSite=Lax; X=2"));
}

/// F3: max age wins over expires.
#[test]
fn f3_max_age_wins_over_expires() {
    let date = SystemTime::from(NOW) + 2 * HOUR;
    assert!(
        issued(Cookie::default().expires(date), false)
            .ends_with("SameSite=Lax; Expires=Wed, 21 Oct 2026 09:28:00 GMT")
    );
    for cookie in [
        Cookie::default().expires(date).lifetime(HOUR),
        Cookie::default().lifetime(HOUR).expires(date),
    ] {
        assert_eq!(issued(cookie, false), issued(Cookie::default().lifetime(HOUR), false));
    }
}

/// F3: a date that passes while the server runs is an error, not a cookie that browsers drop.
#[test]
fn f3_a_date_that_has_passed_is_an_error() {
    let transport = transport(Cookie::default().expires(SystemTime::from(NOW) + HOUR));
    let later = ResponseContext::new("handle", true, NOW + HOUR, None);
    let error = issue(&transport, "token", &later).unwrap_err();
    assert_eq!((error.kind(), error.operation()), (ErrorKind::Config, "cookie"));
    assert!(error.to_string().contains("`expires`"));
    remove(&transport, &later).unwrap();
}

/// F4: without `Secure` and prefix on plain HTTP, with both on HTTPS.
#[test]
fn f4_auto_follows_the_scheme() {
    let auto = Cookie::default().secure(Secure::Auto);
    assert_eq!(issued(auto.clone(), false), issued(Cookie::default(), false));
    assert_eq!(issued(auto.clone(), true), "id=token; Path=/; HttpOnly; SameSite=Lax");
    assert_eq!(removed(auto, true), format!("id=; Path=/; HttpOnly; SameSite=Lax{REMOVED}"));

    let shared = full().secure(Secure::Auto);
    assert_eq!(issued(shared.clone(), false), format!("__Secure-id=token{FULL}"));
    assert_eq!(
        issued(shared, true),
        "id=token; Path=/shop; Domain=example.com; HttpOnly; SameSite=Lax; Priority=High; \
         X-Zone=eu; X-Bare",
    );
    for name in ["__host-id", "__Host-Http-id", "__Http-id", "__SECURE-id", "id"] {
        let transport = transport(Cookie::named(name).secure(Secure::Auto));
        assert_eq!((transport.name(true), transport.name(false)), (name, "id"));
    }
}

/// F4: each scheme reads only its own name.
#[test]
fn f4_each_scheme_reads_its_own_name() {
    let transport = transport(Cookie::default().secure(Secure::Auto));
    let presented = capture(&headers(["id=plain; __Host-id=https"]));
    assert_eq!(transport.find(&presented, true).iter().collect::<Vec<_>>(), ["https"]);
    assert_eq!(transport.find(&presented, false).iter().collect::<Vec<_>>(), ["plain"]);
}

/// R29: no line break or attribute gets out through a value.
#[test]
fn r29_values_cannot_break_the_line() {
    let transport = transport(Cookie::default());
    for value in ["", "a\r\nSet-Cookie: b=c", "a; Domain=evil.example", "a b", "a,b", "\"a\"", "ä"]
    {
        let error = issue(&transport, value, &context(true)).unwrap_err();
        assert_eq!((error.kind(), error.operation()), (ErrorKind::Config, "cookie"), "{value}");
    }
}

/// R23: no lifetime and no clock makes the arithmetic panic.
#[test]
fn r23_extreme_times_do_not_panic() {
    assert!(refusal(Cookie::default().lifetime(Duration::MAX)).contains("400 days"));
    let transport = CookieTransport::new(Cookie::default().lifetime(HOUR), Timestamp::MAX).unwrap();
    let end = ResponseContext::new("handle", true, Timestamp::MAX, None);
    let line = text(issue(&transport, "token", &end).unwrap());
    assert!(line.ends_with("Max-Age=3600; Expires=Fri, 31 Dec 9999 23:59:59 GMT"), "{line}");
    let date = SystemTime::from(Timestamp::MAX);
    assert!(refusal(Cookie::default().expires(date)).contains("400 days"));
}

/// What carries a credential prints nothing of it.
#[test]
fn the_line_is_sensitive() {
    let transport = transport(Cookie::default());
    let line = issue(&transport, "token", &context(true)).unwrap();
    assert!(line.is_sensitive() && !format!("{line:?}").contains("token"));
}
