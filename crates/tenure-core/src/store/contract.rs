use std::future::Future;
use std::sync::Arc;

use super::provided::apply_by_swap;
use super::{
    Absent, Applied, Created, Epoch, Inspect, Patch, Record, Revision, StoreKey, StoreResult, Swap,
    UserIndex, Validate, Watch,
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
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # use std::time::Duration;
    /// # use tenure_core::{Handle, Namespace, Timestamp, UserId, id::{CommitId, Proof}};
    /// # use tenure_core::{store::*, value::Number};
    /// # let now = Timestamp::from_millis(1_000);
    /// # let key = StoreKey::new(Namespace::new("shop")?, Handle::from_bytes([1; 12]));
    /// # let key = key.with_proof(Proof::from_bytes([2; 32]));
    /// # let mut record = Record::new(now, Duration::from_secs(60), Duration::from_secs(90));
    /// # record.proofs.present = key.proof().copied();
    /// # let store = MemoryStore::new();
    /// store.create(&key, &record, now).await?;
    /// assert!(store.load(&key, now).await?.is_some());
    /// let stranger = key.clone().with_proof(Proof::from_bytes([9; 32]));
    /// assert!(store.load(&stranger, now).await?.is_none());
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// When the server cannot answer, or what it holds is no record.
    fn load(
        &self,
        key: &StoreKey,
        now: Timestamp,
    ) -> impl Future<Output = StoreResult<Option<Record>>> + Send;

    /// As [`load`](Self::load), for whoever only looks at the record: a store that has it in memory,
    /// or has read it for several at once, gives it away without a copy.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # use std::time::Duration;
    /// # use tenure_core::{Handle, Namespace, Timestamp, UserId, id::{CommitId, Proof}};
    /// # use tenure_core::{store::*, value::Number};
    /// # let now = Timestamp::from_millis(1_000);
    /// # let key = StoreKey::new(Namespace::new("shop")?, Handle::from_bytes([1; 12]));
    /// # let key = key.with_proof(Proof::from_bytes([2; 32]));
    /// # let mut record = Record::new(now, Duration::from_secs(60), Duration::from_secs(90));
    /// # record.proofs.present = key.proof().copied();
    /// # let store = NearCache::new(MemoryStore::new()).stale_for(Duration::from_secs(60));
    /// store.create(&key, &record, now).await?;
    /// let [one, other] = [store.load_shared(&key, now).await?, store.load_shared(&key, now).await?];
    /// assert!(std::sync::Arc::ptr_eq(&one.unwrap(), &other.unwrap()));
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// Those of [`load`](Self::load).
    fn load_shared(
        &self,
        key: &StoreKey,
        now: Timestamp,
    ) -> impl Future<Output = StoreResult<Option<Arc<Record>>>> + Send {
        let loaded = self.load(key, now);
        async move { Ok(loaded.await?.map(Arc::new)) }
    }

    /// Files a new record, which carries the id of this commit as its only one.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # use std::time::Duration;
    /// # use tenure_core::{Handle, Namespace, Timestamp, UserId, id::{CommitId, Proof}};
    /// # use tenure_core::{store::*, value::Number};
    /// # let now = Timestamp::from_millis(1_000);
    /// # let key = StoreKey::new(Namespace::new("shop")?, Handle::from_bytes([1; 12]));
    /// # let key = key.with_proof(Proof::from_bytes([2; 32]));
    /// # let mut record = Record::new(now, Duration::from_secs(60), Duration::from_secs(90));
    /// # record.proofs.present = key.proof().copied();
    /// # let store = MemoryStore::new();
    /// assert_eq!(store.create(&key, &record, now).await?, Created::Created);
    /// assert_eq!(store.create(&key, &record, now).await?, Created::Collision);
    /// # Ok(())
    /// # }
    /// ```
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
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # use std::time::Duration;
    /// # use tenure_core::{Handle, Namespace, Timestamp, UserId, id::{CommitId, Proof}};
    /// # use tenure_core::{store::*, value::Number};
    /// # let now = Timestamp::from_millis(1_000);
    /// # let key = StoreKey::new(Namespace::new("shop")?, Handle::from_bytes([1; 12]));
    /// # let key = key.with_proof(Proof::from_bytes([2; 32]));
    /// # let mut record = Record::new(now, Duration::from_secs(60), Duration::from_secs(90));
    /// # record.proofs.present = key.proof().copied();
    /// # let store = MemoryStore::new();
    /// store.create(&key, &record, now).await?;
    /// let seen = store.load(&key, now).await?.unwrap();
    /// record.data = [("theme", "\"dark\"")].into_iter().collect();
    /// assert!(matches!(store.swap(&key, &seen.revision, &record, now).await?, Swap::Done(_)));
    /// let late = store.swap(&key, &seen.revision, &record, now).await?;
    /// assert_eq!(late, Swap::Conflict, "it has another revision by now");
    /// # Ok(())
    /// # }
    /// ```
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
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # use std::time::Duration;
    /// # use tenure_core::{Handle, Namespace, Timestamp, UserId, id::{CommitId, Proof}};
    /// # use tenure_core::{store::*, value::Number};
    /// # let now = Timestamp::from_millis(1_000);
    /// # let key = StoreKey::new(Namespace::new("shop")?, Handle::from_bytes([1; 12]));
    /// # let key = key.with_proof(Proof::from_bytes([2; 32]));
    /// # let mut record = Record::new(now, Duration::from_secs(60), Duration::from_secs(90));
    /// # record.proofs.present = key.proof().copied();
    /// # let store = MemoryStore::new();
    /// store.create(&key, &record, now).await?;
    /// assert!(store.delete(&key, now).await?);
    /// assert!(!store.delete(&key, now).await?, "it is gone");
    /// # Ok(())
    /// # }
    /// ```
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
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # use std::time::Duration;
    /// # use tenure_core::{Handle, Namespace, Timestamp, UserId, id::{CommitId, Proof}};
    /// # use tenure_core::{store::*, value::Number};
    /// # let now = Timestamp::from_millis(1_000);
    /// # let key = StoreKey::new(Namespace::new("shop")?, Handle::from_bytes([1; 12]));
    /// # let key = key.with_proof(Proof::from_bytes([2; 32]));
    /// # let mut record = Record::new(now, Duration::from_secs(60), Duration::from_secs(90));
    /// # record.proofs.present = key.proof().copied();
    /// # let store = MemoryStore::new();
    /// store.create(&key, &record, now).await?;
    /// assert_eq!(store.sweep(100, now).await?, 0);
    /// assert_eq!(store.sweep(100, record.deadline()).await?, 1);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// When the server cannot answer.
    fn sweep(&self, limit: u32, now: Timestamp) -> impl Future<Output = StoreResult<u32>> + Send;

    /// Merges `patch` into the record: atomically, once, and only if the record still admits the
    /// key. Closures of the application run outside of any lock or transaction.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # use std::time::Duration;
    /// # use tenure_core::{Handle, Namespace, Timestamp, UserId, id::{CommitId, Proof}};
    /// # use tenure_core::{store::*, value::Number};
    /// # let now = Timestamp::from_millis(1_000);
    /// # let key = StoreKey::new(Namespace::new("shop")?, Handle::from_bytes([1; 12]));
    /// # let key = key.with_proof(Proof::from_bytes([2; 32]));
    /// # let mut record = Record::new(now, Duration::from_secs(60), Duration::from_secs(90));
    /// # record.proofs.present = key.proof().copied();
    /// # let store = MemoryStore::new();
    /// store.create(&key, &record, now).await?;
    /// // The second commit is sent again, since its answer was lost.
    /// for id in [1, 2, 2] {
    ///     let patch = Patch::new(CommitId::from_bytes([id; 16])).add("n", Number::Int(1));
    ///     assert!(matches!(store.apply(&key, &patch, now).await?, Applied::Done(_)));
    /// }
    /// assert_eq!(store.load(&key, now).await?.unwrap().data.get("n"), Some("2"));
    /// # Ok(())
    /// # }
    /// ```
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
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # use std::time::Duration;
    /// # use tenure_core::{Handle, Namespace, Timestamp, UserId, id::{CommitId, Proof}};
    /// # use tenure_core::{store::*, value::Number};
    /// # let now = Timestamp::from_millis(1_000);
    /// # let key = StoreKey::new(Namespace::new("shop")?, Handle::from_bytes([1; 12]));
    /// # let key = key.with_proof(Proof::from_bytes([2; 32]));
    /// # let mut record = Record::new(now, Duration::from_secs(60), Duration::from_secs(90));
    /// # record.proofs.present = key.proof().copied();
    /// # let store = MemoryStore::new();
    /// store.create(&key, &record, now).await?;
    /// let later = now + Duration::from_secs(30);
    /// assert!(store.touch(&key, later + record.idle_timeout, later).await?);
    /// assert!(store.load(&key, record.deadline()).await?.is_some());
    /// # Ok(())
    /// # }
    /// ```
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
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # use std::time::Duration;
    /// # use tenure_core::{Handle, Namespace, Timestamp, UserId, id::{CommitId, Proof}};
    /// # use tenure_core::{store::*, value::Number};
    /// # let now = Timestamp::from_millis(1_000);
    /// # let key = StoreKey::new(Namespace::new("shop")?, Handle::from_bytes([1; 12]));
    /// # let key = key.with_proof(Proof::from_bytes([2; 32]));
    /// # let mut record = Record::new(now, Duration::from_secs(60), Duration::from_secs(90));
    /// # record.proofs.present = key.proof().copied();
    /// # let store = MemoryStore::new();
    /// store.close().await;
    /// store.close().await;
    /// // Memory holds nothing open, so it goes on.
    /// assert_eq!(store.create(&key, &record, now).await?, Created::Created);
    /// # Ok(())
    /// # }
    /// ```
    fn close(&self) -> impl Future<Output = ()> + Send {
        async {}
    }

    /// Whether [`apply`](Self::apply) merges a patch without closures in one command, whatever else
    /// changes the session meanwhile. Commits of one process to one session wait for each other if
    /// not, which costs less than to try again.
    ///
    /// ```
    /// # use tenure_core::store::{MemoryStore, Store};
    /// assert!(MemoryStore::new().merges_in_place());
    /// ```
    fn merges_in_place(&self) -> bool {
        false
    }

    /// The capability to find the sessions of a user, if the store has it.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # use std::time::Duration;
    /// # use tenure_core::{Handle, Namespace, Timestamp, UserId, id::Proof, store::*};
    /// # let now = Timestamp::from_millis(1_000);
    /// # let key = StoreKey::new(Namespace::new("shop")?, Handle::from_bytes([1; 12]));
    /// # let key = key.with_proof(Proof::from_bytes([2; 32]));
    /// # let mut record = Record::new(now, Duration::from_secs(60), Duration::from_secs(90));
    /// # record.proofs.present = key.proof().copied();
    /// # let store = MemoryStore::new();
    /// record.user = Some(UserId::new("ada")?);
    /// store.create(&key, &record, now).await?;
    /// let users = store.users().expect("the store in memory has an index");
    /// assert_eq!(users.list(key.namespace(), &UserId::new("ada")?, now).await?.len(), 1);
    /// # Ok(())
    /// # }
    /// ```
    fn users(&self) -> Option<&impl UserIndex> {
        None::<&Absent>
    }

    /// The capability to end all sessions at once, if the store has it.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # use std::time::Duration;
    /// # use tenure_core::{Handle, Namespace, Timestamp, UserId, id::Proof, store::*};
    /// # let now = Timestamp::from_millis(1_000);
    /// # let key = StoreKey::new(Namespace::new("shop")?, Handle::from_bytes([1; 12]));
    /// # let key = key.with_proof(Proof::from_bytes([2; 32]));
    /// # let mut record = Record::new(now, Duration::from_secs(60), Duration::from_secs(90));
    /// # record.proofs.present = key.proof().copied();
    /// # let store = MemoryStore::new();
    /// store.create(&key, &record, now).await?;
    /// let epoch = store.epoch().expect("the store in memory counts revocations");
    /// epoch.revoke_everybody(key.namespace(), now).await?;
    /// assert!(store.load(&key, now).await?.is_none());
    /// # Ok(())
    /// # }
    /// ```
    fn epoch(&self) -> Option<&impl Epoch> {
        None::<&Absent>
    }

    /// The capability to tell of changes, if the store has it.
    ///
    /// ```
    /// # use tenure_core::store::{MemoryStore, Store};
    /// assert!(MemoryStore::new().watch().is_none(), "no other process changes it");
    /// ```
    fn watch(&self) -> Option<&impl Watch> {
        None::<&Absent>
    }

    /// The capability to tell whether a session that was read has changed, if the store has it.
    ///
    /// ```
    /// # use tenure_core::store::{MemoryStore, Store};
    /// assert!(MemoryStore::new().validate().is_none(), "to read it costs no more");
    /// ```
    fn validate(&self) -> Option<&impl Validate> {
        None::<&Absent>
    }

    /// The capability to show a session whatever its secret, if the store has it.
    ///
    /// ```
    /// # use tenure_core::store::{MemoryStore, Store};
    /// assert!(MemoryStore::new().inspect().is_some());
    /// ```
    fn inspect(&self) -> Option<&impl Inspect> {
        None::<&Absent>
    }
}
