use proptest::prelude::*;

use super::LocalPath;

#[test]
fn a20_paths_of_the_own_origin_are_taken_as_they_are() {
    let long = format!("/{}", "x".repeat(LocalPath::MAX_LEN - 1));
    for path in [
        "/",
        "/cart",
        "/a//b",
        "/a/b/",
        "/?next=https://shop.test//x/../y",
        "/search?q=a%0d%0ab&p=..",
        "/?",
        "/#top",
        "/a:b@c",
        "/.well-known/change-password",
        "/...",
        "/a..b/..c",
        "/%20%C3%A9",
        "/100%",
        "/%zz",
        "/http://evil.test",
        "/a%2Fb",
        &long,
    ] {
        assert_eq!(LocalPath::parse(path).unwrap().as_str(), path);
    }
}

#[test]
fn a20_whatever_may_lead_elsewhere_is_refused() {
    let long = format!("/{}", "x".repeat(LocalPath::MAX_LEN));
    for path in [
        "",
        "cart",
        "?a=b",
        "#top",
        "//evil.test",
        "///evil.test",
        "/\\evil.test",
        "\\\\evil.test",
        "\\/evil.test",
        "/a\\..\\b",
        "https://evil.test",
        "https:evil.test",
        "HTTPS://evil.test/",
        "javascript:alert(1)",
        "data:text/html,x",
        " /cart",
        "/cart ",
        "/a b",
        "\t//evil.test",
        "/\t/evil.test",
        "/\n/evil.test",
        "/\r\nLocation: https://evil.test",
        "/cart\0",
        "/cart\x7f",
        "/caf\u{e9}",
        "/\u{ff0f}evil.test",
        "\u{feff}/cart",
        "/%2fevil.test",
        "/%2Fevil.test",
        "/%5cevil.test",
        "/%0d%0aSet-Cookie:a=b",
        "/a%00",
        "/%7f",
        "/%09/evil.test",
        "/.",
        "/..",
        "/./",
        "/.//evil.test",
        "/..//evil.test",
        "/a/../b",
        "/a/%2e%2E/b",
        "/a/.%2e",
        "/%2e?x",
        "/..#x",
        &long,
    ] {
        assert!(LocalPath::parse(path).is_err(), "{path:?}");
    }
}

#[test]
fn a20_forms_refuse_what_leads_elsewhere() {
    assert!(serde_json::from_str::<LocalPath>("\"/cart\"").is_ok());
    assert!(serde_json::from_str::<LocalPath>("\"\\/\\/evil.test\"").is_err());
    assert!(serde_json::from_str::<LocalPath>("7").is_err());
}

/// The host to which the URL standard's parser goes from an `https` page, as far as it matters here:
/// it drops tabs and line ends, and white space around; a backslash is a slash to it.
fn leaves(text: &str) -> bool {
    let text = text.trim_matches(|c: char| c <= ' ').replace(['\t', '\n', '\r'], "");
    let text = text.replace('\\', "/");
    let scheme = text.split(['/', '?', '#']).next().is_some_and(|first| first.contains(':'));
    scheme || text.starts_with("//")
}

proptest! {
    #[test]
    fn a20_no_path_leaves_the_origin(text in r"[/\\.:%25fF0dD?#@ a\t\r\n]{0,12}") {
        if let Ok(path) = LocalPath::parse(&text) {
            prop_assert!(!leaves(path.as_str()));
            prop_assert_eq!(path.as_str(), text);
        }
    }

    #[test]
    fn a20_any_text_is_refused_or_a_header_value(text in r"/?\PC{0,40}|.{0,40}") {
        if let Ok(path) = LocalPath::parse(&text) {
            let header = http::HeaderValue::from_str(path.as_str()).unwrap();
            prop_assert!(header.to_str().unwrap().starts_with('/'));
            prop_assert!(!leaves(path.as_str()));
        }
    }
}
