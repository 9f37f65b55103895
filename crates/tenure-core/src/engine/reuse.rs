use std::time::Duration;

use super::events::{Event, guarded};
use super::slot::Slot;
use crate::clock::Timestamp;
use crate::guard::Reuse;
use crate::id::Proof;
use crate::store::{Former, Inspect, Record, Store, StoreErrorKind, StoreKey};

/// How long a request may be under way with the secret that a renewal has just retired.
const IN_FLIGHT: Duration = Duration::from_secs(10);

impl Slot {
    /// Whether `key`, which opens nothing, has a secret that its living session had before. Then
    /// two hold the session's credential, and whoever wants to know is told. Whatever comes of it,
    /// the request goes on.
    pub(super) async fn look_for_reuse(&self, key: &StoreKey, now: Timestamp) {
        let Some(hook) = &self.manager.settings.on_reuse else { return };
        let (Some(handle), Some(proof)) = (key.handle(), key.proof()) else { return };
        let Some(inspect) = self.store().inspect() else { return };
        let asking = self.manager.call("inspect", now, |now, _| async move {
            match inspect.record(key, now).await {
                // The load has told of it already.
                Err(error) if error.kind() == StoreErrorKind::UnknownVersion => Ok(None),
                done => done,
            }
        });
        let record = match asking.await {
            Ok(Some(record)) if is_retired(proof, &record, now) => record,
            Ok(_) => return,
            Err(error) => return self.manager.report(&error),
        };
        self.manager.emit(Event::Reused { session: Some(handle), user: record.user.as_ref() });
        let present = self.client();
        guarded(|| hook(&Reuse::new(handle, &record, &present)));
    }
}

/// Whether the session of `record` had the secret of `proof` once, and no request in flight explains
/// that it comes again.
fn is_retired(proof: &Proof, record: &Record, now: Timestamp) -> bool {
    let former = |former: Former| now < former.until && former.proof == *proof;
    !record.proofs.accepts(proof)
        && !record.proofs.former.is_some_and(former)
        && now.since(record.renewed) >= IN_FLIGHT
}
