//! Testing an application that has sessions: a visitor who arrives with some, and what is left.
//!
//! Give the application the [`Sessions`] that the test made, so that both see
//! the same ones. A [`visitor`] begins with data, a user and messages, sends requests to any tower
//! service, keeps the cookies of its answers, and shows the session afterwards. Where the framework
//! is another one, [`Visitor::cookie`] gives the header for a request, and [`Visitor::keep`] takes
//! those of the answer.
//!
//! ```
//! use axum::{Router, body::Body, response::Redirect, routing::post};
//! use http::{Request, StatusCode};
//! use tenure_core::Sessions;
//! use tenure_testkit::app;
//! use tenure_tower::{SessionLayer, axum::{Error, Session}};
//!
//! // The application.
//! async fn order(session: Session) -> Result<Redirect, Error> {
//!     session.remove("cart")?;
//!     session.increment("orders", 1)?;
//!     session.flash("success", "Thank you.")?;
//!     Ok(Redirect::to("/orders"))
//! }
//!
//! fn shop(sessions: Sessions) -> Router {
//!     Router::new().route("/order", post(order)).layer(SessionLayer::new(sessions))
//! }
//!
//! // Its test.
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let sessions = Sessions::in_memory()?;
//! let shop = shop(sessions.clone());
//! let mut ada =
//!     app::visitor(&sessions).logged_in_as("ada").with("cart", ["tea", "milk"]).arrive().await;
//!
//! let answer = ada.send(&shop, Request::post("/order").body(Body::empty())?).await;
//! assert_eq!(answer.status(), StatusCode::SEE_OTHER);
//! ada.session()
//!     .await
//!     .assert_user("ada")
//!     .assert_missing("cart")
//!     .assert_eq("orders", 1)
//!     .assert_flash("success", "Thank you.");
//! # Ok(())
//! # }
//! ```
//!
//! Helpers panic where something is wrong with the test or the store; they are for tests alone.

mod snapshot;
mod visitor;

use tenure_core::store::MemoryStore;
use tenure_core::{Sessions, SessionsBuilder};

pub use snapshot::Snapshot;
pub use visitor::{Visitor, VisitorBuilder};

use crate::ManualClock;

/// Sessions in memory, still to be configured, and the clock by which they live, which is moved by
/// hand.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> tenure_core::Result<()> {
/// # use std::time::Duration;
/// use tenure_testkit::app;
///
/// let (builder, clock) = app::in_memory();
/// let sessions = builder.idle_timeout(Duration::from_secs(600)).build()?;
/// let ada = app::visitor(&sessions).logged_in_as("ada").arrive().await;
/// clock.advance(Duration::from_secs(599));
/// ada.session().await.assert_user("ada");
/// clock.advance(Duration::from_secs(1));
/// ada.session().await.assert_no_session();
/// # Ok(())
/// # }
/// ```
pub fn in_memory() -> (SessionsBuilder, ManualClock) {
    let clock = ManualClock::new();
    (Sessions::builder().store(MemoryStore::new()).clock(clock.clone()), clock)
}

/// Somebody who visits the application that has these sessions: without any, until the builder is
/// told what they have.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> tenure_core::Result<()> {
/// # use tenure_core::Sessions;
/// # use tenure_testkit::app;
/// let sessions = Sessions::in_memory()?;
/// let stranger = app::visitor(&sessions).arrive().await;
/// assert_eq!(stranger.cookie(), None);
/// stranger.session().await.assert_no_session();
/// # Ok(())
/// # }
/// ```
pub fn visitor(sessions: &Sessions) -> VisitorBuilder {
    VisitorBuilder::new(sessions)
}
