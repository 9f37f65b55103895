//! Times as people write them.

use std::time::Duration;

/// `2h`, `30 days`, `1h 30m`, or a number of seconds.
pub(super) fn parse(text: &str) -> Option<Duration> {
    let text = text.trim();
    if let Ok(seconds) = text.parse() {
        return Some(Duration::from_secs(seconds));
    }
    let (mut rest, mut total) = (text, Duration::ZERO);
    while !rest.is_empty() {
        let end = rest.find(|sign: char| !sign.is_ascii_digit())?;
        let count: u32 = rest[..end].parse().ok()?;
        rest = rest[end..].trim_start();
        let end = rest.find(|sign: char| !sign.is_ascii_lowercase()).unwrap_or(rest.len());
        total = total.checked_add(unit(&rest[..end])?.checked_mul(count)?)?;
        rest = rest[end..].trim_start();
    }
    (!text.is_empty()).then_some(total)
}

fn unit(name: &str) -> Option<Duration> {
    let seconds = match name {
        "ms" => return Some(Duration::from_millis(1)),
        "s" | "sec" | "secs" | "second" | "seconds" => 1,
        "m" | "min" | "mins" | "minute" | "minutes" => 60,
        "h" | "hour" | "hours" => 60 * 60,
        "d" | "day" | "days" => 24 * 60 * 60,
        "w" | "week" | "weeks" => 7 * 24 * 60 * 60,
        _ => return None,
    };
    Some(Duration::from_secs(seconds))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A1: "2h" and the like.
    #[test]
    fn a1_durations_as_people_write_them() {
        for (text, seconds) in [
            ("2h", 7_200),
            ("30m", 1_800),
            ("45s", 45),
            ("7d", 604_800),
            ("30 days", 2_592_000),
            ("1 week", 604_800),
            ("1h 30m", 5_400),
            ("1h30m", 5_400),
            (" 1 hour 1 second ", 3_601),
            ("1800", 1_800),
            ("0", 0),
        ] {
            assert_eq!(parse(text), Some(Duration::from_secs(seconds)), "{text:?}");
        }
        assert_eq!(parse("250ms"), Some(Duration::from_millis(250)));
    }

    #[test]
    fn a1_what_is_no_duration_is_refused() {
        for text in [
            "",
            " ",
            "h",
            "2",
            "-2h",
            "2x",
            "2 H",
            "2.5h",
            "2h,3m",
            "2hh",
            "two hours",
            "1month",
            "99999999999999999999",
            "4294967295w 4294967296w",
            "2h\u{0}",
            "٢h",
            "2ｈ",
            "½h",
        ] {
            let expected = if text == "2" { Some(Duration::from_secs(2)) } else { None };
            assert_eq!(parse(text), expected, "{text:?}");
        }
    }
}
