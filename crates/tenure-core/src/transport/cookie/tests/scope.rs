use super::*;

/// F12: the path-match of RFC 6265 §5.1.4.
#[test]
fn f12_a_path_covers_itself_and_what_is_below() {
    for (scope, inside, outside) in [
        ("/", &["/", "/a", "", "*"][..], &[][..]),
        ("/app", &["/app", "/app/", "/app/a/b"], &["/", "/ap", "/apple", "/App", "/%61pp", ""]),
        ("/app/", &["/app/", "/app/a"], &["/app", "/apple/"]),
        ("/a/b", &["/a/b", "/a/b/c"], &["/a", "/a/", "/b", "/x/a/b", "/a/bc"]),
    ] {
        let cookie = transport(Cookie::named("id").path(scope));
        for path in inside {
            assert!(cookie.covers(path), "{scope} {path}");
        }
        for path in outside {
            assert!(!cookie.covers(path), "{scope} {path}");
        }
    }
}

/// F12: what a factory sets is known only with the response.
#[test]
fn f12_a_factory_may_set_any_path() {
    let cookie = Cookie::named("id").path("/app").factory(|_, cookie| cookie.path("/other"));
    assert!(transport(cookie).covers("/other"));
}
