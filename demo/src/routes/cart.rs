//! Into the cart and out of it.

use axum::Router;
use axum::extract::Path;
use axum::http::StatusCode;
use axum::response::Redirect;
use axum::routing::post;
use tenure::axum::Session;
use tenure::session::Level;

use crate::problem::Problem;
use crate::shop::{Cart, Product};
use crate::visitor::CART;

pub(super) fn routes() -> Router {
    Router::new().route("/cart/{sku}/add", post(add)).route("/cart/{sku}/remove", post(remove))
}

/// Two tabs that add at the same time both succeed: each change is applied to the newest cart.
async fn add(session: Session, Path(sku): Path<String>) -> Result<Redirect, Problem> {
    let product = find(&sku)?;
    session.update(CART, |cart: &mut Cart| cart.add(product))?;
    session.flash(Level::Success, format!("{} is in your cart.", product.name))?;
    Ok(Redirect::to(&format!("/#{sku}")))
}

async fn remove(session: Option<Session>, Path(sku): Path<String>) -> Result<Redirect, Problem> {
    let product = find(&sku)?;
    // Whoever has no session has no cart, and taking nothing out of it should not make one.
    if let Some(session) = session {
        session.update(CART, |cart: &mut Cart| cart.remove(product))?;
        session.flash(Level::Info, format!("{} was taken out.", product.name))?;
    }
    Ok(Redirect::to("/#cart"))
}

fn find(sku: &str) -> Result<&'static Product, Problem> {
    Product::find(sku).ok_or(Problem::Status(StatusCode::NOT_FOUND))
}
