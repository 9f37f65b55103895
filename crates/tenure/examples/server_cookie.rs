//! A signed id in the visitor's cookie, and the session in the server's memory (K14).
//!
//! `SESSION_SECRET=$(openssl rand -base64 33) cargo run -p tenure --features axum --example server_cookie`,
//! and as a visitor, whose cookies curl keeps in the file `jar`:
//!
//! ```console
//! $ curl -b jar -c jar -d item=tea http://localhost:3000/cart
//! ["tea"]
//! $ curl -b jar -c jar -d item=milk http://localhost:3000/cart
//! ["tea","milk"]
//! $ curl -b jar -c jar -X DELETE http://localhost:3000/cart
//! ```
//!
//! - Items that are added at the same moment are all there afterwards: the store merges them.
//! - A cookie that somebody made up is turned away by its signature, before the store is asked.
//! - The sessions end with the process. `SqliteStore::open("sessions.sqlite")`, or another store, in
//!   place of the one in memory, and they do not.

use axum::routing::get;
use axum::{Form, Json, Router};
use serde::Deserialize;
use tenure::axum::{Error, Session};
use tenure::csrf::OriginCheck;
use tenure::store::{MemoryStore, Store};
use tenure::tower::SessionLayer;
use tenure::tower::csrf::CsrfLayer;
use tenure::transform::Keyring;
use tenure::{Key, Sessions};

const CART: Key<Vec<String>> = Key::new("cart");

/// The cart, with ids that are signed with the first of these keys.
pub(crate) fn router(store: impl Store, keys: Keyring) -> tenure::Result<Router> {
    let sessions = Sessions::builder().store(store).signing_keys(keys).build()?;
    Ok(Router::new()
        .route("/cart", get(cart).post(add).delete(empty))
        .layer(CsrfLayer::new(OriginCheck::new()))
        .layer(SessionLayer::new(sessions)))
}

async fn cart(session: Session) -> Result<Json<Vec<String>>, Error> {
    Ok(Json(session.get(CART)?.unwrap_or_default()))
}

#[derive(Deserialize)]
struct Item {
    item: String,
}

async fn add(
    session: Session,
    Form(Item { item }): Form<Item>,
) -> Result<Json<Vec<String>>, Error> {
    session.push(CART, item)?;
    cart(session).await
}

async fn empty(session: Session) -> Result<(), Error> {
    Ok(session.destroy()?)
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let keys = Keyring::from_env(["SESSION_SECRET"])?;
    let listener = tokio::net::TcpListener::bind("127.0.0.1:3000").await?;
    axum::serve(listener, router(MemoryStore::new(), keys)?).await?;
    Ok(())
}
