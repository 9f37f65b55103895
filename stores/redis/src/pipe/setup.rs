//! Setting a stream up: the driver says who connects, with which password, to which database.

use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};

use redis::aio::MultiplexedConnection;
use redis::{AsyncConnectionConfig, RedisConnectionInfo, RedisResult};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;

/// The stream after the server has let it in, with all that it has answered read.
pub(super) async fn set_up(
    stream: TcpStream,
    settings: &RedisConnectionInfo,
    config: AsyncConnectionConfig,
) -> RedisResult<TcpStream> {
    let stream = Arc::new(Mutex::new(stream));
    let borrowed = Borrowed(Arc::clone(&stream));
    let done = MultiplexedConnection::new_with_config(settings, borrowed, config).await?;
    // With both halves of the driver its share of the stream is gone.
    drop(done);
    match Arc::try_unwrap(stream) {
        Ok(stream) => Ok(stream.into_inner().unwrap_or_else(PoisonError::into_inner)),
        Err(_) => Err(io::Error::other("the driver keeps the connection").into()),
    }
}

/// A stream that comes back from whoever takes it.
struct Borrowed(Arc<Mutex<TcpStream>>);

impl Borrowed {
    fn with<T>(&self, poll: impl FnOnce(Pin<&mut TcpStream>) -> T) -> T {
        let mut stream: MutexGuard<'_, _> = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        poll(Pin::new(&mut stream))
    }
}

impl AsyncRead for Borrowed {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        self.with(|stream| stream.poll_read(context, buffer))
    }
}

impl AsyncWrite for Borrowed {
    fn poll_write(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        octets: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.with(|stream| stream.poll_write(context, octets))
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.with(|stream| stream.poll_flush(context))
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.with(|stream| stream.poll_shutdown(context))
    }
}
