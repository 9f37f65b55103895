//! The calls of scripts and what they are told.

use std::sync::atomic::Ordering;

use redis::Value;
use tenure_core::Timestamp;
use tenure_core::store::{Patch, Record, StoreKey, StoreResult};

use crate::apply::{add_patch, optional_text};
use crate::client::Inner;
use crate::error::unexpected;
use crate::hash;
use crate::keys::{Bucket, EPOCHS, Name, SCHEDULE};
use crate::pipe::Call;
use crate::script::{self, Script};

impl Inner {
    /// A revision that no other record of this store has, or ever had: they count up from a place
    /// that chance has chosen for this process.
    pub(crate) fn next_revision(&self) -> u64 {
        self.revisions.fetch_add(1, Ordering::Relaxed)
    }

    /// The call of a script about one session.
    pub(crate) fn call(&self, script: &'static Script, key: &StoreKey, now: Timestamp) -> Call {
        self.about(script, key, [EPOCHS, SCHEDULE])
            .arg(key.namespace().as_str())
            .number(now.as_millis())
    }

    /// The call that reads a session.
    pub(crate) fn reading(&self, key: &StoreKey) -> Call {
        self.about(&script::LOAD, key, [EPOCHS]).arg(key.namespace().as_str())
    }

    /// The call with the key of a session and these of its bucket.
    fn about<const N: usize>(
        &self,
        script: &'static Script,
        key: &StoreKey,
        others: [&str; N],
    ) -> Call {
        let bucket = Bucket::of(key);
        let [prefix, tag] = self.prefix.bucket(bucket);
        let name = Name::of(key);
        let [kind, id, colon, namespace] = name.parts();
        let call = Call::new(script, 1 + N);
        let call = call.key([prefix.as_bytes(), tag.as_bytes(), kind, id, colon, namespace]);
        self.keys(call, bucket, others)
    }

    /// Adds keys of a bucket.
    pub(crate) fn keys(
        &self,
        call: Call,
        bucket: Bucket,
        ends: impl IntoIterator<Item = impl AsRef<[u8]>>,
    ) -> Call {
        let [prefix, tag] = self.prefix.bucket(bucket).map(str::as_bytes);
        ends.into_iter().fold(call, |call, end| call.key([prefix, tag, end.as_ref()]))
    }

    pub(crate) fn committing(
        &self,
        key: &StoreKey,
        patch: &Patch,
        now: Timestamp,
    ) -> StoreResult<Call> {
        let mut call = self.call(&script::APPLY, key, now).arg(proof(key));
        call.join();
        add_patch(&mut call, patch, self.next_revision(), now)?;
        Ok(call)
    }

    /// Adds a whole record.
    pub(crate) fn written(
        &self,
        mut call: Call,
        record: &Record,
        revision: u64,
        now: Timestamp,
    ) -> StoreResult<Call> {
        let lifetime = record.absolute_deadline.since(now).as_millis();
        call = call
            .number(record.deadline().as_millis())
            .arg(lifetime.to_string())
            .arg(record.user.as_ref().map_or("", |user| user.as_str()));
        for part in hash::fields(record, revision)? {
            call.push(part);
        }
        Ok(call)
    }

    /// Deletes the session, of this user if one is named. Gives whose it was, if it was there.
    pub(crate) async fn delete(
        &self,
        key: &StoreKey,
        user: &str,
        now: Timestamp,
    ) -> StoreResult<Option<Option<String>>> {
        let call = self.call(&script::DELETE, key, now).arg(proof(key)).arg(user);
        match self.connection.run(&call).await? {
            Value::Int(0) => Ok(None),
            Value::Array(list) => {
                optional_text(list.into_iter().nth(1).unwrap_or_default()).map(Some)
            }
            _ => Err(unexpected()),
        }
    }

    /// Names of sessions in a bucket that may have expired.
    pub(crate) async fn due(
        &self,
        bucket: Bucket,
        limit: u32,
        now: Timestamp,
    ) -> StoreResult<Vec<Vec<u8>>> {
        let mut command = redis::cmd("ZRANGEBYSCORE");
        command
            .arg(self.prefix.bucket(bucket).concat() + SCHEDULE)
            .arg(0)
            .arg(now.as_millis())
            .arg("LIMIT")
            .arg(0)
            .arg(limit);
        names(self.connection.ask(&command).await?)
    }

    pub(crate) fn sweeping(&self, bucket: Bucket, names: &[Vec<u8>], now: Timestamp) -> Call {
        let call = self.keys(Call::new(&script::SWEEP, 1 + names.len()), bucket, [SCHEDULE]);
        let call = self.keys(call, bucket, names);
        let mut call = call.number(now.as_millis());
        names.iter().for_each(|name| call.push(name));
        call
    }
}

/// The members of a set as the server lists them.
pub(crate) fn names(answer: Value) -> StoreResult<Vec<Vec<u8>>> {
    match answer {
        Value::Array(list) => list.into_iter().map(hash::octets).collect(),
        _ => Err(unexpected()),
    }
}

/// The proof of a key, as scripts take it.
pub(crate) fn proof(key: &StoreKey) -> &[u8] {
    key.proof().map_or(&[], |proof| proof.as_bytes())
}
