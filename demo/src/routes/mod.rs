//! The routes, one module a subject.

mod account;
mod admin;
mod assets;
mod cart;
mod catalogue;
mod devices;
mod profile;
mod theme;

use std::net::{IpAddr, SocketAddr};

use axum::Router;
use axum::extract::ConnectInfo;
use axum::http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS,
};
use axum::http::request::Parts;
use axum::http::{HeaderName, HeaderValue, StatusCode};
use axum::middleware::map_response;
use axum::response::{IntoResponse, Response};
use tenure::Sessions;
use tenure::axum::Session;
use tenure::csrf::OriginCheck;
use tenure::tower::SessionLayer;
use tenure::tower::csrf::CsrfLayer;

pub(crate) use self::account::LONGEST_NAME;
pub(crate) use self::profile::LONGEST as LONGEST_FIELD;
use crate::problem::{self, Problem};
use crate::view;
use crate::visitor::Visitor;
use crate::watch::Watch;

pub(crate) fn all(sessions: Sessions, watch: Watch) -> Router {
    Router::new()
        .merge(catalogue::routes())
        .merge(cart::routes())
        .merge(account::routes())
        .merge(admin::routes(watch))
        .merge(devices::routes())
        .merge(profile::routes())
        .merge(theme::routes())
        .fallback(async |session: Session| about(StatusCode::NOT_FOUND, &session))
        .method_not_allowed_fallback(async |session: Session| {
            about(StatusCode::METHOD_NOT_ALLOWED, &session)
        })
        // Inside, so that its page is in the visitor's theme.
        .layer(CsrfLayer::new(OriginCheck::new()).error_response(problem::of_forgery))
        .layer(SessionLayer::new(sessions).peer_from(peer).error_response(problem::of_session))
        // Added after the layer, so that they have no session.
        .merge(assets::routes())
        .layer(map_response(with_headers))
}

fn about(status: StatusCode, session: &Session) -> Result<impl IntoResponse + use<>, Problem> {
    Ok((status, view::problem(status, Some(&Visitor::of(session)?))))
}

/// Where the request comes from: directly, since nothing stands before the demo.
fn peer(parts: &Parts) -> Option<IpAddr> {
    parts.extensions.get::<ConnectInfo<SocketAddr>>().map(|ConnectInfo(peer)| peer.ip())
}

/// Pages belong to one visitor, run no script and load nothing from elsewhere.
async fn with_headers(mut response: Response) -> Response {
    const HEADERS: [(HeaderName, &str); 4] = [
        (CACHE_CONTROL, "no-store"),
        (
            CONTENT_SECURITY_POLICY,
            "default-src 'none'; style-src 'self'; img-src data:; form-action 'self'; \
             base-uri 'none'; frame-ancestors 'none'",
        ),
        (REFERRER_POLICY, "same-origin"),
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
    ];
    for (name, value) in HEADERS {
        response.headers_mut().entry(name).or_insert(HeaderValue::from_static(value));
    }
    response
}
