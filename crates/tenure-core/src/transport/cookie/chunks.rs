//! A value in several cookies, where one is too small for it.
//!
//! The first has the name of the session cookie and begins with the number of parts, as `~3~`; the
//! others are called `<name>.1` and `<name>.2`. A value of one part travels as it is, unless it
//! begins with `~` itself. The number is what keeps parts of an earlier, longer value from being
//! taken for parts of this one; that parts belong together, the value's own protection proves.

use super::parse;
use super::write::MAX_PAIR;
use crate::transport::presented::{Candidates, Presented, Refusal};

/// Cookies that one value takes at most.
pub(super) const MAX_CHUNKS: usize = 3;
const MARK: char = '~';
/// `~3~`
const MARK_LEN: usize = 3;

/// The name of a part but the first.
pub(super) fn part_name(name: &str, index: usize) -> String {
    format!("{name}.{index}")
}

/// The names of all parts but the first.
pub(super) fn further_names(name: &str) -> impl Iterator<Item = String> {
    (1..MAX_CHUNKS).map(move |index| part_name(name, index))
}

/// The octets of the longest value that fits.
pub(super) fn capacity(name: &str) -> usize {
    (0..MAX_CHUNKS).map(|index| room(name, index)).sum()
}

/// What of a value the cookie of this part holds, in several parts.
fn room(name: &str, index: usize) -> usize {
    let rest = MAX_PAIR.saturating_sub(name.len());
    // The mark, or the dot and the digit of the name.
    rest.saturating_sub(if index == 0 { MARK_LEN } else { 2 })
}

/// Whether one cookie holds the value, as it is.
pub(super) fn is_one(name: &str, value: &str) -> bool {
    name.len() + value.len() <= MAX_PAIR && !value.starts_with(MARK)
}

/// The parts of a value that is not [one](is_one), the first one's first; none if they do not fit.
pub(super) fn split(name: &str, value: &str) -> Option<Vec<String>> {
    let mut parts = Vec::new();
    let mut rest = value;
    for index in 0..MAX_CHUNKS {
        let (part, after) = rest.split_at_checked(room(name, index)).unwrap_or((rest, ""));
        parts.push(part.to_owned());
        rest = after;
        if rest.is_empty() {
            parts[0] = format!("{MARK}{}{MARK}{}", parts.len(), parts[0]);
            return Some(parts);
        }
    }
    None
}

/// Puts values that came in parts together again. Those that lack a part are dropped.
pub(super) fn join<'p>(
    presented: &'p Presented,
    name: &str,
    found: Candidates<'p>,
) -> Candidates<'p> {
    if !found.iter().any(|value| value.starts_with(MARK)) {
        return found;
    }
    let mut joined = Candidates::default();
    for value in found.iter() {
        let whole = match count(value) {
            None if value.starts_with(MARK) => continue,
            None => value.to_owned(),
            Some(parts) => {
                let mut whole = value[MARK_LEN..].to_owned();
                for index in 1..parts {
                    let part = parse::candidates(presented, &part_name(name, index));
                    let mut values = part.iter();
                    match (values.next(), values.next()) {
                        (Some(value), None) => whole.push_str(value),
                        (None, _) => {
                            whole.clear();
                            break;
                        }
                        (Some(_), Some(_)) => return Candidates::refused(Refusal::AmbiguousPart),
                    }
                }
                whole
            }
        };
        if !whole.is_empty() && !joined.add(whole) {
            return Candidates::refused(Refusal::TooManyCandidates);
        }
    }
    joined
}

/// The number of parts of which `value` says to be the first.
fn count(value: &str) -> Option<usize> {
    let rest = value.strip_prefix(MARK)?;
    let (digit, _) = rest.split_at_checked(1).filter(|(_, rest)| rest.starts_with(MARK))?;
    digit.parse().ok().filter(|count| (1..=MAX_CHUNKS).contains(count))
}

/// The parts but the first that the client has, from `kept` on.
pub(super) fn stale<'p>(
    presented: &'p Presented,
    name: &'p str,
    kept: usize,
) -> impl Iterator<Item = String> + 'p {
    // Most have none, and that is told without looking for each.
    let names = parse::may_have(presented, name, b'.').then(|| further_names(name));
    names.into_iter().flatten().skip(kept.saturating_sub(1)).filter(|name| {
        let found = parse::candidates(presented, name);
        found.refusal().is_some() || found.iter().next().is_some()
    })
}
