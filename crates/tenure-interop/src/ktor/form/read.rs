use super::percent::{element_decode, form_decode};
use super::{TYPE, TypedForm, TypedValue};

/// `depth` is how much deeper it may go.
pub(super) fn form(text: &str, depth: usize) -> Option<TypedForm> {
    let mut form = TypedForm::new();
    for pair in text.split('&').filter(|pair| !pair.is_empty()) {
        let (name, written) = pair.split_once('=')?;
        let (name, written) = (form_decode(name)?, form_decode(written)?);
        let twice = if name == TYPE {
            form.type_name.replace(written).is_some()
        } else {
            form.members.insert(name, value(&written, depth)?).is_some()
        };
        if twice {
            return None;
        }
    }
    Some(form)
}

fn value(text: &str, depth: usize) -> Option<TypedValue> {
    let depth = depth.checked_sub(1)?;
    let text = text.strip_prefix('#')?;
    Some(match text.split_at_checked(1)? {
        ("n", "") => TypedValue::Null,
        ("i", digits) => TypedValue::Int(digits.parse().ok()?),
        ("l", digits) => TypedValue::Long(digits.parse().ok()?),
        ("f", digits) => TypedValue::Double(digits.parse().ok()?),
        ("b", "ot") => TypedValue::Bool(true),
        ("b", "of") => TypedValue::Bool(false),
        ("b", rest) => match rest.split_at_checked(1)? {
            ("d", digits) if is_decimal(digits) => TypedValue::BigDecimal(digits.to_owned()),
            ("i", digits) if is_integer(digits) => TypedValue::BigInteger(digits.to_owned()),
            _ => return None,
        },
        ("s", text) => TypedValue::Text(text.to_owned()),
        ("o", "m") => TypedValue::Optional(None),
        ("o", rest) => TypedValue::Optional(Some(Box::new(value(rest.strip_prefix('p')?, depth)?))),
        ("c", rest) => match rest.split_at_checked(1)? {
            ("h", sign) => TypedValue::Char(only(sign)?),
            ("l", list) => TypedValue::List(elements(list, depth)?),
            ("s", set) => TypedValue::Set(elements(set, depth)?),
            _ => return None,
        },
        ("m", map) => TypedValue::Map(entries(map, depth)?),
        ("#", object) => TypedValue::Object(form(object, depth)?),
        _ => return None,
    })
}

fn elements(text: &str, depth: usize) -> Option<Vec<TypedValue>> {
    let text = element_decode(text)?;
    let elements = text.split('&').filter(|element| !element.is_empty());
    elements.map(|element| value(&element_decode(element)?, depth)).collect()
}

fn entries(text: &str, depth: usize) -> Option<Vec<(TypedValue, TypedValue)>> {
    let text = element_decode(text)?;
    let entries = text.split('&').filter(|entry| !entry.is_empty());
    let part = |text: &str| value(&element_decode(text)?, depth);
    entries
        .map(|entry| {
            let (key, value) = entry.split_once('=')?;
            Some((part(key)?, part(value)?))
        })
        .collect()
}

fn only(text: &str) -> Option<char> {
    let mut signs = text.chars();
    signs.next().filter(|_| signs.as_str().is_empty())
}

pub(super) fn is_integer(text: &str) -> bool {
    let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
    !digits.is_empty() && digits.bytes().all(|digit| digit.is_ascii_digit())
}

pub(super) fn is_decimal(text: &str) -> bool {
    let (number, exponent) = text.split_once(['e', 'E']).unwrap_or((text, "0"));
    let digits = number.strip_prefix(['+', '-']).unwrap_or(number);
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let all_digits = |text: &str| text.bytes().all(|digit| digit.is_ascii_digit());
    is_integer(exponent)
        && all_digits(whole)
        && all_digits(fraction)
        && !(whole.is_empty() && fraction.is_empty())
}
