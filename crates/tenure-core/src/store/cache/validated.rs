use std::sync::Arc;

use super::NearCache;
use crate::clock::Timestamp;
use crate::store::{Record, Store, StoreKey, StoreResult, Validate};

impl<S: Store> NearCache<S> {
    /// A read that asks whether the session is still what is in memory.
    ///
    /// A stamp is taken before its record is read: a change in between makes the next stamp another
    /// one, and costs one more read, whereas after the record it would hide the change.
    pub(super) async fn load_validated(
        &self,
        validate: &impl Validate,
        key: &StoreKey,
        now: Timestamp,
    ) -> StoreResult<Option<Arc<Record>>> {
        let entries = &self.shared.entries;
        let (lease, stamp) = match entries.find_stamped(key, now) {
            Ok((record, before)) => {
                let stamp = validate.stamp(key).await?;
                if stamp.is_some() && stamp == before {
                    return Ok(Some(record));
                }
                (entries.lease(key), stamp)
            }
            Err(lease) => (lease, validate.stamp(key).await?),
        };
        let loaded = self.store.load_shared(key, now).await?;
        let kept = loaded.clone().zip(stamp).map(|(record, stamp)| (record, Some(stamp)));
        entries.fill(key, lease, kept, now);
        Ok(loaded)
    }
}
