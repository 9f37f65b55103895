//! The page for what went wrong.

use axum::http::StatusCode;
use maud::{Markup, html};

use super::account::{LoginForm, account};
use super::layout;
use crate::visitor::Visitor;

pub(crate) fn problem(status: StatusCode, visitor: Option<&Visitor>) -> Markup {
    let (title, what_now) = words(status);
    let account = html! {
        @if let Some(visitor) = visitor { (account(visitor, &LoginForm::default())) }
    };
    let main = html! {
        div.problem {
            p.status { (status.as_u16()) }
            h1 { (title) }
            p { (what_now) }
            p { a href="/" { "Back to the shop" } }
        }
    };
    layout::page(&format!("{title} · Leaf & Cup"), visitor, account, main)
}

fn words(status: StatusCode) -> (&'static str, &'static str) {
    match status {
        StatusCode::NOT_FOUND => {
            ("There is nothing here", "The page has moved, or never was. The shelf is still there.")
        }
        StatusCode::FORBIDDEN => (
            "This form is out of date",
            "It was made before you logged in or out, or not by the shop. Nothing was changed. \
             Please load the page again, and send it once more.",
        ),
        StatusCode::SERVICE_UNAVAILABLE => (
            "The shop is closed for a moment",
            "We cannot reach what we keep about you. Your cart is safe; please try again shortly.",
        ),
        StatusCode::INTERNAL_SERVER_ERROR => (
            "Something went wrong",
            "It is our fault, and it has been noted. Please try again, or go back to the shop.",
        ),
        _ => (
            "That did not work",
            "The shop did not understand the request. Please go back and try it from there.",
        ),
    }
}
