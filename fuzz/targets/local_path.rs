//! Paths to redirect to: whatever is taken for one leads a browser nowhere but to the own origin.

#![no_main]

use http::{HeaderValue, Uri};
use libfuzzer_sys::fuzz_target;
use tenure_core::session::LocalPath;
use url::Url;

fuzz_target!(|input: &[u8]| {
    let Ok(text) = str::from_utf8(input) else { return };
    let Ok(path) = LocalPath::parse(text) else {
        assert!(!is_plain(text), "a plain path was refused: {text:?}");
        return;
    };
    assert_eq!(path.as_str(), text, "it is as it was");
    assert!(text.len() <= LocalPath::MAX_LEN);
    HeaderValue::from_str(text).expect("it fits into a header");
    assert_eq!(
        serde_json::from_str::<LocalPath>(&serde_json::json!(text).to_string()).unwrap(),
        path
    );

    for page in ["https://a.example/", "https://a.example/b/c?d#e", "http://a.example:8080/.."] {
        let target = stays(page, text);
        assert!(!target.path().starts_with("//"), "{text:?} would be another host's, read again");
        stays(page, &decoded(text));
    }
    // As a server sees the request that follows.
    if let Ok(uri) = text.parse::<Uri>() {
        assert!(uri.authority().is_none() && uri.scheme().is_none());
        let asked = text.split('#').next().unwrap_or_default();
        assert_eq!(uri.path_and_query().expect("a path").as_str(), asked);
        assert_eq!(LocalPath::of_request(&uri).expect("a path").as_str(), asked);
    }
});

/// Where a browser goes from `page`: to the same origin.
fn stays(page: &str, text: &str) -> Url {
    let page: Url = page.parse().expect("a page");
    let target = page.join(text).expect("a URL");
    assert_eq!(target.origin(), page.origin(), "{text:?} leads to {target}");
    assert!(target.username().is_empty() && target.password().is_none());
    target
}

/// The path as a router may hand it on: percent signs undone once, in the path alone.
fn decoded(text: &str) -> String {
    let (path, rest) = text.split_at(text.find(['?', '#']).unwrap_or(text.len()));
    percent_encoding::percent_decode_str(path).decode_utf8_lossy().into_owned() + rest
}

/// Whether nobody could find anything wrong with it.
fn is_plain(text: &str) -> bool {
    text.len() <= LocalPath::MAX_LEN
        && text.starts_with('/')
        && !text.starts_with("//")
        && text.bytes().all(|octet| octet.is_ascii_alphanumeric() || b"/-_~?=&".contains(&octet))
}
