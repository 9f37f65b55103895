//! X10: the near cache, two of them before one store that tells of its changes.

use std::future::Future;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tenure_core::id::{CommitId, Proof};
use tenure_core::store::{
    AnyStore, Applied, Change, Created, Epoch, MemoryStore, NearCache, Patch, Record, Revision,
    Store, StoreError, StoreErrorKind, StoreKey, StoreResult, Swap, UserIndex, Watch,
};
use tenure_core::value::Json;
use tenure_core::{Handle, Namespace, SystemRandom, Timestamp, UserId};
use tenure_testkit::{Fault, FaultStore, Operation, Recorder};
use tokio::sync::{mpsc, oneshot};

const NOW: Timestamp = Timestamp::from_millis(1_700_000_000_000);

/// A store in memory that tells of its changes when the test says so.
#[derive(Clone)]
struct Telling {
    store: Arc<MemoryStore>,
    wires: Arc<Mutex<Vec<mpsc::UnboundedSender<Change>>>>,
}

impl Telling {
    fn new() -> Self {
        Self { store: Arc::new(MemoryStore::new()), wires: Arc::default() }
    }

    async fn tell(&self, change: Change) {
        for wire in &*self.wires.lock().unwrap() {
            let _ = wire.send(change.clone());
        }
        settle().await;
    }

    async fn lose_the_wires(&self) {
        self.wires.lock().unwrap().clear();
        settle().await;
    }
}

impl Store for Telling {
    async fn load(&self, key: &StoreKey, now: Timestamp) -> StoreResult<Option<Record>> {
        self.store.load(key, now).await
    }

    async fn create(&self, key: &StoreKey, new: &Record, now: Timestamp) -> StoreResult<Created> {
        self.store.create(key, new, now).await
    }

    async fn swap(
        &self,
        key: &StoreKey,
        expected: &Revision,
        new: &Record,
        now: Timestamp,
    ) -> StoreResult<Swap> {
        self.store.swap(key, expected, new, now).await
    }

    async fn delete(&self, key: &StoreKey, now: Timestamp) -> StoreResult<bool> {
        self.store.delete(key, now).await
    }

    async fn sweep(&self, limit: u32, now: Timestamp) -> StoreResult<u32> {
        self.store.sweep(limit, now).await
    }

    async fn apply(&self, key: &StoreKey, patch: &Patch, now: Timestamp) -> StoreResult<Applied> {
        self.store.apply(key, patch, now).await
    }

    fn users(&self) -> Option<&impl UserIndex> {
        self.store.users()
    }

    fn epoch(&self) -> Option<&impl Epoch> {
        self.store.epoch()
    }

    fn watch(&self) -> Option<&impl Watch> {
        Some(self)
    }
}

impl Watch for Telling {
    async fn watch(&self, listener: &(dyn Fn(Change) + Send + Sync)) -> StoreError {
        let (wire, mut told) = mpsc::unbounded_channel();
        self.wires.lock().unwrap().push(wire);
        listener(Change::Begins);
        while let Some(change) = told.recv().await {
            listener(change);
        }
        StoreError::new(StoreErrorKind::Unavailable, "the wire is cut")
    }
}

type Cached = NearCache<FaultStore<Recorder<Telling>>>;

/// Two processes, so to speak, each with a cache, on one server.
struct Scene {
    server: Telling,
    here: Cached,
    there: Cached,
    calls: Recorder<Telling>,
    faults: FaultStore<Recorder<Telling>>,
}

impl Scene {
    async fn new() -> Self {
        let server = Telling::new();
        let calls = Recorder::new(server.clone());
        let faults = FaultStore::new(calls.clone());
        let here = NearCache::new(faults.clone());
        let there = NearCache::new(FaultStore::new(Recorder::new(server.clone())));
        assert!(!here.is_on(), "not before it hears the server");
        tokio::spawn(here.watcher().run());
        tokio::spawn(there.watcher().run());
        settle().await;
        assert!(here.is_on() && there.is_on());
        let scene = Self { server, here, there, calls, faults };
        scene.here.create(&key(), &record(), NOW).await.unwrap();
        scene.calls.clear();
        scene
    }

    async fn loads(&self) -> usize {
        self.calls.operations().iter().filter(|call| **call == Operation::Load).count()
    }
}

fn key() -> StoreKey {
    bare().with_proof(Proof::from_bytes([2; 32]))
}

/// The same key as a server tells it, without a proof.
fn bare() -> StoreKey {
    StoreKey::new(Namespace::new("shop").unwrap(), Handle::from_bytes([1; 12]))
}

fn record() -> Record {
    let mut record = Record::new(NOW, Duration::from_secs(600), Duration::from_secs(900));
    record.proofs.present = key().proof().copied();
    record
}

fn set(value: u32) -> Patch {
    let id = CommitId::random(&SystemRandom).unwrap();
    Patch::new(id).set("n", Json::of(&value).unwrap())
}

async fn seen(store: &impl Store) -> Option<String> {
    let record = store.load(&key(), NOW).await.unwrap()?;
    Some(record.data.get("n").unwrap_or("-").to_owned())
}

/// Lets the tasks of the watchers run.
fn settle() -> impl Future<Output = ()> {
    tokio::time::sleep(Duration::from_millis(20))
}

#[tokio::test]
async fn x10_a_warm_read_costs_no_call() {
    let scene = Scene::new().await;
    for _ in 0..5 {
        assert_eq!(seen(&scene.here).await.unwrap(), "-");
    }
    assert_eq!(scene.loads().await, 1);
    assert_eq!(scene.here.len(), 1);
}

#[tokio::test]
async fn x10_a_commit_elsewhere_is_seen_once_it_was_told() {
    let scene = Scene::new().await;
    assert_eq!(seen(&scene.here).await.unwrap(), "-");
    scene.there.apply(&key(), &set(1), NOW).await.unwrap();
    scene.server.tell(Change::Session(bare())).await;
    assert_eq!(seen(&scene.here).await.unwrap(), "1");
}

#[tokio::test]
async fn x10_a_write_is_read_by_its_own_process_at_once() {
    let scene = Scene::new().await;
    for value in 1..4 {
        seen(&scene.here).await;
        scene.here.apply(&key(), &set(value), NOW).await.unwrap();
        assert_eq!(seen(&scene.here).await.unwrap(), value.to_string());
    }
    assert!(scene.here.delete(&key(), NOW).await.unwrap());
    assert_eq!(seen(&scene.here).await, None);
}

#[tokio::test]
async fn x10_a_write_whose_answer_is_lost_is_not_hidden_by_the_cache() {
    let scene = Scene::new().await;
    seen(&scene.here).await;
    scene.faults.inject(Operation::Apply, Fault::answer_lost(StoreErrorKind::Timeout));
    scene.here.apply(&key(), &set(7), NOW).await.unwrap_err();
    assert_eq!(seen(&scene.here).await.unwrap(), "7");
}

#[tokio::test]
async fn x10_a_load_that_a_change_overtakes_is_not_kept() {
    let scene = Scene::new().await;
    let (open, opened) = oneshot::channel::<()>();
    let opened = Mutex::new(Some(opened));
    scene.faults.inject(
        Operation::Load,
        Fault::delay(move || {
            let opened = opened.lock().unwrap().take().expect("one load waits");
            Box::pin(async move { drop(opened.await) })
        }),
    );
    let here = scene.here.clone();
    let late = tokio::spawn(async move { seen(&here).await });
    settle().await;
    scene.server.tell(Change::Session(bare())).await;
    open.send(()).unwrap();
    assert_eq!(late.await.unwrap().unwrap(), "-");
    assert!(scene.here.is_empty(), "what it saw may be older than the change");
    seen(&scene.here).await;
    assert_eq!(scene.here.len(), 1);
}

#[tokio::test]
async fn x10_a_lost_connection_turns_the_cache_off_until_it_is_back() {
    let scene = Scene::new().await;
    seen(&scene.here).await;
    scene.server.lose_the_wires().await;
    assert!(!scene.here.is_on());
    assert!(scene.here.is_empty());
    scene.calls.clear();
    scene.there.apply(&key(), &set(1), NOW).await.unwrap();
    assert_eq!(seen(&scene.here).await.unwrap(), "1");
    seen(&scene.here).await;
    assert_eq!(scene.loads().await, 2);
    tokio::time::timeout(Duration::from_secs(1), async {
        while !scene.here.is_on() {
            settle().await;
        }
    })
    .await
    .expect("within a second");
}

#[tokio::test]
async fn x10_a_watcher_that_is_dropped_leaves_no_cache_behind() {
    let scene = Scene::new().await;
    let here = NearCache::new(scene.server.clone());
    let task = tokio::spawn(here.watcher().run());
    settle().await;
    seen(&here).await;
    assert_eq!(here.len(), 1);
    task.abort();
    settle().await;
    assert!(!here.is_on() && here.is_empty());
}

#[tokio::test]
async fn x10_a_cache_that_was_closed_stays_off_and_its_watcher_ends() {
    let server = Telling::new();
    let cache = NearCache::new(server.clone());
    let watcher = tokio::spawn(cache.watcher().run());
    settle().await;
    assert!(cache.is_on());
    cache.close().await;
    server.tell(Change::Begins).await;
    assert!(!cache.is_on());
    server.lose_the_wires().await;
    watcher.await.unwrap();
}

#[tokio::test]
async fn x10_a_store_of_hidden_type_tells_too() {
    let scene = Scene::new().await;
    let hidden = NearCache::new(AnyStore::new(scene.server.clone()));
    let task = tokio::spawn(hidden.watcher().run());
    settle().await;
    assert_eq!(seen(&hidden).await.unwrap(), "-");
    scene.there.apply(&key(), &set(1), NOW).await.unwrap();
    scene.server.tell(Change::Session(bare())).await;
    assert_eq!(seen(&hidden).await.unwrap(), "1");
    task.abort();
}

#[tokio::test]
async fn x10_an_epoch_that_moves_empties_the_cache() {
    let scene = Scene::new().await;
    seen(&scene.here).await;
    seen(&scene.there).await;
    let epoch = scene.here.epoch().unwrap();
    epoch.revoke_everybody(key().namespace(), NOW).await.unwrap();
    assert_eq!(seen(&scene.here).await, None);
    assert_eq!(seen(&scene.there).await.unwrap(), "-", "it was not told yet");
    scene.server.tell(Change::Any).await;
    assert_eq!(seen(&scene.there).await, None);
}

#[tokio::test]
async fn x10_revoking_a_user_is_seen_here_at_once() {
    let scene = Scene::new().await;
    let ada = UserId::new("ada").unwrap();
    scene.here.apply(&key(), &set(1).bind(Some(ada.clone()), NOW), NOW).await.unwrap();
    seen(&scene.here).await;
    let users = scene.here.users().unwrap();
    assert_eq!(users.list(key().namespace(), &ada, NOW).await.unwrap().len(), 1);
    assert_eq!(users.revoke(key().namespace(), &ada, None, NOW).await.unwrap(), 1);
    assert_eq!(seen(&scene.here).await, None);
}

#[tokio::test]
async fn x10_a_cached_session_admits_whom_the_record_admits() {
    let scene = Scene::new().await;
    seen(&scene.here).await;
    let forged = bare().with_proof(Proof::from_bytes([9; 32]));
    for key in [forged, bare()] {
        assert!(scene.here.load(&key, NOW).await.unwrap().is_none(), "{key:?}");
    }
    let late = NOW + Duration::from_secs(600);
    assert!(scene.here.load(&key(), late).await.unwrap().is_none());
}

#[tokio::test]
async fn x10_the_cache_is_bounded_in_sessions_and_in_age() {
    let server = Telling::new();
    let calls = Recorder::new(server.clone());
    let cache = NearCache::new(calls.clone()).stale_for(Duration::from_secs(5)).max_sessions(64);
    let keys = (0..1_000_u16).map(|n| {
        let mut handle = [0; 12];
        handle[..2].copy_from_slice(&n.to_be_bytes());
        StoreKey::new(Namespace::new("shop").unwrap(), Handle::from_bytes(handle))
            .with_proof(Proof::from_bytes([2; 32]))
    });
    for key in keys {
        cache.create(&key, &record(), NOW).await.unwrap();
        assert!(cache.load(&key, NOW).await.unwrap().is_some());
        assert!(cache.len() <= 64, "{}", cache.len());
    }
    assert!(!cache.is_empty());
    cache.create(&key(), &record(), NOW).await.unwrap();
    seen(&cache).await;
    server.apply(&key(), &set(1), NOW).await.unwrap();
    assert_eq!(seen(&cache).await.unwrap(), "-");
    let later = NOW + Duration::from_secs(5);
    let record = cache.load(&key(), later).await.unwrap().unwrap();
    assert_eq!(record.data.get("n"), Some("1"));
}
