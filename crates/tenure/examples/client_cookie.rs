//! The whole session in the visitor's cookie, sealed, and nothing on the server (K14).
//!
//! `SESSION_SECRET=$(openssl rand -base64 33) cargo run -p tenure --features axum --example client_cookie`,
//! and as a visitor, whose cookies curl keeps in the file `jar`:
//!
//! ```console
//! $ curl -b jar -c jar -d item=tea http://localhost:3000/cart
//! ["tea"]
//! $ curl -b jar -c jar -d item=milk http://localhost:3000/cart
//! ["tea","milk"]
//! $ cat jar            # one cookie that nobody but the server can read or write
//! ```
//!
//! - It survives a restart of the server, as long as the secret is the same.
//! - Of two responses at the same moment the last one wins: where that loses something that matters,
//!   take a store. The handlers are the same as in `server_cookie`, which has one.
//! - A copy of an old cookie is good until it expires. Where people log in, add
//!   `ClientStore::revocations`, so that a logout ends the copies, too.

use axum::routing::get;
use axum::{Form, Json, Router};
use serde::Deserialize;
use tenure::axum::{Error, Session};
use tenure::csrf::OriginCheck;
use tenure::store::ClientStore;
use tenure::tower::SessionLayer;
use tenure::tower::csrf::CsrfLayer;
use tenure::transform::Keyring;
use tenure::{Key, Sessions};

const CART: Key<Vec<String>> = Key::new("cart");

/// The cart, sealed with the first of these keys.
pub(crate) fn router(keys: Keyring) -> tenure::Result<Router> {
    let sessions = Sessions::builder().client_store(ClientStore::sealed(keys)).build()?;
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
    axum::serve(listener, router(keys)?).await?;
    Ok(())
}
