//! The shelf: all products, and the cart.

use maud::{Markup, PreEscaped, html};

use super::account::{LoginForm, account};
use super::cart::cart;
use super::layout;
use crate::shop::{CATALOGUE, Product};
use crate::visitor::Visitor;

pub(crate) fn shop(visitor: &Visitor, form: &LoginForm<'_>) -> Markup {
    let main = html! {
        div.shop {
            section aria-labelledby="shelf-title" {
                h1 #shelf-title { "Tea, and what belongs to it" }
                ul.shelf {
                    @for product in CATALOGUE { (card(product, visitor.cart.count_of(product))) }
                }
            }
            (cart(&visitor.cart))
        }
    };
    layout::page("Leaf & Cup", Some(visitor), account(visitor, form), main)
}

fn card(product: &Product, in_cart: u32) -> Markup {
    html! {
        li #(product.sku) .card {
            (PreEscaped(product.art))
            div.text {
                h2 { (product.name) }
                p { (product.about) }
            }
            div.buy {
                strong.price { (product.price) }
                @if in_cart > 0 { span.in-cart { (in_cart) " in the cart" } }
                form method="post" action={ "/cart/" (product.sku) "/add" } {
                    button.primary id={ "add-" (product.sku) }
                        aria-label={ "Add " (product.name) " to the cart" } { "Add" }
                }
            }
        }
    }
}
