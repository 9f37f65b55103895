use tenure_core::{Error, ErrorKind, Result};

use super::percent::{element_encode, form_encode};
use super::read::{is_decimal, is_integer};
use super::{TYPE, TypedForm, TypedValue};

/// `depth` is how much deeper it may go.
pub(super) fn form(form: &TypedForm, depth: usize) -> Result<String> {
    let mut pairs = Vec::with_capacity(form.members.len() + 1);
    for (name, member) in &form.members {
        if name == TYPE {
            return Err(refused("a member is called `$type`; use `with_type_name`"));
        }
        pairs.push(format!("{}={}", form_encode(name), form_encode(&value(member, depth)?)));
    }
    if let Some(name) = &form.type_name {
        pairs.push(format!("{}={}", form_encode(TYPE), form_encode(name)));
    }
    Ok(pairs.join("&"))
}

fn value(value: &TypedValue, depth: usize) -> Result<String> {
    let depth =
        depth.checked_sub(1).ok_or_else(|| refused("values are nested too deep; flatten them"))?;
    Ok(match value {
        TypedValue::Null => "#n".to_owned(),
        TypedValue::Int(number) => format!("#i{number}"),
        TypedValue::Long(number) => format!("#l{number}"),
        TypedValue::Double(number) if number.is_infinite() => {
            format!("#f{}Infinity", if *number < 0.0 { "-" } else { "" })
        }
        TypedValue::Double(number) => format!("#f{number:?}"),
        TypedValue::Bool(true) => "#bot".to_owned(),
        TypedValue::Bool(false) => "#bof".to_owned(),
        TypedValue::Char(sign) if sign.len_utf16() == 1 => format!("#ch{sign}"),
        TypedValue::Char(_) => {
            return Err(refused("a `Char` there is one UTF-16 unit; use `Text`"));
        }
        TypedValue::Text(text) => format!("#s{text}"),
        TypedValue::BigDecimal(digits) if is_decimal(digits) => format!("#bd{digits}"),
        TypedValue::BigInteger(digits) if is_integer(digits) => format!("#bi{digits}"),
        TypedValue::BigDecimal(_) | TypedValue::BigInteger(_) => {
            return Err(refused("the text of a number is none; give its digits"));
        }
        TypedValue::Optional(None) => "#om".to_owned(),
        TypedValue::Optional(Some(present)) => format!("#op{}", self::value(present, depth)?),
        TypedValue::List(list) => format!("#cl{}", elements(list, depth)?),
        TypedValue::Set(set) => format!("#cs{}", elements(set, depth)?),
        TypedValue::Map(map) => format!("#m{}", entries(map, depth)?),
        TypedValue::Object(object) => format!("##{}", form(object, depth)?),
    })
}

fn elements(elements: &[TypedValue], depth: usize) -> Result<String> {
    let elements = elements.iter().map(|element| part(element, depth, &['&']));
    Ok(element_encode(&elements.collect::<Result<Vec<_>>>()?.join("&")))
}

fn entries(entries: &[(TypedValue, TypedValue)], depth: usize) -> Result<String> {
    let entries = entries.iter().map(|(key, value)| {
        Ok(format!("{}={}", part(key, depth, &['&', '='])?, part(value, depth, &['&'])?))
    });
    Ok(element_encode(&entries.collect::<Result<Vec<_>>>()?.join("&")))
}

/// An element, a key or an entry's value. The other side cannot read an object there, and cuts at
/// what separates even where it belongs to the value.
fn part(element: &TypedValue, depth: usize, separators: &[char]) -> Result<String> {
    if matches!(element, TypedValue::Object(_)) {
        return Err(refused("an object in a list, set or map cannot be read; use members"));
    }
    let text = element_encode(&value(element, depth)?);
    if text.contains(separators) {
        return Err(refused(
            "`&` in an element of a list, set or map, `=` in a map's key, or a list of several in \
             another one does not survive; keep it in a member of its own",
        ));
    }
    Ok(text)
}

pub(super) fn refused(what: &'static str) -> Error {
    Error::new(ErrorKind::Type, "ktor", what)
}
