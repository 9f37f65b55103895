use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::Revocations;
use crate::clock::Timestamp;
use crate::id::{Namespace, UserId};
use crate::store::{
    Absent, Created, Epoch, Listed, Record, Revision, Store, StoreError, StoreErrorKind, StoreKey,
    StoreResult, Swap, UserIndex, Validate, Watch,
};

/// The store of one request whose client keeps its session: the record that came along, and no
/// other. Without one it serves what belongs to no request.
#[derive(Clone)]
pub(crate) struct Carried(Arc<Inner>);

struct Inner {
    revocations: Option<Revocations>,
    session: Mutex<Option<(StoreKey, Record)>>,
}

impl Carried {
    pub(crate) fn new(revocations: Option<Revocations>) -> Self {
        Self(Arc::new(Inner { revocations, session: Mutex::default() }))
    }

    /// Takes in what came with the request.
    pub(crate) fn put(&self, key: &StoreKey, record: Record) {
        *self.session() = Some((key.clone(), record));
    }

    /// The record as it is by now.
    pub(crate) fn record(&self) -> Option<Record> {
        self.session().as_ref().map(|(_, record)| record.clone())
    }

    fn session(&self) -> MutexGuard<'_, Option<(StoreKey, Record)>> {
        self.0.session.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What `look` sees in the record, if it is alive and accepts the key's proof.
    fn look<T>(
        &self,
        key: &StoreKey,
        now: Timestamp,
        look: impl FnOnce(&Record) -> T,
    ) -> Option<T> {
        let session = self.session();
        let (_, record) = session.as_ref().filter(|(name, _)| name.same_session(key))?;
        record.admits(key, now).then(|| look(record))
    }

    fn find(&self, key: &StoreKey, now: Timestamp) -> Option<Record> {
        self.look(key, now, Record::clone)
    }

    /// The record, unless it has been revoked.
    async fn live(&self, key: &StoreKey, now: Timestamp) -> StoreResult<Option<Record>> {
        let Some(record) = self.find(key, now) else { return Ok(None) };
        let revoked = match &self.0.revocations {
            Some(revocations) => revocations.refuse(key, &record, now).await?,
            None => false,
        };
        Ok((!revoked).then_some(record))
    }

    /// Replaces the record if it is still the one of this revision.
    fn replace(&self, key: &StoreKey, expected: &Revision, mut record: Record) -> Swap {
        match &mut *self.session() {
            Some((name, present)) if name.same_session(key) => {
                if present.revision != *expected {
                    return Swap::Conflict;
                }
                let number = expected.as_number().unwrap_or_default() + 1;
                record.revision = Revision::number(number);
                *present = record;
                Swap::Done(Revision::number(number))
            }
            _ => Swap::Gone,
        }
    }
}

impl Store for Carried {
    async fn load(&self, key: &StoreKey, now: Timestamp) -> StoreResult<Option<Record>> {
        self.live(key, now).await
    }

    async fn create(
        &self,
        key: &StoreKey,
        record: &Record,
        now: Timestamp,
    ) -> StoreResult<Created> {
        let mut record = record.clone();
        if let Some(revocations) = &self.0.revocations {
            record.epochs.everybody = revocations.everybody(key.namespace(), now).await?;
            if let Some(user) = &record.user {
                record.epochs.user = revocations.of_user(key.namespace(), user, now).await?;
            }
        }
        *self.session() = Some((key.clone(), record));
        Ok(Created::Created)
    }

    async fn swap(
        &self,
        key: &StoreKey,
        expected: &Revision,
        new: &Record,
        now: Timestamp,
    ) -> StoreResult<Swap> {
        let mut new = new.clone();
        let succeed = |old: &Record, new: &mut Record| {
            let is_rotated = old.proofs.present != new.proofs.present;
            new.renewed = match is_rotated {
                // Later than what it takes the place of, whatever the clocks say.
                true => now.max(Timestamp::from_millis(old.renewed.as_millis() + 1)),
                false => old.renewed,
            };
            is_rotated
        };
        let Some(revocations) = &self.0.revocations else {
            return Ok(match self.look(key, now, |old| succeed(old, &mut new)) {
                Some(_) => self.replace(key, expected, new),
                None => Swap::Gone,
            });
        };
        let Some(old) = self.live(key, now).await? else { return Ok(Swap::Gone) };
        let is_rotated = succeed(&old, &mut new);
        if old.user != new.user
            && let Some(user) = &new.user
        {
            new.epochs.user = revocations.of_user(key.namespace(), user, now).await?;
        }
        if is_rotated {
            revocations.supersede(key, &new, now).await?;
        }
        Ok(self.replace(key, expected, new))
    }

    async fn delete(&self, key: &StoreKey, now: Timestamp) -> StoreResult<bool> {
        let record = self.find(key, now);
        if record.is_none() && key.proof().is_some() {
            return Ok(false);
        }
        match (&self.0.revocations, &record) {
            (Some(revocations), _) => revocations.end(key, record.as_ref(), now).await?,
            (None, Some(_)) => {}
            (None, None) => return Err(forgetful()),
        }
        *self.session() = None;
        Ok(true)
    }

    async fn sweep(&self, limit: u32, now: Timestamp) -> StoreResult<u32> {
        match &self.0.revocations {
            Some(revocations) => revocations.sweep(limit, now).await,
            None => Ok(0),
        }
    }

    async fn touch(&self, key: &StoreKey, until: Timestamp, now: Timestamp) -> StoreResult<bool> {
        let Some(mut record) = self.live(key, now).await? else { return Ok(false) };
        let revision = record.revision.clone();
        record.idle_deadline = record.touched(until, now);
        record.last_seen = record.last_seen.max(now);
        Ok(matches!(self.replace(key, &revision, record), Swap::Done(_)))
    }

    fn users(&self) -> Option<&impl UserIndex> {
        self.0.revocations.is_some().then_some(self)
    }

    fn epoch(&self) -> Option<&impl Epoch> {
        self.0.revocations.is_some().then_some(self)
    }

    fn watch(&self) -> Option<&impl Watch> {
        None::<&Absent>
    }

    fn validate(&self) -> Option<&impl Validate> {
        None::<&Absent>
    }
}

impl UserIndex for Carried {
    async fn list(&self, _: &Namespace, _: &UserId, _: Timestamp) -> StoreResult<Vec<Listed>> {
        Err(StoreError::new(
            StoreErrorKind::Other,
            "sessions that their clients keep cannot be listed; use a store on the server",
        ))
    }

    /// How many that ends, nobody knows.
    async fn revoke(
        &self,
        namespace: &Namespace,
        user: &UserId,
        keep: Option<&StoreKey>,
        now: Timestamp,
    ) -> StoreResult<u32> {
        let Some(revocations) = &self.0.revocations else { return Err(forgetful()) };
        let epoch = revocations.end_user(namespace, user, now).await?;
        if let (Some(keep), Some((name, record))) = (keep, &mut *self.session())
            && name.same_session(keep)
        {
            record.epochs.user = epoch;
        }
        Ok(0)
    }
}

impl Epoch for Carried {
    async fn revoke_everybody(&self, namespace: &Namespace, now: Timestamp) -> StoreResult<()> {
        let Some(revocations) = &self.0.revocations else { return Err(forgetful()) };
        revocations.end_everybody(namespace, now).await
    }
}

fn forgetful() -> StoreError {
    StoreError::new(
        StoreErrorKind::Other,
        "the sessions are kept by their clients, and nothing remembers which have ended; give a \
         store to `ClientStore::revocations`",
    )
}
