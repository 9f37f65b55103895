use std::future::Future;

use super::{Record, StoreKey, StoreResult};
use crate::clock::Timestamp;

/// The capability of a store to show a session whatever its secret: for administration, and for
/// [`on_reuse`](crate::SessionsBuilder::on_reuse), which holds a secret that opens nothing against
/// the session that it names. What it shows is never for whoever sent the request.
pub trait Inspect: Send + Sync {
    /// The record of the session that `key` names, if it is alive at `now`. The proof of the key is
    /// not looked at, and there may be none. It is what the store has by now, never a copy that may
    /// be older.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # use std::time::Duration;
    /// # use tenure_core::{Handle, Namespace, Timestamp, id::Proof, store::*};
    /// # let now = Timestamp::from_millis(1_000);
    /// # let key = StoreKey::new(Namespace::new("shop")?, Handle::from_bytes([1; 12]));
    /// # let key = key.with_proof(Proof::from_bytes([2; 32]));
    /// # let mut record = Record::new(now, Duration::from_secs(60), Duration::from_secs(90));
    /// # record.proofs.present = key.proof().copied();
    /// # let store = MemoryStore::new();
    /// store.create(&key, &record, now).await?;
    /// let by_handle = StoreKey::new(key.namespace().clone(), key.handle().unwrap());
    /// assert!(store.load(&by_handle, now).await?.is_none(), "a handle opens nothing");
    /// let inspect = store.inspect().expect("the store in memory can");
    /// let found = inspect.record(&by_handle, now).await?.unwrap();
    /// assert_eq!(found.proofs.present, key.proof().copied());
    /// assert!(inspect.record(&by_handle, record.deadline()).await?.is_none(), "it has expired");
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// When the server cannot answer, or what it holds is no record.
    fn record(
        &self,
        key: &StoreKey,
        now: Timestamp,
    ) -> impl Future<Output = StoreResult<Option<Record>>> + Send;
}
