//! Clearing away what has expired, and what a process left behind that was killed.

use std::sync::PoisonError;

use tenure_core::Timestamp;
use tenure_core::store::StoreResult;

use crate::FileStore;
use crate::files::{Files, is_unreadable};
use crate::folder::Durable;
use crate::frame;
use crate::names::{self, Kind, Place, TEMPORARY, is_hex, stripe};

/// A folder with a 256th of the sessions of a namespace and kind.
#[derive(Clone, Debug, PartialEq)]
struct Shelf {
    space: String,
    kind: Kind,
    number: String,
}

/// What there is to do on a shelf.
#[derive(Debug, Default)]
struct Due {
    expired: Vec<Place>,
    /// Whether a file that is not in place yet was seen: one is while somebody writes, too.
    unfinished: bool,
}

impl FileStore {
    /// Goes around all folders, beginning where the last sweep came to its limit, so that a long
    /// list of calls reads each file about twice.
    pub(crate) async fn sweep_folders(&self, limit: u32, now: Timestamp) -> StoreResult<u32> {
        if limit == 0 {
            return Ok(0);
        }
        let mut shelves = self.reading(Files::shelves).await?;
        let cursor = || self.cursor.lock().unwrap_or_else(PoisonError::into_inner);
        let first = cursor().sessions.clone();
        let at = shelves.partition_point(|shelf| shelf.path() < first);
        shelves.rotate_left(at);
        let mut swept = 0;
        for shelf in shelves {
            let path = shelf.path();
            let looked = {
                let shelf = shelf.clone();
                self.reading(move |files| files.due(&shelf, now)).await?
            };
            if looked.expired.is_empty() && !looked.unfinished {
                continue;
            }
            let left = limit - swept;
            let sweeping = move |files: &Files| files.sweep(&shelf, looked, left, now);
            swept += self.working(stripe_of(&path), sweeping).await?;
            if swept >= limit {
                cursor().sessions = path;
                return Ok(swept);
            }
        }
        self.sweep_people().await?;
        Ok(swept)
    }

    /// Removes entries of users without a session, which only a crash leaves: in one folder a call,
    /// since this is not urgent.
    async fn sweep_people(&self) -> StoreResult<()> {
        let last = {
            let cursor = self.cursor.lock().unwrap_or_else(PoisonError::into_inner);
            cursor.users.clone()
        };
        let Some((here, stale)) = self.reading(move |files| files.lost(&last)).await? else {
            return Ok(());
        };
        for (place, person) in stale {
            self.working(place.stripe(), move |files| files.tidy(&place, &person)).await?;
        }
        self.cursor.lock().unwrap_or_else(PoisonError::into_inner).users = here;
        Ok(())
    }
}

impl Shelf {
    fn path(&self) -> String {
        format!("{}/{}/{}", self.space, self.kind.folder(), self.number)
    }

    fn place(&self, file: &str) -> Option<Place> {
        let file = file.to_owned();
        let named = is_hex(&file) && file.starts_with(&self.number);
        named.then(|| Place { space: self.space.clone(), kind: self.kind, file })
    }
}

fn stripe_of(shelf: &str) -> usize {
    shelf.rsplit('/').next().map(stripe).unwrap_or_default()
}

impl Files {
    /// All folders of sessions, in order.
    fn shelves(&self) -> StoreResult<Vec<Shelf>> {
        let mut shelves = Vec::new();
        for space in self.spaces()? {
            for kind in Kind::BOTH {
                for number in self.folder.names(&format!("{space}/{}", kind.folder()))? {
                    if is_hex(&number) && number.len() == 2 {
                        shelves.push(Shelf { space: space.clone(), kind, number });
                    }
                }
            }
        }
        shelves.sort_by_cached_key(Shelf::path);
        Ok(shelves)
    }

    /// The folders of namespaces.
    fn spaces(&self) -> StoreResult<Vec<String>> {
        let mut names = self.folder.names(".")?;
        names.retain(|name| is_hex(name));
        names.sort_unstable();
        Ok(names)
    }

    /// Looks through a shelf without a lock.
    fn due(&self, shelf: &Shelf, now: Timestamp) -> StoreResult<Due> {
        let mut due = Due::default();
        for name in self.folder.names(&shelf.path())? {
            if name.starts_with(TEMPORARY) {
                due.unfinished = true;
            } else if let Some(place) = shelf.place(&name)
                && self.is_expired(&place, now)?
            {
                due.expired.push(place);
            }
        }
        Ok(due)
    }

    /// What cannot be read is not known to have expired.
    fn is_expired(&self, place: &Place, now: Timestamp) -> StoreResult<bool> {
        let start = self.folder.start(&place.path())?;
        Ok(start.and_then(|start| frame::deadline(&start)).is_some_and(|deadline| deadline <= now))
    }

    /// Looks again under the lock, and removes at most `limit` sessions.
    fn sweep(&self, shelf: &Shelf, due: Due, limit: u32, now: Timestamp) -> StoreResult<u32> {
        let path = shelf.path();
        let _lock = self.folder.lock(&path)?;
        if due.unfinished {
            // Whoever writes has the lock, so what is there now was left behind.
            for name in self.folder.names(&path)? {
                if name.starts_with(TEMPORARY) {
                    self.folder.remove(&path, &name, Durable::OldOrNew)?;
                }
            }
        }
        let mut swept = 0;
        for place in due.expired {
            if swept == limit {
                break;
            }
            if self.is_expired(&place, now)? {
                let user = match self.read(&place) {
                    Ok(found) => found.and_then(|found| found.record.user),
                    Err(error) if is_unreadable(&error) => None,
                    Err(error) => return Err(error),
                };
                swept += u32::from(self.remove(&place, user.as_ref())?);
            }
        }
        Ok(swept)
    }

    /// Entries without a session, in the folder of users after `last`.
    #[expect(clippy::type_complexity, reason = "used once")]
    fn lost(&self, last: &str) -> StoreResult<Option<(String, Vec<(Place, String)>)>> {
        let mut folders = Vec::new();
        for space in self.spaces()? {
            let users = names::users(&space);
            for number in self.folder.names(&users)? {
                folders.push((format!("{users}/{number}"), space.clone()));
            }
        }
        folders.sort_unstable();
        let next = folders.iter().find(|(folder, _)| folder.as_str() > last);
        let Some((folder, space)) = next.or(folders.first()) else { return Ok(None) };
        let mut lost = Vec::new();
        for person in self.folder.names(folder)? {
            let entries = format!("{folder}/{person}");
            for name in self.folder.names(&entries)? {
                if let Some(place) = Place::of_entry(space, &name)
                    && !self.folder.has(&place.path())?
                {
                    lost.push((place, person.clone()));
                }
            }
            self.folder.remove_empty(&entries);
        }
        Ok(Some((folder.clone(), lost)))
    }
}
