//! The sessions of a user, and the epochs.
//!
//! The index of a user lies in a slot of its own, so it is written after the session, and what it
//! says is checked against the sessions. What it may have lost comes back with the next touch.

use futures_util::future::try_join_all;
use redis::Value;
use tenure_core::store::{Epoch, Listed, StoreKey, StoreResult, UserIndex};
use tenure_core::{Namespace, Timestamp, UserId};

use crate::RedisStore;
use crate::calls::names;
use crate::client::Inner;
use crate::error::unexpected;
use crate::keys::{Bucket, EPOCHS, SCHEDULE, named, short_name};
use crate::pipe::Call;
use crate::script;

impl UserIndex for RedisStore {
    async fn list(
        &self,
        namespace: &Namespace,
        user: &UserId,
        now: Timestamp,
    ) -> StoreResult<Vec<Listed>> {
        let keys = self.inner.listed(namespace, user).await?;
        let records = try_join_all(keys.iter().map(|key| self.find(key, now))).await?;
        let mut listed = Vec::with_capacity(keys.len());
        for (key, record) in keys.into_iter().zip(records) {
            match record.filter(|record| record.user.as_ref() == Some(user)) {
                Some(record) => listed.push(Listed::new(key, record)),
                None => self.prune(&key, user, now).await?,
            }
        }
        Ok(listed)
    }

    async fn revoke(
        &self,
        namespace: &Namespace,
        user: &UserId,
        keep: Option<&StoreKey>,
        now: Timestamp,
    ) -> StoreResult<u32> {
        let mut keys = self.inner.listed(namespace, user).await?;
        keys.retain(|key| keep.is_none_or(|keep| !keep.same_session(key)));
        let deleted =
            try_join_all(keys.iter().map(|key| self.inner.delete(key, user.as_str(), now))).await?;
        try_join_all(keys.iter().map(|key| self.prune(key, user, now))).await?;
        if keep.is_none() {
            let whose = format!("{}\0{user}", namespace.as_str());
            self.inner.move_epoch(&whose, now).await?;
        }
        Ok(deleted.iter().flatten().count().try_into().unwrap_or(u32::MAX))
    }
}

impl Epoch for RedisStore {
    async fn revoke_everybody(&self, namespace: &Namespace, now: Timestamp) -> StoreResult<()> {
        self.inner.move_epoch(namespace.as_str(), now).await
    }
}

impl RedisStore {
    /// Takes a session off the list of a user, and puts it back if it became theirs meanwhile.
    async fn prune(&self, key: &StoreKey, user: &UserId, now: Timestamp) -> StoreResult<()> {
        let (store, key, user) = (self.clone(), key.clone(), user.clone());
        Self::settled(async move {
            store.inner.unlist(&key, user.as_str()).await;
            if let Some(record) = store.find(&key, now).await?
                && record.user.as_ref() == Some(&user)
            {
                store.inner.list(&key, user.as_str(), record.absolute_deadline, now).await?;
            }
            Ok(())
        })
        .await
    }
}

impl Inner {
    /// Lists a session under a user.
    pub(crate) async fn list(
        &self,
        key: &StoreKey,
        user: &str,
        until: Timestamp,
        now: Timestamp,
    ) -> StoreResult<()> {
        let call = Call::new(&script::INDEX, 1)
            .key([self.prefix.index(key.namespace(), user).as_bytes()])
            .number(now.as_millis())
            .number(until.as_millis())
            .arg(short_name(key));
        self.connection.run(&call).await.map(drop)
    }

    /// Takes a session off a user's list. An entry that stays is harmless.
    pub(crate) async fn unlist(&self, key: &StoreKey, user: &str) {
        let mut command = redis::cmd("ZREM");
        command.arg(self.prefix.index(key.namespace(), user)).arg(short_name(key));
        let _ = self.connection.ask(&command).await;
    }

    /// The sessions that the index has for a user.
    async fn listed(&self, namespace: &Namespace, user: &UserId) -> StoreResult<Vec<StoreKey>> {
        let mut command = redis::cmd("ZRANGE");
        command.arg(self.prefix.index(namespace, user.as_str())).arg(0).arg(-1);
        let names = names(self.connection.ask(&command).await?)?;
        // What is no name of ours was not written by us.
        Ok(names.iter().filter_map(|name| named(namespace, str::from_utf8(name).ok()?)).collect())
    }

    /// Moves an epoch in every bucket: of everybody in a namespace, or of a user.
    async fn move_epoch(&self, whose: &str, now: Timestamp) -> StoreResult<()> {
        let moved = try_join_all(Bucket::all().map(|bucket| async move {
            let call = self
                .keys(Call::new(&script::REVOKE, 2), bucket, [EPOCHS, SCHEDULE])
                .number(now.as_millis())
                .arg(whose);
            self.connection.run(&call).await
        }));
        let all_done = moved.await?.iter().all(|answer| matches!(answer, Value::Int(_)));
        if all_done { Ok(()) } else { Err(unexpected()) }
    }
}
