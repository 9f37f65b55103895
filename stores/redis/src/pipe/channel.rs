//! The commands of all on one stream, and the answers back to each.
//!
//! Calls leave their commands in an outbox. One task writes what has gathered there, reads the
//! answers, which come in the order of the commands, and hands them out. It also keeps the time
//! limit of all: the oldest command has waited longest.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::future::{Future, poll_fn};
use std::io;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use redis::{RedisError, RedisResult, Value};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::sync::oneshot;
use tokio::task::JoinSet;
use tokio::time::{Instant, Sleep, sleep_until};

use super::outbox::{Outbox, Waiting};
use super::reply::{self, Reply};
use super::request::Sharing;
use super::turns::after_the_others;
use super::{Ended, late};

/// What buffers have room for when little is under way.
const ROOM: usize = 8 << 10;

/// One stream that many share.
#[derive(Clone)]
pub(crate) struct Channel {
    outbox: Arc<Outbox>,
    /// The task ends with the last clone.
    _task: Arc<JoinSet<()>>,
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
        sharing: Sharing<'_>,
        until: Instant,
    ) -> RedisResult<Reply> {
        let answered = self.post(write, sharing, until)?;
        answered.await.unwrap_or_else(|_| Err(ended()))
    }

    fn post(
        &self,
        write: impl FnOnce(&mut Vec<u8>),
        sharing: Sharing<'_>,
        until: Instant,
    ) -> RedisResult<oneshot::Receiver<RedisResult<Reply>>> {
        let (answer, answered) = oneshot::channel();
        if !self.outbox.post(write, sharing, until, answer) {
            return Err(ended());
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
        self.outbox.close();
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
            if !self.outbox.take_all(&mut self.writing, &mut self.waiting, context.waker()) {
                return Poll::Pending;
            }
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
            waiting.hand_out(value);
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
