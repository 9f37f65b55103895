//! Telling of changes, for a cache.

use std::convert::Infallible;
use std::future::Future;
use std::pin::pin;
use std::time::Duration;

use futures_util::future::select;
use redis::Value;
use tenure_core::store::{Change, StoreError, StoreResult, Watch};
use tokio::time::sleep;

use crate::RedisStore;
use crate::error::is_forbidden;
use crate::open::{run_ids, server_info};
use crate::tracking::{Nodes, lost};

/// How often a connection of the application's own is asked where it leads.
const BEAT: Duration = Duration::from_millis(500);

impl Watch for RedisStore {
    /// Over a connection of its own to the server, or to every node of the cluster. It ends when one
    /// of them is silent for a second, when the cluster has other nodes or masters, and when the
    /// store's own connection is made anew: it might lead to another server then.
    async fn watch(&self, listener: &(dyn Fn(Change) + Send + Sync)) -> StoreError {
        match self.hear(listener).await {
            Ok(never) => match never {},
            Err(lost) => lost,
        }
    }
}

impl RedisStore {
    async fn hear(&self, listener: &(dyn Fn(Change) + Send + Sync)) -> StoreResult<Infallible> {
        let inner = &self.inner;
        let Some(tracker) = &inner.tracker else { return Err(StoreError::without("watch")) };
        let own = inner.connection.lent().await?;
        let (nodes, mut messages) = tracker.begin(&inner.prefix).await?;
        self.leads_to(&nodes).await?;
        listener(Change::Begins);
        let hearing = async {
            loop {
                match messages.next().await {
                    Ok(Some(keys)) => self.tell(keys, listener),
                    Ok(None) => listener(Change::Any),
                    Err(error) => break error,
                }
            }
        };
        let moving = async {
            if let Some((link, lent)) = &own {
                link.replaced(lent).await;
                return lost("the connection for sessions is a new one");
            }
            loop {
                sleep(BEAT).await;
                if let Err(error) = self.leads_to(&nodes).await {
                    break error;
                }
            }
        };
        Err(first(hearing, first(moving, nodes.end())).await)
    }

    fn tell(&self, keys: Vec<Value>, listener: &(dyn Fn(Change) + Send + Sync)) {
        for key in keys {
            let change = match key {
                Value::BulkString(key) => self.inner.prefix.change(&key),
                _ => Some(Change::Any),
            };
            if let Some(change) = change {
                listener(change);
            }
        }
    }

    /// Whether what is read and what is heard come from the same servers, as far as those tell: an
    /// address may lead to another one each time.
    async fn leads_to(&self, nodes: &Nodes) -> StoreResult<()> {
        let read = match self.inner.connection.ask(&server_info()).await {
            Err(error) if is_forbidden(&error) => return Ok(()),
            answer => run_ids(answer?),
        };
        let heard = match nodes.run_ids().await {
            Err(error) if is_forbidden(&error) => return Ok(()),
            heard => heard?,
        };
        if read.is_subset(&heard) {
            return Ok(());
        }
        Err(lost(
            "they would be those of another server than the one that keeps the sessions; check \
             the URL of RedisOptions::watch_with, if there is one",
        ))
    }
}

/// What the first of both gives, the first one if both are ready.
async fn first<T>(one: impl Future<Output = T>, other: impl Future<Output = T>) -> T {
    select(pin!(one), pin!(other)).await.factor_first().0
}
