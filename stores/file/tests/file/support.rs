use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use tempfile::TempDir;
use tenure_core::id::{CommitId, Handle, Namespace, Proof, UserId};
use tenure_core::store::{Applied, Patch, Record, Store, StoreKey};
use tenure_core::value::{Json, Number};
use tenure_core::{SystemRandom, Timestamp};
use tenure_file::FileStore;

pub(crate) const NOW: Timestamp = Timestamp::from_millis(1_700_000_000_000);
pub(crate) const ONE: Number = Number::Int(1);
pub(crate) const MINUTE: Duration = Duration::from_secs(60);

/// A folder that goes away with the test.
pub(crate) struct Sessions(TempDir);

impl Sessions {
    pub(crate) fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    pub(crate) fn parent(&self) -> &Path {
        self.0.path()
    }

    pub(crate) fn path(&self) -> PathBuf {
        self.parent().join("sessions")
    }

    pub(crate) async fn store(&self) -> FileStore {
        FileStore::open(self.path()).await.unwrap()
    }

    /// The file of the session with [`key`] `of`, in hex digits of the octet.
    pub(crate) fn file(&self, of: u8) -> PathBuf {
        self.shelf(of).join(format!("{of:02x}").repeat(Handle::LEN))
    }

    pub(crate) fn shelf(&self, of: u8) -> PathBuf {
        self.path().join(format!("73686f70/handles/{of:02x}"))
    }

    /// All files, and all folders, relative to the folder of sessions.
    pub(crate) fn walk(&self) -> (Vec<PathBuf>, Vec<PathBuf>) {
        let (mut files, mut folders) = (Vec::new(), vec![self.path()]);
        let mut at = 0;
        while let Some(folder) = folders.get(at).cloned() {
            at += 1;
            for entry in fs::read_dir(folder).unwrap() {
                let entry = entry.unwrap();
                let is_folder = entry.file_type().unwrap().is_dir();
                if is_folder { &mut folders } else { &mut files }.push(entry.path());
            }
        }
        (files, folders)
    }
}

pub(crate) fn namespace() -> Namespace {
    Namespace::new("shop").unwrap()
}

pub(crate) fn user(id: &str) -> UserId {
    UserId::new(id).unwrap()
}

pub(crate) fn proof(of: u8) -> Proof {
    Proof::from_bytes([of; Proof::LEN])
}

/// A key whose proof is that of [`record`].
pub(crate) fn key(of: u8) -> StoreKey {
    administrative(of).with_proof(proof(1))
}

pub(crate) fn administrative(of: u8) -> StoreKey {
    StoreKey::new(namespace(), Handle::from_bytes([of; Handle::LEN]))
}

pub(crate) fn foreign(id: &str) -> StoreKey {
    StoreKey::foreign(namespace(), id)
}

pub(crate) fn patch() -> Patch {
    Patch::new(CommitId::random(&SystemRandom).unwrap())
}

pub(crate) fn record() -> Record {
    let mut record = foreign_record();
    record.proofs.present = Some(proof(1));
    record
}

/// A record that a key without a proof may use.
pub(crate) fn foreign_record() -> Record {
    let mut record = Record::new(NOW, 30 * MINUTE, 720 * MINUTE);
    record.commits = vec![(CommitId::random(&SystemRandom).unwrap(), NOW)];
    record
}

pub(crate) fn of_user(id: &str) -> Record {
    let mut record = record();
    record.user = Some(user(id));
    record
}

pub(crate) fn json(text: &str) -> Json {
    Json::parse(text).unwrap()
}

pub(crate) async fn applied(store: &FileStore, key: &StoreKey, patch: Patch) -> Record {
    match store.apply(key, &patch, NOW).await.unwrap() {
        Applied::Done(Some(record)) => *record,
        other => panic!("{other:?}"),
    }
}

pub(crate) async fn loaded(store: &FileStore, key: &StoreKey) -> Record {
    store.load(key, NOW).await.unwrap().expect("the session is there")
}
