//! What is the same for everybody, and may be kept by browsers.

use axum::Router;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::response::IntoResponse;
use axum::routing::get;

use crate::view::STYLE;

pub(super) fn routes() -> Router {
    Router::new().route("/static/style.css", get(style))
}

/// Pages ask for it with its hash in the query, so that it never changes under a URL.
async fn style() -> impl IntoResponse {
    let headers = [
        (CONTENT_TYPE, "text/css; charset=utf-8"),
        (CACHE_CONTROL, "public, max-age=31536000, immutable"),
    ];
    (headers, STYLE)
}
