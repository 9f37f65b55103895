//! How commands reach the server.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use redis::aio::ConnectionLike;
use redis::{Cmd, RedisError, RedisResult, Value};
use tenure_core::store::{StoreError, StoreResult};
use tokio::time::{Instant, timeout_at};

use crate::error::{failed, failed_in_cluster, is_unknown_script};
use crate::link::{Lent, Link, closed, timed_out};
use crate::pipe::{By, Call, Reply, Request};

/// The way to the server, whatever it is.
pub(crate) struct Connection {
    way: Way,
    timeout: Duration,
    closed: AtomicBool,
}

enum Way {
    Link(Arc<Link>),
    /// The application's own, which looks after itself.
    Other(Box<dyn Sender>),
}

/// A connection whose type is hidden.
trait Sender: Send + Sync {
    fn send<'a>(
        &self,
        command: &'a Cmd,
    ) -> Pin<Box<dyn Future<Output = RedisResult<Value>> + Send + 'a>>;
}

impl<C: ConnectionLike + Clone + Send + Sync + 'static> Sender for C {
    fn send<'a>(
        &self,
        command: &'a Cmd,
    ) -> Pin<Box<dyn Future<Output = RedisResult<Value>> + Send + 'a>> {
        let mut connection = self.clone();
        Box::pin(async move { connection.req_packed_command(command).await })
    }
}

impl Connection {
    pub(crate) fn link(link: Arc<Link>, timeout: Duration) -> Self {
        Self { way: Way::Link(link), timeout, closed: AtomicBool::new(false) }
    }

    pub(crate) fn other(
        connection: impl ConnectionLike + Clone + Send + Sync + 'static,
        timeout: Duration,
    ) -> Self {
        Self { way: Way::Other(Box::new(connection)), timeout, closed: AtomicBool::new(false) }
    }

    pub(crate) fn close(&self) {
        self.closed.store(true, Ordering::Release);
        if let Way::Link(link) = &self.way {
            link.close();
        }
    }

    /// Which connection it is now, if it is made anew by this store.
    pub(crate) async fn lent(&self) -> StoreResult<Option<(Arc<Link>, Lent)>> {
        match &self.way {
            _ if self.closed.load(Ordering::Acquire) => Err(closed()),
            Way::Link(link) => Ok(Some((Arc::clone(link), link.lend().await?))),
            Way::Other(_) => Ok(None),
        }
    }

    /// The answer to a command.
    pub(crate) async fn ask(&self, command: &Cmd) -> StoreResult<Value> {
        let until = Instant::now() + self.timeout;
        let reply = self.send(Request::Command(command), until).await?;
        reply.and_then(Reply::into_value).map_err(self.failed())
    }

    /// The value that a script answers.
    pub(crate) async fn run(&self, call: &Call) -> StoreResult<Value> {
        self.reply(call).await?.into_value().map_err(self.failed())
    }

    /// The answer of a script, which is sent whole where the server does not know it.
    pub(crate) async fn reply(&self, call: &Call) -> StoreResult<Reply> {
        let until = Instant::now() + self.timeout;
        match self.send(Request::Call(call, By::Hash), until).await? {
            // Rare: in a box, so that the future of every call is no larger for it.
            Err(error) if is_unknown_script(&error) => {
                let whole = self.send(Request::Call(call, By::Text), until);
                Box::pin(whole).await?.map_err(self.failed())
            }
            answer => answer.map_err(self.failed()),
        }
    }

    /// What errors mean on this way.
    fn failed(&self) -> fn(RedisError) -> StoreError {
        match &self.way {
            Way::Link(link) if link.is_cluster() => failed_in_cluster,
            _ => failed,
        }
    }

    async fn send(&self, request: Request<'_>, until: Instant) -> StoreResult<RedisResult<Reply>> {
        if self.closed.load(Ordering::Acquire) {
            return Err(closed());
        }
        let link = match &self.way {
            Way::Link(link) => link,
            Way::Other(other) => {
                let command = request.command();
                let answer = timeout_at(until, other.send(&command)).await;
                let answer = answer.map_err(|_| timed_out(self.timeout))?;
                return Ok(answer.and_then(Value::extract_error).map(Reply::Value));
            }
        };
        let mut lent = match link.look() {
            Some(lent) => lent?,
            None => Box::pin(timeout_at(until, link.lend()))
                .await
                .map_err(|_| timed_out(self.timeout))??,
        };
        let answer = lent.connection.send(request, until).await.and_then(Reply::extract_error);
        match answer {
            Err(error) => {
                link.failed(&lent, &error);
                if error.is_timeout() { Err(timed_out(self.timeout)) } else { Ok(Err(error)) }
            }
            answer => Ok(answer),
        }
    }
}
