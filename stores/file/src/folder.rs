//! The folder, and what is done in it. All of it blocks, so it runs on threads of its own.
//!
//! Paths are relative to the handle of the folder that was checked at the start: whatever becomes
//! of its name later, no other folder is taken for it.

use std::fs::File;
use std::io::{self, Read, Write};
use std::os::fd::{AsFd, OwnedFd};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use rustix::fs::{AtFlags, Dir, Mode, OFlags, Stat};
use rustix::io::Errno;
use tenure_core::store::StoreResult;

use crate::error::{corrupt, failed};
use crate::frame::{MAX_FILE, START};
use crate::names::{LOCK, TEMPORARY};

/// Files and folders are their owner's alone.
pub(crate) const PRIVATE_FILE: Mode = Mode::RUSR.union(Mode::WUSR);
pub(crate) const PRIVATE_FOLDER: Mode = Mode::RWXU;

/// How sure a change has to be after a power cut.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Durable {
    /// It is on the disk.
    Yes,
    /// It is, or what was before it.
    OldOrNew,
}

/// The folder of a store.
#[derive(Debug)]
pub(crate) struct Folder {
    handle: OwnedFd,
    path: PathBuf,
    /// Whether to wait for the disk at all.
    waits: bool,
    temporary: AtomicU64,
}

/// Held while other processes must not change a folder.
#[derive(Debug)]
pub(crate) struct Locked(#[expect(dead_code, reason = "closing it unlocks")] File);

impl Folder {
    pub(crate) fn new(handle: OwnedFd, path: PathBuf, waits: bool) -> Self {
        Self { handle, path, waits, temporary: AtomicU64::new(0) }
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// The whole path, for messages.
    pub(crate) fn full(&self, path: &str) -> PathBuf {
        self.path.join(path)
    }

    /// The octets of a file, if it is there.
    pub(crate) fn read(&self, path: &str) -> StoreResult<Option<Vec<u8>>> {
        let Some(file) = self.open(path)? else { return Ok(None) };
        let mut octets = Vec::new();
        let limit = MAX_FILE as u64 + 1;
        file.take(limit)
            .read_to_end(&mut octets)
            .map_err(|error| failed("read", &self.full(path), error))?;
        if octets.len() > MAX_FILE {
            return Err(corrupt(&self.full(path), "it is too large for a session"));
        }
        Ok(Some(octets))
    }

    /// The first octets of a file, if it is there.
    pub(crate) fn start(&self, path: &str) -> StoreResult<Option<Vec<u8>>> {
        let Some(file) = self.open(path)? else { return Ok(None) };
        let mut octets = Vec::with_capacity(START);
        file.take(START as u64)
            .read_to_end(&mut octets)
            .map_err(|error| failed("read", &self.full(path), error))?;
        Ok(Some(octets))
    }

    fn open(&self, path: &str) -> StoreResult<Option<File>> {
        // Without NONBLOCK a pipe that somebody put there would keep the thread.
        let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::CLOEXEC | OFlags::NONBLOCK;
        match rustix::fs::openat(&self.handle, path, flags, Mode::empty()) {
            Ok(file) => Ok(Some(file.into())),
            Err(Errno::NOENT) => self.is_there().map(|()| None),
            Err(error) => Err(failed("read", &self.full(path), error)),
        }
    }

    /// Whether there is a file or folder of this name.
    pub(crate) fn has(&self, path: &str) -> StoreResult<bool> {
        self.stat(path).map(|stat| stat.is_some())
    }

    /// What is known of a file or folder without opening it, if it is there.
    pub(crate) fn stat(&self, path: &str) -> StoreResult<Option<Stat>> {
        match rustix::fs::statat(&self.handle, path, AtFlags::SYMLINK_NOFOLLOW) {
            Ok(stat) => Ok(Some(stat)),
            Err(Errno::NOENT) => self.is_there().map(|()| None),
            Err(error) => Err(failed("read", &self.full(path), error)),
        }
    }

    /// A session that is missing is no session; a folder that is missing is a store that is down.
    fn is_there(&self) -> StoreResult<()> {
        match rustix::fs::fstat(&self.handle) {
            Ok(stat) if stat.st_nlink > 0 => Ok(()),
            Ok(_) => Err(failed("used any more: it was removed", &self.path, Errno::NOENT)),
            Err(error) => Err(failed("read", &self.path, error)),
        }
    }

    /// The names in a folder, none if it is missing.
    pub(crate) fn names(&self, folder: &str) -> StoreResult<Vec<String>> {
        let broken = |error: io::Error| failed("listed", &self.full(folder), error);
        let Some(handle) = self.open_folder(folder).map_err(broken)? else {
            return self.is_there().map(|()| Vec::new());
        };
        let mut names = Vec::new();
        for entry in Dir::read_from(handle).map_err(|error| broken(error.into()))? {
            let entry = entry.map_err(|error| broken(error.into()))?;
            // What is no text was not made by us.
            if let Ok(name) = entry.file_name().to_str()
                && !matches!(name, "." | "..")
            {
                names.push(name.to_owned());
            }
        }
        // A folder that was removed reads as an empty one.
        if names.is_empty() { self.is_there().map(|()| names) } else { Ok(names) }
    }

    /// Puts `octets` in the place of `folder/file`, whose folder the caller has locked: wholly or
    /// not at all.
    pub(crate) fn replace(
        &self,
        folder: &str,
        file: &str,
        octets: &[u8],
        durable: Durable,
    ) -> StoreResult<()> {
        let number = self.temporary.fetch_add(1, Ordering::Relaxed);
        let temporary = format!("{folder}/{TEMPORARY}{:x}-{number:x}", std::process::id());
        let path = format!("{folder}/{file}");
        let broken = |error| failed("written", &self.full(&path), error);
        let written = self.write_new(&temporary, octets).and_then(|()| {
            Ok(rustix::fs::renameat(&self.handle, &temporary, &self.handle, &path)?)
        });
        if let Err(error) = written {
            // A disk that is full is no fuller for it; if this fails too, a sweep does it.
            let _ = rustix::fs::unlinkat(&self.handle, &temporary, AtFlags::empty());
            return Err(broken(error));
        }
        if durable == Durable::Yes { self.sync(folder).map_err(broken) } else { Ok(()) }
    }

    fn write_new(&self, path: &str, octets: &[u8]) -> io::Result<()> {
        let make = || {
            let flags =
                OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
            rustix::fs::openat(&self.handle, path, flags, PRIVATE_FILE)
        };
        let handle = match make() {
            // Of a process with our number that was killed: the lock tells that none is at work.
            Err(Errno::EXIST) => {
                rustix::fs::unlinkat(&self.handle, path, AtFlags::empty())?;
                make()
            }
            made => made,
        };
        let mut file = File::from(handle?);
        file.write_all(octets)?;
        if self.waits { file.sync_all() } else { Ok(()) }
    }

    /// Removes a file, and tells whether it was there.
    pub(crate) fn remove(&self, folder: &str, file: &str, durable: Durable) -> StoreResult<bool> {
        let path = format!("{folder}/{file}");
        let broken = |error: io::Error| failed("removed", &self.full(&path), error);
        match rustix::fs::unlinkat(&self.handle, &path, AtFlags::empty()) {
            Ok(()) if durable == Durable::Yes => self.sync(folder).map_err(broken).map(|()| true),
            Ok(()) => Ok(true),
            Err(Errno::NOENT) => Ok(false),
            Err(error) => Err(broken(error.into())),
        }
    }

    /// Removes a folder if nothing is in it.
    pub(crate) fn remove_empty(&self, folder: &str) {
        // Whoever puts something there meanwhile makes it fail, or makes the folder again.
        let _ = rustix::fs::unlinkat(&self.handle, folder, AtFlags::REMOVEDIR);
    }

    /// Makes an empty file, and what folders it needs, unless it is there.
    pub(crate) fn note(&self, folder: &str, file: &str) -> StoreResult<()> {
        let path = format!("{folder}/{file}");
        let broken = |error: io::Error| failed("made", &self.full(&path), error);
        let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::CLOEXEC;
        loop {
            match rustix::fs::openat(&self.handle, &path, flags, PRIVATE_FILE) {
                Ok(_) => return self.sync(folder).map_err(broken),
                Err(Errno::EXIST) => return Ok(()),
                // Somebody may remove the folder again, since it is empty.
                Err(Errno::NOENT) => self.make(folder)?,
                Err(error) => return Err(broken(error.into())),
            }
        }
    }

    /// Waits until no other process changes `folder`, which is made if it is missing.
    ///
    /// The lock file stays where it is, one a folder, and is no session's: the file of a session is
    /// another one after each change.
    pub(crate) fn lock(&self, folder: &str) -> StoreResult<Locked> {
        let path = format!("{folder}/{LOCK}");
        let broken = |error: io::Error| failed("locked", &self.full(&path), error);
        let flags = OFlags::RDWR | OFlags::CREATE | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        loop {
            let file = match rustix::fs::openat(&self.handle, &path, flags, PRIVATE_FILE) {
                Ok(file) => File::from(file),
                Err(Errno::NOENT) => {
                    self.make(folder)?;
                    continue;
                }
                Err(error) => return Err(broken(error.into())),
            };
            match file.lock() {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                locked => locked.map_err(broken)?,
            }
            // Whoever removed the file meanwhile would let another process lock a second one.
            let ours = rustix::fs::fstat(&file).map_err(|error| broken(error.into()))?;
            match rustix::fs::statat(&self.handle, &path, AtFlags::SYMLINK_NOFOLLOW) {
                Ok(there) if (there.st_dev, there.st_ino) == (ours.st_dev, ours.st_ino) => {
                    return Ok(Locked(file));
                }
                Ok(_) | Err(Errno::NOENT) => {}
                Err(error) => return Err(broken(error.into())),
            }
        }
    }

    /// Makes a folder, and those above it, unless they are there.
    fn make(&self, folder: &str) -> StoreResult<()> {
        self.is_there()?;
        let ends = folder.match_indices('/').map(|(at, _)| at).chain([folder.len()]);
        let mut above = ".";
        for end in ends {
            let part = &folder[..end];
            let broken = |error: io::Error| failed("made", &self.full(part), error);
            match rustix::fs::mkdirat(&self.handle, part, PRIVATE_FOLDER) {
                Ok(()) => self.sync(above).map_err(broken)?,
                Err(Errno::EXIST) => {}
                // Somebody removed the one above, since it was empty; the caller comes again.
                Err(Errno::NOENT) => return self.is_there(),
                Err(error) => return Err(broken(error.into())),
            }
            above = part;
        }
        Ok(())
    }

    fn sync(&self, folder: &str) -> io::Result<()> {
        if !self.waits {
            return Ok(());
        }
        match self.open_folder(folder)? {
            Some(folder) => Ok(rustix::fs::fsync(folder)?),
            None => Ok(()),
        }
    }

    fn open_folder(&self, folder: &str) -> io::Result<Option<OwnedFd>> {
        match open_folder(&self.handle, folder) {
            Ok(handle) => Ok(Some(handle)),
            Err(Errno::NOENT) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }
}

/// Opens a folder, but none behind a link.
pub(crate) fn open_folder(at: impl AsFd, folder: impl rustix::path::Arg) -> Result<OwnedFd, Errno> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    rustix::fs::openat(at, folder, flags, Mode::empty())
}
