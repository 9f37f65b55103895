//! The commands of all on one stream, and the answers back to each.
//!
//! Calls leave their commands in an outbox. One task writes what has gathered there, reads the
//! answers, which come in the order of the commands, and hands them out. It also keeps the time
//! limit of all: the oldest command has waited longest.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::future::{Future, poll_fn};
use std::io;
use std::ops::Range;
use std::pin::{Pin, pin};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker, ready};

use redis::{RedisError, RedisResult, Value};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::sync::oneshot;
use tokio::task::JoinSet;
use tokio::time::{Instant, Sleep, sleep_until};

use super::turns::after_the_others;
use super::{Ended, late, reply};

/// What buffers have room for when little is under way.
const ROOM: usize = 8 << 10;
/// With how many of the reads before it a read is compared, so that many cost no more than few.
const COMPARED: usize = 32;

/// One stream that many share.
#[derive(Clone)]
pub(crate) struct Channel {
    outbox: Arc<Outbox>,
    /// The task ends with the last clone.
    _task: Arc<JoinSet<()>>,
}

type Answer = oneshot::Sender<RedisResult<Value>>;

/// Who waits for the answer to a command.
struct Waiting {
    answer: Answer,
    /// Those who asked the same while it was in the outbox.
    others: Vec<Answer>,
    until: Instant,
}

#[derive(Default)]
struct Outbox(Mutex<Letters>);

/// What nobody has begun to write.
#[derive(Default)]
struct Letters {
    octets: Vec<u8>,
    waiting: Vec<Waiting>,
    /// Where the reads are, and who waits for them.
    reads: Vec<(Range<usize>, usize)>,
    /// The task, if it sleeps.
    task: Option<Waker>,
    closed: bool,
}

impl Outbox {
    fn letters(&self) -> MutexGuard<'_, Letters> {
        // Nothing panics while it is held.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Letters {
    /// Adds what `write` does, unless it is a read that is there already: the server has not seen
    /// that one, so what it answers is as new as the answer to another would be.
    fn post(
        &mut self,
        write: impl FnOnce(&mut Vec<u8>),
        is_read: bool,
        until: Instant,
        answer: Answer,
    ) {
        let begin = self.octets.len();
        write(&mut self.octets);
        if is_read {
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
        }
        self.waiting.push(Waiting { answer, others: Vec::new(), until });
    }
}

impl Channel {
    /// A channel over a stream that is set up, which says when it has `ended` by itself.
    pub(super) fn new(stream: TcpStream, ended: Ended) -> Self {
        let outbox = Arc::<Outbox>::default();
        let mut task = JoinSet::new();
        task.spawn(serve(stream, Arc::clone(&outbox), ended));
        Self { outbox, _task: Arc::new(task) }
    }

    /// The answer to the command that `write` adds.
    ///
    /// # Errors
    /// When the server has not answered at the time `until`, and when the connection ends.
    pub(super) async fn send(
        &self,
        write: impl FnOnce(&mut Vec<u8>),
        is_read: bool,
        until: Instant,
    ) -> RedisResult<Value> {
        let answered = self.post(write, is_read, until)?;
        answered.await.unwrap_or_else(|_| Err(ended()))
    }

    fn post(
        &self,
        write: impl FnOnce(&mut Vec<u8>),
        is_read: bool,
        until: Instant,
    ) -> RedisResult<oneshot::Receiver<RedisResult<Value>>> {
        let (answer, answered) = oneshot::channel();
        let mut letters = self.outbox.letters();
        if letters.closed {
            return Err(ended());
        }
        letters.post(write, is_read, until, answer);
        let task = letters.task.take();
        drop(letters);
        if let Some(task) = task {
            task.wake();
        }
        Ok(answered)
    }
}

/// Serves a channel until its stream ends.
async fn serve(stream: TcpStream, outbox: Arc<Outbox>, ended: Ended) {
    let mut line = Line {
        stream,
        outbox,
        writing: Vec::new(),
        written: 0,
        reading: vec![0; ROOM],
        read: 0,
        waiting: VecDeque::new(),
    };
    let mut clock = pin!(sleep_until(Instant::now()));
    let serving = poll_fn(|context| line.poll(clock.as_mut(), context));
    let Err(error) = after_the_others(serving).await;
    if let Some(oldest) = line.waiting.pop_front() {
        let _ = oldest.answer.send(Err(error));
    }
    // The others learn it from the end of their senders.
    drop(line);
    ended();
}

/// The stream, and what is on its way there and back.
struct Line {
    stream: TcpStream,
    outbox: Arc<Outbox>,
    writing: Vec<u8>,
    written: usize,
    reading: Vec<u8>,
    read: usize,
    /// In the order of their commands.
    waiting: VecDeque<Waiting>,
}

/// However it ends, with its runtime too: nobody waits for what nobody serves.
impl Drop for Line {
    fn drop(&mut self) {
        let mut letters = self.outbox.letters();
        letters.closed = true;
        let never_sent = std::mem::take(&mut letters.waiting);
        // A waker may run anything, so not under the lock.
        drop(letters);
        drop(never_sent);
    }
}

impl Line {
    /// Ready when nothing more comes of it.
    fn poll(
        &mut self,
        clock: Pin<&mut Sleep>,
        context: &mut Context<'_>,
    ) -> Poll<RedisResult<Infallible>> {
        // What can be read is always read, too: a server that cannot write does not read.
        loop {
            let read = self.poll_read(context)?.is_ready();
            let written = self.poll_write(context)?.is_ready();
            if !read && !written {
                return self.poll_clock(clock, context).map(Err);
            }
        }
    }

    /// Ready when something was written.
    fn poll_write(&mut self, context: &mut Context<'_>) -> Poll<RedisResult<()>> {
        if self.written == self.writing.len() {
            self.writing.clear();
            self.writing.shrink_to(ROOM);
            self.written = 0;
            let mut letters = self.outbox.letters();
            if letters.octets.is_empty() {
                letters.task = Some(context.waker().clone());
                return Poll::Pending;
            }
            std::mem::swap(&mut letters.octets, &mut self.writing);
            self.waiting.extend(letters.waiting.drain(..));
            letters.reads.clear();
        }
        let stream = Pin::new(&mut self.stream);
        match ready!(stream.poll_write(context, &self.writing[self.written..]))? {
            0 => Poll::Ready(Err(ended())),
            len => {
                self.written += len;
                Poll::Ready(Ok(()))
            }
        }
    }

    /// Ready when something was read.
    fn poll_read(&mut self, context: &mut Context<'_>) -> Poll<RedisResult<()>> {
        if self.read == self.reading.len() {
            self.reading.resize(2 * self.read, 0);
        }
        let mut buffer = ReadBuf::new(&mut self.reading[self.read..]);
        ready!(Pin::new(&mut self.stream).poll_read(context, &mut buffer))?;
        match buffer.filled().len() {
            0 => Poll::Ready(Err(ended())),
            len => {
                self.read += len;
                Poll::Ready(self.hand_out())
            }
        }
    }

    /// Gives all answers that are complete to those who wait for them.
    fn hand_out(&mut self) -> RedisResult<()> {
        let mut at = 0;
        while let Some((value, len)) = reply::first(&self.reading[at..self.read])? {
            at += len;
            // What a server says unasked answers nothing.
            if matches!(value, Value::Push { .. }) {
                continue;
            }
            let Some(waiting) = self.waiting.pop_front() else {
                return Err(reply::out_of_protocol("the server answers what nobody has asked"));
            };
            // They may have gone away.
            for other in waiting.others {
                let _ = other.send(Ok(value.clone()));
            }
            let _ = waiting.answer.send(Ok(value));
        }
        self.reading.copy_within(at..self.read, 0);
        self.read -= at;
        if self.read == 0 && self.reading.len() > ROOM {
            self.reading = vec![0; ROOM];
        }
        Ok(())
    }

    /// Ready when the oldest command has waited too long. The clock is set anew when it is over or
    /// would be late, not for each command.
    fn poll_clock(
        &self,
        mut clock: Pin<&mut Sleep>,
        context: &mut Context<'_>,
    ) -> Poll<RedisError> {
        let Some(oldest) = self.waiting.front() else { return Poll::Pending };
        if oldest.until < clock.deadline() {
            clock.as_mut().reset(oldest.until);
        }
        while clock.as_mut().poll(context).is_ready() {
            if oldest.until <= Instant::now() {
                return Poll::Ready(late().into());
            }
            clock.as_mut().reset(oldest.until);
        }
        Poll::Pending
    }
}

fn ended() -> RedisError {
    io::Error::new(io::ErrorKind::BrokenPipe, "the connection has ended").into()
}

#[cfg(test)]
mod tests;
