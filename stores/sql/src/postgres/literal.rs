//! Statements whose parameters stand in their text.
//!
//! A pooler in transaction mode may hand every message to another connection of the server, so
//! that a prepared statement is not there when it is to run, or is somebody else's. A statement
//! that is one message of text cannot be torn apart. No value needs quoting: what is no number is
//! written as the hexadecimal digits of its octets.

use crate::call::{Call, Param};

const DIGITS: &[u8; 16] = b"0123456789abcdef";

/// The statement with its parameters in place of `$1`, `$2` and so on.
pub(super) fn text(call: &Call<'_>) -> String {
    let mut text = String::with_capacity(call.sql.len() + 32 * call.params.len());
    let mut rest = &**call.sql;
    for (before, param) in call.params.iter().enumerate() {
        let mark = format!("${}", before + 1);
        let Some((sql, after)) = rest.split_once(&mark) else { break };
        text.push_str(sql);
        write(&mut text, param);
        rest = after;
    }
    text.push_str(rest);
    text
}

fn write(text: &mut String, param: &Param<'_>) {
    match param {
        Param::Int(number) | Param::MaybeInt(Some(number)) => {
            text.push_str(&format!("({number})::bigint"));
        }
        Param::MaybeInt(None) => text.push_str("NULL::bigint"),
        Param::Octets(Some(octets)) => hexadecimal(text, octets),
        Param::Text(Some(octets)) => hexadecimal(text, octets),
        Param::Octets(None) | Param::Text(None) => text.push_str("NULL::bytea"),
    }
}

/// `decode` means the same whatever the server's settings say of backslashes.
fn hexadecimal(text: &mut String, octets: &[u8]) {
    text.reserve(2 * octets.len() + 18);
    text.push_str("decode('");
    for octet in octets {
        text.push(DIGITS[usize::from(octet >> 4)].into());
        text.push(DIGITS[usize::from(octet & 15)].into());
    }
    text.push_str("','hex')");
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::text;
    use crate::call::Call;

    #[test]
    fn no_value_can_leave_its_literal() {
        let sql: Arc<str> = "a = $1 AND b = $2 AND c = $3 AND d = $4".into();
        let call = Call::new(&sql).text("'; DROP $2\0").int(-7).octets(None).maybe_int(None);
        assert_eq!(
            text(&call),
            "a = decode('273b2044524f50202432 00','hex') AND b = (-7)::bigint AND \
             c = NULL::bytea AND d = NULL::bigint"
                .replace("2432 00", "243200")
        );
    }

    #[test]
    fn tenth_parameters_are_not_taken_for_the_first() {
        let sql: Arc<str> = (1..=11).map(|n| format!("${n} ")).collect::<String>().into();
        let call = (1..=11).fold(Call::new(&sql), |call, n| call.int(n));
        let shown = text(&call).replace("::bigint", "").replace(['(', ')'], "");
        assert_eq!(shown, "1 2 3 4 5 6 7 8 9 10 11 ");
    }
}
