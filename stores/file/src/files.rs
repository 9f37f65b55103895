//! What is done to sessions, each function a step that blocks. Those that change something lock the
//! session's folder first; the caller holds its turn in this process.

use std::sync::Arc;

use tenure_core::Timestamp;
use tenure_core::format::RecordFormat;
use tenure_core::id::{CommitId, UserId};
use tenure_core::store::{
    Applied, Created, Epochs, Patch, Record, Rejected, Revision, Steps, StoreError, StoreErrorKind,
    StoreKey, StoreResult, Swap, Verdict,
};
use tenure_core::value::Data;

use crate::error::corrupt;
use crate::folder::{Durable, Folder};
use crate::frame::{self, Broken, Head, MAX_ID};
use crate::names::{self, EVERYBODY, Kind, Place};

/// The sessions in a folder.
#[derive(Debug)]
pub(crate) struct Files {
    pub(crate) folder: Folder,
    pub(crate) format: Arc<dyn RecordFormat>,
}

/// A session that was read: the record, and its id if that is a foreign one.
#[derive(Debug)]
pub(crate) struct Found {
    pub(crate) record: Record,
    pub(crate) foreign: Option<String>,
}

impl Files {
    pub(crate) fn load(&self, key: &StoreKey, now: Timestamp) -> StoreResult<Option<Record>> {
        self.live(key, &Place::of(key), now).map(|found| found.filter(|r| r.admits(key, now)))
    }

    pub(crate) fn create(
        &self,
        key: &StoreKey,
        record: &Record,
        now: Timestamp,
    ) -> StoreResult<Created> {
        let place = Place::of(key);
        if place.kind == Kind::Foreign && key.name().as_bytes().len() > MAX_ID {
            let long = format!("an id of more than {} KiB names no session", MAX_ID >> 10);
            return Err(StoreError::new(StoreErrorKind::TooLarge, long));
        }
        let _lock = self.folder.lock(&place.shelf())?;
        let old = self.read(&place)?.map(|found| found.record);
        if let Some(there) = &old
            && self.is_alive(&place.space, there, now)?
        {
            let commit = record.commits.first();
            let repeated = commit.is_some_and(|(id, _)| remembers(there, *id));
            return Ok(if repeated { Created::Created } else { Created::Collision });
        }
        let mut record = record.clone();
        record.revision = Revision::first(&record);
        record.epochs = self.epochs(&place.space, record.user.as_ref())?;
        self.put(key, &place, old.as_ref(), &record, Durable::Yes)?;
        Ok(Created::Created)
    }

    pub(crate) fn swap(
        &self,
        key: &StoreKey,
        expected: &Revision,
        new: &Record,
        now: Timestamp,
    ) -> StoreResult<Swap> {
        let place = Place::of(key);
        if !self.folder.has(&place.path())? {
            return Ok(Swap::Gone);
        }
        let _lock = self.folder.lock(&place.shelf())?;
        match self.live(key, &place, now)?.filter(|record| record.admits(key, now)) {
            None => Ok(Swap::Gone),
            Some(old) if old.revision != *expected => Ok(Swap::Conflict),
            Some(old) => {
                self.succeed(key, &place, &old, new.clone()).map(|new| Swap::Done(new.revision))
            }
        }
    }

    /// Commits a patch; or gives the data on which its closures have to run first.
    pub(crate) fn apply(
        &self,
        key: &StoreKey,
        patch: &Patch,
        steps: Option<&Steps>,
        now: Timestamp,
    ) -> StoreResult<Result<Applied, Data>> {
        let place = Place::of(key);
        if !self.folder.has(&place.path())? {
            return Ok(Ok(Applied::Gone));
        }
        let _lock = self.folder.lock(&place.shelf())?;
        let Some(old) = self.live(key, &place, now)? else { return Ok(Ok(Applied::Gone)) };
        let verdict = match steps {
            Some(steps) => Some(old.commit(key, patch, steps, now)),
            None => old.answered(key, patch, now),
        };
        Ok(match verdict {
            Some(Verdict::Done(next)) => {
                let next = self.succeed(key, &place, &old, *next)?;
                Ok(Applied::Done(Some(Box::new(next))))
            }
            Some(Verdict::AlreadyDone) => Ok(Applied::Done(Some(Box::new(old)))),
            Some(Verdict::Rejected(Rejected::Refused(refused))) => Ok(Applied::Refused(refused)),
            Some(Verdict::Rejected(Rejected::Changed(_))) | None => Err(old.data),
            _ => Ok(Applied::Gone),
        })
    }

    pub(crate) fn touch(
        &self,
        key: &StoreKey,
        until: Timestamp,
        now: Timestamp,
    ) -> StoreResult<bool> {
        let place = Place::of(key);
        if !self.folder.has(&place.path())? {
            return Ok(false);
        }
        let _lock = self.folder.lock(&place.shelf())?;
        let Some(old) = self.live(key, &place, now)?.filter(|old| old.admits(key, now)) else {
            return Ok(false);
        };
        let mut new = old.clone();
        new.idle_deadline = old.touched(until, now);
        new.last_seen = old.last_seen.max(now);
        new.revision = after(&old.revision);
        // A power cut may undo a touch: the session then ends earlier.
        self.put(key, &place, Some(&old), &new, Durable::OldOrNew)?;
        Ok(true)
    }

    /// Deletes what admits it, and what cannot be read: nobody can use that.
    pub(crate) fn delete(&self, key: &StoreKey, now: Timestamp) -> StoreResult<bool> {
        let place = Place::of(key);
        if !self.folder.has(&place.path())? {
            return Ok(false);
        }
        let _lock = self.folder.lock(&place.shelf())?;
        match self.read(&place) {
            Ok(None) => Ok(false),
            Ok(Some(Found { record, .. })) => {
                let admitted =
                    self.is_alive(&place.space, &record, now)? && record.admits_delete(key, now);
                if admitted { self.remove(&place, record.user.as_ref()) } else { Ok(false) }
            }
            Err(error) if is_unreadable(&error) => {
                // Another version of this crate may read it, and knows whether the proof is good.
                if error.kind() == StoreErrorKind::UnknownVersion && key.proof().is_some() {
                    return Err(error);
                }
                self.remove(&place, None)
            }
            Err(error) => Err(error),
        }
    }

    /// The record at `place` if it is alive, unless `key` was made for administration.
    fn live(&self, key: &StoreKey, place: &Place, now: Timestamp) -> StoreResult<Option<Record>> {
        if key.handle().is_some() && key.proof().is_none() {
            return Ok(None);
        }
        self.inspect(place, now)
    }

    /// The record at `place`, if it is alive.
    pub(crate) fn inspect(&self, place: &Place, now: Timestamp) -> StoreResult<Option<Record>> {
        let Some(Found { record, .. }) = self.read(place)? else { return Ok(None) };
        Ok(self.is_alive(&place.space, &record, now)?.then_some(record))
    }

    /// What lies at `place`, alive or not.
    pub(crate) fn read(&self, place: &Place) -> StoreResult<Option<Found>> {
        let path = place.path();
        let Some(octets) = self.folder.read(&path)? else { return Ok(None) };
        let broken = |broken| match broken {
            Broken::Version => StoreError::new(
                StoreErrorKind::UnknownVersion,
                format!(
                    "{} was written by another version of tenure-file",
                    self.folder.full(&path).display()
                ),
            ),
            Broken::Foreign => corrupt(&self.folder.full(&path), "it is no session's file"),
            Broken::Damaged => corrupt(
                &self.folder.full(&path),
                "a part of it is missing or changed, or it is the file of another session",
            ),
        };
        let (head, body) = frame::read(place, &octets).map_err(broken)?;
        let mut record = self.format.decode(body).map_err(|error| {
            let kind = StoreError::from(error).kind();
            let path = self.folder.full(&path);
            StoreError::new(kind, format!("{}: {error}", path.display()))
        })?;
        record.revision = Revision::number(head.revision);
        record.epochs = head.epochs;
        Ok(Some(Found { record, foreign: head.foreign }))
    }

    pub(crate) fn is_alive(
        &self,
        space: &str,
        record: &Record,
        now: Timestamp,
    ) -> StoreResult<bool> {
        if !record.is_alive(now) {
            return Ok(false);
        }
        let newest = self.epochs(space, record.user.as_ref())?;
        Ok(record.epochs.everybody >= newest.everybody && record.epochs.user >= newest.user)
    }

    fn epochs(&self, space: &str, user: Option<&UserId>) -> StoreResult<Epochs> {
        let user = user.map_or(Ok(0), |user| self.epoch(space, &names::person(user)))?;
        Ok(Epochs { everybody: self.epoch(space, EVERYBODY)?, user })
    }

    /// How often the sessions of `whose` were ended.
    pub(crate) fn epoch(&self, space: &str, whose: &str) -> StoreResult<u64> {
        let path = format!("{}/{whose}", names::epochs(space));
        let Some(octets) = self.folder.read(&path)? else { return Ok(0) };
        let number = str::from_utf8(&octets).ok().and_then(|text| text.strip_suffix('\n'));
        number.and_then(|number| number.parse().ok()).ok_or_else(|| {
            // To remove it would bring back what it ended.
            StoreError::new(
                StoreErrorKind::Corrupt,
                format!(
                    "{}: it holds no number; write into it how often its sessions were ended, or \
                     one that is surely larger",
                    self.folder.full(&path).display()
                ),
            )
        })
    }

    /// Ends all sessions of `whose` that exist by now, and gives the epoch before.
    pub(crate) fn move_epoch(&self, space: &str, whose: &str) -> StoreResult<u64> {
        let folder = names::epochs(space);
        let _lock = self.folder.lock(&folder)?;
        let before = self.epoch(space, whose)?;
        let octets = format!("{}\n", before + 1).into_bytes();
        self.folder.replace(&folder, whose, &octets, Durable::Yes)?;
        Ok(before)
    }

    /// Puts `new` in the place of `old`, as the version after it.
    fn succeed(
        &self,
        key: &StoreKey,
        place: &Place,
        old: &Record,
        mut new: Record,
    ) -> StoreResult<Record> {
        new.revision = after(&old.revision);
        new.epochs = old.epochs;
        if new.user != old.user {
            new.epochs.user = self.epochs(&place.space, new.user.as_ref())?.user;
        }
        self.put(key, place, Some(old), &new, Durable::Yes)?;
        Ok(new)
    }

    /// Writes a record. Its user has the entry before the session, so that none is ever missing;
    /// what is too many is found out where it is read.
    fn put(
        &self,
        key: &StoreKey,
        place: &Place,
        old: Option<&Record>,
        new: &Record,
        durable: Durable,
    ) -> StoreResult<()> {
        let body = self.format.encode(new)?.bytes;
        let foreign = match place.kind {
            Kind::Handle => None,
            Kind::Foreign => str::from_utf8(key.name().as_bytes()).ok().map(str::to_owned),
        };
        let head = Head {
            revision: new.revision.as_number().unwrap_or_default(),
            deadline: new.deadline(),
            epochs: new.epochs,
            foreign,
        };
        let octets = frame::write(place, &head, &body);
        if octets.len() > frame::MAX_FILE {
            let large = "the session is over 4 MiB; keep large data elsewhere and its key in it";
            return Err(StoreError::new(StoreErrorKind::TooLarge, large));
        }
        if let Some(user) = &new.user {
            let entries = names::entries(&place.space, &names::person(user));
            self.folder.note(&entries, &place.entry())?;
        }
        self.folder.replace(&place.shelf(), &place.file, &octets, durable)?;
        if let Some(user) = old.and_then(|old| old.user.as_ref())
            && new.user.as_ref() != Some(user)
        {
            self.forget(place, &names::person(user));
        }
        Ok(())
    }

    /// Removes a session, and its entry under its user.
    pub(crate) fn remove(&self, place: &Place, user: Option<&UserId>) -> StoreResult<bool> {
        let removed = self.folder.remove(&place.shelf(), &place.file, Durable::Yes)?;
        if let Some(user) = user {
            self.forget(place, &names::person(user));
        }
        Ok(removed)
    }

    /// Removes the entry of a session under somebody whose it is no longer. One that stays is
    /// removed when it is found.
    pub(crate) fn forget(&self, place: &Place, person: &str) {
        let entries = names::entries(&place.space, person);
        let _ = self.folder.remove(&entries, &place.entry(), Durable::OldOrNew);
        self.folder.remove_empty(&entries);
    }
}

/// Whether the file is there and holds no session that can be read.
pub(crate) fn is_unreadable(error: &StoreError) -> bool {
    matches!(error.kind(), StoreErrorKind::Corrupt | StoreErrorKind::UnknownVersion)
}

fn remembers(record: &Record, commit: CommitId) -> bool {
    record.commits.iter().any(|(id, _)| *id == commit)
}

fn after(revision: &Revision) -> Revision {
    Revision::number(revision.as_number().unwrap_or_default() + 1)
}
