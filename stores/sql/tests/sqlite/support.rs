use std::path::{Path, PathBuf};
use std::time::Duration;

use tempfile::TempDir;
use tenure_core::id::{CommitId, Handle, Namespace, Proof, UserId};
use tenure_core::store::{Applied, Patch, Record, Store, StoreKey};
use tenure_core::value::{Data, Json, Number};
use tenure_core::{SystemRandom, Timestamp};
use tenure_sql::{SqliteOptions, SqliteStore};

pub(crate) const NOW: Timestamp = Timestamp::from_millis(1_700_000_000_000);
pub(crate) const ONE: Number = Number::Int(1);
pub(crate) const MINUTE: Duration = Duration::from_secs(60);

/// A database file that goes away with the test.
pub(crate) struct Database(TempDir);

impl Database {
    pub(crate) fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    pub(crate) fn folder(&self) -> &Path {
        self.0.path()
    }

    pub(crate) fn path(&self) -> PathBuf {
        self.folder().join("sessions.sqlite")
    }

    pub(crate) async fn open(&self) -> SqliteStore {
        SqliteStore::open(self.path()).await.unwrap()
    }

    pub(crate) async fn store(&self) -> SqliteStore {
        let store = self.open().await;
        store.migrate().await.unwrap();
        store
    }

    pub(crate) async fn patient(&self, busy_timeout: Duration) -> SqliteStore {
        let store =
            SqliteOptions::new().busy_timeout(busy_timeout).open(self.path()).await.unwrap();
        store.migrate().await.unwrap();
        store
    }
}

pub(crate) fn namespace(name: &str) -> Namespace {
    Namespace::new(name).unwrap()
}

pub(crate) fn user(id: &str) -> UserId {
    UserId::new(id).unwrap()
}

pub(crate) fn proof(of: u8) -> Proof {
    Proof::from_bytes([of; Proof::LEN])
}

/// A key whose proof is that of [`record`].
pub(crate) fn key(of: u8) -> StoreKey {
    StoreKey::new(namespace("shop"), Handle::from_bytes([of; Handle::LEN])).with_proof(proof(1))
}

pub(crate) fn foreign(id: &str) -> StoreKey {
    StoreKey::foreign(namespace("shop"), id)
}

pub(crate) fn commit() -> CommitId {
    CommitId::random(&SystemRandom).unwrap()
}

pub(crate) fn patch() -> Patch {
    Patch::new(commit())
}

pub(crate) fn record() -> Record {
    let mut record = foreign_record();
    record.proofs.present = Some(proof(1));
    record
}

/// A record that a key without a proof may use.
pub(crate) fn foreign_record() -> Record {
    let mut record = Record::new(NOW, 30 * MINUTE, 720 * MINUTE);
    record.commits = vec![(commit(), NOW)];
    record
}

pub(crate) fn data<const N: usize>(values: [(&str, &str); N]) -> Data {
    values.into_iter().collect()
}

/// The closure of an increment that an application writes itself.
pub(crate) fn plus_one(value: Option<&Json>) -> tenure_core::Result<Option<Json>> {
    let before = value.map(Json::decode::<u64>).transpose()?.unwrap_or_default();
    Json::of(&(before + 1)).map(Some)
}

pub(crate) async fn applied(store: &SqliteStore, key: &StoreKey, patch: Patch) -> Record {
    match store.apply(key, &patch, NOW).await.unwrap() {
        Applied::Done(Some(record)) => *record,
        other => panic!("{other:?}"),
    }
}

pub(crate) async fn loaded(store: &SqliteStore, key: &StoreKey) -> Record {
    store.load(key, NOW).await.unwrap().expect("the session is there")
}

/// The sum of all numbers that one query gives.
pub(crate) async fn number(store: &SqliteStore, sql: &'static str) -> i64 {
    sqlx::query_scalar(sql).fetch_one(store.pool()).await.unwrap()
}

pub(crate) async fn run(store: &SqliteStore, sql: &'static str) {
    sqlx::query(sql).execute(store.pool()).await.unwrap();
}
