//! What a server answers, read from the octets that have come so far.

use std::sync::Arc;

use redis::{ErrorKind, RedisError, RedisResult, Value, parse_redis_value};
use tenure_core::store::Record;

use crate::hash;

/// What a server has answered.
#[derive(Clone, Debug)]
pub(crate) enum Reply {
    Value(Value),
    /// The session that several have read at once, taken apart for all of them.
    Session(Arc<Record>),
}

impl Reply {
    /// One that is handed out to several who have read a session.
    pub(super) fn for_many(value: Value) -> Self {
        match hash::record(&value) {
            Ok(Some(record)) => Self::Session(Arc::new(record)),
            // What is wrong with it all of them find out.
            _ => Self::Value(value),
        }
    }

    /// The answer, if it is no error.
    ///
    /// # Errors
    /// If it is one of the server's.
    pub(crate) fn extract_error(self) -> RedisResult<Self> {
        match self {
            Self::Value(value) => value.extract_error().map(Self::Value),
            session => Ok(session),
        }
    }

    /// The answer to what does not read a session.
    ///
    /// # Errors
    /// If it is a session all the same.
    pub(crate) fn into_value(self) -> RedisResult<Value> {
        match self {
            Self::Value(value) => Ok(value),
            Self::Session(_) => Err(out_of_protocol("a session answers another command")),
        }
    }
}

/// How deep answers lie in each other at most. Those of this store are lists of lists.
const DEEPEST: u8 = 16;

/// The first answer and how many octets it takes; none while some of them are missing.
pub(super) fn first(octets: &[u8]) -> RedisResult<Option<(Value, usize)>> {
    read(octets, 0, DEEPEST)
}

fn read(octets: &[u8], from: usize, deeper: u8) -> RedisResult<Option<(Value, usize)>> {
    let Some((line, after)) = line(octets, from) else { return Ok(None) };
    let Some((kind, text)) = line.split_first() else { return Err(garbage()) };
    Ok(match kind {
        b':' => Some((Value::Int(number(text)?), after)),
        b'_' => Some((Value::Nil, after)),
        b'$' => match usize::try_from(number(text)?) {
            Err(_) => Some((Value::Nil, after)),
            Ok(len) => blob(octets, after, len)?
                .map(|(blob, after)| (Value::BulkString(blob.into()), after)),
        },
        b'*' => match usize::try_from(number(text)?) {
            Err(_) => Some((Value::Nil, after)),
            Ok(len) => {
                let deeper = deeper.checked_sub(1).ok_or_else(garbage)?;
                let mut list = Vec::with_capacity(len.min(octets.len() - after));
                let mut at = after;
                for _ in 0..len {
                    let Some((value, after)) = read(octets, at, deeper)? else { return Ok(None) };
                    list.push(value);
                    at = after;
                }
                Some((Value::Array(list), at))
            }
        },
        // What is rare the driver reads.
        _ => match end(octets, from, deeper)? {
            None => None,
            Some(end) => Some((parse_redis_value(&octets[from..end])?, end)),
        },
    })
}

/// Where what begins there ends.
fn end(octets: &[u8], from: usize, deeper: u8) -> RedisResult<Option<usize>> {
    let Some((line, after)) = line(octets, from) else { return Ok(None) };
    let Some((kind, text)) = line.split_first() else { return Err(garbage()) };
    let parts = match kind {
        b'$' | b'!' | b'=' => {
            let Ok(len) = usize::try_from(number(text)?) else { return Ok(Some(after)) };
            return Ok(blob(octets, after, len)?.map(|(_, after)| after));
        }
        b'*' | b'~' | b'>' => number(text)?.max(0),
        b'%' => number(text)?.max(0).saturating_mul(2),
        b'|' => number(text)?.max(0).saturating_mul(2).saturating_add(1),
        _ => return Ok(Some(after)),
    };
    let deeper = deeper.checked_sub(1).ok_or_else(garbage)?;
    let mut at = after;
    for _ in 0..parts {
        let Some(end) = end(octets, at, deeper)? else { return Ok(None) };
        at = end;
    }
    Ok(Some(at))
}

/// The line that begins there, and where the next one does.
fn line(octets: &[u8], from: usize) -> Option<(&[u8], usize)> {
    let rest = octets.get(from..)?;
    let len = rest.windows(2).position(|two| two == b"\r\n")?;
    Some((&rest[..len], from + len + 2))
}

fn blob(octets: &[u8], from: usize, len: usize) -> RedisResult<Option<(&[u8], usize)>> {
    let end = from.checked_add(len).and_then(|end| end.checked_add(2)).ok_or_else(garbage)?;
    let Some(blob) = octets.get(from..end) else { return Ok(None) };
    match blob.split_at(len) {
        (blob, b"\r\n") => Ok(Some((blob, end))),
        _ => Err(garbage()),
    }
}

fn number(text: &[u8]) -> RedisResult<i64> {
    str::from_utf8(text).ok().and_then(|text| text.parse().ok()).ok_or_else(garbage)
}

fn garbage() -> RedisError {
    out_of_protocol("the server's answer is not in its protocol")
}

/// After which nobody can tell whose the next answer is.
pub(super) fn out_of_protocol(what: &'static str) -> RedisError {
    (ErrorKind::Parse, what).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    const ANSWERS: [&str; 24] = [
        ":0\r\n",
        ":-42\r\n",
        "_\r\n",
        "$-1\r\n",
        "*-1\r\n",
        "$0\r\n\r\n",
        "$7\r\na\r\n\0b\r\n\r\n",
        "+OK\r\n",
        "+PONG\r\n",
        "-ERR wrong\r\n",
        "-NOSCRIPT No matching script.\r\n",
        "!7\r\nERR bad\r\n",
        "*0\r\n",
        "*3\r\n:1\r\n$2\r\nab\r\n_\r\n",
        "*2\r\n*1\r\n:1\r\n*2\r\n-ERR no\r\n#t\r\n",
        "%1\r\n+key\r\n:1\r\n",
        "~2\r\n:1\r\n:2\r\n",
        ">2\r\n+invalidate\r\n*1\r\n$1\r\na\r\n",
        "|1\r\n+ttl\r\n:3\r\n:1\r\n",
        ",1.5\r\n",
        "#f\r\n",
        "=7\r\ntxt:abc\r\n",
        "(12345678901234567890\r\n",
        "*1\r\n%1\r\n$1\r\na\r\n~1\r\n$2\r\n\r\n\r\n",
    ];

    #[test]
    fn answers_are_read_as_the_driver_reads_them() {
        for answer in ANSWERS {
            let octets = [answer, ":99\r\n"].concat();
            let (value, len) = first(octets.as_bytes()).unwrap().unwrap();
            assert_eq!(value, parse_redis_value(answer.as_bytes()).unwrap(), "{answer:?}");
            assert_eq!(len, answer.len(), "{answer:?}");
        }
    }

    #[test]
    fn an_answer_that_is_not_whole_waits_for_the_rest() {
        for answer in ANSWERS {
            for len in 0..answer.len() {
                let part = &answer.as_bytes()[..len];
                assert!(matches!(first(part), Ok(None)), "{:?}", str::from_utf8(part));
            }
        }
    }

    #[test]
    fn what_is_no_answer_is_an_error() {
        let deep = "*1\r\n".repeat(usize::from(DEEPEST) + 1) + ":1\r\n";
        let deep_map = "%1\r\n:1\r\n".repeat(usize::from(DEEPEST) + 1) + ":1\r\n";
        for answer in [
            "\r\n",
            "HTTP/1.1 200 OK\r\n",
            ":\r\n",
            ":1x\r\n",
            "$x\r\n",
            "$1\r\nabc",
            "*99999999999999999999\r\n",
            &deep,
            &deep_map,
        ] {
            let result = first(answer.as_bytes());
            assert!(result.is_err(), "{answer:?}: {result:?}");
        }
        // As many as there could be are not made room for before they come.
        assert!(matches!(first(b"*9223372036854775807\r\n:1\r\n"), Ok(None)));
    }
}
