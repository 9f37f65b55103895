//! Protection against forged requests, as a layer: what [`tenure_core::csrf`] decides.
//!
//! [`CsrfLayer`] refuses with 403 what another origin made the browser send; where it is told to, it
//! asks for a token of the session in a header as well. A form's field is in the body, which a layer
//! leaves alone: routes that take forms check the token with the extractor `axum::Csrf`.
//!
//! ```
//! # #[cfg(feature = "axum")] {
//! use std::collections::HashMap;
//! use axum::{Form, Router, response::Html, routing::get};
//! use tenure_core::{Sessions, csrf::OriginCheck};
//! use tenure_tower::axum::{Csrf, Error, Session};
//! use tenure_tower::{SessionLayer, csrf::CsrfLayer};
//!
//! async fn form(session: Session) -> Result<Html<String>, Error> {
//!     let token = session.csrf_token()?;
//!     Ok(Html(format!(
//!         r#"<form method="post"><input type="hidden" name="_csrf" value="{token}">…</form>"#
//!     )))
//! }
//!
//! type Fields = HashMap<String, String>;
//!
//! async fn order(session: Session, Csrf(Form(order)): Csrf<Form<Fields>>) -> Result<(), Error> {
//!     session.push("orders", order)?; // not before the token was found to be the session's
//!     Ok(())
//! }
//!
//! let check = OriginCheck::new().trusted_origin("https://pay.example.com")?;
//! let app: Router = Router::new()
//!     .route("/order", get(form).post(order))
//!     .layer(CsrfLayer::new(check))
//!     .layer(SessionLayer::new(Sessions::in_memory()?)); // added later, so outside
//! # }
//! # Ok::<(), tenure_core::Error>(())
//! ```

mod future;
mod layer;
mod respond;
mod service;
mod settings;

pub use future::ResponseFuture;
pub use layer::CsrfLayer;
#[cfg(feature = "axum")]
pub(crate) use respond::Refused;
pub use respond::{CsrfPage, RefusalResponse};
pub use service::CsrfService;
pub use settings::CsrfAction;
#[cfg(feature = "axum")]
pub(crate) use settings::{Guard, header_token};
