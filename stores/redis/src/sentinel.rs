//! Finding the master through Sentinel.

use std::time::Duration;

use redis::{Client, Value};
use tenure_core::store::{StoreError, StoreErrorKind, StoreResult};
use tokio::time::Instant;

use crate::error::{failed, other};
use crate::pipe::{Pipe, Purpose};
use crate::url::{Access, Host};

/// How long one sentinel has to answer before the next is asked.
const PATIENCE: Duration = Duration::from_millis(300);
/// How long a server has to say what it is, if connecting has no shorter limit.
const LONGEST: Duration = Duration::from_secs(10);

/// The sentinels of a master, and how to get into both.
pub(crate) struct Sentinels {
    pub(crate) sentinels: Vec<Client>,
    pub(crate) name: String,
    pub(crate) access: Access,
}

impl Sentinels {
    /// A connection to the server that is the master by the word of a sentinel and by its own.
    pub(crate) async fn master(&self, purpose: &Purpose) -> StoreResult<Pipe> {
        let mut last = None;
        for sentinel in &self.sentinels {
            let asked = tokio::time::timeout(PATIENCE, self.ask(sentinel)).await;
            let host = match asked {
                Ok(Ok(host)) => host,
                Ok(Err(error)) => {
                    last = Some(error);
                    continue;
                }
                Err(_) => continue,
            };
            // A sentinel that was cut off may name a master of the past.
            match self.connect(&host, purpose).await {
                Ok(connection) => return Ok(connection),
                Err(error) => last = Some(error),
            }
        }
        Err(last
            .unwrap_or_else(|| StoreError::new(StoreErrorKind::Unavailable, "no sentinel answers")))
    }

    async fn ask(&self, sentinel: &Client) -> StoreResult<Host> {
        let mut connection = sentinel.get_multiplexed_async_connection().await.map_err(failed)?;
        let address: Option<(String, u16)> = redis::cmd("SENTINEL")
            .arg("GET-MASTER-ADDR-BY-NAME")
            .arg(&self.name)
            .query_async(&mut connection)
            .await
            .map_err(failed)?;
        let (name, port) = address.ok_or_else(|| {
            other(format!(
                "the sentinels know no master {:?}; check the name after the slash in the URL \
                 against `sentinel monitor` in their configuration",
                self.name
            ))
        })?;
        Ok(Host { name, port })
    }

    async fn connect(&self, host: &Host, purpose: &Purpose) -> StoreResult<Pipe> {
        let client = self.access.client(host)?;
        let mut pipe = Pipe::connect(&client, purpose.clone()).await.map_err(failed)?;
        let (command, until) = (redis::cmd("ROLE"), Instant::now() + LONGEST);
        match pipe.ask(&command, until).await.map_err(failed)? {
            Value::Array(role) if matches!(role.first(), Some(Value::BulkString(role)) if role == b"master") => {
                Ok(pipe)
            }
            _ => Err(StoreError::new(
                StoreErrorKind::Unavailable,
                format!("{}:{} is not the master of {:?} yet", host.name, host.port, self.name),
            )),
        }
    }
}
