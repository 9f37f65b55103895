//! What is around every page.

use maud::{DOCTYPE, Markup, html};

use crate::visitor::{Theme, Visitor};

pub(crate) const STYLE: &str = include_str!("../../static/style.css");
const STYLE_HASH: u64 = fnv(STYLE.as_bytes());

/// The favicon, in the page so that browsers ask for none.
const ICON: &str = "data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 16 \
                    16'%3E%3Cpath fill='%232f6b3c' d='M14 2C6 2 2 6 2 11v3h2v-3c2-4 4-5 7-6-3 2-5 \
                    4-6 7 6 1 9-3 9-10z'/%3E%3C/svg%3E";

/// A page; the header has more to say when it knows the visitor.
pub(super) fn page(
    title: &str,
    visitor: Option<&Visitor>,
    account: Markup,
    main: Markup,
) -> Markup {
    let theme = visitor.and_then(|visitor| visitor.theme).map(Theme::name);
    html! {
        (DOCTYPE)
        html lang="en" data-theme=[theme] {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content=(theme.unwrap_or("light dark"));
                title { (title) }
                link rel="icon" href=(ICON);
                link rel="stylesheet" href={ "/static/style.css?" (format_args!("{STYLE_HASH:x}")) };
            }
            body {
                a.skip href="#main" { "Skip to the shop" }
                header.top {
                    a.brand href="/" { "Leaf & Cup" }
                    (account)
                    @if let Some(visitor) = visitor {
                        div.tools {
                            (themes(visitor.theme))
                            (cart_link(visitor))
                        }
                    }
                }
                @if let Some(visitor) = visitor { (messages(visitor)) }
                main #main { (main) }
                footer {
                    p {
                        "A demonstration of tenure, sessions for Rust that lose no update. "
                        "Nothing is sold here, and any name will do."
                    }
                }
            }
        }
    }
}

/// What the action before this page did.
fn messages(visitor: &Visitor) -> Markup {
    html! {
        @if visitor.messages.levels().next().is_some() {
            div #flash .flash role="status" {
                @for (level, text) in visitor.messages.levels() { p class=(level) { (text) } }
            }
        }
    }
}

fn themes(chosen: Option<Theme>) -> Markup {
    html! {
        form.themes method="post" action="/theme" role="group" aria-label="Theme" {
            @for (theme, label) in [(Theme::Light, "Light"), (Theme::Dark, "Dark")] {
                button id={ "theme-" (theme.name()) } name="theme" value=(theme.name())
                    aria-pressed=(chosen == Some(theme)) { (label) }
            }
        }
    }
}

fn cart_link(visitor: &Visitor) -> Markup {
    html! {
        a.cart-link href="/#cart" {
            "Cart " span #cart-count .badge { (visitor.cart.count()) }
        }
    }
}

/// FNV-1a: tells versions of a file apart, no more.
const fn fnv(octets: &[u8]) -> u64 {
    let mut hash: u64 = 0xcbf2_9ce4_8422_2325;
    let mut at = 0;
    while at < octets.len() {
        hash = (hash ^ octets[at] as u64).wrapping_mul(0x0100_0000_01b3);
        at += 1;
    }
    hash
}
