//! An id in a header of the application's own, and the sessions in a folder (K14).
//!
//! `SESSION_SECRET=$(openssl rand -base64 33) cargo run -p tenure --features axum,file --example server_header`,
//! and as a client that keeps what `x-session` says and sends it back:
//!
//! ```console
//! $ curl -i -d item=tea http://localhost:3000/cart
//! x-session: …
//! ["tea"]
//! $ curl -H 'x-session: …' -d item=milk http://localhost:3000/cart
//! ["tea","milk"]
//! $ curl -i -H 'x-session: …' -X DELETE http://localhost:3000/cart
//! x-session:           # nothing to keep any more
//! ```
//!
//! - This is for clients that are no browsers, or keep no cookies: scripts, apps, devices. In a page,
//!   any script that gets in can take such an id away; a cookie that is `HttpOnly` it cannot.
//! - No other site can make a client send the header, so there is no check against forged requests.
//! - The folder is shared by all processes of the machine, and outlives them. A client at another
//!   origin needs CORS; `tenure::tower::cors` lists the headers.

use axum::routing::get;
use axum::{Form, Json, Router};
use serde::Deserialize;
use tenure::axum::{Error, Session};
use tenure::store::{FileStore, Store};
use tenure::tower::SessionLayer;
use tenure::transform::Keyring;
use tenure::transport::Header;
use tenure::{Key, Sessions};

const CART: Key<Vec<String>> = Key::new("cart");

/// The cart, with ids that are signed with the first of these keys.
pub(crate) fn router(store: impl Store, keys: Keyring) -> tenure::Result<Router> {
    let sessions = Sessions::builder()
        .store(store)
        .signing_keys(keys)
        .header(Header::named("x-session"))
        .build()?;
    Ok(Router::new()
        .route("/cart", get(cart).post(add).delete(empty))
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
    let store = FileStore::open("sessions").await?;
    let listener = tokio::net::TcpListener::bind("127.0.0.1:3000").await?;
    axum::serve(listener, router(store, keys)?).await?;
    Ok(())
}
