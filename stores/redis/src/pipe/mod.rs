//! One connection to one server, of which a write carries the commands of all who are ready.

mod channel;
mod reply;
mod setup;

use std::borrow::Cow;
use std::future::{Future, poll_fn};
use std::io;
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;

use redis::aio::MultiplexedConnection;
use redis::{
    AsyncConnectionConfig, Client, Cmd, ConnectionAddr, PushInfo, PushKind, RedisResult, Value,
};
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout_at};

use crate::call::{By, Call};
use channel::Channel;

/// A connection that many share.
#[derive(Clone)]
pub(crate) enum Pipe {
    /// Of this store's own, for what every request needs.
    Channel(Channel),
    /// The driver's, which speaks TLS and hears messages.
    Driver(MultiplexedConnection),
}

/// What a connection is for.
#[derive(Clone)]
pub(crate) enum Purpose {
    /// Commands, and to be told when it has ended by itself.
    Commands(Ended),
    /// Messages, to the sender of this configuration.
    Messages(AsyncConnectionConfig),
}

pub(crate) type Ended = Arc<dyn Fn() + Send + Sync>;

/// What is asked of a server.
#[derive(Clone, Copy)]
pub(crate) enum Request<'a> {
    Command(&'a Cmd),
    Call(&'a Call, By),
}

impl<'a> Request<'a> {
    fn write_to(self, octets: &mut Vec<u8>) {
        match self {
            Self::Command(command) => command.write_packed_command(octets),
            Self::Call(call, by) => call.write_to(octets, by),
        }
    }

    /// Whether it changes nothing, so that one answer is good for many.
    fn is_read(self) -> bool {
        matches!(self, Self::Call(call, By::Hash) if call.is_read())
    }

    /// As the driver takes it.
    pub(crate) fn command(self) -> Cow<'a, Cmd> {
        match self {
            Self::Command(command) => Cow::Borrowed(command),
            Self::Call(call, by) => Cow::Owned(call.command(by)),
        }
    }
}

impl Pipe {
    pub(crate) async fn connect(client: &Client, purpose: Purpose) -> RedisResult<Self> {
        let info = client.get_connection_info();
        let config = match (purpose, info.addr()) {
            (Purpose::Messages(config), _) => config,
            (Purpose::Commands(ended), ConnectionAddr::Tcp(host, port)) => {
                let stream = TcpStream::connect((host.as_str(), *port)).await?;
                stream.set_nodelay(true)?;
                let stream = setup::set_up(stream, info.redis_settings(), unlimited()).await?;
                return Ok(Self::Channel(Channel::new(stream, ended)));
            }
            (Purpose::Commands(ended), _) => unlimited().set_push_sender(move |push: PushInfo| {
                if push.kind == PushKind::Disconnection {
                    ended();
                }
                Ok::<_, ()>(())
            }),
        };
        client.get_multiplexed_async_connection_with_config(&config).await.map(Self::Driver)
    }

    /// The answer.
    ///
    /// # Errors
    /// One that says so when there is none at that time, others when the connection has ended.
    pub(crate) async fn send(
        &mut self,
        request: Request<'_>,
        until: Instant,
    ) -> RedisResult<Value> {
        match self {
            Self::Channel(channel) => {
                channel.send(|octets| request.write_to(octets), request.is_read(), until).await
            }
            // In a box, so that the future of every call over a channel is no larger for it.
            Self::Driver(connection) => {
                Box::pin(async {
                    let command = request.command();
                    let sent = connection.send_packed_command(&command);
                    timeout_at(until, sent).await.unwrap_or_else(|_| Err(late().into()))
                })
                .await
            }
        }
    }
}

/// Limits are kept by whoever connects or asks.
pub(crate) fn unlimited() -> AsyncConnectionConfig {
    AsyncConnectionConfig::new().set_connection_timeout(None).set_response_timeout(None)
}

pub(crate) fn late() -> io::Error {
    io::ErrorKind::TimedOut.into()
}

/// Polls a task each time only when those had their turn that were ready with it. The runtime
/// would poll it right after the first that gave it work, and each command be a write of its own.
async fn after_the_others<T>(task: impl Future<Output = T>) -> T {
    let mut task = pin!(task);
    let mut waited = false;
    poll_fn(|context| {
        waited = !waited;
        if waited {
            context.waker().wake_by_ref();
            return Poll::Pending;
        }
        task.as_mut().poll(context)
    })
    .await
}

#[cfg(test)]
mod tests {
    use tokio::sync::mpsc;
    use tokio::task::JoinSet;

    use super::*;

    /// How many messages of 32 tasks that are ready at once are received at a time.
    async fn received(patient: bool) -> Vec<usize> {
        let (sender, mut receiver) = mpsc::unbounded_channel();
        let (done, mut all) = mpsc::unbounded_channel();
        let receiving = async move {
            let mut messages = Vec::new();
            while receiver.recv_many(&mut messages, 32).await > 0 {
                let _ = done.send(messages.len());
                messages.clear();
            }
        };
        let mut tasks = JoinSet::new();
        if patient {
            tasks.spawn(after_the_others(receiving));
        } else {
            tasks.spawn(receiving);
        }
        // It waits for messages by now.
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        tokio::spawn(async move {
            for _ in 0..32 {
                let sender = sender.clone();
                tokio::spawn(async move { sender.send(()) });
            }
        });
        let mut numbers = Vec::new();
        while let Some(number) = all.recv().await {
            numbers.push(number);
        }
        numbers
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 1)]
    async fn a_task_that_waits_for_the_others_finds_all_their_work() {
        // On the worker itself, where tasks that it wakes come first.
        let [patient, eager] =
            [true, false].map(|patient| async move { tokio::spawn(received(patient)).await });
        let (patient, eager) = (patient.await.unwrap(), eager.await.unwrap());
        assert_eq!(patient.iter().sum::<usize>(), 32);
        assert_eq!(eager.iter().sum::<usize>(), 32);
        assert!(patient.len() <= 2, "{patient:?}");
        assert!(eager.len() > patient.len(), "it would not have to wait: {eager:?}");
    }
}
