use http::header::{ACCEPT, CONTENT_TYPE, HeaderValue};
use http::{HeaderMap, Response, StatusCode};
use tenure_core::csrf::Refusal;

use crate::respond::{replaced, text};

/// What makes the response to a forged request: [`CsrfPage`], or the function given to
/// [`CsrfLayer::error_response`](super::CsrfLayer::error_response).
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot make a response with the body `{B}` to a forged request",
    label = "add `.error_response(|refusal, headers| …)` to this `CsrfLayer`",
    note = "the default, `CsrfPage`, needs a body that is `From<&'static str>`"
)]
pub trait RefusalResponse<B>: Clone {
    /// The response to a request with these headers.
    ///
    /// ```
    /// use http::HeaderMap;
    /// use tenure_core::csrf::Refusal;
    /// use tenure_tower::csrf::{CsrfPage, RefusalResponse};
    ///
    /// let response: http::Response<String> =
    ///     CsrfPage.respond(Refusal::CrossOrigin, &HeaderMap::new());
    /// assert_eq!(response.status(), 403);
    /// ```
    fn respond(&self, refusal: Refusal, headers: &HeaderMap) -> Response<B>;
}

/// A small page that says what the visitor can do, as HTML where the client accepts it and else as
/// plain text, with 403 and `no-store`. The default.
///
/// A mistake of the application, a token asked for where no session is, is 500 and says so.
#[derive(Clone, Copy, Debug, Default)]
pub struct CsrfPage;

macro_rules! page {
    ($title:literal, $text:literal) => {
        (
            concat!(
                "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n",
                "<meta name=\"viewport\" content=\"width=device-width\">\n<title>",
                $title,
                "</title>\n</head>\n<body>\n<h1>",
                $title,
                "</h1>\n<p>",
                $text,
                "</p>\n</body>\n</html>\n"
            ),
            concat!($title, ". ", $text, "\n"),
        )
    };
}

const OF_TOKEN: (&str, &str) = page!(
    "This form is out of date",
    "It was loaded too long ago, or before you logged in or out. Nothing was changed. Go back, load \
     the page again, and send the form once more."
);
const OF_ORIGIN: (&str, &str) = page!(
    "This request was refused",
    "It did not come from a page of this site. Nothing was changed. If you meant to send it, open \
     the page on this site and send it from there."
);
const MISUSE: &str = "There is no session to check a request forgery token with: this CsrfLayer is \
                      not inside of a SessionLayer. In axum, add the SessionLayer after it, by a \
                      later `.layer(…)`.";

impl<B: From<&'static str>> RefusalResponse<B> for CsrfPage {
    fn respond(&self, refusal: Refusal, headers: &HeaderMap) -> Response<B> {
        let (html, plain) = match refusal {
            Refusal::NoSession => return text(StatusCode::INTERNAL_SERVER_ERROR, MISUSE),
            _ if refusal.is_of_token() => OF_TOKEN,
            _ => OF_ORIGIN,
        };
        if !accepts_html(headers) {
            return text(StatusCode::FORBIDDEN, plain);
        }
        let mut response = text(StatusCode::FORBIDDEN, html);
        let html = HeaderValue::from_static("text/html; charset=utf-8");
        response.headers_mut().insert(CONTENT_TYPE, html);
        response
    }
}

impl<B, F> RefusalResponse<B> for F
where
    F: Fn(Refusal, &HeaderMap) -> Response<B> + Clone,
{
    fn respond(&self, refusal: Refusal, headers: &HeaderMap) -> Response<B> {
        self(refusal, headers)
    }
}

/// Whether the client asks for HTML by name, as browsers do for pages.
fn accepts_html(headers: &HeaderMap) -> bool {
    let values = headers.get_all(ACCEPT).iter().filter_map(|value| value.to_str().ok());
    values.flat_map(|value| value.split(',')).any(|range| {
        let mut parts = range.split(';').map(str::trim);
        let is_html = parts.next().is_some_and(|name| name.eq_ignore_ascii_case("text/html"));
        let refused = |part: &str| {
            let quality = part.strip_prefix("q=").or(part.strip_prefix("Q="));
            quality.and_then(|quality| quality.parse().ok()) == Some(0.0_f32)
        };
        is_html && !parts.any(refused)
    })
}

/// What an extractor has refused, left on the response for the layer to render.
#[derive(Clone)]
pub(crate) struct Refused {
    pub(crate) refusal: Refusal,
    pub(crate) headers: HeaderMap,
}

pub(super) fn render<B>(
    refusals: &impl RefusalResponse<B>,
    mut response: Response<B>,
) -> Response<B> {
    match response.extensions_mut().remove::<Refused>() {
        Some(Refused { refusal, headers }) => {
            replaced(response, refusals.respond(refusal, &headers))
        }
        None => response,
    }
}
