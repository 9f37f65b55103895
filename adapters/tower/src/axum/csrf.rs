use axum_core::body::Body;
use axum_core::extract::{FromRequest, Request};
use axum_core::response::{IntoResponse, Response};
use http::HeaderMap;
use http::header::CONTENT_TYPE;
use http::request::Parts;
use tenure_core::csrf::Refusal;

use super::{Error, extract};
use crate::csrf::{CsrfPage, Guard, RefusalResponse, Refused, header_token};

/// An extractor that reads the body, behind the check that the request has a
/// [token](tenure_core::Session::csrf_token) of its session: in the header `x-csrf-token`, or in the
/// field `_csrf` of a form (`application/x-www-form-urlencoded`), or the one that
/// [`csrf_field`](tenure_core::SessionsBuilder::csrf_field) names. The extractor inside sees the whole
/// body, that field included.
///
/// Without a token, or with one of another session, the handler is not called and the client gets 403:
/// the answer that the [`CsrfLayer`](crate::csrf::CsrfLayer) gives, whose name of the header, exempted
/// paths and action count here, too. There need not be such a layer; without it, only the
/// token is checked and not the origin. As there, what comes with a bearer token or with a header of
/// the application's own in place of a cookie needs no token.
///
/// ```
/// use std::collections::HashMap;
/// use axum::Form;
/// use tenure_tower::axum::{Csrf, Error, Session};
///
/// async fn rename(
///     session: Session,
///     Csrf(Form(form)): Csrf<Form<HashMap<String, String>>>,
/// ) -> Result<&'static str, Error> {
///     session.set("name", form.get("name"))?;
///     Ok("renamed")
/// }
/// ```
///
/// A form with files (`multipart/form-data`) is read piece by piece, so that its token has to be in
/// the header, set by a script. Without scripts put the field first, take `Multipart` alone, and ask
/// [`verify_csrf`](tenure_core::Session::verify_csrf) before anything else is read.
///
/// # Deployment caveat
/// Forms are read into memory to find the field, as far as axum's `DefaultBodyLimit` lets them, 2 MB
/// by default.
#[derive(Clone, Copy, Debug)]
pub struct Csrf<T>(pub T);

impl<S, T> FromRequest<S> for Csrf<T>
where
    S: Send + Sync,
    T: FromRequest<S>,
{
    type Rejection = Response;

    async fn from_request(request: Request, state: &S) -> Result<Self, Response> {
        let request = checked(request).await?;
        let inner = T::from_request(request, state).await;
        inner.map(Self).map_err(IntoResponse::into_response)
    }
}

/// The same request, if it has a token of its session or needs none.
async fn checked(request: Request) -> Result<Request, Response> {
    let (parts, mut body) = request.into_parts();
    let Some(guard) = Guard::of(&parts) else { return Ok(Request::from_parts(parts, body)) };
    let session =
        extract::installed(&parts).map_err(IntoResponse::into_response)?.session().clone();
    let token = match header_token(&parts.headers, guard.header()) {
        Err(Refusal::NoToken) if is_form(&parts.headers) => {
            let form = read(&parts, body).await?;
            let token = field(form.as_bytes(), session.sessions().csrf_field());
            body = Body::from(form);
            token
        }
        token => token.map(str::to_owned),
    };
    let verified = match token {
        Err(refusal) => Err(refusal),
        Ok(token) => {
            let failed = |error| Error::from(error).into_response();
            let session = session.load().await.map_err(failed)?;
            let good = session.verify_csrf(&token).map_err(failed)?;
            if good { Ok(()) } else { Err(Refusal::WrongToken) }
        }
    };
    match verified {
        Err(refusal) if guard.refuses(refusal, &parts) => Err(refused(refusal, parts.headers)),
        _ => Ok(Request::from_parts(parts, body)),
    }
}

fn refused(refusal: Refusal, headers: HeaderMap) -> Response {
    let mut response: Response = CsrfPage.respond(refusal, &headers);
    response.extensions_mut().insert(Refused { refusal, headers });
    response
}

fn is_form(headers: &HeaderMap) -> bool {
    let value = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let essence = value.and_then(|value| value.split(';').next()).map(str::trim);
    essence.is_some_and(|name| name.eq_ignore_ascii_case("application/x-www-form-urlencoded"))
}

/// The whole body, within the limit that is among the extensions. Forms are ASCII.
async fn read(parts: &Parts, body: Body) -> Result<String, Response> {
    let mut request = Request::new(body);
    *request.extensions_mut() = parts.extensions.clone();
    String::from_request(request, &()).await.map_err(IntoResponse::into_response)
}

/// The value of a field of a form. One that is there twice is none of ours.
fn field(body: &[u8], name: &str) -> Result<String, Refusal> {
    let mut values = body.split(|octet| *octet == b'&').filter_map(|pair| {
        let end = pair.iter().position(|octet| *octet == b'=').unwrap_or(pair.len());
        let (key, value) = pair.split_at(end);
        (decoded(key) == name.as_bytes()).then(|| decoded(value.get(1..).unwrap_or_default()))
    });
    match (values.next(), values.next()) {
        (None, _) => Err(Refusal::NoToken),
        (Some(value), None) => String::from_utf8(value).map_err(|_| Refusal::WrongToken),
        (Some(_), Some(_)) => Err(Refusal::WrongToken),
    }
}

/// Undoes the encoding of forms (WHATWG URL, section 5.1).
fn decoded(text: &[u8]) -> Vec<u8> {
    let digit = |octet: &u8| char::from(*octet).to_digit(16);
    let mut octets = Vec::with_capacity(text.len());
    let mut rest = text;
    while let [first, after @ ..] = rest {
        rest = after;
        octets.push(match (first, after) {
            (b'+', _) => b' ',
            (b'%', [high, low, after @ ..]) => match (digit(high), digit(low)) {
                (Some(high), Some(low)) => {
                    rest = after;
                    (high * 16 + low) as u8
                }
                _ => b'%',
            },
            (octet, _) => *octet,
        });
    }
    octets
}
