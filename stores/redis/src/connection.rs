//! How commands reach the server.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use redis::aio::ConnectionLike;
use redis::{Arg, Cmd, RedisError, RedisResult, Value};
use tenure_core::store::{StoreError, StoreResult};
use tokio::time::{Instant, timeout_at};

use crate::error::{failed, failed_in_cluster, is_unknown_script};
use crate::link::{Lent, Link, closed, timed_out};
use crate::script::Script;

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

/// A call of a script, as the command that names it by its hash.
pub(crate) struct Call {
    script: &'static Script,
    command: Cmd,
    /// The octets of the arguments so far.
    pub(crate) size: usize,
}

/// What a call has room for at first: enough for most, so that it rarely moves.
const ARGUMENTS: usize = 32;
const OCTETS: usize = 768;

impl Call {
    /// The call with the keys that begin with `stem` and end with these names.
    pub(crate) fn new(script: &'static Script, stem: String, names: &[&str]) -> Self {
        let mut command = Cmd::with_capacity(ARGUMENTS, OCTETS);
        command.arg("EVALSHA").arg(&script.hash).arg(names.len());
        let (len, mut key) = (stem.len(), stem);
        for name in names {
            key.truncate(len);
            key.push_str(name);
            command.arg(&key);
        }
        Self { script, command, size: 0 }
    }

    pub(crate) fn arg(mut self, argument: impl AsRef<[u8]>) -> Self {
        self.push(argument);
        self
    }

    pub(crate) fn number(mut self, number: u64) -> Self {
        self.push_number(number);
        self
    }

    pub(crate) fn push_number(&mut self, number: impl redis::ToRedisArgs) {
        // No 64 bits have more digits.
        self.size += 20;
        self.command.arg(number);
    }

    pub(crate) fn push(&mut self, argument: impl AsRef<[u8]>) {
        self.size += argument.as_ref().len();
        self.command.arg(argument.as_ref());
    }

    /// The same call with all of the script.
    fn whole(&self) -> Cmd {
        let mut whole = redis::cmd("EVAL");
        whole.arg(self.script.source);
        for argument in self.command.args_iter().skip(2) {
            if let Arg::Simple(octets) = argument {
                whole.arg(octets);
            }
        }
        whole
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
        self.send(command, Instant::now() + self.timeout).await?.map_err(self.failed())
    }

    /// The answer of a script, which is sent whole where the server does not know it.
    pub(crate) async fn run(&self, call: Call) -> StoreResult<Value> {
        let until = Instant::now() + self.timeout;
        match self.send(&call.command, until).await? {
            // Rare: in a box, so that the future of every call is no larger for it.
            Err(error) if is_unknown_script(&error) => {
                let whole = call.whole();
                Box::pin(self.send(&whole, until)).await?.map_err(self.failed())
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

    async fn send(&self, command: &Cmd, until: Instant) -> StoreResult<RedisResult<Value>> {
        if self.closed.load(Ordering::Acquire) {
            return Err(closed());
        }
        let late = |_| timed_out(self.timeout);
        let link = match &self.way {
            Way::Link(link) => link,
            Way::Other(other) => {
                let answer = timeout_at(until, other.send(command)).await.map_err(late)?;
                return Ok(answer.and_then(Value::extract_error));
            }
        };
        let mut lent = match link.look() {
            Some(lent) => lent?,
            None => Box::pin(timeout_at(until, link.lend())).await.map_err(late)??,
        };
        match timeout_at(until, lent.connection.send(command)).await {
            Ok(answer) => {
                let answer = answer.and_then(Value::extract_error);
                if let Err(error) = &answer {
                    link.failed(&lent, error);
                }
                Ok(answer)
            }
            Err(elapsed) => {
                link.silent(&lent);
                Err(late(elapsed))
            }
        }
    }
}
