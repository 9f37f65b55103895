//! V3: a function makes the cookie of one response.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use http::Request;

use super::*;

const HOUR: Duration = Duration::from_secs(60 * 60);
const REMOVED: &str = "; Max-Age=0; Expires=Thu, 01 Jan 1970 00:00:00 GMT";

#[test]
fn v3_the_factory_may_set_any_attribute() {
    let cookie = Cookie::named("__Secure-id").factory(|_, cookie| {
        cookie
            .value("other")
            .path("/shop")
            .domain("example.com")
            .lifetime(HOUR)
            .insecure_allow_scripts()
            .same_site(SameSite::None)
            .partitioned(true)
            .priority(Priority::Low)
            .extension("X-Zone", Some("eu"))
    });
    let attributes = "; Path=/shop; Domain=example.com; Secure; SameSite=None; Partitioned; \
                      Priority=Low; X-Zone=eu";
    assert_eq!(
        issued(cookie.clone(), false),
        format!(
            "__Secure-id=other{attributes}; Max-Age=3600; Expires=Wed, 21 Oct 2026 08:28:00 GMT"
        ),
    );
    assert_eq!(removed(cookie, false), format!("__Secure-id={attributes}{REMOVED}"));
}

#[test]
fn v3_the_factory_sees_the_session_and_the_request() {
    let seen = Arc::new(Mutex::new(Vec::new()));
    let log = Arc::clone(&seen);
    let transport = transport(Cookie::default().factory(move |context, cookie| {
        let path = context.request().map(|request| request.uri.path().to_owned());
        log.lock().unwrap().push((
            context.handle().to_owned(),
            context.is_secure(),
            context.now(),
            path,
            cookie.name().to_owned(),
            cookie.danger_expose_value().to_owned(),
            cookie.is_removal(),
        ));
        cookie
    }));
    let (request, ()) = Request::get("/cart").body(()).unwrap().into_parts();
    let context = ResponseContext::new("handle", true, NOW, Some(&request));
    issue(&transport, "token", &context).unwrap();
    remove(&transport, &ResponseContext::new("", false, NOW, None)).unwrap();

    let (name, now) = ("__Host-id".to_owned(), SystemTime::from(NOW));
    let path = Some("/cart".to_owned());
    assert_eq!(
        *seen.lock().unwrap(),
        [
            ("handle".to_owned(), true, now, path, name.clone(), "token".to_owned(), false),
            (String::new(), false, now, None, name, String::new(), true),
        ],
    );
}

/// V3: the same rules as at build, for issuing and removing alike.
#[test]
fn v3_what_the_factory_makes_is_checked() {
    type Make = fn(SetCookie) -> SetCookie;
    let table: [(Make, &str); 9] = [
        (|cookie| cookie.domain("example.com"), "`domain`"),
        (|cookie| cookie.path("/app"), "path(\"/\")"),
        (|cookie| cookie.secure(Secure::InsecureNever), "`Secure`"),
        (|cookie| cookie.partitioned(true), "`partitioned`"),
        (|cookie| cookie.extension("Secure", None), "`extension`"),
        (|cookie| cookie.extension("x", Some("a\r\nb: c")), "`extension`"),
        (|cookie| cookie.lifetime(Duration::ZERO), "`lifetime`"),
        (|cookie| cookie.expires(SystemTime::from(NOW)), "`expires`"),
        (|cookie| cookie.value("a; b"), "value"),
    ];
    for (index, (make, setting)) in table.into_iter().enumerate() {
        let transport = transport(Cookie::default().factory(move |_, cookie| make(cookie)));
        let error = issue(&transport, "token", &context(true)).unwrap_err();
        assert_eq!((error.kind(), error.operation()), (ErrorKind::Config, "cookie"));
        assert!(error.to_string().contains(setting), "{setting} in {error}");
        // Value and dates of a removal are not the factory's, so that they cannot be wrong.
        assert_eq!(remove(&transport, &context(true)).is_ok(), index >= 6, "{setting}");
    }
    let large = transport(Cookie::default().factory(|_, cookie| cookie.value("v".repeat(4096))));
    assert_eq!(issue(&large, "token", &context(true)).unwrap_err().kind(), ErrorKind::TooLarge);
    let empty = transport(Cookie::default().factory(|_, cookie| cookie.value("")));
    assert_eq!(issue(&empty, "token", &context(true)).unwrap_err().kind(), ErrorKind::Config);
}

/// V3: a removal stays one, and so does the name, even with a cookie kept from another call.
#[test]
fn v3_a_removal_cannot_be_undone() {
    let default = removed(Cookie::default(), false);
    let undo = Cookie::default().factory(|_, cookie| cookie.value("alive").lifetime(HOUR));
    assert_eq!(removed(undo, false), default);
    let undo = Cookie::default()
        .lifetime(HOUR)
        .factory(|context, cookie| cookie.value("alive").expires(context.now() + HOUR));
    assert_eq!(removed(undo, false), default);

    let kept = Mutex::new(None);
    let transport = transport(
        Cookie::default()
            .secure(Secure::Auto)
            .factory(move |_, cookie| kept.lock().unwrap().replace(cookie).unwrap_or_else(fresh)),
    );
    fn fresh() -> SetCookie {
        SetCookie {
            name: "stray".to_owned(),
            value: "alive".to_owned(),
            removal: false,
            attributes: Attributes::default(),
        }
    }
    issue(&transport, "first", &context(true)).unwrap();
    let line = text(issue(&transport, "second", &context(false)).unwrap());
    assert!(line.starts_with("id=first;"), "{line}");
    let line = text(remove(&transport, &context(true)).unwrap());
    assert!(line.starts_with("__Host-id=;") && line.ends_with(REMOVED), "{line}");
}

/// F4: a factory need not know the scheme; what plain HTTP cannot carry falls there too.
#[test]
fn f4_auto_settles_what_the_factory_made() {
    let cookie = Cookie::default()
        .secure(Secure::Auto)
        .factory(|_, cookie| cookie.same_site(SameSite::None).partitioned(true));
    assert_eq!(
        issued(cookie.clone(), false),
        "__Host-id=token; Path=/; Secure; HttpOnly; SameSite=None; Partitioned",
    );
    assert_eq!(issued(cookie, true), "id=token; Path=/; HttpOnly; SameSite=Lax");
    // The name has its prefix on plain HTTP too here, so that `Auto` contradicts it.
    let late = transport(Cookie::default().factory(|_, cookie| cookie.secure(Secure::Auto)));
    assert!(issue(&late, "token", &context(true)).is_ok());
    assert!(issue(&late, "token", &context(false)).is_err());
}

/// The later of the factory's own calls counts.
#[test]
fn v3_the_factory_replaces_configured_dates() {
    let configured = Cookie::default().lifetime(HOUR);
    let date = configured.clone().factory(|context, cookie| cookie.expires(context.now() + HOUR));
    assert!(issued(date, false).ends_with("SameSite=Lax; Expires=Wed, 21 Oct 2026 08:28:00 GMT"));
    let none = configured.factory(|_, cookie| cookie.browser_session());
    assert_eq!(issued(none, false), issued(Cookie::default(), false));
    let hidden = Cookie::default().insecure_allow_scripts().factory(|_, cookie| cookie.http_only());
    assert_eq!(issued(hidden, false), issued(Cookie::default(), false));
}

#[test]
fn debug_output_has_no_secrets() {
    let printed = Arc::new(Mutex::new(String::new()));
    let log = Arc::clone(&printed);
    let cookie = Cookie::default().factory(move |context, cookie| {
        *log.lock().unwrap() = format!("{context:?} {cookie:?}");
        cookie
    });
    let transport = transport(cookie.clone());
    let (request, ()) =
        Request::get("/").header(COOKIE, "__Host-id=s3cret").body(()).unwrap().into_parts();
    let presented = capture(&request.headers);
    issue(&transport, "s3cret", &ResponseContext::new("handle", true, NOW, Some(&request)))
        .unwrap();
    let candidates = transport.find(&presented, true);
    assert_eq!(candidates.iter().collect::<Vec<_>>(), ["s3cret"]);
    let printed = format!(
        "{} {cookie:?} {transport:?} {presented:?} {candidates:?}",
        printed.lock().unwrap()
    );
    assert!(printed.contains("SetCookie") && printed.contains("ResponseContext"));
    assert!(!printed.contains("s3cret"), "{printed}");
}
