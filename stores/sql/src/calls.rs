//! The statements of a store with their parameters.

use std::sync::Arc;
#[cfg(feature = "postgres")]
use std::time::Duration;

use tenure_core::store::{Revision, StoreKey};
#[cfg(feature = "postgres")]
use tenure_core::{
    Handle,
    id::Proof,
    store::{Record, StoreError, StoreErrorKind, StoreResult},
};
use tenure_core::{Namespace, Timestamp, UserId};

use crate::call::Call;
use crate::row::{self, Written, id, millis, proof};
use crate::sessions::Shared;
use crate::statements::EVERYBODY;

/// What statements are tried out with.
#[cfg(feature = "postgres")]
pub(crate) struct Example {
    key: StoreKey,
    user: UserId,
    record: Record,
}

#[cfg(feature = "postgres")]
impl Example {
    pub(crate) fn new() -> tenure_core::Result<Self> {
        let (start, proof) = (Timestamp::default(), Proof::from_bytes([0; Proof::LEN]));
        let key = StoreKey::new(Namespace::new("example")?, Handle::from_bytes([0; Handle::LEN]));
        let mut record = Record::new(start, Duration::ZERO, Duration::ZERO);
        record.proofs.present = Some(proof);
        Ok(Self { key: key.with_proof(proof), user: UserId::new("example")?, record })
    }
}

impl Shared {
    pub(crate) fn finding<'a>(&'a self, key: &'a StoreKey, now: Timestamp) -> Call<'a> {
        self.at(&self.statements.find, key).int(millis(now))
    }

    /// The statement that puts a record in place of the one that has the revision `expected`.
    pub(crate) fn swapping<'a>(
        &'a self,
        key: &'a StoreKey,
        expected: &Revision,
        new: &'a Written<'_>,
        now: Timestamp,
    ) -> Call<'a> {
        let namespace = key.namespace().as_str();
        self.written(Call::new(&self.statements.swap), new)
            .text(new.user())
            .text(namespace)
            .text(new.user())
            .text(new.user())
            .text(namespace)
            .owned(id(key))
            .int(millis(now))
            .octets(proof(key))
            .octets(proof(key))
            .int(row::revision(expected))
    }

    pub(crate) fn creating<'a>(
        &'a self,
        key: &'a StoreKey,
        new: &'a Written<'_>,
        first: i64,
        now: Timestamp,
    ) -> Call<'a> {
        let namespace = key.namespace().as_str();
        let call = self.at(&self.statements.create, key).int(first).text(new.user());
        let call = self
            .written(call, new)
            .text(namespace)
            .text(EVERYBODY)
            .text(namespace)
            .text(new.user());
        match self.statements.make_room {
            None => call.int(millis(now)),
            Some(_) => call,
        }
    }

    pub(crate) fn making_room<'a>(&'a self, key: &'a StoreKey, now: Timestamp) -> Option<Call<'a>> {
        let statement = self.statements.make_room.as_ref()?;
        Some(self.at(statement, key).int(millis(now)))
    }

    pub(crate) fn touching<'a>(
        &'a self,
        key: &'a StoreKey,
        until: Timestamp,
        now: Timestamp,
    ) -> Call<'a> {
        Call::new(&self.statements.touch)
            .int(millis(until))
            .int(millis(now))
            .int(millis(now))
            .text(key.namespace().as_str())
            .owned(id(key))
            .int(millis(now))
            .octets(proof(key))
            .octets(proof(key))
    }

    pub(crate) fn deleting<'a>(&'a self, key: &'a StoreKey, now: Timestamp) -> Call<'a> {
        let Some(proof) = proof(key) else {
            return self.at(&self.statements.delete_unproven, key).int(millis(now));
        };
        self.at(&self.statements.delete, key)
            .int(millis(now))
            .octets(Some(proof))
            .octets(Some(proof))
            .octets(Some(proof))
            .int(millis(now))
    }

    pub(crate) fn listing<'a>(
        &'a self,
        namespace: &'a Namespace,
        user: &'a UserId,
        now: Timestamp,
    ) -> Call<'a> {
        Call::new(&self.statements.list)
            .text(namespace.as_str())
            .text(user.as_str())
            .int(millis(now))
    }

    pub(crate) fn revoking<'a>(
        &'a self,
        namespace: &'a Namespace,
        user: &'a UserId,
        keep: Option<&StoreKey>,
        now: Timestamp,
    ) -> Call<'a> {
        // No session has an empty id.
        let kept = keep.filter(|keep| keep.namespace() == namespace).map(id).unwrap_or_default();
        Call::new(&self.statements.revoke)
            .text(namespace.as_str())
            .text(user.as_str())
            .int(millis(now))
            .owned(kept)
            .once()
    }

    pub(crate) fn moving_epoch<'a>(&'a self, namespace: &'a Namespace, user: &'a str) -> Call<'a> {
        Call::new(&self.statements.move_epoch).text(namespace.as_str()).text(user)
    }

    /// Gives one of each to `check`: a table of another shape refuses one at least.
    #[cfg(feature = "postgres")]
    pub(crate) fn examples(&self, mut check: impl FnMut(&Call<'_>)) -> StoreResult<()> {
        let failed = |error| StoreError::new(StoreErrorKind::Other, error);
        let Example { key, user, record } = Example::new().map_err(failed)?;
        let (namespace, now) = (key.namespace(), Timestamp::default());
        let written = Written::new(&record, &*self.format)?;
        check(&self.finding(&key, now));
        check(&self.creating(&key, &written, 0, now));
        check(&self.swapping(&key, &Revision::number(0), &written, now));
        check(&self.touching(&key, now, now));
        check(&self.deleting(&key, now));
        check(&self.listing(namespace, &user, now));
        check(&self.revoking(namespace, &user, None, now));
        check(&self.moving_epoch(namespace, EVERYBODY));
        Ok(())
    }

    fn at<'a>(&self, sql: &'a Arc<str>, key: &'a StoreKey) -> Call<'a> {
        Call::new(sql).text(key.namespace().as_str()).owned(id(key))
    }

    fn written<'a>(&self, call: Call<'a>, new: &'a Written<'_>) -> Call<'a> {
        let call = new.bind(call);
        if self.statements.bound { call.int(new.deadline()) } else { call }
    }
}
