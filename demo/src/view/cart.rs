//! The cart beside the shelf.

use maud::{Markup, html};

use crate::shop::Cart;

pub(super) fn cart(cart: &Cart) -> Markup {
    html! {
        section #cart .cart aria-labelledby="cart-title" {
            h2 #cart-title { "Your cart" }
            @if cart.is_empty() {
                p.muted { "Nothing in it yet." }
            } @else {
                ul {
                    @for (product, count) in cart.lines() {
                        li {
                            span.what { (product.name) }
                            span.price { (product.price.times(count)) }
                            span.how-many {
                                form method="post" action={ "/cart/" (product.sku) "/remove" } {
                                    button id={ "remove-" (product.sku) }
                                        aria-label={ "Remove one " (product.name) } { "−" }
                                }
                                span aria-label="Quantity" { (count) }
                                form method="post" action={ "/cart/" (product.sku) "/add" } {
                                    button aria-label={ "Add one more " (product.name) } { "+" }
                                }
                            }
                        }
                    }
                }
                p.total { span { "Total" } strong { (cart.total()) } }
            }
        }
    }
}
