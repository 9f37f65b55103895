//! Who is in the shop, and how many were over the last minutes.

use maud::{Markup, html};
use tenure::Handle;

use super::account::{LoginForm, account};
use super::devices::ago;
use super::layout;
use crate::visitor::Visitor;
use crate::watch::{INTERVAL, Live, NOTES};

pub(crate) fn admin(
    visitor: &Visitor,
    live: &[Live],
    own: Option<Handle>,
    numbers: &[usize],
) -> Markup {
    let main = html! {
        section.admin aria-labelledby="admin-title" {
            h1 #admin-title { "Who is in the shop" }
            p.muted {
                "Sessions that this server has seen since it was started. A handle names a session "
                "and opens nothing."
            }
            (chart(numbers))
            table #sessions {
                thead { tr { th { "Session" } th { "User" } th { "Last seen" } } }
                tbody {
                    @for live in live {
                        tr {
                            td { code { (live.handle) } @if own == Some(live.handle) { " " span.badge { "You" } } }
                            td { (live.user.as_deref().unwrap_or("–")) }
                            td { (ago(live.last_seen)) }
                        }
                    }
                }
            }
        }
    };
    let account = account(visitor, &LoginForm::default());
    layout::page("Who is in the shop · Leaf & Cup", Some(visitor), account, main)
}

const WIDTH: usize = 600;
const HEIGHT: usize = 120;

/// A line that ends with the present at the right.
fn chart(numbers: &[usize]) -> Markup {
    let most = numbers.iter().copied().max().unwrap_or_default().max(1);
    let now = numbers.last().copied().unwrap_or_default();
    let step = WIDTH / NOTES;
    let begin = (NOTES + 1).saturating_sub(numbers.len());
    let x = |place: usize| (begin + place).min(NOTES) * step;
    let y = |number: usize| HEIGHT - number * (HEIGHT - 10) / most;
    let points: Vec<_> = numbers
        .iter()
        .enumerate()
        .map(|(at, number)| format!("{},{}", x(at), y(*number)))
        .collect();
    let points = points.join(" ");
    let minutes = INTERVAL.as_secs() * NOTES as u64 / 60;
    let about = format!("{now} sessions now, at most {most} over the last {minutes} minutes");
    html! {
        figure.chart {
            svg #chart viewBox={ "0 0 " (WIDTH) " " (HEIGHT) } role="img" aria-label=(about) preserveAspectRatio="none" {
                polygon.area points={ (x(0)) "," (HEIGHT) " " (points) " " (WIDTH) "," (HEIGHT) } {}
                polyline.line points=(points) {}
            }
            figcaption.muted { strong #live { (now) } " now, " (most) " at most in " (minutes) " minutes" }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::chart;

    #[test]
    fn a_chart_ends_at_the_right() {
        assert!(chart(&[0]).into_string().contains(r#"points="600,120""#));
        let line = chart(&[1, 2, 2]).into_string();
        assert!(line.contains(r#"points="580,65 590,10 600,10""#), "{line}");
        assert!(line.contains("2 sessions now, at most 2"));
    }
}
