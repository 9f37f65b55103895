//! What nobody has begun to write, and what of it one command can do.

use std::collections::VecDeque;
use std::iter;
use std::ops::Range;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::task::Waker;

use redis::{RedisResult, Value};
use tokio::sync::oneshot;
use tokio::time::Instant;

use super::reply::Reply;
use super::request::{BETWEEN, Part, Sharing};

/// With how many of the reads before it a read is compared, so that many cost no more than few.
const COMPARED: usize = 32;

pub(super) type Answer = oneshot::Sender<RedisResult<Reply>>;

/// Who waits for the answer to a command.
pub(super) struct Waiting {
    pub(super) answer: Answer,
    /// Those who share the command, since it was in the outbox when they came.
    others: Vec<Answer>,
    /// Whether they asked each for something of their own. Then a list has the answers.
    each: bool,
    pub(super) until: Instant,
}

impl Waiting {
    /// Gives everybody their answer. They may have gone away.
    pub(super) fn hand_out(self, value: Value) {
        match value {
            Value::Array(list) if self.each => {
                let mut list = list.into_iter();
                for one in iter::once(self.answer).chain(self.others) {
                    let _ = one.send(Ok(Reply::Value(list.next().unwrap_or_default())));
                }
            }
            value => {
                let read_by_many = !self.each && !self.others.is_empty();
                let reply = if read_by_many { Reply::for_many(value) } else { Reply::Value(value) };
                for other in self.others {
                    let _ = other.send(Ok(reply.clone()));
                }
                let _ = self.answer.send(Ok(reply));
            }
        }
    }
}

#[derive(Default)]
pub(super) struct Outbox(Mutex<Letters>);

#[derive(Default)]
struct Letters {
    octets: Vec<u8>,
    waiting: Vec<Waiting>,
    /// Where the reads are, and who waits for them.
    reads: Vec<(Range<usize>, usize)>,
    /// The last command, if others may join it.
    open: Option<Open>,
    /// The task, if it sleeps.
    task: Option<Waker>,
    closed: bool,
}

/// A command at the end of the outbox whose number of arguments has two digits.
struct Open {
    begin: usize,
    /// Where the arguments are that all have who share it.
    common: Range<usize>,
    number: usize,
}

impl Outbox {
    /// Adds what `write` does and wakes the task that serves the outbox. False if there is none.
    pub(super) fn post(
        &self,
        write: impl FnOnce(&mut Vec<u8>),
        sharing: Sharing<'_>,
        until: Instant,
        answer: Answer,
    ) -> bool {
        let mut letters = self.letters();
        if letters.closed {
            return false;
        }
        letters.post(write, sharing, until, answer);
        let task = letters.task.take();
        drop(letters);
        if let Some(task) = task {
            task.wake();
        }
        true
    }

    /// Moves all that is there. If nothing is, the task will be woken.
    pub(super) fn take_all(
        &self,
        octets: &mut Vec<u8>,
        waiting: &mut VecDeque<Waiting>,
        task: &Waker,
    ) -> bool {
        let mut letters = self.letters();
        if letters.octets.is_empty() {
            letters.task = Some(task.clone());
            return false;
        }
        std::mem::swap(&mut letters.octets, octets);
        waiting.extend(letters.waiting.drain(..));
        letters.reads.clear();
        letters.open = None;
        true
    }

    /// Nobody serves it any more.
    pub(super) fn close(&self) {
        let mut letters = self.letters();
        letters.closed = true;
        let never_sent = std::mem::take(&mut letters.waiting);
        // A waker may run anything, so not under the lock.
        drop(letters);
        drop(never_sent);
    }

    fn letters(&self) -> MutexGuard<'_, Letters> {
        // Nothing panics while it is held.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Letters {
    /// Adds what `write` does, or shares what is there already: the server has not seen that yet, so
    /// whoever comes now is not too late for it.
    fn post(
        &mut self,
        write: impl FnOnce(&mut Vec<u8>),
        sharing: Sharing<'_>,
        until: Instant,
        answer: Answer,
    ) {
        if let Sharing::Command(part) = &sharing
            && self.join(part)
            && let Some(first) = self.waiting.last_mut()
        {
            first.each = true;
            first.others.push(answer);
            return;
        }
        let begin = self.octets.len();
        write(&mut self.octets);
        match sharing {
            Sharing::Answer => {
                let new = begin..self.octets.len();
                let mut before = self.reads.iter().rev().take(COMPARED);
                let same =
                    before.find(|(read, _)| self.octets[read.clone()] == self.octets[new.clone()]);
                if let Some(&(_, place)) = same {
                    self.octets.truncate(begin);
                    self.waiting[place].others.push(answer);
                    return;
                }
                self.reads.push((new, self.waiting.len()));
                self.open = None;
            }
            Sharing::Command(Part { common, own, number, .. }) => {
                let end = self.octets.len() - own.len();
                let common = end - common.len()..end;
                self.open = (10..100).contains(&number).then_some(Open { begin, common, number });
            }
            Sharing::Nothing => self.open = None,
        }
        self.waiting.push(Waiting { answer, others: Vec::new(), each: false, until });
    }

    /// Adds the part to the last command. False if it does not belong there, or would make it long.
    fn join(&mut self, part: &Part<'_>) -> bool {
        let Some(open) = &mut self.open else { return false };
        let number = open.number + 1 + part.own_number;
        if number >= 100 || self.octets[open.common.clone()] != *part.common {
            return false;
        }
        open.number = number;
        // After the asterisk.
        let digits = [number / 10, number % 10].map(|digit| b'0' + digit as u8);
        self.octets[open.begin + 1..][..2].copy_from_slice(&digits);
        self.octets.extend_from_slice(BETWEEN);
        self.octets.extend_from_slice(part.own);
        true
    }
}
