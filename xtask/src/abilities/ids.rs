//! Ids as the page, names of tests and comments have them: `V3`, `R12`, `T-FIX-1`.

/// Abilities by their area, and the classes of what goes wrong.
const LETTERS: &str = "VPKAFXR";

pub(super) fn is_id(word: &str) -> bool {
    is_short(word) || is_rule(word)
}

/// A letter and a number.
fn is_short(word: &str) -> bool {
    let mut letters = word.chars();
    let known = letters.next().is_some_and(|letter| LETTERS.contains(letter));
    known && is_number(letters.as_str())
}

/// `T-`, a word and a number.
fn is_rule(word: &str) -> bool {
    let parts = word.strip_prefix("T-").and_then(|rest| rest.split_once('-'));
    parts.is_some_and(|(subject, number)| {
        is_number(number)
            && !subject.is_empty()
            && subject.bytes().all(|octet| octet.is_ascii_uppercase())
    })
}

fn is_number(text: &str) -> bool {
    matches!(text.len(), 1..=2) && text.bytes().all(|octet| octet.is_ascii_digit())
}

/// The ids with which a name begins: `r8_r17_…` and `t_fix_1_…`.
pub(super) fn in_name(name: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut words = name.split('_');
    while let Some(word) = words.next() {
        let mut id = word.to_uppercase();
        if word == "t" {
            let (subject, number) = (words.next().unwrap_or(""), words.next().unwrap_or(""));
            id = format!("T-{}-{number}", subject.to_uppercase());
        }
        if !is_id(&id) {
            break;
        }
        found.push(id);
    }
    found
}

/// The ids among the words of a comment.
pub(super) fn in_text(text: &str) -> impl Iterator<Item = &str> {
    text.split(|letter: char| !letter.is_alphanumeric() && letter != '-').filter(|word| is_id(word))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_begin_with_their_ids() {
        assert_eq!(in_name("v3_the_factory_may_set_any_attribute"), ["V3"]);
        assert_eq!(in_name("r8_r17_ids_are_tame"), ["R8", "R17"]);
        assert_eq!(in_name("t_fix_1_unknown_ids"), ["T-FIX-1"]);
        assert_eq!(in_name("t_exp_2_r2_late"), ["T-EXP-2", "R2"]);
        assert_eq!(in_name("x10_redis_cached"), ["X10"]);
        for name in ["law_03_x1", "a_thing", "t_shirt_xl", "t", "v123_x", "k8s_x", "", "b1_x"] {
            assert!(in_name(name).is_empty(), "{name}");
        }
    }

    #[test]
    fn comments_name_ids_as_words() {
        let found: Vec<_> = in_text("R8, T-FILE-1: IPv4 is no V44x, but (X4) is; T-FIX.").collect();
        assert_eq!(found, ["R8", "T-FILE-1", "X4"]);
    }
}
