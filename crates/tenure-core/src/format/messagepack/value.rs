//! Values: JSON text as MessagePack, and back to the same text, octet by octet.
//!
//! What MessagePack has natively is written so if there is one JSON text of it, and that is the one
//! at hand. Anything else, such as `1.50`, `1e3`, `-0` or a text with white space, is written as
//! JSON text, by an extension type.

use std::borrow::Cow;

use memchr::memchr2;
use rmp::Marker;
use serde_json::value::RawValue;

use super::wire::{Reader, Writer};
use crate::format::DecodeError;
use crate::format::record::MAX_LEN;
use crate::value::{InvalidJson, Json};

/// The extension type of JSON text.
const JSON_TEXT: i8 = 0;

/// Appends the value that `json` is, as [`Json::parse`] reads it.
pub(super) fn write(into: &mut Writer, json: &str) -> Result<(), InvalidJson> {
    let text = serde_json::from_str::<&RawValue>(json).map_err(|_| InvalidJson)?.get();
    let (start, mut rest) = (into.len(), text);
    if native(&mut rest, into, 0).is_none() || !rest.is_empty() {
        into.truncate(start);
        into.extension(JSON_TEXT, Json::parse(text)?.as_str().as_bytes());
    }
    Ok(())
}

/// Writes what `rest` begins with; none if that has no equal, because of white space or a key.
/// The text is valid JSON.
fn native(rest: &mut &str, into: &mut Writer, depth: usize) -> Option<()> {
    match rest.as_bytes().first()? {
        b'[' | b'{' if depth == Json::MAX_DEPTH => None,
        b'[' => {
            let at = into.open();
            let len = items(rest, b']', |rest| native(rest, into, depth + 1))?;
            into.close_list(at, len);
            Some(())
        }
        b'{' => {
            let at = into.open();
            let len = items(rest, b'}', |rest| {
                into.text(&unquoted(quoted(rest)?)?);
                *rest = rest.strip_prefix(':')?;
                native(rest, into, depth + 1)
            })?;
            into.close_map(at, len);
            Some(())
        }
        b'"' => {
            let text = quoted(rest)?;
            match unquoted(text) {
                Some(string) => into.text(&string),
                None => into.extension(JSON_TEXT, text.as_bytes()),
            }
            Some(())
        }
        _ => {
            let end = rest.find([',', ']', '}']).unwrap_or(rest.len());
            let (text, after) = rest.split_at(end);
            *rest = after;
            match text {
                "null" => into.null(),
                "true" => into.boolean(true),
                "false" => into.boolean(false),
                _ => number(text, into)?,
            }
            Some(())
        }
    }
}

/// Writes the items between brackets, of which the first is next, and counts them.
fn items(rest: &mut &str, end: u8, mut item: impl FnMut(&mut &str) -> Option<()>) -> Option<usize> {
    eat(rest);
    if rest.as_bytes().first() == Some(&end) {
        eat(rest);
        return Some(0);
    }
    let mut count = 0;
    loop {
        item(rest)?;
        count += 1;
        match eat(rest)? {
            b',' => {}
            octet if octet == end => return Some(count),
            _ => return None,
        }
    }
}

/// Takes an octet off the front.
fn eat(rest: &mut &str) -> Option<u8> {
    let octet = rest.as_bytes().first().copied();
    *rest = rest.get(1..).unwrap_or_default();
    octet
}

/// Takes a string, quotes included, off the front.
fn quoted<'a>(rest: &mut &'a str) -> Option<&'a str> {
    let octets = rest.strip_prefix('"')?.as_bytes();
    let mut end = 0;
    loop {
        end += memchr2(b'"', b'\\', octets.get(end..)?)?;
        if octets[end] == b'"' {
            break;
        }
        end += 2;
    }
    let (text, after) = rest.split_at_checked(end + 2)?;
    *rest = after;
    Some(text)
}

/// The string, if quoting it gives this text again.
fn unquoted(text: &str) -> Option<Cow<'_, str>> {
    let inner = text.strip_prefix('"')?.strip_suffix('"')?;
    if !inner.contains('\\') {
        return Some(inner.into());
    }
    let string: String = serde_json::from_str(text).ok()?;
    let mut again = String::with_capacity(text.len());
    quote(&string, &mut again)?;
    (again == text).then(|| string.into())
}

fn quote(string: &str, into: &mut String) -> Option<()> {
    if string.bytes().any(|octet| octet < b' ' || octet == b'"' || octet == b'\\') {
        into.push_str(&serde_json::to_string(string).ok()?);
    } else {
        into.push('"');
        into.push_str(string);
        into.push('"');
    }
    Some(())
}

fn number(text: &str, into: &mut Writer) -> Option<()> {
    if text.ends_with(|last: char| last.is_ascii_whitespace())
        || text.starts_with(char::is_whitespace)
    {
        return None;
    }
    let float =
        || text.parse().ok().filter(|float| decimal(*float).is_some_and(|same| same == text));
    match (text.parse::<u64>(), text.parse::<i64>()) {
        (Ok(number), _) => into.natural(number),
        (_, Ok(number)) if number != 0 => into.integer(number),
        _ => match float() {
            Some(float) => into.float(float),
            None => into.extension(JSON_TEXT, text.as_bytes()),
        },
    }
    Some(())
}

/// The JSON text of a float: the shortest that is no other float's, with a dot and without an
/// exponent; none for what is so large or small that it would be long.
fn decimal(float: f64) -> Option<String> {
    if float != 0.0 && !(1e-5..1e16).contains(&float.abs()) {
        return None;
    }
    let mut text = float.to_string();
    if !text.contains('.') {
        text.push_str(".0");
    }
    Some(text)
}

/// Appends the JSON text of the next value.
pub(super) fn read(from: &mut Reader<'_>, into: &mut String) -> Result<(), DecodeError> {
    read_at(from, into, 0)
}

fn read_at(from: &mut Reader<'_>, into: &mut String, depth: usize) -> Result<(), DecodeError> {
    const MALFORMED: DecodeError = DecodeError::Malformed;
    let deeper = || if depth < Json::MAX_DEPTH { Ok(depth + 1) } else { Err(MALFORMED) };
    match from.marker().ok_or(MALFORMED)? {
        Marker::FixArray(_) | Marker::Array16 | Marker::Array32 => {
            let depth = deeper()?;
            into.push('[');
            for at in 0..from.list().ok_or(MALFORMED)? {
                if at > 0 {
                    into.push(',');
                }
                read_at(from, into, depth)?;
            }
            into.push(']');
        }
        Marker::FixMap(_) | Marker::Map16 | Marker::Map32 => {
            let depth = deeper()?;
            into.push('{');
            for at in 0..from.map().ok_or(MALFORMED)? {
                if at > 0 {
                    into.push(',');
                }
                quote(from.text().ok_or(MALFORMED)?, into).ok_or(MALFORMED)?;
                into.push(':');
                read_at(from, into, depth)?;
            }
            into.push('}');
        }
        marker => read_scalar(marker, from, into, depth).ok_or(MALFORMED)?,
    }
    // Escapes and decimals are longer than what they stand for.
    if into.len() > MAX_LEN { Err(DecodeError::TooLarge) } else { Ok(()) }
}

fn read_scalar(
    marker: Marker,
    from: &mut Reader<'_>,
    into: &mut String,
    depth: usize,
) -> Option<()> {
    match marker {
        Marker::Null => {
            from.null()?;
            into.push_str("null");
        }
        Marker::True | Marker::False => {
            into.push_str(if from.boolean()? { "true" } else { "false" });
        }
        Marker::FixPos(_) | Marker::U8 | Marker::U16 | Marker::U32 | Marker::U64 => {
            into.push_str(itoa::Buffer::new().format(from.natural()?));
        }
        Marker::FixNeg(_) | Marker::I8 | Marker::I16 | Marker::I32 | Marker::I64 => {
            into.push_str(itoa::Buffer::new().format(from.integer()?));
        }
        Marker::F64 => into.push_str(&decimal(from.float()?)?),
        Marker::FixStr(_) | Marker::Str8 | Marker::Str16 | Marker::Str32 => {
            quote(from.text()?, into)?;
        }
        Marker::FixExt1
        | Marker::FixExt2
        | Marker::FixExt4
        | Marker::FixExt8
        | Marker::FixExt16
        | Marker::Ext8
        | Marker::Ext16
        | Marker::Ext32 => {
            let (JSON_TEXT, text) = from.extension()? else { return None };
            let text = str::from_utf8(text).ok()?;
            let json = Json::parse(text).ok()?;
            // Within another value there are only scalars, so that nothing nests beyond the limit.
            let nests = depth > 0 && text.starts_with(['[', '{']);
            if nests || json.as_str() != text {
                return None;
            }
            into.push_str(text);
        }
        _ => return None,
    }
    Some(())
}
