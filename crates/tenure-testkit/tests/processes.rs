//! The suite on a store that outlives its process: a file a session, and one lock for all. It also
//! shows what a store of the simplest kind looks like.

use std::fs::{self, File};
use std::path::{Path, PathBuf};

use tenure_core::Timestamp;
use tenure_core::format::{Envelope, RecordFormat};
use tenure_core::store::{
    Created, Record, Revision, Store, StoreError, StoreErrorKind, StoreKey, StoreResult, Swap,
};
use tenure_testkit::store::Finding;
use tenure_testkit::{StoreHarness, laws, store_suite};

struct Files {
    folder: PathBuf,
    /// Without it two processes read, and then both write.
    locks: bool,
}

impl Files {
    fn at(folder: &Path, locks: bool) -> Self {
        fs::create_dir_all(folder).expect("the folder can be made");
        Self { folder: folder.to_owned(), locks }
    }

    /// The lock is held until the file is dropped.
    fn lock(&self) -> StoreResult<File> {
        let lock = File::create(self.folder.join("lock")).map_err(broken)?;
        if self.locks {
            lock.lock().map_err(broken)?;
        }
        Ok(lock)
    }

    fn path(&self, key: &StoreKey) -> PathBuf {
        let hex = |bytes: &[u8]| bytes.iter().map(|b| format!("{b:02x}")).collect::<String>();
        let kind = if key.handle().is_some() { "h" } else { "f" };
        let space = hex(key.namespace().as_str().as_bytes());
        self.folder.join(format!("{space}-{kind}{}", hex(key.name().as_bytes())))
    }

    fn read(&self, path: &Path) -> StoreResult<Option<Record>> {
        let bytes = match fs::read(path) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            bytes => bytes.map_err(broken)?,
        };
        let (revision, record) =
            bytes.split_first_chunk().ok_or_else(|| broken("it has no revision"))?;
        let mut record = Envelope.decode(record)?;
        record.revision = Revision::number(u64::from_be_bytes(*revision));
        Ok(Some(record))
    }

    /// Writes `record` as the one that comes after `before`.
    fn write(&self, path: &Path, before: &Revision, record: &Record) -> StoreResult<Revision> {
        let revision = before.as_number().unwrap_or_default() + 1;
        let bytes = [&revision.to_be_bytes()[..], &Envelope.encode(record)?.bytes].concat();
        let new = path.with_extension("new");
        fs::write(&new, bytes).map_err(broken)?;
        fs::rename(&new, path).map_err(broken)?;
        Ok(Revision::number(revision))
    }
}

fn broken(error: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> StoreError {
    StoreError::new(StoreErrorKind::Other, error)
}

impl Store for Files {
    async fn load(&self, key: &StoreKey, now: Timestamp) -> StoreResult<Option<Record>> {
        Ok(self.read(&self.path(key))?.filter(|record| record.admits(key, now)))
    }

    async fn create(
        &self,
        key: &StoreKey,
        record: &Record,
        now: Timestamp,
    ) -> StoreResult<Created> {
        let (_lock, path) = (self.lock()?, self.path(key));
        if let Some(there) = self.read(&path)?.filter(|record| record.is_alive(now)) {
            let known = record.commits.iter().any(|commit| there.commits.contains(commit));
            return Ok(if known { Created::Created } else { Created::Collision });
        }
        self.write(&path, &Revision::first(record), record)?;
        Ok(Created::Created)
    }

    async fn swap(
        &self,
        key: &StoreKey,
        expected: &Revision,
        new: &Record,
        now: Timestamp,
    ) -> StoreResult<Swap> {
        let (_lock, path) = (self.lock()?, self.path(key));
        match self.read(&path)?.filter(|record| record.admits(key, now)) {
            None => Ok(Swap::Gone),
            Some(record) if record.revision != *expected => Ok(Swap::Conflict),
            Some(record) => Ok(Swap::Done(self.write(&path, &record.revision, new)?)),
        }
    }

    async fn delete(&self, key: &StoreKey, now: Timestamp) -> StoreResult<bool> {
        let (_lock, path) = (self.lock()?, self.path(key));
        let admits = self.read(&path)?.is_some_and(|record| record.admits_delete(key, now));
        if admits {
            fs::remove_file(&path).map_err(broken)?;
        }
        Ok(admits)
    }

    async fn sweep(&self, limit: u32, now: Timestamp) -> StoreResult<u32> {
        let (_lock, mut swept) = (self.lock()?, 0);
        for entry in fs::read_dir(&self.folder).map_err(broken)? {
            let path = entry.map_err(broken)?.path();
            let is_session = path.extension().is_none() && !path.ends_with("lock");
            if swept < limit
                && is_session
                && self.read(&path)?.is_some_and(|record| !record.is_alive(now))
            {
                fs::remove_file(&path).map_err(broken)?;
                swept += 1;
            }
        }
        Ok(swept)
    }
}

/// A folder that is there as long as the harness.
struct InFolder {
    folder: PathBuf,
    locks: bool,
}

impl InFolder {
    fn new(locks: bool) -> Self {
        let name = format!("tenure-{}-{:?}", std::process::id(), std::thread::current().id());
        Self { folder: std::env::temp_dir().join(name), locks }
    }
}

impl Drop for InFolder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.folder);
    }
}

impl StoreHarness for InFolder {
    type Store = Files;

    async fn open(&self) -> Files {
        Files::at(&self.folder, self.locks)
    }

    fn address(&self) -> Option<String> {
        Some(self.folder.display().to_string())
    }

    async fn open_at(&self, address: &str) -> Files {
        Files::at(Path::new(address), self.locks)
    }
}

store_suite! { files, InFolder::new(true) }

/// The tests between processes are worth nothing if they pass without the lock.
#[test]
fn processes_without_a_lock_lose_something() {
    tenure_testkit::store::run(
        concat!(module_path!(), "::processes_without_a_lock_lose_something"),
        || InFolder::new(false),
        |trial| {
            Box::pin(async {
                let child = std::env::var("TENURE_SUITE_PART").is_ok();
                let outcome = laws::law_03_processes_lose_nothing(trial).await;
                assert!(child || outcome.is_err(), "{outcome:?}");
                Ok(Finding::Kept)
            })
        },
    );
}
