//! The form for the profile.

use maud::{Markup, html};

use super::account::{LoginForm, account};
use super::layout;
use crate::routes::LONGEST_FIELD;
use crate::visitor::{Profile, Visitor};

pub(crate) fn profile(visitor: &Visitor, profile: &Profile, token: &str) -> Markup {
    let main = html! {
        section.form aria-labelledby="profile-title" {
            h1 #profile-title { "Your profile" }
            p.muted { "Kept in your session, and gone with it." }
            form method="post" action="/profile" novalidate {
                input #csrf type="hidden" name="_csrf" value=(token);
                (field(visitor, "name", "Name", "name", &profile.name))
                (field(visitor, "email", "E-mail", "email", &profile.email))
                button #profile-save .primary { "Save" }
            }
        }
    };
    let account = account(visitor, &LoginForm::default());
    layout::page("Your profile · Leaf & Cup", Some(visitor), account, main)
}

/// One field: with what was typed last if that was refused, else with what is saved.
fn field(visitor: &Visitor, name: &str, label: &str, complete: &str, saved: &str) -> Markup {
    let old = visitor.messages.old(name);
    let errors = visitor.messages.errors(name);
    let is_wrong = (!errors.is_empty()).then_some("true");
    html! {
        label for={ "profile-" (name) } { (label) }
        input id={ "profile-" (name) } name=(name) value=(old.as_deref().unwrap_or(saved))
            maxlength=(LONGEST_FIELD) autocomplete=(complete) aria-invalid=[is_wrong]
            aria-describedby=[is_wrong.map(|_| format!("error-{name}"))];
        @if !errors.is_empty() {
            p.error id={ "error-" (name) } { (errors.join(" ")) }
        }
    }
}
