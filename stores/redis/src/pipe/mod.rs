//! One connection to one server, of which a write carries the commands of all who are ready.

mod channel;
mod outbox;
mod reply;
mod request;
mod setup;
mod turns;

use std::io;
use std::sync::Arc;

use redis::aio::{ConnectionLike, MultiplexedConnection};
use redis::{
    AsyncConnectionConfig, Client, Cmd, ConnectionAddr, PushInfo, PushKind, RedisResult, Value,
};
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout_at};

use channel::Channel;
pub(crate) use reply::Reply;
pub(crate) use request::{By, Call, Request};

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

    /// The value that a command is answered with.
    ///
    /// # Errors
    /// The server's, and those of [`Pipe::send`].
    pub(crate) async fn ask(&mut self, command: &Cmd, until: Instant) -> RedisResult<Value> {
        self.send(Request::Command(command), until).await?.extract_error()?.into_value()
    }

    /// The answer, which may be an error of the server's.
    ///
    /// # Errors
    /// One that says so when there is none at that time, others when the connection has ended.
    pub(crate) async fn send(
        &mut self,
        request: Request<'_>,
        until: Instant,
    ) -> RedisResult<Reply> {
        match self {
            Self::Channel(channel) => {
                channel.send(|octets| request.write_to(octets), request.sharing(), until).await
            }
            // In a box, so that the future of every call over a channel is no larger for it.
            Self::Driver(connection) => Box::pin(by_driver(connection, request, until)).await,
        }
    }
}

/// The answer over a connection of the driver.
///
/// # Errors
/// As those of [`Pipe::send`].
pub(crate) async fn by_driver(
    connection: &mut impl ConnectionLike,
    request: Request<'_>,
    until: Instant,
) -> RedisResult<Reply> {
    let command = request.command();
    let sent = connection.req_packed_command(&command);
    let answer = timeout_at(until, sent).await.unwrap_or_else(|_| Err(late().into()));
    answer.map(Reply::Value)
}

/// Limits are kept by whoever connects or asks.
pub(crate) fn unlimited() -> AsyncConnectionConfig {
    AsyncConnectionConfig::new().set_connection_timeout(None).set_response_timeout(None)
}

fn late() -> io::Error {
    io::ErrorKind::TimedOut.into()
}
