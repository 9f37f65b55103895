//! Who is logged in, or the form for it.

use maud::{Markup, html};

use crate::routes::LONGEST_NAME;
use crate::visitor::Visitor;

/// What is in the form: at first nothing, later what was refused and why.
#[derive(Default)]
pub(crate) struct LoginForm<'a> {
    pub(crate) name: &'a str,
    pub(crate) problem: Option<&'static str>,
}

pub(super) fn account(visitor: &Visitor, form: &LoginForm<'_>) -> Markup {
    html! {
        @if let Some(user) = &visitor.user {
            div.account {
                p {
                    span { "Hello, " strong #user { (user.as_str()) } }
                    span.visits { "Visits: " span #visits { (visitor.visits) } }
                    a href="/profile" { "Your profile" }
                    a href="/devices" { "Your devices" }
                    a href="/admin" { "Who is here" }
                }
                form method="post" action="/logout" {
                    button #logout { "Log out" }
                }
            }
        }
        @if visitor.user.is_none() || form.problem.is_some() {
            form.account method="post" action="/login" {
                label for="login-name" { "Your name" }
                input #login-name name="name" value=(form.name) required maxlength=(LONGEST_NAME)
                    autocomplete="username" autofocus[form.problem.is_some()]
                    aria-invalid=[form.problem.map(|_| "true")]
                    aria-describedby=[form.problem.map(|_| "login-problem")];
                label.check for="remember" {
                    input #remember type="checkbox" name="remember" value="yes";
                    "Remember me"
                }
                button #login { "Log in" }
                @if let Some(problem) = form.problem {
                    p #login-problem .error role="alert" { (problem) }
                }
            }
        }
    }
}
