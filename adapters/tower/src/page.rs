//! Whether a request is for a page that somebody is to see, as far as it tells.

use http::request::Parts;
use http::{HeaderMap, Method};

pub(crate) fn only_reads(parts: &Parts) -> bool {
    parts.method == Method::GET || parts.method == Method::HEAD
}

/// Whether the answer is to be shown, and not for a script or a part of a page: by Fetch Metadata,
/// which browsers send over HTTPS, else by what is accepted.
pub(crate) fn is_wanted(parts: &Parts) -> bool {
    let headers = &parts.headers;
    let is = |name, wanted| value(headers, name).is_none_or(|value| value == wanted);
    let early = value(headers, "sec-purpose").or_else(|| value(headers, "purpose"));
    is("sec-fetch-dest", "document")
        && is("sec-fetch-mode", "navigate")
        && early.is_none_or(|purpose| !purpose.starts_with("prefetch"))
        && !headers.contains_key("x-requested-with")
        && value(headers, "accept").is_none_or(|accept| {
            ["text/html", "application/xhtml+xml", "*/*"].iter().any(|page| accept.contains(page))
        })
}

fn value<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name)?.to_str().ok()
}

#[cfg(test)]
mod tests {
    use http::Request;

    use super::*;

    #[test]
    fn a20_a_page_is_what_a_browser_shows() {
        let asks = |headers: &[(&str, &str)]| {
            let mut request = Request::new(());
            for (name, value) in headers {
                let name = name.parse::<http::HeaderName>().unwrap();
                request.headers_mut().insert(name, value.parse().unwrap());
            }
            is_wanted(&request.into_parts().0)
        };
        let html = ("accept", "text/html,application/xhtml+xml;q=0.9,*/*;q=0.8");
        assert!(asks(&[]));
        assert!(asks(&[html]));
        assert!(asks(&[("accept", "*/*")]));
        assert!(asks(&[html, ("sec-fetch-dest", "document"), ("sec-fetch-mode", "navigate")]));
        assert!(!asks(&[("accept", "application/json")]));
        assert!(!asks(&[("accept", "image/avif,image/webp")]));
        assert!(!asks(&[("accept", "*/*"), ("sec-fetch-dest", "empty")]));
        assert!(!asks(&[("accept", "*/*"), ("sec-fetch-mode", "cors")]));
        assert!(!asks(&[html, ("sec-fetch-dest", "iframe")]));
        assert!(!asks(&[html, ("x-requested-with", "XMLHttpRequest")]));
        assert!(!asks(&[html, ("sec-purpose", "prefetch;prerender")]));
        assert!(!asks(&[html, ("purpose", "prefetch")]));
    }
}
