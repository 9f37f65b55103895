//! The sessions of a user, and the epochs.

use tenure_core::store::{Epoch, Listed, StoreKey, StoreResult, UserIndex};
use tenure_core::{Namespace, Timestamp, UserId};

use crate::FileStore;
use crate::files::{Files, Found, is_unreadable};
use crate::names::{self, EVERYBODY, Place};

impl UserIndex for FileStore {
    async fn list(
        &self,
        namespace: &Namespace,
        user: &UserId,
        now: Timestamp,
    ) -> StoreResult<Vec<Listed>> {
        let (namespace, owner) = (namespace.clone(), user.clone());
        let (listed, stale) =
            self.reading(move |files| files.list(&namespace, &owner, now)).await?;
        for place in stale {
            let person = names::person(user);
            self.working(place.stripe(), move |files| files.tidy(&place, &person)).await?;
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
        let (space, person) = (names::space(namespace), names::person(user));
        // First of all everything is dead, then it is counted and removed.
        let epoch = {
            let (space, person, moves) = (space.clone(), person.clone(), keep.is_none());
            self.moving(move |files| {
                if moves { files.move_epoch(&space, &person) } else { files.epoch(&space, &person) }
            })
            .await?
        };
        let places = self.reading(move |files| files.entries(&space, &person)).await?;
        let kept = keep.map(Place::of);
        let mut revoked = 0;
        for place in places {
            if kept.as_ref() != Some(&place) {
                let (stripe, user) = (place.stripe(), user.clone());
                let ending = move |files: &Files| files.end(&place, &user, epoch, now);
                revoked += u32::from(self.working(stripe, ending).await?);
            }
        }
        Ok(revoked)
    }
}

impl Epoch for FileStore {
    async fn revoke_everybody(&self, namespace: &Namespace, _now: Timestamp) -> StoreResult<()> {
        let space = names::space(namespace);
        self.moving(move |files| files.move_epoch(&space, EVERYBODY)).await.map(drop)
    }
}

impl Files {
    /// The sessions that have an entry under a user.
    fn entries(&self, space: &str, person: &str) -> StoreResult<Vec<Place>> {
        let names = self.folder.names(&names::entries(space, person))?;
        Ok(names.iter().filter_map(|name| Place::of_entry(space, name)).collect())
    }

    /// The live sessions of a user, and those whose entry seems to be too many.
    fn list(
        &self,
        namespace: &Namespace,
        user: &UserId,
        now: Timestamp,
    ) -> StoreResult<(Vec<Listed>, Vec<Place>)> {
        let space = names::space(namespace);
        let (mut listed, mut stale) = (Vec::new(), Vec::new());
        for place in self.entries(&space, &names::person(user))? {
            match self.read(&place)? {
                Some(Found { record, foreign }) if record.user.as_ref() == Some(user) => {
                    if let Some(key) = key(namespace, &place, foreign)
                        && self.is_alive(&space, &record, now)?
                    {
                        listed.push(Listed::new(key, record));
                    }
                }
                _ => stale.push(place),
            }
        }
        Ok((listed, stale))
    }

    /// Removes the entry of a session under somebody, unless it is theirs. Under the lock none is
    /// about to be.
    pub(crate) fn tidy(&self, place: &Place, person: &str) -> StoreResult<()> {
        let _lock = self.folder.lock(&place.shelf())?;
        let theirs = match self.read(place) {
            Ok(found) => found.and_then(|found| found.record.user),
            Err(error) if is_unreadable(&error) => return Ok(()),
            Err(error) => return Err(error),
        };
        if theirs.is_none_or(|user| names::person(&user) != person) {
            self.forget(place, person);
        }
        Ok(())
    }

    /// Ends a session of a user, and tells whether it was alive before their epoch moved.
    fn end(&self, place: &Place, user: &UserId, epoch: u64, now: Timestamp) -> StoreResult<bool> {
        let _lock = self.folder.lock(&place.shelf())?;
        let record = match self.read(place) {
            Ok(found) => found.map(|found| found.record),
            // What cannot be read may be theirs, and is of no use to anybody.
            Err(error) if is_unreadable(&error) => {
                self.remove(place, Some(user))?;
                return Ok(false);
            }
            Err(error) => return Err(error),
        };
        let Some(record) = record.filter(|record| record.user.as_ref() == Some(user)) else {
            self.forget(place, &names::person(user));
            return Ok(false);
        };
        let everybody = self.epoch(&place.space, EVERYBODY)?;
        let seen = record.epochs.user >= epoch && record.epochs.everybody >= everybody;
        if record.epochs.user > epoch {
            // They have logged in again since.
            return Ok(false);
        }
        self.remove(place, Some(user))?;
        Ok(seen && record.is_alive(now))
    }
}

/// The key of a session, without a proof.
fn key(namespace: &Namespace, place: &Place, foreign: Option<String>) -> Option<StoreKey> {
    match (place.handle(), foreign) {
        (Some(handle), _) => Some(StoreKey::new(namespace.clone(), handle)),
        (None, Some(id)) => Some(StoreKey::foreign(namespace.clone(), id)),
        (None, None) => None,
    }
}
