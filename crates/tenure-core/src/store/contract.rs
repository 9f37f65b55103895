use std::future::Future;

use super::provided::apply_by_swap;
use super::{
    Absent, Epoch, Patch, Record, Refused, Revision, StoreKey, StoreResult, UserIndex, Watch,
};
use crate::clock::Timestamp;

/// Where records live.
///
/// Implementations write plain `async fn`. Five methods are required; the others are provided on
/// top of them and replaced where the server can do better. Time comes in as an argument and
/// alone decides what is expired: `deadline <= now`, swept or not. Every operation but `create`
/// asks [`Record::admits`], or [`Record::admits_delete`] to delete.
///
/// The laws that a store keeps, each a test of `tenure-testkit`:
///
/// 1. `create` never overwrites a live record; an expired one may be replaced; repeated with the
///    same commit id it is `Created`.
/// 2. `apply`, `swap` and `touch` on a missing, deleted or expired session, or with a proof that
///    it does not accept, are `Gone` and create nothing.
/// 3. `apply` is all or nothing, takes effect once for a commit id, and patches of different keys
///    commute.
/// 4. After an acknowledged `delete` nothing that began before it brings the record back, not even
///    where another record was created under the same foreign id: no revision is used twice.
/// 5. Expiry is decided by `now`, to the millisecond.
/// 6. A touch and an apply in parallel both take effect; a touch only moves forward and never
///    past the absolute deadline.
/// 7. A rotation is one conditional write of one record.
/// 8. Any Unicode key and any JSON text up to 1 MiB come back byte for byte.
/// 9. `sweep` deletes only what is expired, at most `limit`, and tells how many.
/// 10. A user's sessions are listed, and what is listed is checked against the record.
/// 11. An operation that is dropped leaves the record wholly old or wholly new.
/// 12. Two namespaces never see each other.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a session store",
    note = "implement `Store` (five methods), or take one of the stores that tenure brings"
)]
pub trait Store: Send + Sync + 'static {
    /// The record under `key` if it [admits](Record::admits) the key at `now`.
    ///
    /// # Errors
    /// When the server cannot answer, or what it holds is no record.
    fn load(
        &self,
        key: &StoreKey,
        now: Timestamp,
    ) -> impl Future<Output = StoreResult<Option<Record>>> + Send;

    /// Files a new record, which carries the id of this commit as its only one.
    ///
    /// # Errors
    /// When the server cannot answer.
    fn create(
        &self,
        key: &StoreKey,
        record: &Record,
        now: Timestamp,
    ) -> impl Future<Output = StoreResult<Created>> + Send;

    /// Puts `new` in place of the record that has the revision `expected`.
    ///
    /// # Errors
    /// When the server cannot answer.
    fn swap(
        &self,
        key: &StoreKey,
        expected: &Revision,
        new: &Record,
        now: Timestamp,
    ) -> impl Future<Output = StoreResult<Swap>> + Send;

    /// Deletes the record if it [admits](Record::admits_delete) that, and tells whether it did.
    ///
    /// # Errors
    /// When the server cannot answer.
    fn delete(
        &self,
        key: &StoreKey,
        now: Timestamp,
    ) -> impl Future<Output = StoreResult<bool>> + Send;

    /// Deletes records of all namespaces of this store that are expired at `now`, at most `limit`
    /// of them, and tells how many.
    ///
    /// # Errors
    /// When the server cannot answer.
    fn sweep(&self, limit: u32, now: Timestamp) -> impl Future<Output = StoreResult<u32>> + Send;

    /// Merges `patch` into the record: atomically, once, and only if the record still admits the
    /// key. Closures of the application run outside of any lock or transaction.
    ///
    /// # Errors
    /// When the server cannot answer; the same patch may then be sent again.
    fn apply(
        &self,
        key: &StoreKey,
        patch: &Patch,
        now: Timestamp,
    ) -> impl Future<Output = StoreResult<Applied>> + Send {
        apply_by_swap(self, key, patch, now)
    }

    /// Moves the idle deadline forward to `until`, as [`Record::touched`] says, and tells whether
    /// the session is there to be touched.
    ///
    /// # Errors
    /// When the server cannot answer.
    fn touch(
        &self,
        key: &StoreKey,
        until: Timestamp,
        now: Timestamp,
    ) -> impl Future<Output = StoreResult<bool>> + Send {
        async move {
            loop {
                let Some(mut record) = self.load(key, now).await? else { return Ok(false) };
                record.idle_deadline = record.touched(until, now);
                record.last_seen = record.last_seen.max(now);
                match self.swap(key, &record.revision, &record, now).await? {
                    Swap::Done(_) => return Ok(true),
                    Swap::Gone => return Ok(false),
                    Swap::Conflict => {}
                }
            }
        }
    }

    /// Ends what the store holds open: connections, files, tasks. What is under way may end first.
    /// Afterwards the store cannot answer any more; closing it again does nothing. A store that
    /// holds nothing open goes on.
    fn close(&self) -> impl Future<Output = ()> + Send {
        async {}
    }

    /// The capability to find the sessions of a user, if the store has it.
    fn users(&self) -> Option<&impl UserIndex> {
        None::<&Absent>
    }

    /// The capability to end all sessions at once, if the store has it.
    fn epoch(&self) -> Option<&impl Epoch> {
        None::<&Absent>
    }

    /// The capability to tell of changes, if the store has it.
    fn watch(&self) -> Option<&impl Watch> {
        None::<&Absent>
    }
}

/// The outcome of [`Store::create`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Created {
    /// The record is filed.
    Created,
    /// A live record has this key; it is unchanged.
    Collision,
}

/// The outcome of [`Store::swap`].
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Swap {
    /// The new record is there, with this revision.
    Done(Revision),
    /// The record has another revision by now.
    Conflict,
    /// There is no record that admits the key.
    Gone,
}

/// The outcome of [`Store::apply`].
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Applied {
    /// The patch took effect; with the record after it, which a store must give for a patch that
    /// [prepares](super::ProofChange::Prepare) a secret, and may leave out for others.
    Done(Option<Box<Record>>),
    /// There is no record that admits the key; nothing was created.
    Gone,
    /// A step does not fit the value that it meets; nothing was changed.
    Refused(Refused),
}
