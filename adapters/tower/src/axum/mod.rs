//! Extractors for axum, and errors as responses.
//!
//! They wrap the types of the core, which know nothing of axum, and dereference to them.
//!
//! ```
//! use axum::{Router, response::Redirect, routing::{get, post}};
//! use tenure_core::Sessions;
//! use tenure_tower::{SessionLayer, axum::{Error, Session}};
//!
//! async fn login(session: Session) -> Result<Redirect, Error> {
//!     session.login("ada")?;
//!     Ok(Redirect::to("/"))
//! }
//!
//! async fn home(session: Option<Session>) -> String {
//!     match session.and_then(|session| session.user()) {
//!         Some(user) => format!("Hello {}", user.as_str()),
//!         None => "Hello".into(),
//!     }
//! }
//!
//! let app: Router = Router::new()
//!     .route("/", get(home))
//!     .route("/login", post(login))
//!     .layer(SessionLayer::new(Sessions::in_memory()?));
//! # Ok::<(), tenure_core::Error>(())
//! ```

mod auth;
mod csrf;
mod error;
mod extract;
mod redirect;
mod typed;

pub use auth::{Auth, AuthRejection};
pub use csrf::Csrf;
pub use error::Error;
pub use extract::{LazySession, Session, Sessions};
pub use redirect::Redirect;
pub use typed::Typed;
