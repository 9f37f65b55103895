//! What is asked of a server, written as the server reads it.
//!
//! The protocol: <https://redis.io/docs/latest/develop/reference/protocol-spec/>

use std::borrow::Cow;

use redis::{Cmd, Value};

use super::reply;
use crate::script::{self, Script};

/// What is asked of a server.
#[derive(Clone, Copy)]
pub(crate) enum Request<'a> {
    Command(&'a Cmd),
    Call(&'a Call, By),
}

impl<'a> Request<'a> {
    pub(super) fn write_to(self, octets: &mut Vec<u8>) {
        match self {
            Self::Command(command) => command.write_packed_command(octets),
            Self::Call(call, by) => call.write_to(octets, by),
        }
    }

    /// What it may share with others that nobody has begun to write.
    pub(super) fn sharing(&self) -> Sharing<'_> {
        match self {
            Self::Call(call, _) if call.is_read() => Sharing::Answer,
            Self::Call(call, By::Hash) => call.part().map_or(Sharing::Nothing, Sharing::Command),
            _ => Sharing::Nothing,
        }
    }

    /// As the driver takes it.
    pub(crate) fn command(self) -> Cow<'a, Cmd> {
        match self {
            Self::Command(command) => Cow::Borrowed(command),
            Self::Call(call, by) => Cow::Owned(call.command(by)),
        }
    }
}

/// What a request may share with others.
pub(super) enum Sharing<'a> {
    Nothing,
    /// It changes nothing, so one answer is good for many.
    Answer,
    /// The script takes several that begin alike.
    Command(Part<'a>),
}

/// A call whose own arguments can follow those of another.
pub(super) struct Part<'a> {
    /// The arguments that all who share a command have, as they are written.
    pub(super) common: &'a [u8],
    /// Those of its own, and how many they are.
    pub(super) own: &'a [u8],
    pub(super) own_number: usize,
    /// How many arguments the command has with this call alone.
    pub(super) number: usize,
}

/// Stands between the arguments of two in one command: an empty one.
pub(super) const BETWEEN: &[u8] = b"$0\r\n\r\n";

/// A call of a script.
pub(crate) struct Call {
    script: &'static Script,
    /// What follows the name of the script, each with its length before it.
    arguments: Vec<u8>,
    number: usize,
    /// The octets of the arguments without keys so far.
    pub(crate) size: usize,
    /// Where its own arguments begin, and how many are before them, if they can follow another's.
    own: Option<(usize, usize)>,
}

/// How the script is named.
#[derive(Clone, Copy)]
pub(crate) enum By {
    Hash,
    /// By all of its text: the server learns it.
    Text,
}

/// The octets that a call has room for at first: enough for most, so that it rarely moves.
const OCTETS: usize = 768;

impl Call {
    /// The call with this many keys, which are to follow.
    pub(crate) fn new(script: &'static Script, keys: usize) -> Self {
        let arguments = Vec::with_capacity(OCTETS);
        let mut call = Self { script, arguments, number: 0, size: 0, own: None };
        call.write_number(keys as u64);
        call
    }

    /// A key that consists of these parts.
    pub(crate) fn key<const N: usize>(mut self, parts: [&[u8]; N]) -> Self {
        self.write(parts);
        self
    }

    pub(crate) fn arg(mut self, argument: impl AsRef<[u8]>) -> Self {
        self.push(argument);
        self
    }

    pub(crate) fn number(mut self, number: u64) -> Self {
        self.push_number(number);
        self
    }

    /// What follows can follow the same arguments of another call, too.
    pub(crate) fn join(&mut self) {
        self.own = Some((self.arguments.len(), self.number));
    }

    /// It shares its command with no other.
    pub(crate) fn stay_alone(&mut self) {
        self.own = None;
    }

    pub(crate) fn push_number(&mut self, number: u64) {
        // No 64 bits have more digits.
        self.size += 20;
        self.write_number(number);
    }

    pub(crate) fn push_integer(&mut self, number: i64) {
        let sign: &[u8] = if number < 0 { b"-" } else { b"" };
        self.push_parts([sign, Digits::of(number.unsigned_abs()).as_bytes()]);
    }

    pub(crate) fn push(&mut self, argument: impl AsRef<[u8]>) {
        self.push_parts([argument.as_ref()]);
    }

    /// Adds an argument that consists of these parts.
    pub(crate) fn push_parts<'p>(
        &mut self,
        parts: impl IntoIterator<Item = &'p [u8], IntoIter: Clone>,
    ) {
        self.size += self.write(parts);
    }

    /// As [`Call::push_parts`], but it does not count. Gives its length.
    fn write<'p>(&mut self, parts: impl IntoIterator<Item = &'p [u8], IntoIter: Clone>) -> usize {
        self.number += 1;
        write(&mut self.arguments, parts)
    }

    fn write_number(&mut self, number: u64) {
        self.write([Digits::of(number).as_bytes()]);
    }

    /// Whether it reads a session.
    fn is_read(&self) -> bool {
        std::ptr::eq(self.script, &*script::LOAD)
    }

    fn part(&self) -> Option<Part<'_>> {
        let (begin, before) = self.own?;
        let (common, own) = self.arguments.split_at(begin);
        Some(Part { common, own, own_number: self.number - before, number: self.number + 2 })
    }

    fn verb(&self, by: By) -> [&'static str; 2] {
        match by {
            By::Hash => ["EVALSHA", &self.script.hash],
            By::Text => ["EVAL", self.script.source],
        }
    }

    /// Adds the call to what is to be sent.
    fn write_to(&self, octets: &mut Vec<u8>, by: By) {
        octets.push(b'*');
        octets.extend_from_slice(Digits::of((self.number + 2) as u64).as_bytes());
        octets.extend_from_slice(b"\r\n");
        match by {
            By::Hash => octets.extend_from_slice(self.script.begin.as_bytes()),
            By::Text => {
                for word in self.verb(by) {
                    write(octets, [word.as_bytes()]);
                }
            }
        }
        octets.extend_from_slice(&self.arguments);
    }

    /// The call as the driver takes it.
    fn command(&self, by: By) -> Cmd {
        let mut command = Cmd::with_capacity(self.number + 2, self.arguments.len());
        command.arg(&self.verb(by));
        let mut rest = &self.arguments[..];
        // They are written as an answer would be.
        while let Ok(Some((Value::BulkString(argument), len))) = reply::first(rest) {
            command.arg(argument);
            rest = &rest[len..];
        }
        command
    }
}

/// Adds an argument that consists of these parts, with its length before it. Gives the length.
fn write<'p>(
    octets: &mut Vec<u8>,
    parts: impl IntoIterator<Item = &'p [u8], IntoIter: Clone>,
) -> usize {
    let parts = parts.into_iter();
    let len = parts.clone().map(<[u8]>::len).sum();
    octets.reserve(len + "$".len() + Digits::MOST + 2 * "\r\n".len());
    match len {
        0..=9 => octets.extend_from_slice(&[b'$', digit(len), b'\r', b'\n']),
        10..=99 => {
            octets.extend_from_slice(&[b'$', digit(len / 10), digit(len % 10), b'\r', b'\n']);
        }
        _ => {
            octets.push(b'$');
            octets.extend_from_slice(Digits::of(len as u64).as_bytes());
            octets.extend_from_slice(b"\r\n");
        }
    }
    parts.for_each(|part| octets.extend_from_slice(part));
    octets.extend_from_slice(b"\r\n");
    len
}

fn digit(number: usize) -> u8 {
    b'0' + number as u8
}

/// A number as text.
struct Digits {
    octets: [u8; Self::MOST],
    first: usize,
}

impl Digits {
    /// Of 64 bits.
    const MOST: usize = 20;

    fn of(mut number: u64) -> Self {
        let (mut octets, mut first) = ([b'0'; Self::MOST], Self::MOST);
        loop {
            first -= 1;
            octets[first] += (number % 10) as u8;
            number /= 10;
            if number == 0 {
                return Self { octets, first };
            }
        }
    }

    fn as_bytes(&self) -> &[u8] {
        &self.octets[self.first..]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn calls_are_written_as_the_driver_writes_them() {
        let long = [b'\n'; 1_234];
        let call = Call::new(&script::LOAD, 2)
            .key([b"stem:", b"one"])
            .key([b"stem:two"])
            .arg("")
            .arg(b"\r\n$3\r\n\xFF")
            .arg(long)
            .number(0)
            .number(1_234_567_890)
            .number(u64::MAX);
        assert_eq!(call.size, 7 + 1_234 + 3 * 20);
        let mut call = call;
        for integer in [0, -1, 42, i64::MIN, i64::MAX] {
            call.push_integer(integer);
        }
        for (by, word, name) in
            [(By::Hash, "EVALSHA", &*script::LOAD.hash), (By::Text, "EVAL", script::LOAD.source)]
        {
            let mut command = redis::cmd(word);
            command.arg(name).arg(2).arg("stem:one").arg("stem:two").arg("");
            command.arg(b"\r\n$3\r\n\xFF").arg(&long).arg(0).arg(1_234_567_890).arg(u64::MAX);
            command.arg(0).arg(-1).arg(42).arg(i64::MIN).arg(i64::MAX);
            let mut written = b"before".to_vec();
            call.write_to(&mut written, by);
            assert_eq!(written[6..], command.get_packed_command());
            assert_eq!(call.command(by).get_packed_command(), written[6..]);
        }
    }
}
