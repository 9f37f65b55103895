//! Sessions as a tower layer, for axum, hyper, tonic and whatever else speaks tower.
//!
//! [`SessionLayer`] puts a session on every request and commits it before the response head is
//! sent. A request that leaves its session alone costs no store call and no header. A service
//! finds the session with [`Installed::of`]; for axum there are extractors in `axum`.
//!
//! ```
//! use http::{Request, Response, header::SET_COOKIE};
//! use tenure_core::Sessions;
//! use tenure_tower::{Installed, SessionLayer};
//! use tower::{Layer, ServiceExt, service_fn};
//!
//! async fn visit(request: Request<()>) -> Result<Response<String>, tenure_core::Error> {
//!     let session = Installed::of(request.extensions()).unwrap().session().load().await?;
//!     session.increment("visits", 1)?;
//!     Ok(Response::new(session.get::<u32>("visits")?.unwrap_or_default().to_string()))
//! }
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), tenure_core::Error> {
//! let service = SessionLayer::new(Sessions::in_memory()?).layer(service_fn(visit));
//! let response = service.oneshot(Request::new(())).await?;
//! assert!(response.headers().contains_key(SET_COOKIE));
//! # Ok(())
//! # }
//! ```

#[cfg(feature = "axum")]
pub mod axum;
pub mod cors;
pub mod csrf;
mod future;
mod installed;
mod layer;
mod page;
mod previous_url;
mod require_auth;
mod respond;
mod service;
mod skip;

pub use future::ResponseFuture;
pub use installed::Installed;
pub use layer::SessionLayer;
pub use previous_url::{PreviousUrl, PreviousUrlService};
pub use require_auth::{RequireAuth, RequireAuthService};
pub use respond::{ErrorResponse, PlainText};
pub use service::SessionService;
