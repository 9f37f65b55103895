//! Where a user is logged in.

use std::time::{Duration, SystemTime};

use maud::{Markup, html};
use tenure::engine::SessionInfo;

use super::account::{LoginForm, account};
use super::layout;
use crate::visitor::Visitor;

pub(crate) fn devices(visitor: &Visitor, devices: &[SessionInfo]) -> Markup {
    let main = html! {
        section.devices aria-labelledby="devices-title" {
            h1 #devices-title { "Your devices" }
            p.muted {
                "This is where you are logged in. Log out whatever you do not recognise."
            }
            ul #devices {
                @for device in devices { (line(device)) }
            }
            form method="post" action="/devices/logout-everywhere" {
                button #logout-everywhere { "Log out everywhere" }
            }
        }
    };
    let account = account(visitor, &LoginForm::default());
    layout::page("Your devices · Leaf & Cup", Some(visitor), account, main)
}

fn line(device: &SessionInfo) -> Markup {
    html! {
        li {
            div.what {
                strong title=[device.user_agent.as_deref()] {
                    (device.user_agent.as_deref().map_or("An unknown device".into(), kind))
                }
                p.muted {
                    @if let Some(ip) = device.ip { "From " (ip) ". " }
                    "Logged in " (ago(device.authenticated_at.unwrap_or(device.created_at)))
                    ", last seen " (ago(device.last_seen)) "."
                }
            }
            @if device.current {
                span.badge { "This one" }
            } @else {
                form method="post" action={ "/devices/" (device.handle) "/revoke" } {
                    button id={ "revoke-" (device.handle) } { "Log out" }
                }
            }
        }
    }
}

/// What most people would call the client; others by what they call themselves.
fn kind(user_agent: &str) -> String {
    let find = |names: &[(&str, &'static str)]| {
        names.iter().find(|(sign, _)| user_agent.contains(sign)).map(|(_, name)| *name)
    };
    // The order matters: most browsers claim to be others, too.
    let browser = find(&[
        ("Firefox/", "Firefox"),
        ("Edg/", "Edge"),
        ("Chrome/", "Chrome"),
        ("Safari/", "Safari"),
    ]);
    let system = find(&[
        ("iPhone", "iPhone"),
        ("iPad", "iPad"),
        ("Android", "Android"),
        ("Windows", "Windows"),
        ("Macintosh", "Mac"),
        ("Linux", "Linux"),
    ]);
    match (browser, system) {
        (Some(browser), Some(system)) => format!("{browser} on {system}"),
        _ => user_agent.chars().take(60).collect(),
    }
}

pub(super) fn ago(time: SystemTime) -> String {
    in_words(SystemTime::now().duration_since(time).unwrap_or_default())
}

fn in_words(past: Duration) -> String {
    let minutes = past.as_secs() / 60;
    let (number, unit) = match minutes {
        0 => return "just now".to_owned(),
        1..60 => (minutes, "minute"),
        60..1_440 => (minutes / 60, "hour"),
        _ => (minutes / 1_440, "day"),
    };
    format!("{number} {unit}{} ago", if number == 1 { "" } else { "s" })
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{in_words, kind};

    #[test]
    fn clients_have_names() {
        let phone = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_1 like Mac OS X) AppleWebKit/605.1.15 \
                     (KHTML, like Gecko) Version/18.1 Mobile/15E148 Safari/604.1";
        assert_eq!(kind(phone), "Safari on iPhone");
        let edge = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) Chrome/130.0 Safari/537.36 Edg/130.0";
        assert_eq!(kind(edge), "Edge on Windows");
        assert_eq!(kind("curl/8.5.0"), "curl/8.5.0");
        assert_eq!(kind(&"ä".repeat(500)).chars().count(), 60);
    }

    #[test]
    fn times_are_told_in_words() {
        for (seconds, words) in [
            (59, "just now"),
            (60, "1 minute ago"),
            (3_599, "59 minutes ago"),
            (3_600, "1 hour ago"),
            (86_399, "23 hours ago"),
            (172_800, "2 days ago"),
        ] {
            assert_eq!(in_words(Duration::from_secs(seconds)), words);
        }
    }
}
